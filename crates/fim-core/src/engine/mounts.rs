//! Mounts that hide or reveal watched paths: no hook of a watcher sees them, the mount table says so.
//!
//! Whatever lies at or below a mount point that came or went is armed and compared anew.

mod listen;
mod table;

use super::error::EngineError;
use super::live::Live;
use crate::event::{Actor, FileEvent, Via};
use crate::watcher::{Coverage, Degree, EventSource};
use crossbeam_channel::{Receiver, never};
use listen::Listener;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use table::Mount;

/// The mount table as the engine's own thread sees it.
const TABLE: &str = "/proc/thread-self/mountinfo";
/// The longest time between the call that mounts and the table that says so.
const BETWEEN: Duration = Duration::from_secs(2);
/// What the watcher says of who mounts comes later than the table does: by so much.
const ON_ITS_WAY: Duration = Duration::from_millis(150);

/// The mount table, as last read.
#[derive(Debug)]
pub(super) struct Mounts {
    file: Option<File>,
    table: Vec<Mount>,
    /// It changed, and was not read since.
    noted: bool,
    /// A word whenever the table changed, for whoever sleeps meanwhile.
    pub changes: Receiver<()>,
    _listener: Option<Listener>,
    /// Who last set about mounting something, where the watcher says so.
    by: Option<(Instant, Arc<Actor>)>,
}

/// What a path resolved to before and after the mount table changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remount {
    pub before: String,
    pub after: String,
}

impl Mounts {
    /// Reads the table. Without /proc there is none, and nothing is ever said to have changed.
    pub(super) fn open() -> Self {
        let opened = File::open(TABLE).and_then(|mut file| {
            // Each open file is told of a change once: the listener has one of its own.
            let (listener, changes) = Listener::start(File::open(TABLE)?)?;
            Ok(Self {
                table: read(&mut file)?,
                file: Some(file),
                noted: false,
                changes,
                _listener: Some(listener),
                by: None,
            })
        });
        opened.unwrap_or_else(|error| {
            log::warn!("{TABLE}: {error}; mounts that hide a watched path go unnoticed");
            Self { file: None, table: Vec::new(), noted: false, changes: never(), _listener: None, by: None }
        })
    }

    /// How well the engine sees mounts, whatever the watcher.
    pub(super) fn degree(&self) -> Degree {
        if self.file.is_some() { Degree::Full } else { Degree::None }
    }

    /// Notes that somebody mounted, or sets about moving a mount or unmounting, in the mount table of this process.
    pub(super) fn about_to(&mut self, event: &FileEvent) {
        self.by = event.actor.clone().map(|actor| (Instant::now(), actor));
    }

    /// Whether the table changed since it was last read. The kernel says so once.
    pub(super) fn have_changed(&mut self) -> io::Result<bool> {
        if let Some(file) = &self.file
            && !self.noted
        {
            let mut polled = [PollFd::new(file, PollFlags::PRI)];
            self.noted = poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? > 0;
        }
        Ok(self.noted)
    }

    /// Whether it was just told who sets about it.
    fn is_mounter_known(&self) -> bool {
        self.by.as_ref().is_some_and(|(at, _)| at.elapsed() < ON_ITS_WAY)
    }

    /// The mount points that came or went since the last call, with the table before.
    fn changed(&mut self) -> io::Result<Option<(Vec<PathBuf>, Vec<Mount>)>> {
        if !self.have_changed()? {
            return Ok(None);
        }
        self.noted = false;
        let Some(file) = &mut self.file else { return Ok(None) };
        let now = read(file)?;
        let points = table::changed(&self.table, &now);
        Ok(Some((points, std::mem::replace(&mut self.table, now))))
    }
}

fn read(file: &mut File) -> io::Result<Vec<Mount>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(table::parse(&bytes))
}

/// What the engine sees by itself, whatever the watcher.
#[must_use]
pub fn own_coverage() -> Coverage {
    Coverage::from([("mount", Mounts::open().degree())])
}

impl Live<'_> {
    /// Lets arrive who it was, where something was mounted and the watcher tells such things.
    pub(super) fn await_mounter(&mut self, source: &EventSource) -> Result<(), EngineError> {
        let until = Instant::now() + ON_ITS_WAY;
        while self.follows && self.mounts.have_changed().is_ok_and(|changed| changed) {
            self.take_sent(source)?;
            if self.mounts.is_mounter_known() || Instant::now() >= until {
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Compares what lies where mounts came or went.
    pub(super) fn follow_mounts(&mut self) -> Result<(), EngineError> {
        let (points, before) = match self.mounts.changed() {
            Ok(Some(changed)) => changed,
            Ok(None) => return Ok(()),
            Err(error) => {
                log::warn!("{TABLE}: {error}");
                return Ok(());
            }
        };
        let by = self.mounts.by.take().filter(|(at, _)| at.elapsed() < BETWEEN).map(|(_, actor)| actor);
        for point in points {
            if self.is_watched(&point) {
                self.remounted(&point, &before, by.as_ref())?;
            }
        }
        Ok(())
    }

    fn remounted(
        &mut self,
        point: &Path,
        before: &[Mount],
        by: Option<&Arc<Actor>>,
    ) -> Result<(), EngineError> {
        self.engine.reporter.catch_up()?;
        let mut event = FileEvent::new(SystemTime::now(), Via::Mount);
        event.actor = by.cloned();
        event.settled = true;
        // What is hidden is not at these paths any more, and what is revealed was not: all is marked anew.
        let hidden = self.index.remove_dir(point);
        self.unmark(&hidden);
        for top in self.tops(point) {
            self.mark(&top, &event)?;
            let remount =
                Remount { before: table::over(before, &top), after: table::over(&self.mounts.table, &top) };
            if let Some(item) = self.queue.get_mut(&top) {
                item.remount = Some(remount);
            }
        }
        self.adopt(point, &event, None)
    }

    /// The watched paths that a mount point decides about: itself, or the roots below it.
    fn tops(&self, point: &Path) -> Vec<PathBuf> {
        if self.engine.watch.owner(point).is_some() {
            return vec![point.to_owned()];
        }
        self.engine.watch.roots().into_iter().filter(|root| root.starts_with(point)).collect()
    }
}
