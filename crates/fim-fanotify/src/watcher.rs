//! The watcher: from a configuration to a running watch.
//!
//! Must not know the layout of events, nor what they mean.

use crate::group::Group;
use crate::marks::FanotifyMarks;
use crate::probe::{Probe, probe};
use crate::reader::Reader;
use crate::resolve::Resolver;
use crate::shared::Shared;
use crate::translate::Translator;
use fim_core::{EventSink, Ready, StopToken, WatchError, WatchSet, WatchStats, Watcher};
use rustix::fs::{Mode, OFlags, open};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How to watch with fanotify.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FanotifyConfig {
    /// Leave out what this process does itself. On unless testing.
    pub ignore_self: bool,
    /// Let the kernel queue as many events as there are, as far as memory goes; off, it drops those beyond
    /// `fs.fanotify.max_queued_events` and the whole watched set is scanned. Needs `CAP_SYS_ADMIN`.
    pub unlimited_queue: bool,
    /// Directories in which to prove, at start, what is seen: a scratch directory is made in the first that
    /// takes marks, and removed.
    pub scratch: Vec<PathBuf>,
}

impl Default for FanotifyConfig {
    fn default() -> Self {
        Self {
            ignore_self: true,
            unlimited_queue: true,
            scratch: vec![std::env::temp_dir(), PathBuf::from("/var/tmp")],
        }
    }
}

/// Watches by fanotify.
///
/// ```no_run
/// # fn example(mut engine: fim_core::Engine) -> Result<(), Box<dyn std::error::Error>> {
/// use fim_core::StopToken;
/// use fim_fanotify::{FanotifyConfig, FanotifyWatcher};
///
/// engine.run(Box::new(FanotifyWatcher::new(FanotifyConfig::default())), &StopToken::new())?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FanotifyWatcher {
    config: FanotifyConfig,
    /// What was proved before the start.
    probe: Option<Probe>,
}

impl FanotifyWatcher {
    /// A watcher, not yet started: it proves what it sees when it starts.
    #[must_use]
    pub const fn new(config: FanotifyConfig) -> Self {
        Self { config, probe: None }
    }

    /// With what was proved already: for a process that gives up, before the start, what the proof needs to do.
    #[must_use]
    pub fn proved(self, probe: Probe) -> Self {
        Self { probe: Some(probe), ..self }
    }
}

impl Watcher for FanotifyWatcher {
    fn name(&self) -> &'static str {
        "fanotify"
    }

    fn run(
        self: Box<Self>,
        watch: WatchSet,
        sink: EventSink,
        stop: StopToken,
    ) -> Result<WatchStats, WatchError> {
        let group = Group::new(self.config.unlimited_queue)?;
        let proved = self.probe.map_or_else(|| probe(&self.config), Ok)?;
        let Probe { coverage, mut notes, .. } = proved;
        let shared = Arc::new(Shared::new(group));
        for root in watch.roots() {
            notes.extend(mark_file_system_of(&shared, &root));
        }
        notes.extend_from_slice(shared.registry().notes());
        let ready = Ready { marks: Box::new(FanotifyMarks(Arc::downgrade(&shared))), coverage, notes };
        sink.ready(ready);
        let ignored = self.config.ignore_self.then(std::process::id);
        Reader::new(shared, Translator::new(Resolver::new(watch)), ignored).run(&sink, &stop)
    }
}

/// Marks the file system a path is on, or will be on. What kept it from that, if anything.
fn mark_file_system_of(shared: &Shared, root: &Path) -> Option<String> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let (dir, fd) =
        root.ancestors().find_map(|dir| open(dir, flags, Mode::empty()).ok().map(|fd| (dir, fd)))?;
    let result = shared.registry().system_of(&shared.group, fd.as_fd(), dir).map(|_| ());
    result.err().map(|error| format!("{} cannot be watched: {error}", root.display()))
}
