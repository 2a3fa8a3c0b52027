//! The trait by which changes reach the engine, and the channel between the two.
//!
//! A watcher marks files and sends events; it never reads a file's content, compares, or stores.

use crate::event::FileEvent;
use crate::id::FileId;
use crate::watch_set::WatchSet;
use crossbeam_channel::{Receiver, SendTimeoutError, Sender, bounded};
use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A source of file events. Runs on a thread of its own that the engine starts.
///
/// The order of a watcher's life: `run` makes everything ready, calls [`EventSink::ready`] once with the
/// means to mark files, then sends events until `stop` is raised; it then detaches, sends what it still
/// holds, and returns.
pub trait Watcher: Send {
    /// Its name in `doctor`, `--watcher` and the records: `bpf`, `fanotify`, …
    fn name(&self) -> &'static str;

    /// Watches until stopped.
    ///
    /// # Errors
    /// What kept it from watching; before [`EventSink::ready`] this is the answer to the start, after it
    /// the end of the watch.
    fn run(
        self: Box<Self>,
        watch: WatchSet,
        sink: EventSink,
        stop: StopToken,
    ) -> Result<WatchStats, WatchError>;
}

/// What a watcher hands over when events flow.
pub struct Ready {
    /// The means to mark files, used from the engine's thread.
    pub marks: Box<dyn Marks>,
    /// What this watcher sees on this machine, as far as it was proved.
    pub coverage: Coverage,
    /// Facts for people: chosen hooks, reasons. Shown by `doctor` and in `watch_started`.
    pub notes: Vec<String>,
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready")
            .field("coverage", &self.coverage)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

/// How a file is to be marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MarkScope {
    /// The file itself: content and attributes.
    File,
    /// A directory: itself, and the names in it; new children are not marked by the watcher.
    Names,
    /// A directory: itself, its names, and every child made in it from now on, recursively, before
    /// anyone can write to it where the kernel allows.
    Tree,
}

/// One file to mark.
#[derive(Clone, Copy, Debug)]
pub struct MarkRequest<'a> {
    /// An `O_PATH | O_NOFOLLOW` descriptor of it.
    pub file: BorrowedFd<'a>,
    /// Its path, for watchers that need one and for messages.
    pub path: &'a Path,
    /// How.
    pub scope: MarkScope,
}

/// The answer to one [`MarkRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The kernel's identity of the file: the one its events will carry.
    pub id: FileId,
    /// Whether the mark was set; `false` when the watcher has no room for more.
    pub armed: bool,
}

/// Marks on files, as a watcher keeps them. A mark follows the file, not its path.
pub trait Marks: Send {
    /// Marks files; one answer for each request, in order. Marking again changes the scope.
    ///
    /// # Errors
    /// When the watcher as a whole cannot mark; a single file that cannot be marked is an answer
    /// with `armed: false`.
    fn add(&mut self, requests: &[MarkRequest<'_>]) -> Result<Vec<Marked>, WatchError>;

    /// Forgets files: they moved out of the watched paths.
    fn remove(&mut self, ids: &[FileId]);

    /// Forgets that a file is dirty: called right before it is looked at, so that a change from now on
    /// is a new event.
    fn clear(&mut self, id: FileId);

    /// Whether events name files by their identity and a [`MarkScope::Tree`] spreads to new children by
    /// itself. If not, events come by name alone: the engine marks no single files in marked directories
    /// and marks new directories itself.
    fn follows_files(&self) -> bool {
        true
    }

    /// Other paths are watched from now on than [`Watcher::run`] was told.
    fn watch(&mut self, watch: &WatchSet) {
        let _ = watch;
    }

    /// How many marks there are, and how many there can be (0: no limit known).
    fn fill(&self) -> (u64, u64) {
        (0, 0)
    }
}

/// What reaches the engine.
#[derive(Debug)]
pub enum WatchMessage {
    /// A mark.
    Event(FileEvent),
    /// Records were lost.
    Lost(Loss),
    /// All events that make up for the loss of this number have been sent.
    Recovered(u64),
}

/// Records that did not reach the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Number of this loss, unique for the watcher's life; [`WatchMessage::Recovered`] names it.
    pub number: u64,
    /// Why, in a word: `ring_full`, `queue_overflow`, `marks_full`, `missed_runs`.
    pub cause: &'static str,
    /// How many records, exactly where the kernel counts them; 0 when it does not say.
    pub count: u64,
    /// How it is made up for.
    pub recovery: Recovery,
}

/// How a loss is made up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// The watcher sends an event for every file still marked dirty, then [`WatchMessage::Recovered`].
    Sweep,
    /// The engine must compare everything watched.
    Rescan,
}

