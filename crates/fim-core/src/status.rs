//! What a running engine has counted so far, for whoever wants to know meanwhile.
//!
//! Knows nothing of who asks.

use crate::finding::Severity;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What an engine is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// It arms and compares; changes are collected meanwhile.
    #[default]
    Starting,
    /// It watches.
    Watching,
    /// It was asked to stop and finishes what it saw.
    Stopping,
}

impl Phase {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Watching => "watching",
            Self::Stopping => "stopping",
        }
    }
}

/// A moment in the life of an engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Now {
    /// What it is doing.
    pub phase: Phase,
    /// How often the rest was brought up to date: the engine does so at least every thirty seconds while it
    /// watches, unless one look takes longer.
    pub turns: u64,
    /// The watcher.
    pub watcher: &'static str,
    /// Files compared at the start; while it starts, those that are done.
    pub files: u64,
    /// Directories armed at the start.
    pub dirs: u64,
    /// Marks that are set now.
    pub marks: u64,
    /// How many can be set; 0 where no limit is known.
    pub marks_limit: u64,
    /// Events received.
    pub events: u64,
    /// Looks taken.
    pub looks: u64,
    /// Changes reported.
    pub findings: u64,
    /// The same by consumer.
    pub by_consumer: BTreeMap<&'static str, u64>,
    /// The same by consumer and severity.
    pub by_severity: BTreeMap<(&'static str, Severity), u64>,
    /// How soon live changes were reported.
    pub latency: Latency,
    /// Records lost.
    pub lost: u64,
    /// Changes found by comparing that lost records would have reported.
    pub recovered: u64,
    /// Gaps opened.
    pub gaps: u64,
    /// Gaps not yet made up for.
    pub gaps_open: u64,
    /// Messages from the watcher that wait to be taken.
    pub queued: u64,
    /// Files that wait to be looked at.
    pub pending: u64,
    /// Why the last configuration that was to replace this one did not; `None` once one has.
    pub refused: Option<String>,
}

/// How long after the mark the line of a live change was handed on: how many by the bound they kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// For each of [`Self::BOUNDS`], those within it and not within the one before; last, those beyond all.
    pub counts: [u64; Self::BOUNDS.len() + 1],
    /// All together.
    pub sum: Duration,
}

impl Latency {
    /// The bounds.
    pub const BOUNDS: [Duration; 11] = [
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(25),
        Duration::from_millis(50),
        Duration::from_millis(100),
        Duration::from_millis(250),
        Duration::from_millis(500),
        Duration::from_secs(1),
        Duration::from_millis(2500),
        Duration::from_secs(5),
        Duration::from_secs(30),
    ];

    pub(crate) fn note(&mut self, took: Duration) {
        let at = Self::BOUNDS.iter().position(|bound| took <= *bound).unwrap_or(Self::BOUNDS.len());
        if let Some(count) = self.counts.get_mut(at) {
            *count += 1;
        }
        self.sum += took;
    }
}

/// A view of a running engine, from [`Engine::status`](crate::Engine::status). Cheap to copy and to ask; the engine updates
/// it at every turn, and every thirty seconds when nothing happens.
///
/// ```
/// use fim_core::{Engine, MemStore, Phase, Report, State};
///
/// let state = State::open(Box::new(MemStore::new()))?;
/// let engine = Engine::builder().build(state, Box::new(|_: &Report| Ok(())))?;
/// let status = engine.status(); // goes to another thread; the engine runs here
/// let now = status.now();
/// assert_eq!((now.phase, now.findings, now.gaps_open), (Phase::Starting, 0, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Status(Arc<Mutex<Now>>);

impl Status {
    /// A view of an engine not yet started.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// What it says now.
    #[must_use]
    pub fn now(&self) -> Now {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut Now)) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        now.turns += 1;
        change(&mut now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_once_where_it_belongs() {
        let mut latency = Latency::default();
        for millis in [0, 5, 6, 30_000, 30_001] {
            latency.note(Duration::from_millis(millis));
        }
        assert_eq!((latency.counts[0], latency.counts[1]), (2, 1));
        assert_eq!((latency.counts[10], latency.counts[11]), (1, 1));
        assert_eq!(latency.sum, Duration::from_millis(60_012));
    }
}
