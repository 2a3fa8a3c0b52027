//! A state that cannot be written for a while, as on a full disk: the watch goes on, and what is to be
//! committed waits in memory.
//!
//! Said by a gap that closes when all is written. Until then a crash would repeat what was reported meanwhile;
//! it would lose nothing.

use super::Engine;
use super::error::EngineError;
use super::live::Live;
use crate::store::{StoreError, StoreErrorKind};
use std::time::{Duration, Instant};

/// How often it is tried again.
const AGAIN: Duration = Duration::from_secs(2);
/// As many bytes may wait in memory.
const MOST: usize = 64 << 20;

/// Since a write failed.
#[derive(Debug)]
pub(super) struct Unwritable {
    /// Its number.
    gap: u64,
    again: Instant,
}

impl Live<'_> {
    /// Commits, and makes durable what is due.
    pub(super) fn commit(&mut self, now: Instant) -> Result<(), EngineError> {
        if self.unwritable.is_some() {
            return self.commit_again(now);
        }
        self.beat_if_due(now)?;
        let Engine { reporter, state, .. } = &mut *self.engine;
        reporter.commit_in_time(state, now)?;
        if reporter.is_sync_due(now) {
            reporter.sync(state)?;
        }
        match &self.engine.reporter.failed {
            Some(error) => {
                log::error!("{error}; the watch goes on, and it is tried again every {} s", AGAIN.as_secs());
                self.cannot_write(now)
            }
            None => Ok(()),
        }
    }

    /// When something of the state is to be written next.
    pub(super) fn commit_due(&self) -> Option<Instant> {
        let reporter = &self.engine.reporter;
        let due = || {
            let all = [reporter.sync_due(), reporter.commit_due(), self.heartbeat.due()];
            all.into_iter().flatten().min()
        };
        self.unwritable.as_ref().map_or_else(due, |it| Some(it.again))
    }

    fn cannot_write(&mut self, now: Instant) -> Result<(), EngineError> {
        let gap = self.open_gap("state_unwritable", "state", 0)?;
        self.unwritable = Some(Unwritable { gap, again: now + AGAIN });
        // What is to be committed says how far the lines have come.
        self.engine.reporter.commit(&mut self.engine.state)
    }

    fn commit_again(&mut self, now: Instant) -> Result<(), EngineError> {
        if self.unwritable.as_ref().is_some_and(|it| now < it.again) {
            return self.engine.reporter.commit(&mut self.engine.state);
        }
        match self.engine.reporter.recover(&mut self.engine.state) {
            Err(EngineError::Store(error)) if error.may_pass() => self.wait_more(error),
            Err(error) => Err(error),
            Ok(()) => {
                log::warn!("the state can be written again");
                let Some(unwritable) = self.unwritable.take() else { return Ok(()) };
                self.close_gap(unwritable.gap)?;
                self.engine.reporter.commit(&mut self.engine.state)
            }
        }
    }

    fn wait_more(&mut self, error: StoreError) -> Result<(), EngineError> {
        log::debug!("{error}");
        let waiting = self.engine.state.waiting();
        if waiting > MOST {
            let what = format!(
                "{} MiB of state wait to be written, and no more are kept in memory: the watch ends; what was \
                 reported since is reported again at the next start",
                waiting >> 20
            );
            let full = StoreError::new(StoreErrorKind::Io, what);
            return Err(StoreError { source: Some(Box::new(error)), ..full }.into());
        }
        if let Some(unwritable) = &mut self.unwritable {
            unwritable.again = Instant::now() + AGAIN;
        }
        Ok(())
    }

    /// The last chance before the end of the watch.
    pub(super) fn commit_at_last(&mut self) -> Result<(), EngineError> {
        let now = Instant::now();
        if let Some(unwritable) = &mut self.unwritable {
            unwritable.again = now;
        }
        if self.unwritable.is_none() {
            self.engine.reporter.commit(&mut self.engine.state)?;
        }
        self.commit(now)
    }
}
