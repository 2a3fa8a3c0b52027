//! A moment kept in the state while a watch runs, so that the next start can say since when nothing watched.
//!
//! Knows nothing of watchers.

use super::error::EngineError;
use super::live::Live;
use crate::state::State;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const HEARTBEAT: &str = "heartbeat";
/// How far it may lag behind. Each costs a durable write, also when nothing happens.
const EVERY: Duration = Duration::from_secs(60);

/// When it is kept next.
#[derive(Debug, Default)]
pub(super) struct Heartbeat(Option<Instant>);

impl Heartbeat {
    /// When it is due; `None` before the watch has started.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.0
    }
}

/// The last one of the watches before.
pub(super) fn last(state: &State) -> Result<Option<SystemTime>, EngineError> {
    let Some(bytes) = state.meta(HEARTBEAT)? else { return Ok(None) };
    let seconds = bytes.try_into().map(u64::from_le_bytes).ok();
    Ok(seconds.and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds))))
}

impl Live<'_> {
    /// Keeps the present moment with the next commit.
    pub(super) fn beat(&mut self, now: Instant) -> Result<(), EngineError> {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.engine.state.set_meta(HEARTBEAT, &since_epoch.as_secs().to_le_bytes())?;
        self.heartbeat = Heartbeat(Some(now + EVERY));
        Ok(())
    }

    /// The same, if it is due.
    pub(super) fn beat_if_due(&mut self, now: Instant) -> Result<(), EngineError> {
        match self.heartbeat.due() {
            Some(due) if due <= now => self.beat(now),
            _ => Ok(()),
        }
    }
}
