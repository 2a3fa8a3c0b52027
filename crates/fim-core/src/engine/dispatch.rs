//! The looks of one go: at what is due, in turn, and at no more than lets what comes meanwhile be heard.

use super::error::EngineError;
use super::live::{Live, TURN};
use super::look;
use crate::watcher::EventSource;
use std::time::{Duration, Instant};

/// Looks between two goes: few, since what came meanwhile may tell what a name was for.
const LOOKS: usize = 64;
/// How long they may take, but for the last: among what came meanwhile may be a change by somebody else, whose turn is next.
const SLICE: Duration = Duration::from_millis(20);
/// Paths that may wait for their look, as a rule.
const CROWDED: usize = 65_536;

impl Live<'_> {
    pub(super) fn look_at_what_is_due(&mut self, source: &EventSource) -> Result<(), EngineError> {
        // First: a look would take what is mounted there for what was there.
        self.let_in_recorded(source)?;
        if self.mounts.have_changed().unwrap_or(true) {
            self.await_mounter(source)?;
            self.follow_mounts()?;
        }
        self.close_compared()?;
        let looked = self.look_at_some(source);
        self.queue.end_go();
        self.engine.reporter.behind(looked?);
        Ok(())
    }

    /// Says whether more is due than may be looked at in one go: the next follows at once.
    fn look_at_some(&mut self, source: &EventSource) -> Result<bool, EngineError> {
        // Whoever makes names faster than they are looked at, or names that wait, would fill the memory: beyond a bound
        // as many are looked at as were taken, due or not.
        let is_crowded = self.queue.len() >= CROWDED;
        let begun = Instant::now();
        for _ in 0..if is_crowded { TURN } else { LOOKS } {
            let now = Instant::now();
            let next = if is_crowded { self.queue.pop_early(now) } else { self.queue.pop(now) };
            let Some((path, mut item)) = next else { return Ok(false) };
            // Who made the change that a scan found may be among the events that nobody has looked at yet.
            if item.is_by_scan() && !source.messages.is_empty() {
                match self.queue.postpone(&path, item, now) {
                    Some(back) => item = back,
                    None => continue,
                }
            }
            self.is_alone = !is_crowded && source.messages.is_empty() && !self.queue.has_due(now);
            let looked = look::look(self, path, item);
            self.is_alone = false;
            looked?;
            if !is_crowded && begun.elapsed() >= SLICE {
                break;
            }
        }
        Ok(self.queue.has_due(Instant::now()))
    }

    /// Looks at what stands for lost records, or at everything marked, due or not.
    pub(super) fn drain(&mut self, everything: bool) -> Result<(), EngineError> {
        loop {
            let now = Instant::now();
            self.queue.hasten(everything, now);
            // A look may mark more: the children of a directory that is gone.
            let Some((path, item)) = self.queue.pop(now) else { return Ok(()) };
            look::look(self, path, item)?;
            while let Some((path, item)) = self.queue.pop(now) {
                look::look(self, path, item)?;
            }
        }
    }
}
