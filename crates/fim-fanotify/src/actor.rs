//! Who is behind an event: /proc, read at once, and read little.
//!
//! The kernel names a process by number alone. What /proc says a moment later is of the same process only
//! if the number was not used again, and it may have started another program since: what is not certain is
//! left out. Must not know what the process did.

use crate::decode::Process;
use crate::procfs::{self, Stat};
use fim_core::{Actor, Parent};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open, openat, readlinkat};
use rustix::time::{ClockId, clock_gettime};
use std::collections::HashMap;
use std::ffi::{CStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How many bytes of the arguments are kept.
const ARGUMENTS: u64 = 512;
/// How many processes are remembered; then all are forgotten.
const REMEMBERED: usize = 1024;
/// Of as many the entry in /proc is kept open; then all are closed. Each is two descriptors.
const OPEN: usize = 16;

/// Reads and remembers processes.
#[derive(Debug)]
pub(crate) struct Actors {
    boot: SystemTime,
    batch: u64,
    seen: HashMap<u32, Seen>,
}

#[derive(Debug)]
struct Seen {
    actor: Arc<Actor>,
    stat: Stat,
    batch: u64,
    /// Its entry, to be asked again.
    open: Option<Open>,
}

/// The entry of a process in /proc, kept open. It never becomes that of another: once the process is gone there is
/// nothing in it any more.
#[derive(Debug)]
struct Open {
    proc: Proc,
    stat: File,
}

impl Actors {
    pub(crate) fn new() -> Self {
        let up = clock_gettime(ClockId::Boottime);
        let up = Duration::new(u64::try_from(up.tv_sec).unwrap_or(0), 0)
            + Duration::from_nanos(u64::try_from(up.tv_nsec).unwrap_or(0));
        Self {
            boot: SystemTime::now().checked_sub(up).unwrap_or(SystemTime::UNIX_EPOCH),
            batch: 0,
            seen: HashMap::new(),
        }
    }

    /// A new batch of events: what was read for an earlier one is checked before it is used again.
    pub(crate) fn next_batch(&mut self) {
        self.batch += 1;
    }

    /// The process with this number; `None` where the kernel gives none.
    pub(crate) fn get(&mut self, pid: u32, process: Process<'_>) -> Option<Arc<Actor>> {
        if pid == 0 {
            return None;
        }
        if let Some(seen) = self.seen.get(&pid).filter(|seen| seen.batch == self.batch) {
            return Some(Arc::clone(&seen.actor));
        }
        if matches!(process, Process::Gone) {
            return Some(Arc::new(Actor::new(pid)));
        }
        let batch = self.batch;
        if let Some(seen) = self.seen.get_mut(&pid) {
            let now = seen.open.as_ref().and_then(Open::now);
            if now.is_some_and(|(executable, stat)| seen.is_still(executable.as_deref(), &stat)) {
                seen.batch = batch;
                return Some(Arc::clone(&seen.actor));
            }
            // It has ended, or is another program now.
            seen.open = None;
        }
        let Some(proc) = Proc::open(pid).filter(|_| is_same(process)) else {
            return Some(Arc::new(Actor::new(pid)));
        };
        // First what goes first when a process ends.
        let executable = proc.executable();
        let Some(stat) = proc.stat() else { return Some(Arc::new(Actor::new(pid))) };
        let known = self.seen.get(&pid).filter(|seen| seen.is_still(executable.as_deref(), &stat));
        let (actor, open) = match known.map(|seen| Arc::clone(&seen.actor)) {
            // Seen again: it may go on.
            Some(actor) => {
                self.make_room_for_open();
                (actor, Open::of(proc))
            }
            None => {
                let actor = Arc::new(self.describe(pid, &proc, &stat, executable));
                if self.seen.len() >= REMEMBERED {
                    self.seen.clear();
                }
                (actor, None)
            }
        };
        self.seen.insert(pid, Seen { actor: Arc::clone(&actor), stat, batch, open });
        Some(actor)
    }

    fn make_room_for_open(&mut self) {
        if self.seen.values().filter(|seen| seen.open.is_some()).count() >= OPEN {
            self.seen.values_mut().for_each(|seen| seen.open = None);
        }
    }

    fn describe(&self, pid: u32, proc: &Proc, stat: &Stat, executable: Option<PathBuf>) -> Actor {
        let mut actor = Actor::new(pid);
        actor.args = procfs::arguments(&proc.read(c"cmdline", ARGUMENTS));
        actor.executable = executable;
        actor.start = self.time(stat.start);
        actor.name = Some(stat.name.clone());
        actor.kernel = stat.kernel;
        (actor.uid, actor.gid) = procfs::owner(&proc.read(c"status", 4096));
        actor.login_uid = procfs::audit_id(&proc.read(c"loginuid", 16));
        actor.session = procfs::audit_id(&proc.read(c"sessionid", 16));
        actor.cgroup = procfs::cgroup(&proc.read(c"cgroup", 4096));
        actor.parent = (stat.parent != 0).then(|| self.parent(stat.parent));
        actor
    }

    fn parent(&self, pid: u32) -> Parent {
        let mut parent = Parent::new(pid);
        if let Some(proc) = Proc::open(pid)
            && let Some(stat) = proc.stat()
        {
            parent.start = self.time(stat.start);
            parent.name = Some(stat.name);
            parent.executable = proc.executable();
        }
        parent
    }

    fn time(&self, hundredths: u64) -> Option<SystemTime> {
        self.boot.checked_add(Duration::from_millis(hundredths.checked_mul(10)?))
    }
}

impl Seen {
    /// Whether what is said of a process now is what was said when it was described.
    fn is_still(&self, executable: Option<&Path>, stat: &Stat) -> bool {
        // A process that has ended has no executable any more, and starts no other program.
        self.stat == *stat && (executable.is_none() || self.actor.executable.as_deref() == executable)
    }
}

impl Open {
    fn of(proc: Proc) -> Option<Self> {
        let stat = openat(&proc.0, c"stat", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
        Some(Self { proc, stat: File::from(stat) })
    }

    /// As it is now: its executable first, as in [`Actors::get`]. Two calls, where opening all anew takes eight.
    fn now(&self) -> Option<(Option<PathBuf>, Stat)> {
        let executable = self.proc.executable();
        let mut line = [0; 1024];
        let length = self.stat.read_at(&mut line, 0).ok()?;
        Some((executable, procfs::stat(line.get(..length)?)?))
    }
}

/// The directory of a process in /proc. It stays that of the process: once the process is gone there is
/// nothing in it any more, whoever has its number then.
#[derive(Debug)]
struct Proc(OwnedFd);

impl Proc {
    fn open(pid: u32) -> Option<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        open(format!("/proc/{pid}"), flags, Mode::empty()).ok().map(Self)
    }

    fn executable(&self) -> Option<PathBuf> {
        let path = readlinkat(&self.0, c"exe", Vec::new()).ok()?;
        Some(PathBuf::from(OsString::from_vec(path.into_bytes())))
    }

    fn stat(&self) -> Option<Stat> {
        procfs::stat(&self.read(c"stat", 4096))
    }

    /// The first bytes of a file, none if it cannot be read.
    fn read(&self, name: &CStr, limit: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Ok(file) = openat(&self.0, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            && File::from(file).take(limit).read_to_end(&mut bytes).is_err()
        {
            bytes.clear();
        }
        bytes
    }
}

/// Whether the directory that was just opened under this number is that of the process of the event.
fn is_same(process: Process<'_>) -> bool {
    match process {
        Process::Gone => false,
        Process::Known(fd) => !has_exited(fd) || not_reaped(fd),
        // Without a descriptor the number alone must do: to use it again within the few milliseconds since
        // the event, all other numbers must have been used.
        Process::Unknown => true,
    }
}

fn has_exited(pidfd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(pidfd, PollFlags::IN)];
    !matches!(poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(0))
}

fn not_reaped(pidfd: BorrowedFd<'_>) -> bool {
    let info = std::fs::read(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd()));
    info.is_ok_and(|info| procfs::keeps_number(&info))
}
