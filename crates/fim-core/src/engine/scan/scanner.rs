//! The thread that walks: lists directories, stats files and reads them, at its pace, and sends what it sees.
//!
//! Knows no state and no engine: only what is watched, and the channel.

use super::Scan;
use super::pace::Pace;
use super::schedule::{Kind, Schedule};
use crate::engine::file_system::{FileSystem, file_system};
use crate::engine::walk::list;
use crate::facts::FileKind;
use crate::remote::RemoteTops;
use crate::snapshot::{Reader, Snapshot};
use crate::watch_set::{Cover, WatchSet};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded, unbounded};
use rustix::process::setpriority_process;
use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What waits for the engine at most.
const AHEAD: usize = 64;
/// The lowest CPU priority. Where a process has no I/O priority of its own, the kernel takes the lowest of its
/// best-effort class for it: ioprio_set(2).
const NICE: i32 = 19;

/// What a scan saw.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // few wait at a time, and nearly all are the large one
pub(in crate::engine) enum Found {
    /// All names in a directory, in the order of their bytes.
    Names { dir: PathBuf, names: Vec<OsString> },
    /// One path; read, or only its stat.
    Looked { snapshot: Snapshot, read: bool },
    /// A remote file system that was not known.
    Remote(RemoteTops),
    /// A scan has seen everything.
    Done { every_byte: bool },
}

/// What the engine tells the scanner.
#[derive(Debug)]
enum Order {
    Watch(WatchSet, Box<Reader>),
    Remote(Vec<PathBuf>),
}

/// The engine's end. The scanner ends with it.
#[derive(Debug)]
pub(in crate::engine) struct Scans {
    orders: Sender<Order>,
    pub found: Receiver<Found>,
}

impl Scans {
    /// Starts the thread; every byte was read this long ago, everything else right now. A thread that hangs
    /// on a dead file server keeps nobody waiting.
    pub(in crate::engine) fn start(
        scan: &Scan,
        watch: WatchSet,
        reader: Reader,
        remote: RemoteTops,
        full_ago: Duration,
    ) -> io::Result<Self> {
        let (orders, from_engine) = unbounded();
        let (to_engine, found) = bounded(AHEAD);
        let scanner = Scanner {
            watch,
            reader: reader.past_the_cache(),
            remote,
            schedule: Schedule::new(scan, full_ago, Instant::now()),
            rest: Rest {
                pace: Pace::new(scan.files_per_second, scan.bytes_per_second),
                orders: from_engine,
                taken: Vec::new(),
                ended: false,
            },
            found: to_engine,
        };
        std::thread::Builder::new().name("fim-scan".to_owned()).spawn(move || {
            // On Linux this is the priority of the calling thread alone.
            if let Err(error) = setpriority_process(None, NICE) {
                log::debug!("scans have no lower priority than others: {error}");
            }
            let _ended = scanner.run();
        })?;
        Ok(Self { orders, found })
    }

    /// Other paths are watched from now on, and read by this reader.
    pub(in crate::engine) fn watch(&self, watch: WatchSet, reader: Reader) {
        let _gone = self.orders.send(Order::Watch(watch, Box::new(reader)));
    }

    /// There are more remote file systems.
    pub(in crate::engine) fn remote(&self, dirs: Vec<PathBuf>) {
        let _gone = self.orders.send(Order::Remote(dirs));
    }
}

/// The engine has gone.
struct Ended;

struct Scanner {
    watch: WatchSet,
    reader: Reader,
    remote: RemoteTops,
    schedule: Schedule,
    rest: Rest,
    found: Sender<Found>,
}

impl Scanner {
    fn run(mut self) -> Result<(), Ended> {
        loop {
            self.obey();
            let now = Instant::now();
            match self.schedule.due(None, now) {
                Some(kind) => self.scan(kind)?,
                None => self.rest.until(self.schedule.next())?,
            }
        }
    }

    fn obey(&mut self) {
        for order in std::mem::take(&mut self.rest.taken) {
            match order {
                Order::Watch(watch, reader) => {
                    (self.watch, self.reader) = (watch, reader.past_the_cache());
                }
                Order::Remote(dirs) => {
                    for dir in dirs {
                        self.remote.note(&dir, "");
                    }
                }
            }
        }
    }

    fn scan(&mut self, kind: Kind) -> Result<(), Ended> {
        self.schedule.begin(kind, Instant::now());
        let tops = match kind {
            Kind::Remote => self.remote.0.keys().cloned().collect(),
            Kind::Metadata | Kind::Full => self.watch.roots(),
        };
        if tops.is_empty() {
            return Ok(());
        }
        log::debug!("scanning: {kind:?}");
        for top in tops {
            let mut dirs = Vec::new();
            self.visit(kind, top, &mut dirs)?;
            while let Some(dir) = dirs.pop() {
                self.visit_dir(kind, dir, &mut dirs)?;
            }
        }
        self.send(Found::Done { every_byte: kind == Kind::Full })
    }

    fn visit_dir(&mut self, kind: Kind, dir: PathBuf, dirs: &mut Vec<PathBuf>) -> Result<(), Ended> {
        let names = match list(&self.reader, &dir) {
            Ok(names) => names,
            // Whether it is gone is seen in the directory above.
            Err(error) => {
                log::debug!("{}: cannot list for a scan: {error}", dir.display());
                return Ok(());
            }
        };
        self.send(Found::Names { dir: dir.clone(), names: names.clone() })?;
        names.into_iter().try_for_each(|name| self.visit(kind, dir.join(name), dirs))
    }

