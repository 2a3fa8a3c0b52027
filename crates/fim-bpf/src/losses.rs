//! Noticing that records did not come, and making up for it.
//!
//! Knows nothing of what is in a record.

use crate::checks::Wrong;
use crate::hooks::Heals;
use crate::intake::Intake;
use crate::marks::{BpfMarks, Counts};
use crate::object::Attached;
use crate::sys;
use fim_core::{Loss, Recovery, Tampering, WatchMessage};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// How often the rarer counters are read.
const RARELY: Duration = Duration::from_millis(250);
/// How long what only comparing everything makes up for is gathered: a kernel that preempts skips runs all
/// the time when it is busy, and where there is no room for one file there is none for the next.
const GATHER: Duration = Duration::from_secs(10);

/// What was already told of the kernel's counters.
#[derive(Debug)]
pub struct Losses {
    number: u64,
    told: Counts,
    skipped: Skipped,
    /// Records that could not be decoded, of which was told.
    malformed: u64,
    /// Skipped runs that are yet to be made up for by comparing everything.
    to_scan: u64,
    next: Instant,
    next_scan: Instant,
}

/// Runs the kernel skipped because the program was already running on that processor: where it may preempt
/// a program, another task may come to the same one. By what makes up for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Skipped {
    open: u64,
    /// Those among them after which the change may go on.
    open_ended: u64,
    close: u64,
    scan: u64,
}

impl Losses {
    /// Nothing told yet; what the counters hold by now was before the watch, but for records lost that nobody
    /// told of: `told` is how many were.
    pub fn since(marks: &BpfMarks, programs: &[Attached], told: Option<u64>) -> Self {
        let now = Instant::now();
        let counts = marks.counts();
        Self {
            number: 0,
            told: Counts { lost: told.unwrap_or(counts.lost).min(counts.lost), ..counts },
            skipped: Skipped::count(programs),
            malformed: 0,
            to_scan: 0,
            next: now + RARELY,
            next_scan: now,
        }
    }

    /// Tells of records lost before the watch; the number of the loss. Whoever asks sweeps the marks.
    pub fn tell_inherited(&mut self, marks: &BpfMarks, intake: &mut Intake) -> Option<u64> {
        let count = self.newly_lost(marks, marks.counts().lost)?;
        Some(self.tell("ring_full", count, Recovery::Sweep, intake))
    }

    fn newly_lost(&mut self, marks: &BpfMarks, lost: u64) -> Option<u64> {
        let count = lost.checked_sub(self.told.lost).filter(|count| *count > 0)?;
        self.told.lost = lost;
        if let Some(kept) = &marks.kept {
            kept.set(|now| now.lost = lost);
        }
        Some(count)
    }

    /// Tells of losses since the last call, and sweeps the dirty marks for records that found the ring full.
    pub fn check(&mut self, marks: &BpfMarks, programs: &[Attached], intake: &mut Intake) {
        let counts = marks.counts();
        if let Some(count) = self.newly_lost(marks, counts.lost) {
            let number = self.tell("ring_full", count, Recovery::Sweep, intake);
            match marks.dirty(|id, mapped| intake.found_dirty(id, mapped)) {
                Ok(()) => intake.send(WatchMessage::Recovered(number)),
                Err(error) => {
                    log::warn!("cannot sweep the marks for changes whose records were lost: {error}");
                    // A gap of its own that comparing everything closes, and with it this one: counted once.
                    self.tell("ring_full", 0, Recovery::Rescan, intake);
                    intake.send(WatchMessage::Recovered(number));
                }
            }
        }
        if !self.is_due() {
            return;
        }
        self.next = Instant::now() + RARELY;
        intake.refresh_clock();
        self.tell_more("marks_full", counts.marks_full, |losses| &mut losses.told.marks_full, intake);
        self.tell_more("malformed", intake.stats.malformed, |losses| &mut losses.malformed, intake);
        self.check_skipped(marks, programs, intake);
    }

