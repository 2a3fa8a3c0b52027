//! Tells whoever holds a [`Status`](crate::Status) how a watch is going.

use super::Engine;
use super::live::Live;
use crate::status::Phase;
use std::time::{Duration, Instant};

/// The number of marks is asked of the kernel: not at every turn.
const MARKS_EVERY: Duration = Duration::from_secs(1);

/// When the marks were counted last, and what came of it.
#[derive(Debug, Default)]
pub(super) struct Telling {
    counted: Option<Instant>,
    fill: (u64, u64),
}

impl Engine {
    /// So many files of a long walk are done.
    pub(super) fn tell_progress(&mut self, done: u64) {
        if let Some(progress) = &mut self.progress {
            progress.files(done);
        }
        self.status.set(|now| {
            if now.phase == Phase::Starting {
                now.files = done;
            }
        });
    }
}

impl Live<'_> {
    /// The state of the watch, with so many messages waiting.
    pub(super) fn tell(&mut self, phase: Phase, queued: usize) {
        if self.telling.counted.is_none_or(|counted| counted.elapsed() >= MARKS_EVERY) {
            self.telling = Telling { counted: Some(Instant::now()), fill: self.marks.fill() };
        }
        let (marks, marks_limit) = self.telling.fill;
        let (gaps, gaps_open) = self.gaps.count();
        let pending = self.queue.len() as u64;
        let reporter = &self.engine.reporter;
        self.engine.status.set(|now| {
            now.phase = phase;
            (now.marks, now.marks_limit) = (marks, marks_limit);
            (now.events, now.looks, now.findings) =
                (self.stats.events, self.stats.looks, reporter.findings());
            if reporter.by_severity.values().ne(now.by_severity.values()) {
                now.by_consumer.clone_from(&reporter.by_consumer);
                now.by_severity.clone_from(&reporter.by_severity);
            }
            (now.latency, now.recovered) = (reporter.latency, self.gaps.recovered);
            (now.lost, now.gaps, now.gaps_open) = (self.stats.lost, gaps, gaps_open);
            (now.queued, now.pending) = (queued as u64, pending);
        });
    }
}
