//! What was not watched, or not told for sure: each opens a gap, is made up for, and closes with what was found.

use super::adopt::Adopt;
use super::error::EngineError;
use super::live::Live;
use crate::event::{FileEvent, Via};
use crate::finding::{Gap, Record};
use crate::watcher::{Loss, Recovery};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::time::{Instant, SystemTime};

/// Where a gap is that may be anywhere.
const ALL: &str = "all";
/// How many times as long as it took to compare everything is spent on other things: a kernel that skips programs whenever it
/// is busy must not have the agent compare a million files all the time.
const REST: u32 = 19;

/// Gaps of this watch.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// By their number.
    open: BTreeMap<u64, Gap>,
    opened: u64,
    /// The numbers of losses by which their watcher knows them, and those of their gaps.
    losses: Vec<(u64, u64)>,
    /// When everything is to be compared, if it is.
    due: Option<Instant>,
    /// The losses for which it is.
    to_compare: Vec<u64>,
    /// Not before then, unless something is in doubt by itself.
    next: Option<Instant>,
    /// Gaps of losses for which everything was compared, in this order.
    compared: VecDeque<u64>,
    /// Changes found by making up for what was not watched, since the last gap was closed.
    pub found: u64,
    /// The same, since the start.
    pub recovered: u64,
}

impl Gaps {
    /// Gaps opened, and those still open.
    pub(super) fn count(&self) -> (u64, u64) {
        (self.opened, self.open.len() as u64)
    }

    /// Whether one of a loss is to be closed.
    pub(super) fn is_compared(&self) -> bool {
        !self.compared.is_empty()
    }

    /// Everything that makes up for the loss of this number is marked by now. It is not looked at before what came meanwhile
    /// is known: that may say who changed what comparing found.
    pub(super) fn note_compared(&mut self, loss: u64) {
        if let Some(at) = self.losses.iter().position(|(number, _)| *number == loss) {
            self.compared.push_back(self.losses.remove(at).1);
        }
    }

    /// When everything is to be compared, if it is.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Everything is to be compared now.
    pub(super) fn hurry(&mut self) {
        self.due = Some(Instant::now());
    }
}

impl Live<'_> {
    /// Opens a gap and says so; its number.
    pub(super) fn open_gap(&mut self, cause: &str, scope: &str, lost: u64) -> Result<u64, EngineError> {
        self.gaps.opened += 1;
        let id = self.gaps.opened;
        let gap = Gap { id, cause: cause.to_owned(), scope: scope.to_owned(), lost, found: 0 };
        self.gaps.open.insert(id, gap.clone());
        self.engine.reporter.report(Record::CoverageGap(gap))?;
        Ok(id)
    }

    /// Says that a gap is closed, with nothing that was found.
    pub(super) fn close_gap(&mut self, id: u64) -> Result<(), EngineError> {
        match self.gaps.open.remove(&id) {
            Some(gap) => self.engine.reporter.report(Record::GapClosed(gap)),
            None => Ok(()),
        }
    }

    /// The same with what was found since the last one was closed.
    pub(super) fn close_gap_with_found(&mut self, id: u64) -> Result<(), EngineError> {
        let found = std::mem::take(&mut self.gaps.found);
        self.gaps.recovered += found;
        if let Some(gap) = self.gaps.open.get_mut(&id) {
            gap.found = found;
        }
        self.close_gap(id)
    }

    /// Records were lost.
    pub(super) fn lost(&mut self, loss: &Loss) -> Result<(), EngineError> {
        self.stats.lost += loss.count;
        let id = self.open_gap(loss.cause, ALL, loss.count)?;
        self.gaps.losses.push((loss.number, id));
        if loss.recovery == Recovery::Rescan {
            let now = Instant::now();
            self.gaps.to_compare.push(loss.number);
            self.gaps.due.get_or_insert(self.gaps.next.map_or(now, |next| next.max(now)));
        }
        self.compare_if_due()
    }

    /// Marks whatever is not as it was last seen, if it is time to. On an error it is still to be done.
    pub(super) fn compare_if_due(&mut self) -> Result<(), EngineError> {
        let begun = Instant::now();
        if self.gaps.due.is_none_or(|due| due > begun) {
            return Ok(());
        }
        let how = Adopt { learn: self.learning.is_some(), ..Adopt::default() };
        self.adopt_part(Path::new("/"), &FileEvent::new(SystemTime::now(), Via::Sweep), &how)?;
        self.gaps.due = None;
        self.gaps.next = Some(Instant::now() + begun.elapsed() * REST);
        std::mem::take(&mut self.gaps.to_compare).into_iter().for_each(|loss| self.gaps.note_compared(loss));
        Ok(())
    }

    /// Closes the gaps of losses that are made up for, with what was found.
    pub(super) fn close_compared(&mut self) -> Result<(), EngineError> {
        while let Some(id) = self.gaps.compared.front().copied() {
            self.drain(false)?;
            self.tell_storms()?;
            self.gaps.compared.pop_front();
            self.close_gap_with_found(id)?;
        }
        Ok(())
    }

    /// The end of the watch: what is still open of losses is compared now.
    pub(super) fn close_gaps(&mut self) -> Result<(), EngineError> {
        self.close_compared()?;
        if self.gaps.losses.is_empty() {
            return Ok(());
        }
        self.gaps.hurry();
        self.compare_if_due()?;
        let open = std::mem::take(&mut self.gaps.losses);
        self.gaps.compared.extend(open.into_iter().map(|(_, id)| id));
        self.close_compared()
    }
}
