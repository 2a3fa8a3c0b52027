//! Losses: each opens a gap, is made up for, and closes with what was found.

use super::error::EngineError;
use super::live::Live;
use crate::event::{FileEvent, Via};
use crate::finding::{Gap, Record};
use crate::watcher::{Loss, Recovery};
use std::path::Path;
use std::time::SystemTime;

/// Gaps of this watch.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    open: Vec<(u64, Gap)>,
    opened: u64,
    unwritable: bool,
    /// Changes found by making up for losses, since the last gap was closed.
    pub found: u64,
    /// The same, since the start.
    pub recovered: u64,
}

impl Gaps {
    /// Gaps opened, and those still open.
    pub(super) fn count(&self) -> (u64, u64) {
        (self.opened, self.open.len() as u64 + u64::from(self.unwritable))
    }

    /// The state cannot be written: nothing is missed, but a crash would repeat lines.
    pub(super) fn state_unwritable(&mut self) -> Gap {
        self.unwritable = true;
        Gap { scope: "state".to_owned(), ..self.open("state_unwritable", 0) }
    }

    pub(super) fn state_written(&mut self) {
        self.unwritable = false;
    }

    pub(super) fn open(&mut self, cause: &str, lost: u64) -> Gap {
        self.opened += 1;
        Gap { id: self.opened, cause: cause.to_owned(), scope: "all".to_owned(), lost, found: 0 }
    }
}

impl Live<'_> {
    /// Records were lost.
    pub(super) fn lost(&mut self, loss: &Loss) -> Result<(), EngineError> {
        self.stats.lost += loss.count;
        let gap = self.gaps.open(loss.cause, loss.count);
        self.engine.reporter.report(Record::CoverageGap(gap.clone()))?;
        self.gaps.open.push((loss.number, gap));
        if loss.recovery == Recovery::Rescan {
            self.rescan()?;
            self.recovered(loss.number)?;
        }
        Ok(())
    }

    /// Marks whatever is not as it was last seen.
    fn rescan(&mut self) -> Result<(), EngineError> {
        self.adopt(Path::new("/"), &FileEvent::new(SystemTime::now(), Via::Sweep), None)
    }

    /// Everything that makes up for a loss is marked by now.
    pub(super) fn recovered(&mut self, number: u64) -> Result<(), EngineError> {
        let Some(at) = self.gaps.open.iter().position(|(open, _)| *open == number) else {
            return Ok(());
        };
        self.drain(false)?;
        self.tell_storms()?;
        let (_, mut gap) = self.gaps.open.remove(at);
        gap.found = std::mem::take(&mut self.gaps.found);
        self.gaps.recovered += gap.found;
        self.engine.reporter.report(Record::GapClosed(gap))
    }

    /// The end of the watch: what is still open is compared now.
    pub(super) fn close_gaps(&mut self) -> Result<(), EngineError> {
        if self.gaps.open.is_empty() {
            return Ok(());
        }
        self.rescan()?;
        let open: Vec<u64> = self.gaps.open.iter().map(|(number, _)| *number).collect();
        open.into_iter().try_for_each(|number| self.recovered(number))
    }
}
