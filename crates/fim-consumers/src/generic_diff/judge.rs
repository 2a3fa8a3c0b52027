//! What is said of a look in the end, and how much it matters.

use super::compare::Compared;
use super::options::Options;
use super::unified::{Cut, Rendered};
use crate::generic::{changes, places, severity};
use fim_core::{Change, Context, Facts, Severity, Snapshot};
use std::path::Path;

/// What comparing the content came to.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// In order.
    pub changes: Vec<Change>,
    pub diff: Option<String>,
    /// Something of the file is hidden: no hashes.
    pub hides: bool,
    /// The text before is older than the last look.
    pub stale: bool,
    /// Hidden lines could not be compared.
    pub key_lost: bool,
    /// A text became something that is not shown.
    pub lost_sight: bool,
    /// Nothing but ignored lines changed.
    pub only_ignored: bool,
    /// What sshd is told otherwise.
    pub options: Options,
}

impl Said {
    pub(super) fn hiding(self, hides: bool) -> Self {
        Self { hides, ..self }
    }

    /// Adds a diff and what goes with it.
    pub(super) fn add(&mut self, compared: &Compared<'_>, shown: Rendered) {
        let Rendered { diff, added, removed, ignored_added, ignored_removed, cut } = shown;
        let (is_shown, is_ignored) = (added + removed > 0, ignored_added + ignored_removed > 0);
        if is_shown {
            self.changes.push(Change::new("lines").of("added", added).of("removed", removed));
        }
        if is_ignored {
            let ignored = Change::new("lines_ignored");
            self.changes.push(ignored.of("added", ignored_added).of("removed", ignored_removed));
        }
        let hidden = compared.hidden_changed() as u64;
        if is_shown && hidden > 0 {
            self.changes.push(Change::new("redacted_changed").of("lines", hidden));
        }
        self.changes.extend(cut.map(cut_change));
        if is_shown && compared.coarse {
            self.changes.push(Change::new("diff_coarse"));
        }
        if is_shown && self.stale {
            self.changes.push(Change::new("diff_since_earlier"));
        }
        if self.key_lost {
            self.changes.push(Change::new("secrets_not_compared"));
        }
        self.only_ignored = is_ignored && !is_shown;
        self.diff = (!diff.is_empty()).then_some(diff);
    }
}

fn cut_change(cut: Cut) -> Change {
    let change = Change::new("diff_cut");
    match cut {
        Cut::Lines { lines, limit } => change.of("lines", lines).of("limit", limit),
        Cut::Bytes { lines, limit } => change.of("lines", lines).of("limit_bytes", limit),
        Cut::LineBytes { limit } => change.of("limit_line_bytes", limit),
    }
}

/// Whether the content is another, so far as can be told without reading it.
pub(super) fn content_moved(file: &Snapshot, before: Option<&Facts>) -> bool {
    match (before, &file.facts) {
        (Some(before), Some(after)) => before.kind != after.kind || changes::content_differs(before, after),
        _ => true,
    }
}

/// Says it: metadata as the generic consumer does, then the lines.
pub(super) fn judge(file: &Snapshot, root: &Path, said: Said, cx: &mut Context<'_>) {
    let before = cx.before();
    let after = file.facts.as_ref();
    let mut metadata = Vec::new();
    if let (Some(before), Some(after)) = (before, after) {
        metadata = changes::between(&file.path, before, after);
    }
    let is_content = |change: &Change| matches!(change.what.as_str(), "content" | "sha256" | "size");
    let is_of_content = metadata.iter().all(is_content);
    if said.hides {
        metadata.retain(|change| change.what != "sha256");
        for change in metadata.iter_mut().filter(|change| change.what == "content") {
            *change = Change::new("content");
        }
    }
    for change in metadata.into_iter().chain(said.changes) {
        cx.change(change);
    }
    if let Some(diff) = said.diff {
        cx.diff(diff);
    }
    let severity = severity::of(places::within(root, &file.path), before, after);
    let is_routine = said.only_ignored && is_of_content && severity <= Severity::Notable;
    cx.severity(if is_routine { Severity::Routine } else { severity });
    if cx.renamed_from().is_some() || (!is_routine && content_moved(file, before)) {
        cx.severity(places::of_names(root, &file.path, cx.renamed_from()));
    }
    if said.lost_sight {
        cx.severity(Severity::High);
    }
    said.options.tell(cx);
}