    fn visit(&mut self, kind: Kind, path: PathBuf, dirs: &mut Vec<PathBuf>) -> Result<(), Ended> {
        let (owner, cover) = (self.watch.owner(&path), self.watch.cover(&path));
        if owner.is_none() && cover == Cover::Nothing {
            return Ok(());
        }
        let found = self.look(kind, &path, owner.is_some());
        let Found::Looked { snapshot, .. } = &found else { return Ok(()) };
        let is_dir = snapshot.facts.as_ref().is_some_and(|facts| facts.kind == FileKind::Dir);
        if is_dir && cover != Cover::Nothing && self.enters(kind, &path)? {
            dirs.push(path);
        }
        self.send(found)?;
        if !self.rest.after(1, 0) {
            return Err(Ended);
        }
        self.obey();
        while let Some(lighter) = self.schedule.due(Some(kind), Instant::now()) {
            self.scan(lighter)?;
        }
        Ok(())
    }

    /// What is at a path.
    fn look(&mut self, kind: Kind, path: &Path, owned: bool) -> Found {
        let file = match self.reader.open_path(path) {
            Ok(file) => file,
            Err(error) if Reader::is_gone(&error) => {
                return Found::Looked { snapshot: Snapshot::gone(path), read: false };
            }
            Err(error) => {
                log::debug!("{}: cannot open for a scan: {error}", path.display());
                return Found::Looked { snapshot: Snapshot::unreadable(path), read: false };
            }
        };
        if kind == Kind::Full && owned {
            let Self { reader, rest, .. } = self;
            let snapshot = reader.look_paced(file.as_fd(), path, &mut |bytes| rest.after(0, bytes));
            return Found::Looked { snapshot, read: true };
        }
        let snapshot = match Reader::stat(file.as_fd()) {
            Ok(facts) => Snapshot::new(path, facts, None),
            Err(_) => Snapshot::unreadable(path),
        };
        Found::Looked { snapshot, read: false }
    }

    /// Whether a scan goes into a directory; notes if it is on a remote file system.
    fn enters(&mut self, kind: Kind, dir: &Path) -> Result<bool, Ended> {
        let Ok(file) = self.reader.open_path(dir) else {
            return Ok(false);
        };
        match file_system(&file) {
            FileSystem::Pseudo => Ok(false),
            FileSystem::Remote(name) => {
                if self.remote.note(dir, name) {
                    let mut new = RemoteTops::default();
                    new.note(dir, name);
                    self.send(Found::Remote(new))?;
                }
                Ok(true)
            }
            FileSystem::Local => {
                // It may have been unmounted.
                self.remote.0.remove(dir);
                Ok(kind != Kind::Remote)
            }
        }
    }

    fn send(&self, found: Found) -> Result<(), Ended> {
        self.found.send(found).map_err(|_| Ended)
    }
}

/// Rests between two pieces of work, and listens meanwhile.
struct Rest {
    pace: Pace,
    orders: Receiver<Order>,
    taken: Vec<Order>,
    ended: bool,
}

impl Rest {
    /// Rests after this work; `false` at the end.
    fn after(&mut self, files: u32, bytes: u64) -> bool {
        let now = Instant::now();
        let until = now + self.pace.after(files, bytes, now);
        while !self.ended {
            let left = until.saturating_duration_since(Instant::now());
            let order = if left.is_zero() {
                self.orders.try_recv().map_err(|error| error == TryRecvError::Disconnected)
            } else {
                let order = self.orders.recv_timeout(left);
                order.map_err(|error| error == RecvTimeoutError::Disconnected)
            };
            match order {
                Ok(order) => self.taken.push(order),
                Err(false) => return true,
                Err(true) => self.ended = true,
            }
        }
        false
    }

    /// Waits until then, or for an order.
    fn until(&mut self, then: Option<Instant>) -> Result<(), Ended> {
        let order = match then {
            Some(then) => self.orders.recv_deadline(then),
            None => self.orders.recv().map_err(RecvTimeoutError::from),
        };
        match order {
            Ok(order) => self.taken.push(order),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(Ended),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::HashState;
    use crate::snapshot::Limits;
    use crate::watch_set::Interest;

    /// Waits until a file is seen so by a scan that reads.
    fn wait_for(scans: &Scans, path: &Path, state: HashState) {
        loop {
            match scans.found.recv_timeout(Duration::from_secs(60)).unwrap() {
                Found::Looked { snapshot, read: true }
                    if snapshot.path == path && snapshot.hash_state() == state =>
                {
                    return;
                }
                _ => {}
            }
        }
    }

    #[test]
    fn it_reads_as_the_engine_does_after_a_reload() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, "more than a byte").unwrap();
        let interest = Interest::in_paths([crate::watch_set::escape(path.to_str().unwrap())]);
        let watch = WatchSet::new(vec![interest]).unwrap();
        let reader = |bytes| Reader::new(Limits { max_hash_bytes: bytes, ..Limits::default() }).unwrap();
        let mut scan = Scan::never();
        scan.full_every = Duration::from_millis(1);
        let scans =
            Scans::start(&scan, watch.clone(), reader(1), RemoteTops::default(), Duration::ZERO).unwrap();
        wait_for(&scans, &path, HashState::TooBig);
        scans.watch(watch, reader(1 << 20));
        wait_for(&scans, &path, HashState::Stable);
    }
}
