//! What became of the name a file was renamed from, when its new name is looked at.
//!
//! Must not know where renames come from.

use super::error::EngineError;
use super::judge::Judgement;
use super::live::Live;
use super::look::{advance, was_dir};
use crate::snapshot::{Reader, Snapshot};
use crate::state::FileRecord;
use std::path::{Path, PathBuf};

/// What became of the name a file was renamed from.
#[derive(Default)]
pub(super) struct Origin {
    /// The name, if it is gone and this look tells its story.
    gone: Option<PathBuf>,
    /// What was known of it, and whose it was.
    pub record: Option<FileRecord>,
    pub owner: Option<usize>,
    /// The same file, under a name that was free.
    pub moved: bool,
}

impl Origin {
    pub(super) fn of(
        live: &Live<'_>,
        previous: &Path,
        record: Option<&FileRecord>,
        now: &Snapshot,
    ) -> Result<Self, EngineError> {
        let Some(after) = &now.facts else {
            return Ok(Self::default());
        };
        if !live.engine.reader.open_path(previous).is_err_and(|error| Reader::is_gone(&error)) {
            return Ok(Self::default());
        }
        let known = live.engine.state.get(previous)?;
        let was_here = record.is_some_and(|record| record.seen.is_some());
        let seen = known.as_ref().and_then(|record| record.seen.as_ref());
        let moved = !was_here && seen.is_some_and(|it| it.inode == after.inode && it.kind == after.kind);
        let owner = live.engine.watch.owner(previous);
        Ok(Self { gone: Some(previous.to_owned()), record: known, owner, moved })
    }

    pub(super) fn is_known(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.seen.is_some())
    }

    /// Takes leave of the old name: its owner is told, and what that means to it is told with the rest.
    pub(super) fn leave(
        &self,
        live: &mut Live<'_>,
        new_owner: usize,
        judgement: &mut Judgement,
    ) -> Result<(), EngineError> {
        let Some(previous) = &self.gone else { return Ok(()) };
        if let (Some(owner), Some(record), true) = (self.owner, &self.record, self.is_known()) {
            let farewell = live.engine.farewell(owner, record, &Snapshot::gone(previous));
            let is_told = live.engine.is_new_by_name(Some(owner), new_owner);
            let finding = judgement.finding.as_mut().filter(|_| is_told);
            if let (Some(finding), Some(farewell)) = (finding, farewell) {
                finding.changes.extend(farewell.changes);
                finding.severity = farewell.severity.map_or(finding.severity, |it| finding.severity.max(it));
            }
        }
        advance(&mut live.engine.state, self.record.clone(), Snapshot::gone(previous), None)?;
        if let Some(item) = live.queue.take(previous)
            && was_dir(self.record.as_ref())
        {
            live.vanished_dir(previous, &item)?;
        }
        Ok(())
    }
}
