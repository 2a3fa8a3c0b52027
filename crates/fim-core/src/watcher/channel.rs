//! The channel between a watcher and the engine.

use super::{Ready, WatchMessage};
use crate::event::FileEvent;
use crate::stop::StopToken;
use crossbeam_channel::{Receiver, SendTimeoutError, Sender, bounded};
use std::time::Duration;

/// The watcher's end of the channel to the engine.
///
/// The queue is bounded and sending waits for room: what is not taken stays in the kernel, where dirty
/// marks and counters account for it.
///
/// ```
/// use fim_core::{EventSink, FileEvent, Via, WatchMessage};
/// use std::time::{Duration, SystemTime};
///
/// // The engine makes the channel; a test of a watcher makes its own.
/// let (sink, source) = EventSink::channel(16);
/// assert!(sink.event(FileEvent::new(SystemTime::now(), Via::Write)));
/// assert!(matches!(source.next(Duration::from_secs(1)), Some(WatchMessage::Event(_))));
/// drop(source);
/// assert!(!sink.event(FileEvent::new(SystemTime::now(), Via::Write)), "the engine has gone: time to end");
/// ```
#[derive(Debug)]
pub struct EventSink {
    /// In a piece of memory each: room for so many as they are would be all touched before there is any.
    messages: Sender<Box<WatchMessage>>,
    ready: Sender<Ready>,
    abandoned: StopToken,
    announced: Sender<()>,
}

/// The engine's end of the channel from a watcher.
#[derive(Debug)]
pub struct EventSource {
    /// Events and losses, in the watcher's order.
    pub(crate) messages: Receiver<Box<WatchMessage>>,
    /// Filled once.
    pub(crate) ready: Receiver<Ready>,
    /// Something is about to be sent.
    pub(crate) announced: Receiver<()>,
    abandoned: StopToken,
}

impl EventSink {
    /// A channel that holds `capacity` messages.
    #[must_use]
    pub fn channel(capacity: usize) -> (Self, EventSource) {
        let (messages, from) = bounded(capacity.max(1));
        let (ready, is_ready) = bounded(1);
        let (announced, is_announced) = bounded(1);
        let abandoned = StopToken::new();
        let source = EventSource {
            messages: from,
            ready: is_ready,
            announced: is_announced,
            abandoned: abandoned.clone(),
        };
        (Self { messages, ready, abandoned, announced }, source)
    }

    /// Says that events flow from now on. Called once.
    pub fn ready(&self, ready: Ready) {
        // A second call finds the slot full and is ignored, as is an engine that has gone.
        drop(self.ready.try_send(ready));
    }

    /// Says that an event is about to be sent, in some microseconds: an engine at rest takes as long to wake up, and may do so
    /// meanwhile. Nothing depends on it.
    pub fn announce(&self) {
        // One that was not heard yet is as good, and who has gone hears none.
        let _heard = self.announced.try_send(());
    }

    /// Sends one message, waiting while the queue is full. `false` when the engine has gone.
    #[must_use]
    pub fn send(&self, message: WatchMessage) -> bool {
        let mut message = Box::new(message);
        loop {
            match self.messages.send_timeout(message, Duration::from_millis(100)) {
                Ok(()) => return true,
                Err(SendTimeoutError::Disconnected(_)) => return false,
                Err(SendTimeoutError::Timeout(back)) => {
                    if self.abandoned.is_stopped() {
                        return false;
                    }
                    message = back;
                }
            }
        }
    }

    /// Sends one event; see [`EventSink::send`].
    #[must_use]
    pub fn event(&self, event: FileEvent) -> bool {
        self.send(WatchMessage::Event(event))
    }
}

impl EventSource {
    /// Waits for the watcher to be ready; `None` when it ended before that.
    #[must_use]
    pub fn wait_ready(&self) -> Option<Ready> {
        self.ready.recv().ok()
    }

    /// The next message, waiting `timeout` at most; `None` when there was none.
    #[must_use]
    pub fn next(&self, timeout: Duration) -> Option<WatchMessage> {
        self.messages.recv_timeout(timeout).ok().map(|message| *message)
    }
}

impl Drop for EventSource {
    fn drop(&mut self) {
        self.abandoned.stop();
    }
}