/// How well a class of change is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Degree {
    /// Not at all.
    None,
    /// By a later scan or at the last close.
    Late,
    /// As it happens.
    Full,
}

impl Degree {
    /// The word for it in `fim.coverage`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Late => "late",
            Self::Full => "full",
        }
    }
}

/// For each class of change, how well it is seen. Classes are the words of [`crate::event::Via`] and a few
/// finer ones; sorted, so that lines are stable.
pub type Coverage = BTreeMap<&'static str, Degree>;

/// What a watcher counted over its life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchStats {
    /// Events sent.
    pub events: u64,
    /// Records lost on the way.
    pub lost: u64,
    /// Records that could not be decoded.
    pub malformed: u64,
}

/// Why a watcher cannot watch, and what the user can do.
#[derive(Debug)]
pub struct WatchError {
    /// What was tried, on what.
    pub what: String,
    /// The reason, where there is one beneath.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// What the user can do, if anything.
    pub hint: Option<String>,
}

impl WatchError {
    /// An error with no cause beneath.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), source: None, hint: None }
    }

    /// Names the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Says what the user can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for WatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(source) = &self.source {
            write!(f, ": {source}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

impl std::error::Error for WatchError {}

/// Raised once to end a watch; cheap to copy and to ask.
#[derive(Clone, Debug, Default)]
pub struct StopToken(Arc<AtomicBool>);

impl StopToken {
    /// A token not yet raised.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the end.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether the end was asked for.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The watcher's end of the channel to the engine.
///
/// The queue is bounded and sending waits for room: what is not taken stays in the kernel, where dirty
/// marks and counters account for it.
#[derive(Debug)]
pub struct EventSink {
    messages: Sender<WatchMessage>,
    ready: Sender<Ready>,
    abandoned: StopToken,
}

/// The engine's end of the channel from a watcher.
#[derive(Debug)]
pub struct EventSource {
    /// Events and losses, in the watcher's order.
    pub(crate) messages: Receiver<WatchMessage>,
    /// Filled once.
    pub(crate) ready: Receiver<Ready>,
    abandoned: StopToken,
}

impl EventSink {
    /// A channel that holds `capacity` messages.
    #[must_use]
    pub fn channel(capacity: usize) -> (Self, EventSource) {
        let (messages, from) = bounded(capacity.max(1));
        let (ready, is_ready) = bounded(1);
        let abandoned = StopToken::new();
        let source = EventSource { messages: from, ready: is_ready, abandoned: abandoned.clone() };
        (Self { messages, ready, abandoned }, source)
    }

    /// Says that events flow from now on. Called once.
    pub fn ready(&self, ready: Ready) {
        // A second call finds the slot full and is ignored, as is an engine that has gone.
        drop(self.ready.try_send(ready));
    }

    /// Sends one message, waiting while the queue is full. `false` when the engine has gone.
    #[must_use]
    pub fn send(&self, message: WatchMessage) -> bool {
        let mut message = message;
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
        self.messages.recv_timeout(timeout).ok()
    }
}

impl Drop for EventSource {
    fn drop(&mut self) {
        self.abandoned.stop();
    }
}
