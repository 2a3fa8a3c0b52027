//! `generic`: the hash before and after. bpfink's is encrypted and another each time; this is BLAKE3, and
//! equal where the content is.

use super::super::secret::{HIDDEN, keeps_hash};
use super::super::short::hex;
use fim_core::{Action, Facts, Finding};
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
pub(super) struct Fields {
    generic: Hashes,
    file: String,
}

/// In hexadecimal; empty where there is no file or it could not be read.
#[derive(Serialize)]
struct Hashes {
    current: String,
    next: String,
}

pub(super) fn fields(finding: &Finding, path: &Path, action: Action) -> Fields {
    let secret = keeps_hash(finding);
    let show = |facts: Option<&Facts>| facts.and_then(|facts| hash(facts, secret)).unwrap_or_default();
    let (before, after) = (finding.before.as_ref(), finding.after.as_ref());
    let (current, next) = match action {
        Action::Created => (None, after),
        Action::Deleted => (before, None),
        _ => (before, after),
    };
    Fields {
        generic: Hashes { current: show(current), next: show(next) },
        file: path.to_string_lossy().into_owned(),
    }
}

fn hash(facts: &Facts, secret: bool) -> Option<String> {
    facts.blake3.map(|hash| if secret { HIDDEN.to_owned() } else { hex(&hash).to_string() })
}
