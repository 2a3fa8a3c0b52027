//! Watchers without a kernel: one that replays messages, one that sees nothing. For tests, examples, and
//! for comparing without watching.

use crate::id::FileId;
use crate::stop::StopToken;
use crate::watch_set::WatchSet;
use crate::watcher::{
    Coverage, EventSink, MarkRequest, Marked, Marks, Ready, WatchError, WatchMessage, WatchStats, Watcher,
};
use std::fmt;

/// Marks that mark nothing, and know a file by what stat(2) says.
#[derive(Clone, Copy, Debug, Default)]
pub struct StatMarks;

impl Marks for StatMarks {
    fn add(&mut self, requests: &[MarkRequest<'_>]) -> Result<Vec<Marked>, WatchError> {
        let mark = |request: &MarkRequest<'_>| match rustix::fs::fstat(request.file) {
            Ok(stat) => Marked { id: file_id(&stat), armed: true },
            Err(_) => Marked { id: FileId::default(), armed: false },
        };
        Ok(requests.iter().map(mark).collect())
    }

    fn remove(&mut self, _ids: &[FileId]) {}

    fn clear(&mut self, _id: FileId) {}
}

/// The identity that [`StatMarks`] gives a file.
#[must_use]
pub fn file_id(stat: &rustix::fs::Stat) -> FileId {
    let device = (rustix::fs::major(stat.st_dev) << 20) | (rustix::fs::minor(stat.st_dev) & 0xf_ffff);
    FileId { inode: stat.st_ino, device, generation: 0 }
}

/// A watcher that sees nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullWatcher;

impl Watcher for NullWatcher {
    fn name(&self) -> &'static str {
        "null"
    }

    fn run(
        self: Box<Self>,
        _watch: WatchSet,
        sink: EventSink,
        stop: StopToken,
    ) -> Result<WatchStats, WatchError> {
        sink.ready(Ready { marks: Box::new(StatMarks), coverage: Coverage::new(), notes: Vec::new() });
        while !stop.is_stopped() {
            stop.wait(None);
        }
        Ok(WatchStats::default())
    }
}

/// A watcher that sends what it is given, then ends.
///
/// ```
/// use fim_core::{FileEvent, ReplayWatcher, Via, WatchMessage, Watcher};
/// use std::time::SystemTime;
///
/// let event = FileEvent::new(SystemTime::now(), Via::Write);
/// let watcher: Box<dyn Watcher> = Box::new(ReplayWatcher::new([WatchMessage::Event(event)]));
/// assert_eq!(watcher.name(), "replay");
/// ```
pub struct ReplayWatcher {
    messages: Box<dyn Iterator<Item = WatchMessage> + Send>,
}

impl ReplayWatcher {
    /// Replays these messages; the iterator may do things between them.
    #[must_use]
    pub fn new<I>(messages: I) -> Self
    where
        I: IntoIterator<Item = WatchMessage>,
        I::IntoIter: Send + 'static,
    {
        Self { messages: Box::new(messages.into_iter()) }
    }
}

impl fmt::Debug for ReplayWatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayWatcher").finish_non_exhaustive()
    }
}

impl Watcher for ReplayWatcher {
    fn name(&self) -> &'static str {
        "replay"
    }

    fn run(
        self: Box<Self>,
        _watch: WatchSet,
        sink: EventSink,
        stop: StopToken,
    ) -> Result<WatchStats, WatchError> {
        sink.ready(Ready { marks: Box::new(StatMarks), coverage: Coverage::new(), notes: Vec::new() });
        let mut stats = WatchStats::default();
        for message in self.messages {
            match &message {
                WatchMessage::Event(_) => stats.events += 1,
                WatchMessage::Lost(loss) => stats.lost += loss.count,
                WatchMessage::Recovered(_) | WatchMessage::Tampered(_) => {}
            }
            if stop.is_stopped() || !sink.send(message) {
                break;
            }
        }
        Ok(stats)
    }
}
