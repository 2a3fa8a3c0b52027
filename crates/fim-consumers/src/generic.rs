//! Any file: what of its content and metadata changed, and how much that matters.
//!
//! Knows no file format. That a file was created, deleted or merely touched is said by the engine.

pub(crate) mod changes;
mod flags;
pub(crate) mod places;
pub(crate) mod severity;

use fim_core::{Consumer, ConsumerError, Context, Interest, Snapshot};
use std::path::PathBuf;

/// Which files, and how they are compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GenericConfig {
    /// As [`Interest::paths`].
    pub paths: Vec<String>,
    /// As [`Interest::exclude`].
    pub exclude: Vec<String>,
    /// As [`Interest::exclude_regex`].
    pub exclude_regex: Vec<String>,
    /// SHA-256 besides BLAKE3.
    pub sha256: bool,
    /// Where the system's own directories are, if not at `/`.
    pub root: PathBuf,
}

/// The consumer `generic`.
///
/// ```
/// use fim_consumers::{Generic, GenericConfig};
/// use fim_core::Consumer;
///
/// let etc = Generic::new(GenericConfig { paths: vec!["/etc".into()], sha256: true, ..GenericConfig::default() });
/// assert_eq!(etc.name(), "generic");
/// ```
#[derive(Clone, Debug)]
pub struct Generic {
    interest: Interest,
    root: PathBuf,
}

impl Generic {
    /// A consumer for these files.
    #[must_use]
    pub fn new(config: GenericConfig) -> Self {
        let mut interest = Interest::in_paths(config.paths).excluding(config.exclude);
        interest.exclude_regex = config.exclude_regex;
        if config.sha256 {
            interest = interest.with_sha256();
        }
        Self { interest, root: config.root }
    }
}

impl Consumer for Generic {
    fn name(&self) -> &'static str {
        "generic"
    }

    fn interest(&self) -> Interest {
        self.interest.clone()
    }

    fn keeps(&self) -> bool {
        false
    }

    fn inspect(&mut self, file: &Snapshot, cx: &mut Context<'_>) -> Result<(), ConsumerError> {
        let before = cx.before();
        let after = file.facts.as_ref();
        if let (Some(before), Some(after)) = (before, after) {
            for change in changes::between(&file.path, before, after) {
                cx.change(change);
            }
        }
        // All that a file is comes to another name with it.
        let compared = before.filter(|_| cx.renamed_from().is_none());
        if let Some(change) = after.and_then(|after| severity::power(compared, after)) {
            cx.change(change);
        }
        cx.severity(severity::of(places::within(&self.root, &file.path), before, after));
        if compared.zip(after).is_none_or(|(before, after)| changes::content_differs(before, after)) {
            cx.severity(places::of_names(&self.root, &file.path, cx.renamed_from()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
