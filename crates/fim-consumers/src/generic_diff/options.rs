//! What sshd is told otherwise, option by option: known where the consumer of accounts is built too.
//!
//! Must not know how texts are kept or shown.

use super::text::Text;
use fim_core::Context;
use std::path::Path;

/// What is said of options.
#[derive(Debug, Default)]
pub(super) struct Options {
    #[cfg(feature = "users")]
    said: crate::said::Said,
}

#[cfg(feature = "users")]
impl Options {
    /// Compares two texts under the names they had; under one that sshd does not read, a text says nothing to it.
    pub(super) fn of((was, old): (&Path, &Text), (is, new): (&Path, &Text)) -> Self {
        use crate::parse::sshd_config::parse;
        use crate::sshd_options::{compare, decides};
        let mut options = Self::default();
        let said_to_sshd = |path: &Path, text: &Text| {
            if decides(path) { parse(&text.bytes).directives } else { Vec::new() }
        };
        let (before, after) = (said_to_sshd(was, old), said_to_sshd(is, new));
        compare(&before, &after, &mut options.said);
        options
    }

    pub(super) fn tell(self, cx: &mut Context<'_>) {
        if !self.said.is_nothing() {
            self.said.tell(cx);
        }
    }
}

#[cfg(not(feature = "users"))]
impl Options {
    pub(super) fn of(_: (&Path, &Text), _: (&Path, &Text)) -> Self {
        Self::default()
    }

    pub(super) fn tell(self, _: &mut Context<'_>) {}
}
