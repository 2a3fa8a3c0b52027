//! Who is behind an event: /proc, read at once, and read little.
//!
//! The kernel names a process by number alone. What /proc says a moment later is of the same process only
//! if the number was not used again, and it may have started another program since: what is not certain is
//! left out. Must not know what the process did.

use crate::decode::Process;
use crate::procfs::{self, Stat};
use fim_core::{Actor, Parent};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::time::{ClockId, clock_gettime};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How many bytes of the arguments are kept.
const ARGUMENTS: u64 = 512;
/// How many processes are remembered; then all are forgotten.
const REMEMBERED: usize = 1024;

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
        let dir = PathBuf::from(format!("/proc/{pid}"));
        let Some(stat) = read(&dir.join("stat"), 4096).as_deref().and_then(procfs::stat) else {
            return Some(Arc::new(Actor::new(pid)));
        };
        let executable = std::fs::read_link(dir.join("exe")).ok();
        let batch = self.batch;
        if let Some(seen) = self.seen.get_mut(&pid)
            && seen.stat == stat
            // A process that has ended has no executable any more, and starts no other program.
            && (executable.is_none() || seen.actor.executable == executable)
        {
            seen.batch = batch;
            return Some(Arc::clone(&seen.actor));
        }
        let actor = self.describe(pid, &dir, &stat, executable);
        if !is_same(process) {
            return Some(Arc::new(Actor::new(pid)));
        }
        let actor = Arc::new(actor);
        if self.seen.len() >= REMEMBERED {
            self.seen.clear();
        }
        self.seen.insert(pid, Seen { actor: Arc::clone(&actor), stat, batch });
        Some(actor)
    }

    fn describe(&self, pid: u32, dir: &Path, stat: &Stat, executable: Option<PathBuf>) -> Actor {
        let file = |name: &str, limit| read(&dir.join(name), limit).unwrap_or_default();
        let mut actor = Actor::new(pid);
        actor.start = self.time(stat.start);
        actor.name = Some(stat.name.clone());
        actor.kernel = stat.kernel;
        (actor.uid, actor.gid) = procfs::owner(&file("status", 4096));
        actor.login_uid = procfs::audit_id(&file("loginuid", 16));
        actor.session = procfs::audit_id(&file("sessionid", 16));
        actor.executable = executable;
        actor.args = procfs::arguments(&file("cmdline", ARGUMENTS));
        actor.cgroup = procfs::cgroup(&file("cgroup", 4096));
        actor.parent = (stat.parent != 0).then(|| self.parent(stat.parent));
        actor
    }

    fn parent(&self, pid: u32) -> Parent {
        let dir = PathBuf::from(format!("/proc/{pid}"));
        let mut parent = Parent::new(pid);
        if let Some(stat) = read(&dir.join("stat"), 4096).as_deref().and_then(procfs::stat) {
            parent.start = self.time(stat.start);
            parent.name = Some(stat.name);
            parent.executable = std::fs::read_link(dir.join("exe")).ok();
        }
        parent
    }

    fn time(&self, hundredths: u64) -> Option<SystemTime> {
        self.boot.checked_add(Duration::from_millis(hundredths.checked_mul(10)?))
    }
}

/// Whether what was just read under this number was of the process of the event.
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
    let info = read(Path::new(&format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())), 1024);
    info.is_some_and(|info| procfs::keeps_number(&info))
}

fn read(path: &Path, limit: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(limit).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
