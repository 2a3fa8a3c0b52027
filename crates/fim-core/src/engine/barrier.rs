//! Before a look: what the kernel has recorded by now is let in, since it may say who else changed what is about to be read.
//!
//! Knows no watcher: one that cannot say how far it is, is not waited for.

use super::error::EngineError;
use super::live::Live;
use crate::watcher::{EventSource, Headway};
use crossbeam_channel::{RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

/// The longest time that looks wait for it: a watcher that gets no turn meanwhile is not to hold up everything.
const PATIENCE: Duration = Duration::from_millis(20);
/// The same for what comparing found, which is late already.
const MUCH_PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait for one message at first, and at most. It is short at first: the watcher may have sent the last one there
/// is, and lost the processor to the engine before it could say that it is past it.
const FIRST: Duration = Duration::from_micros(20);
const MOST: Duration = Duration::from_millis(1);

/// How long an event that was announced is waited for.
const ANNOUNCED: Duration = Duration::from_micros(50);

impl Live<'_> {
    /// Stays awake for what is about to be sent. Whoever sends it goes first where there is one processor.
    pub(super) fn await_announced(&mut self, source: &EventSource) -> Result<(), EngineError> {
        let until = Instant::now() + ANNOUNCED;
        loop {
            match source.messages.try_recv() {
                Ok(message) => return self.turn(&message, source),
                Err(TryRecvError::Empty) if Instant::now() < until => std::thread::yield_now(),
                Err(_) => return Ok(()),
            }
        }
    }

    /// Takes what was recorded until now, if there is anything to look at.
    pub(super) fn let_in_recorded(&mut self, source: &EventSource) -> Result<(), EngineError> {
        if self.queue.has_due(Instant::now()) && self.wait_for_recorded(source, PATIENCE)? {
            self.take_sent(source)?;
        }
        // A loss may have been among it.
        if self.gaps.is_compared() { self.let_in_for_found(source) } else { Ok(()) }
    }

    /// Takes what was recorded until now, before what comparing found is looked at.
    pub(super) fn let_in_for_found(&mut self, source: &EventSource) -> Result<(), EngineError> {
        self.wait_for_recorded(source, MUCH_PATIENCE)?;
        self.take_sent(source)
    }

    /// Waits until the watcher is past what is recorded now, and takes what it sends meanwhile; whether it can say how far it is.
    fn wait_for_recorded(&mut self, source: &EventSource, patience: Duration) -> Result<bool, EngineError> {
        let start = Instant::now();
        let Some(Headway { recorded, .. }) = self.marks.headway() else { return Ok(false) };
        let mut wait = FIRST;
        while self.marks.headway().is_some_and(|it| it.passed < recorded) && start.elapsed() < patience {
            match source.messages.recv_timeout(wait) {
                Ok(message) => self.take(&message)?,
                Err(RecvTimeoutError::Timeout) => wait = MOST.min(2 * wait),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(true)
    }
}
