//! Noticing that records did not come, and making up for it.
//!
//! Knows nothing of what is in a record.

use crate::intake::Intake;
use crate::marks::{BpfMarks, Counts};
use crate::object::Attached;
use crate::sys;
use fim_core::{Loss, Recovery, WatchMessage};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// How often the rarer counters are read.
const RARELY: Duration = Duration::from_secs(1);
/// How long skipped runs are gathered before everything is compared again: a kernel that preempts skips
/// some all the time when it is busy.
const GATHER: Duration = Duration::from_secs(10);

/// What was already told of the kernel's counters.
#[derive(Debug)]
pub struct Losses {
    number: u64,
    told: Counts,
    missed: u64,
    next: Instant,
    tell_missed: Instant,
}

impl Losses {
    /// Nothing told yet; what the counters hold by now was before the watch.
    pub fn since(marks: &BpfMarks, programs: &[Attached]) -> Self {
        let now = Instant::now();
        Self {
            number: 0,
            told: marks.counts(),
            missed: missed_runs(programs),
            next: now + RARELY,
            tell_missed: now,
        }
    }

    /// Tells of losses since the last call, and sweeps the dirty marks for records that found the ring full.
    pub fn check(&mut self, marks: &BpfMarks, programs: &[Attached], intake: &mut Intake) {
        let counts = marks.counts();
        if counts.lost > self.told.lost {
            let count = counts.lost - self.told.lost;
            self.told.lost = counts.lost;
            let number = self.tell("ring_full", count, Recovery::Sweep, intake);
            match marks.dirty(|id, mapped| intake.found_dirty(id, mapped)) {
                Ok(()) => intake.send(WatchMessage::Recovered(number)),
                Err(error) => {
                    log::warn!("cannot sweep the marks for changes whose records were lost: {error}");
                    self.tell("ring_full", count, Recovery::Rescan, intake);
                }
            }
        }
        if Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + RARELY;
        intake.refresh_clock();
        if counts.marks_full > self.told.marks_full {
            let count = counts.marks_full - self.told.marks_full;
            self.told.marks_full = counts.marks_full;
            self.tell("marks_full", count, Recovery::Rescan, intake);
        }
        let missed = missed_runs(programs);
        if missed > self.missed && Instant::now() >= self.tell_missed {
            self.tell_missed = Instant::now() + GATHER;
            let count = missed - self.missed;
            self.missed = missed;
            self.tell("missed_runs", count, Recovery::Rescan, intake);
        }
    }

    /// Makes the next check read all counters.
    pub fn hurry(&mut self) {
        self.next = Instant::now();
        self.tell_missed = self.next;
    }

    fn tell(&mut self, cause: &'static str, count: u64, recovery: Recovery, intake: &mut Intake) -> u64 {
        self.number += 1;
        intake.stats.lost += count;
        intake.send(WatchMessage::Lost(Loss { number: self.number, cause, count, recovery }));
        self.number
    }
}

fn missed_runs(programs: &[Attached]) -> u64 {
    programs.iter().map(|attached| sys::missed_runs(attached.program.as_fd()).unwrap_or_default()).sum()
}
