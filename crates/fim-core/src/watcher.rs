//! The trait by which changes reach the engine, and the channel between the two.
//!
//! A watcher marks files and sends events; it never reads a file's content, compares, or stores.

mod channel;

pub use channel::{EventSink, EventSource};

use crate::event::FileEvent;
use crate::guard::Tampering;
use crate::id::FileId;
use crate::stop::StopToken;
use crate::watch_set::WatchSet;
use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::BorrowedFd;
use std::path::Path;

/// A source of file events. Runs on a thread of its own that the engine starts.
///
/// The order of a watcher's life: `run` makes everything ready, calls [`EventSink::ready`] once with the
/// means to mark files, then sends events until `stop` is raised; it then detaches, sends what it still
/// holds, and returns.
///
/// ```
/// use fim_core::{
///     Coverage, EventSink, Ready, StatMarks, StopToken, WatchError, WatchSet, WatchStats, Watcher,
/// };
///
/// /// Sees nothing, and says so.
/// struct Blind;
///
/// impl Watcher for Blind {
///     fn name(&self) -> &'static str {
///         "blind"
///     }
///
///     fn run(self: Box<Self>, _: WatchSet, sink: EventSink, stop: StopToken) -> Result<WatchStats, WatchError> {
///         sink.ready(Ready { marks: Box::new(StatMarks), coverage: Coverage::new(), notes: vec![] });
///         while !stop.is_stopped() {
///             // Here, each touch of a file would be `sink.send(WatchMessage::Event(event))`.
///             std::thread::sleep(std::time::Duration::from_millis(10));
///         }
///         Ok(WatchStats::default())
///     }
/// }
/// ```
///
/// A whole one is `examples/watcher.rs`.
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
///
/// ```
/// use fim_core::{FileId, MarkRequest, Marked, Marks, Reader, WatchError};
///
/// /// Knows files by what stat(2) says, and has room for so many.
/// struct Few(usize);
///
/// impl Marks for Few {
///     fn add(&mut self, requests: &[MarkRequest<'_>]) -> Result<Vec<Marked>, WatchError> {
///         let mark = |request: &MarkRequest<'_>| {
///             let stat = Reader::stat(request.file);
///             let stat = stat.map_err(|error| WatchError::new("cannot stat").caused_by(error))?;
///             let armed = self.0 > 0;
///             self.0 = self.0.saturating_sub(1);
///             // The same identity that this watcher's events carry.
///             Ok(Marked { id: FileId { inode: stat.inode, device: 0, generation: 0 }, armed })
///         };
///         requests.iter().map(mark).collect()
///     }
///
///     fn remove(&mut self, ids: &[FileId]) {
///         self.0 += ids.len();
///     }
///
///     fn clear(&mut self, _: FileId) {}
/// }
/// ```
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

    /// Other paths are watched from now on than those given to [`Watcher::run`].
    fn watch(&mut self, watch: &WatchSet) {
        let _ = watch;
    }

    /// How many marks there are, and how many there can be (0: no limit known).
    fn fill(&self) -> (u64, u64) {
        (0, 0)
    }

    /// How far the kernel has recorded, and how far that was passed on; `None` where nobody can say. Asked for before a look,
    /// which waits a moment for what is under way: it may say who else had a hand in what is about to be read.
    fn headway(&self) -> Option<Headway> {
        None
    }

    /// What was marked before this watch began and nobody took; `None` where marking began with the watch.
    /// Asked for once, before the first [`Marks::add`].
    fn backlog(&mut self) -> Option<Backlog> {
        None
    }

    /// Everything watched has its mark by now: marks from before the watch that were not set again can go.
    fn all_marked(&mut self) {}
}

/// How far the records of a kernel have come, counted in any unit from any start, both in the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headway {
    /// Recorded by the kernel.
    pub recorded: u64,
    /// Passed on to the engine by the watcher.
    pub passed: u64,
}

/// What a kernel marked while nobody took it, between two watches.
#[derive(Debug, Default)]
pub struct Backlog {
    /// In order.
    pub messages: Vec<WatchMessage>,
    /// Whether the watch before had marked all that it watched, so that nothing of it is missing.
    pub is_whole: bool,
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
    /// Something was done to the watcher itself.
    Tampered(Tampering),
}

/// Records that did not reach the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Number of this loss, unique for the watcher's life; [`WatchMessage::Recovered`] names it.
    pub number: u64,
    /// Why, in a word: `ring_full`, `queue_overflow`, `marks_full`, `missed_runs`, `malformed`, `tampering`.
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

impl std::error::Error for WatchError {
    /// What [`Display`](fmt::Display) ends with.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
