//! A process that lives, read in /proc: what it runs, and in which control group.
//!
//! Only what is certainly of the process that is meant is told: an entry of /proc that was opened stays that of
//! its process, and the start says whether it is the one. Once it has ended, nothing is known.

use fim_core::Actor;
use rustix::fs::{Mode, OFlags, open, openat, readlinkat};
use rustix::time::{ClockId, clock_gettime};
use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, SystemTime};

/// The clock may have been set a little between two readings of it.
const SLACK: Duration = Duration::from_secs(1);

/// The entry of a process in /proc.
#[derive(Debug)]
pub struct Process(OwnedFd);

impl Process {
    /// The process of an actor, if it still lives.
    pub fn of(actor: &Actor) -> Option<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let process = Self(open(format!("/proc/{}", actor.pid), flags, Mode::empty()).ok()?);
        let began = process.start()?;
        let told = actor.start?;
        let apart = began.duration_since(told).or_else(|_| told.duration_since(began)).ok()?;
        (apart < SLACK).then_some(process)
    }

    /// What it runs, open for reading: that very file, whatever has its name now. Nothing, if it is another program
    /// than the one that made the change.
    pub fn executable(&self, actor: &Actor) -> Option<File> {
        let runs = readlinkat(&self.0, c"exe", Vec::new()).ok()?;
        let made = actor.executable.as_ref()?.as_os_str();
        if made != OsStr::from_bytes(runs.as_bytes()) {
            return None;
        }
        openat(&self.0, c"exe", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok().map(File::from)
    }

    /// Its control group below the root of version 2; of version 1 the first.
    pub fn cgroup(&self) -> Option<String> {
        cgroup(&self.read(c"cgroup")?)
    }

    fn start(&self) -> Option<SystemTime> {
        let hundredths = start(&self.read(c"stat")?)?;
        let up = clock_gettime(ClockId::Boottime);
        let up = Duration::new(u64::try_from(up.tv_sec).ok()?, u32::try_from(up.tv_nsec).ok()?);
        SystemTime::now().checked_sub(up)?.checked_add(Duration::from_millis(hundredths.checked_mul(10)?))
    }

    fn read(&self, name: &CStr) -> Option<Vec<u8>> {
        let file = openat(&self.0, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let mut bytes = Vec::new();
        File::from(file).take(4096).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

/// Field 22 of /proc/PID/stat: hundredths of a second since boot. The name before may hold anything.
fn start(stat: &[u8]) -> Option<u64> {
    let end = stat.iter().rposition(|&b| b == b')')?;
    let rest = std::str::from_utf8(stat.get(end.checked_add(1)?..)?).ok()?;
    rest.split_ascii_whitespace().nth(19)?.parse().ok()
}

fn cgroup(bytes: &[u8]) -> Option<String> {
    let lines = || bytes.split(|&b| b == b'\n').filter(|line| !line.is_empty());
    let line = lines().find(|line| line.starts_with(b"0::")).or_else(|| lines().next())?;
    String::from_utf8(line.splitn(3, |&b| b == b':').nth(2)?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Process {
        pub fn start_of(pid: u32) -> Option<SystemTime> {
            Self(open(format!("/proc/{pid}"), OFlags::PATH, Mode::empty()).unwrap()).start()
        }
    }

    fn me() -> Actor {
        let mut me = Actor::new(std::process::id());
        me.executable = std::env::current_exe().ok();
        me.start = Process::start_of(me.pid);
        me
    }

    #[test]
    fn one_that_lives_is_known_and_no_other_is() {
        let process = Process::of(&me()).unwrap();
        assert!(process.executable(&me()).is_some() && process.cgroup().is_some());
        let mut other = me();
        other.start = other.start.map(|start| start - Duration::from_secs(60));
        assert!(Process::of(&other).is_none(), "its number was used again");
        let mut other = me();
        other.executable = Some("/bin/other".into());
        assert!(process.executable(&other).is_none(), "it runs something else now");
        assert!(Process::of(&Actor::new(std::process::id())).is_none(), "nothing is known of it");
    }

    #[test]
    fn fields_of_proc() {
        assert_eq!(
            start(b"42 (a) b) S 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 1 2"),
            Some(123_456)
        );
        assert_eq!(start(b"42 (a"), None);
        assert_eq!(cgroup(b"4:memory:/a\n0::/x.service\n").as_deref(), Some("/x.service"));
        assert_eq!(cgroup(b""), None);
    }
}