    /// Tells by how much a counter is beyond what was told of it, if it is time to compare everything again.
    fn tell_more(
        &mut self,
        cause: &'static str,
        count: u64,
        told: fn(&mut Self) -> &mut u64,
        intake: &mut Intake,
    ) {
        let before = *told(self);
        if count > before && Instant::now() >= self.next_scan {
            self.next_scan = Instant::now() + GATHER;
            *told(self) = count;
            self.tell(cause, count - before, Recovery::Rescan, intake);
        }
    }

    fn check_skipped(&mut self, marks: &BpfMarks, programs: &[Attached], intake: &mut Intake) {
        let before = self.skipped;
        self.skipped = Skipped::count(programs);
        if self.skipped == before {
            return self.scan_if_due(intake);
        }
        self.skipped.log(programs);
        let open = self.skipped.open.saturating_sub(before.open);
        self.to_scan += self.skipped.scan.saturating_sub(before.scan);
        if open > 0 {
            let files = marks.open_for_writing();
            // Whoever closed since the last call, unseen too, is not among them.
            let closed = Skipped::count(programs).close > before.close;
            match files {
                Ok(files) if !closed => {
                    let number = self.tell("missed_runs", open, Recovery::Sweep, intake);
                    let goes_on = self.skipped.open_ended > before.open_ended;
                    files.into_iter().for_each(|id| intake.found_dirty(id, goes_on));
                    intake.send(WatchMessage::Recovered(number));
                }
                Ok(_) => self.to_scan += open,
                Err(error) => {
                    log::warn!("cannot list the files that are open for writing: {error}");
                    self.to_scan += open;
                }
            }
        }
        self.scan_if_due(intake);
    }

    fn scan_if_due(&mut self, intake: &mut Intake) {
        if self.to_scan > 0 && Instant::now() >= self.next_scan {
            self.next_scan = Instant::now() + GATHER;
            let count = std::mem::take(&mut self.to_scan);
            self.tell("missed_runs", count, Recovery::Rescan, intake);
        }
    }

    /// Tells that somebody meddled with the programs or their maps: what they did not see since is made up for.
    pub fn tampered(&mut self, wrong: Wrong, intake: &mut Intake) {
        intake.send(WatchMessage::Tampered(Tampering::new("watcher", wrong.what)));
        if wrong.blinds {
            self.tell("tampering", 0, Recovery::Rescan, intake);
        }
    }

    /// Whether the next check takes longer than others.
    pub fn is_due(&self) -> bool {
        Instant::now() >= self.next
    }

    /// Makes the next check read all counters.
    pub fn hurry(&mut self) {
        self.next = Instant::now();
        self.next_scan = self.next;
    }

    fn tell(&mut self, cause: &'static str, count: u64, recovery: Recovery, intake: &mut Intake) -> u64 {
        self.number += 1;
        intake.stats.lost += count;
        intake.send(WatchMessage::Lost(Loss { number: self.number, cause, count, recovery }));
        self.number
    }
}

impl Skipped {
    fn count(programs: &[Attached]) -> Self {
        let mut all = Self::default();
        for attached in programs {
            let missed = sys::missed_runs(attached.program.as_fd()).unwrap_or_default();
            match attached.hook.heals {
                Heals::Open => all.open += missed,
                Heals::OpenEnded => {
                    all.open += missed;
                    all.open_ended += missed;
                }
                Heals::Close => all.close += missed,
                Heals::Scan => all.scan += missed,
                Heals::Keep => {}
            }
        }
        all
    }

    fn log(self, programs: &[Attached]) {
        for attached in programs {
            let missed = sys::missed_runs(attached.program.as_fd()).unwrap_or_default();
            if missed > 0 {
                log::info!("the kernel has skipped {} {missed} times by now", attached.hook.function);
            }
        }
    }
}
