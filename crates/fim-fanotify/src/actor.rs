//! Who is behind an event: /proc, read at once, and read little.
//!
//! The kernel names a process by number alone. What /proc says a moment later is of the same process only
//! if the number was not used again, and it may have started another program since: what is not certain is
//! left out. Must not know what the process did.

use crate::decode::Process;
use crate::process::{Identity, Memory, Open};
use crate::procfs;
use fim_core::procfs::{Entry, arguments, booted, control_group};
use fim_core::{Actor, Parent};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::HashMap;
use std::ffi::OsString;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Arc;
use std::time::SystemTime;

/// How many bytes of the arguments are kept.
const ARGUMENTS: usize = 512;
/// How many processes are remembered; then all are forgotten.
const REMEMBERED: usize = 1024;
/// Of as many the entry in /proc is kept open; then all are closed. Each is four descriptors.
const OPEN: usize = 16;

/// Reads and remembers processes.
#[derive(Debug)]
pub(crate) struct Actors {
    booted: SystemTime,
    batch: u64,
    seen: HashMap<u32, Seen>,
}

#[derive(Debug)]
struct Seen {
    actor: Arc<Actor>,
    /// As it was described.
    identity: Identity,
    batch: u64,
    /// Its entry, to be asked again.
    open: Option<Open>,
}

impl Actors {
    pub(crate) fn new() -> Self {
        Self { booted: booted(), batch: 0, seen: HashMap::new() }
    }

    /// A new batch of events: what was read for an earlier one is checked before it is used again.
    pub(crate) fn next_batch(&mut self) {
        self.batch += 1;
    }

    /// Whether a process was seen before, so that it is asked little more than whether it is still the same.
    pub(crate) fn knows(&self, pid: u32) -> bool {
        self.seen.get(&pid).is_some_and(|seen| seen.open.is_some())
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
            if seen.open.as_ref().is_some_and(|open| open.is(&seen.identity)) {
                seen.batch = batch;
                return Some(Arc::clone(&seen.actor));
            }
            // It has ended, or is another program now.
            seen.open = None;
        }
        let Some(proc) = Entry::open(pid).filter(|_| is_same(process)) else {
            return Some(Arc::new(Actor::new(pid)));
        };
        // Before what it is: should it become another, that is noticed.
        let memory = self.seen.contains_key(&pid).then(|| Memory::of(&proc)).flatten();
        let Some(identity) = Identity::of(&proc) else { return Some(Arc::new(Actor::new(pid))) };
        let known = self.seen.get(&pid).filter(|seen| {
            let is_same_run = || identity.executable.is_none() || arguments_of(&proc) == seen.actor.args;
            seen.identity.is_still(&identity) && is_same_run()
        });
        let (actor, open) = match known.map(|seen| Arc::clone(&seen.actor)) {
            // Seen again: it may go on.
            Some(actor) => {
                self.make_room_for_open();
                (actor, Open::of(proc, &identity, memory, process.descriptor()))
            }
            None => {
                let actor = Arc::new(self.describe(pid, &proc, &identity));
                if self.seen.len() >= REMEMBERED {
                    self.seen.clear();
                }
                (actor, None)
            }
        };
        self.seen.insert(pid, Seen { actor: Arc::clone(&actor), identity, batch, open });
        Some(actor)
    }

    fn make_room_for_open(&mut self) {
        if self.seen.values().filter(|seen| seen.open.is_some()).count() >= OPEN {
            self.seen.values_mut().for_each(|seen| seen.open = None);
        }
    }

    fn describe(&self, pid: u32, proc: &Entry, identity: &Identity) -> Actor {
        let stat = &identity.stat;
        let read = |name, limit| proc.read(name, limit).unwrap_or_default();
        let text = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
        let mut actor = Actor::new(pid);
        actor.args = arguments_of(proc);
        actor.executable.clone_from(&identity.executable);
        actor.start = stat.started(self.booted);
        actor.name = Some(stat.name.clone());
        actor.kernel = stat.kernel;
        (actor.uid, actor.gid) = procfs::owner(&read(c"status", 4096));
        actor.login_uid = procfs::audit_id(&read(c"loginuid", 16));
        actor.session = procfs::audit_id(&read(c"sessionid", 16));
        actor.cgroup = control_group(&read(c"cgroup", 4096)).map(text);
        actor.parent = (stat.parent != 0).then(|| self.parent(stat.parent));
        actor
    }

    fn parent(&self, pid: u32) -> Parent {
        let mut parent = Parent::new(pid);
        if let Some(proc) = Entry::open(pid)
            && let Some(stat) = proc.stat()
        {
            parent.start = stat.started(self.booted);
            parent.name = Some(stat.name);
            parent.executable = proc.executable();
        }
        parent
    }
}

fn arguments_of(proc: &Entry) -> Vec<OsString> {
    arguments(&proc.read(c"cmdline", ARGUMENTS as u64).unwrap_or_default(), ARGUMENTS)
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
