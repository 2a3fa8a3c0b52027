//! Asking the explainer what led to a change, and what its answer makes of a finding.
//!
//! Knows no package and no window. A look that waits for an answer leaves line and state as they are, so that
//! nothing can fall between the two.

use super::Engine;
use super::compare::{Verdict, compare};
use super::judge::Cause;
use super::live::Live;
use super::pending::Pending;
use crate::explain::{Checksums, Reason, Sight};
use crate::facts::{Facts, HashState};
use crate::finding::{Finding, Severity};
use crate::snapshot::{Reader, Snapshot};
use crate::watch_set::{Checksum, Need};
use std::path::Path;
use std::time::{Instant, SystemTime};

impl Engine {
    /// What led to a change; nothing if there is no change or nobody to ask.
    pub(super) fn reason(&mut self, before: Option<&Facts>, now: &Snapshot, cause: &Cause<'_>) -> Reason {
        let Some(explainer) = &mut self.explainer else { return Reason::default() };
        let after = now.facts.as_ref();
        let attributes = cause.marks.is_some_and(|marks| marks.attributes);
        let verdict = compare(before, after, attributes);
        if matches!(verdict, Verdict::Same | Verdict::Quiet) && !cause.moved && !cause.replaced {
            return Reason::default();
        }
        let sight = Sight {
            path: &now.path,
            before,
            after,
            detected: cause.detected,
            at: cause.marks.map_or_else(SystemTime::now, |marks| marks.at),
            actors: cause.marks.map(|marks| marks.actors.as_slice()).unwrap_or_default(),
        };
        explainer.explain(&sight, &mut Again { reader: &mut self.reader, path: &now.path, seen: after })
    }
}

impl Live<'_> {
    /// Whether a look is to be taken again in a moment, since more may be known of its reason then.
    pub(super) fn waits_for(&mut self, reason: &Reason, path: &Path, item: &Pending) -> bool {
        reason.is_open && self.queue.wait(path, item, Instant::now())
    }
}

/// Adds what is known of its reason to a finding.
pub(super) fn apply(reason: Reason, finding: &mut Finding) {
    let lowers = reason.explanation.as_ref().is_some_and(|it| it.lowers);
    if lowers && finding.severity == Severity::Notable {
        finding.severity = Severity::Routine;
    }
    finding.explained_by = reason.explanation;
    if let Some((change, severity)) = reason.odd {
        finding.changes.push(change);
        finding.severity = finding.severity.max(severity);
    }
}

/// Reads the file that was looked at again.
struct Again<'a> {
    reader: &'a mut Reader,
    path: &'a Path,
    seen: Option<&'a Facts>,
}

impl Checksums for Again<'_> {
    fn of_content(&mut self, checksum: Checksum) -> Option<Vec<u8>> {
        let seen = self.seen.filter(|seen| seen.hash_state == HashState::Stable)?;
        let need = Need { checksum: Some(checksum), ..Need::default() };
        let again = self.reader.look(self.path, need);
        let now = again.facts.filter(|now| now.hash_state == HashState::Stable)?;
        // By the hash: that it is the same content is then proven, not believed of clocks.
        (now.same_hash(seen) == Some(true)).then_some(again.checksum)?
    }
}
