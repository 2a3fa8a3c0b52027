//! A watch on a scratch directory, for tests that look at the events of one operation after another.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use fim_core::{
    EventSink, EventSource, FileEvent, FileId, Interest, MarkRequest, MarkScope, Marked, Marks, Place, Ready,
    StopToken, Via, WatchError, WatchMessage, WatchSet, WatchStats, Watcher,
};
use fim_fanotify::{FanotifyConfig, FanotifyWatcher, probe};
use std::fs::{self, File, OpenOptions};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;

/// Longer than anything takes; only a failing test waits for it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running watch. `watched` below a scratch directory is watched, `outside` beside it is not.
pub struct Watch {
    pub scratch: TempDir,
    pub ready: Ready,
    pub source: EventSource,
    pub dir: FileId,
    stop: StopToken,
    thread: JoinHandle<Result<WatchStats, WatchError>>,
    fences: u32,
}

/// The folders the tests run in: a disk, as a rule, and a tmpfs. Empty, with a reason printed, where
/// fanotify cannot be used.
pub fn places() -> Vec<PathBuf> {
    let config = FanotifyConfig::default();
    match probe(&config) {
        Ok(probe) if probe.notes.iter().any(|note| note.contains("FAN_MARK_FILESYSTEM")) => {
            let mut places = vec![PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from("/dev/shm")];
            places.retain(|place| {
                let takes_marks = fim_fanotify::probe_at(place).is_ok();
                if !takes_marks {
                    println!("skipped: {} takes no fanotify marks here", place.display());
                }
                takes_marks
            });
            places
        }
        Ok(_) => {
            println!("skipped: needs CAP_SYS_ADMIN");
            Vec::new()
        }
        Err(error) => {
            println!("skipped: {error}");
            Vec::new()
        }
    }
}

impl Watch {
    /// Watches `watched` in a scratch directory of its own in `place`, and marks it as a tree.
    pub fn start(place: &Path) -> Self {
        let mut config = FanotifyConfig::default();
        config.ignore_self = false;
        Self::start_with(place, config, 65536)
    }

    pub fn start_with(place: &Path, config: FanotifyConfig, queue: usize) -> Self {
        let scratch = tempfile::tempdir_in(place).unwrap();
        let watched = scratch.path().join("watched");
        fs::create_dir(&watched).unwrap();
        fs::create_dir(scratch.path().join("outside")).unwrap();
        let watch = WatchSet::new(vec![Interest::in_paths([watched.to_str().unwrap()])]).unwrap();
        let (sink, source) = EventSink::channel(queue);
        let stop = StopToken::new();
        let stopped = stop.clone();
        let watcher = Box::new(FanotifyWatcher::new(config));
        let thread = std::thread::spawn(move || watcher.run(watch, sink, stopped));
        let Some(ready) = source.wait_ready() else {
            panic!("{}", thread.join().unwrap().unwrap_err());
        };
        let mut started = Self { scratch, ready, source, dir: FileId::default(), stop, thread, fences: 0 };
        started.dir = started.mark("watched", MarkScope::Tree).id;
        started
    }

    /// A path in the scratch directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Marks a path in the scratch directory.
    pub fn mark(&mut self, name: &str, scope: MarkScope) -> Marked {
        let path = self.path(name);
        let marked = mark(self.ready.marks.as_mut(), &path, scope);
        assert!(marked.armed, "{name} is not armed");
        marked
    }

    /// All events up to now: up to that of a file made now.
    pub fn events(&mut self) -> Vec<FileEvent> {
        self.messages()
            .into_iter()
            .filter_map(|message| match message {
                WatchMessage::Event(event) => Some(event),
                _ => None,
            })
            .collect()
    }

    /// All messages up to that of a file made now.
    pub fn messages(&mut self) -> Vec<WatchMessage> {
        self.fences += 1;
        let fence = format!("fence-{}", self.fences);
        fs::create_dir(self.path("watched").join(&fence)).unwrap();
        let mut messages = Vec::new();
        loop {
            let message = self.source.next(PATIENCE).expect("the event of the fence came");
            if let WatchMessage::Event(event) = &message
                && name(event.place.as_ref()) == fence
            {
                return messages;
            }
            messages.push(message);
        }
    }

    /// Stops the watch; what it still sent, its counts, and the marks, which are of no use then.
    pub fn stop(self) -> (Vec<FileEvent>, WatchStats, Box<dyn Marks>) {
        self.stop.stop();
        let stats = self.thread.join().unwrap().unwrap();
        let mut events = Vec::new();
        while let Some(WatchMessage::Event(event)) = self.source.next(Duration::ZERO) {
            events.push(event);
        }
        (events, stats, self.ready.marks)
    }
}

pub fn mark(marks: &mut dyn Marks, path: &Path, scope: MarkScope) -> Marked {
    let file = open(path);
    marks.add(&[MarkRequest { file: file.as_fd(), path, scope }]).unwrap()[0]
}

/// An `O_PATH` descriptor.
pub fn open(path: &Path) -> File {
    let flags = libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    OpenOptions::new().read(true).custom_flags(flags).open(path).unwrap()
}

/// Short forms of events: kind, old name, name.
/// The close of a writer is one event with its write, or the next one, as the reader comes to it.
pub fn brief(events: &[FileEvent]) -> Vec<(Via, String, String)> {
    let mut all: Vec<(Via, String, String)> = Vec::new();
    for event in events {
        let (from, place) = (name(event.from.as_ref()), name(event.place.as_ref()));
        let is_told =
            event.via == Via::Close && all.last() == Some(&(Via::Write, from.clone(), place.clone()));
        if !is_told {
            all.push((event.via, from, place));
        }
    }
    all
}

/// The last component of a place.
pub fn name(place: Option<&Place>) -> String {
    let name = match place {
        Some(Place::Entry { name, .. }) => Some(name.as_os_str()),
        Some(Place::Path(path)) => path.file_name(),
        None => None,
    };
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
