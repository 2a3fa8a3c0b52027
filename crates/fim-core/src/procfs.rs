//! A process by what `/proc` says of it: its entry, opened once, and the files in it.
//!
//! For watchers and explainers. Parsers are pure: absent or odd content is `None`, never an error. Must not know actors,
//! nor why anybody asks.

use rustix::fs::{Mode, OFlags, open, openat, readlinkat};
use rustix::time::{ClockId, clock_gettime};
use std::ffi::{CStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// `PF_KTHREAD`: a thread of the kernel (include/linux/sched.h, as the next).
const KERNEL_THREAD: u64 = 0x0020_0000;
/// `PF_FORKNOEXEC`: forked, and has not executed a program since.
const FORKED: u64 = 0x0000_0040;
/// A hundredth of a second, which is what `USER_HZ` counts wherever fim runs, in milliseconds.
const HUNDREDTH: u64 = 10;

/// The entry of a process in `/proc`. What was opened stays that of the process: once it is gone there is nothing in it
/// any more, whoever has its number then.
#[derive(Debug)]
pub struct Entry(OwnedFd);

impl Entry {
    /// Of the process that has this number now; `None` if there is none.
    #[must_use]
    pub fn open(pid: u32) -> Option<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        open(format!("/proc/{pid}"), flags, Mode::empty()).ok().map(Self)
    }

    /// A file in it, to be read.
    #[must_use]
    pub fn file(&self, name: &CStr) -> Option<File> {
        openat(&self.0, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok().map(File::from)
    }

    /// The first bytes of a file in it.
    #[must_use]
    pub fn read(&self, name: &CStr, limit: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file(name)?.take(limit).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// What it runs; `None` once it has ended, and of a thread of the kernel.
    #[must_use]
    pub fn executable(&self) -> Option<PathBuf> {
        let path = readlinkat(&self.0, c"exe", Vec::new()).ok()?;
        Some(PathBuf::from(OsString::from_vec(path.into_bytes())))
    }

    /// `stat`.
    #[must_use]
    pub fn stat(&self) -> Option<Stat> {
        Stat::parse(&self.read(c"stat", 4096)?)
    }
}

impl AsFd for Entry {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// `/proc/PID/stat` (proc_pid_stat(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stat {
    /// Command name.
    pub name: OsString,
    /// Parent.
    pub parent: u32,
    /// Start, in hundredths of a second since boot.
    pub start: u64,
    /// Whether it is a thread of the kernel.
    pub kernel: bool,
    /// Whether it has executed a program since it was forked.
    pub has_executed: bool,
}

impl Stat {
    /// The name may hold anything, closing parentheses and line feeds included.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let open = bytes.iter().position(|&b| b == b'(')?;
        let close = bytes.iter().rposition(|&b| b == b')')?;
        let name = OsString::from_vec(bytes.get(open.checked_add(1)?..close)?.to_vec());
        let rest = std::str::from_utf8(bytes.get(close.checked_add(1)?..)?).ok()?;
        // Counted from the state, which is field 3.
        let mut fields = rest.split_ascii_whitespace().skip(1);
        let parent = fields.next()?.parse().ok()?;
        let flags: u64 = fields.nth(4)?.parse().ok()?;
        let start = fields.nth(12)?.parse().ok()?;
        let (kernel, has_executed) = (flags & KERNEL_THREAD != 0, flags & FORKED == 0);
        Some(Self { name, parent, start, kernel, has_executed })
    }

    /// When it started, where the machine [was booted](booted) then; `None` beyond what there is of time.
    #[must_use]
    pub fn started(&self, booted: SystemTime) -> Option<SystemTime> {
        booted.checked_add(Duration::from_millis(self.start.checked_mul(HUNDREDTH)?))
    }
}

/// Arguments as `/proc/PID/cmdline` has them, of which no more than `room` bytes were taken. Of one that was cut the last word is
/// left out: half a secret is not known for one by what should follow it.
#[must_use]
pub fn arguments(bytes: &[u8], room: usize) -> Vec<OsString> {
    let is_cut = bytes.len() >= room && !bytes.ends_with(&[0]);
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    let mut all: Vec<OsString> =
        bytes.split(|&byte| byte == 0).map(|word| OsString::from_vec(word.to_vec())).collect();
    if is_cut && let Some(last) = all.pop() {
        let mut last = last.into_vec();
        let kept = last.iter().rposition(u8::is_ascii_whitespace).map_or(0, |at| at + 1);
        last.truncate(kept);
        last.extend_from_slice(b"[cut]");
        all.push(OsString::from_vec(last));
    }
    all
}

/// When this machine was booted, by the clock as it is set now.
#[must_use]
pub fn booted() -> SystemTime {
    let up = clock_gettime(ClockId::Boottime);
    let part = |number: i64| u64::try_from(number).unwrap_or(0);
    let up = Duration::from_secs(part(up.tv_sec)) + Duration::from_nanos(part(up.tv_nsec));
    SystemTime::now().checked_sub(up).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The lines of `/proc/PID/cgroup`: which controllers, none in version 2, and the path.
pub fn control_groups(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    bytes.split(|&byte| byte == b'\n').filter_map(|line| {
        let mut parts = line.splitn(3, |&byte| byte == b':').skip(1);
        Some((parts.next()?, parts.next()?))
    })
}

/// The path of the control group of version 2, else of the first one.
#[must_use]
pub fn control_group(bytes: &[u8]) -> Option<&[u8]> {
    let mut groups = control_groups(bytes);
    let first = groups.next()?;
    let is_second_version = |group: &(&[u8], &[u8])| group.0.is_empty();
    Some(if is_second_version(&first) { first } else { groups.find(is_second_version).unwrap_or(first) }.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn arguments_of_which_the_last_may_be_cut() {
        let all = |bytes: &[u8], room| arguments(bytes, room);
        assert_eq!(all(b"ls\0-l\0\0", 512), ["ls", "-l", ""]);
        assert_eq!(all(b"ls\0-l\0\0", 7), ["ls", "-l", ""], "all of it was taken");
        assert_eq!(all(b"a title of its own", 512), ["a title of its own"]);
        assert_eq!(all(b"sh\0-c\0curl http://bob:hunt", 26), ["sh", "-c", "curl [cut]"]);
        assert_eq!(all(b"curl\0http://bob:hunt", 20), ["curl", "[cut]"]);
        assert!(all(b"", 512).is_empty());
    }

    fn stat(flags: u32, name: &str) -> Stat {
        let line = format!("42 ({name}) S 7 42 42 0 -1 {flags} 1 2 3 4 5 6 7 8 20 0 1 0 123456 1 2 3");
        Stat::parse(line.as_bytes()).unwrap()
    }

    #[test]
    fn stat_of_a_hostile_name_of_a_subshell_and_of_a_thread_of_the_kernel() {
        let name = "a) (b\n";
        let hostile =
            Stat { name: name.into(), parent: 7, start: 123_456, kernel: false, has_executed: true };
        assert_eq!(stat(0x0040_0000, name), hostile);
        assert!(!stat(0x0040_0040, "sh").has_executed);
        assert!(stat(0x0020_0040, "kthreadd").kernel);
        for bytes in [&b""[..], b"42 (a", b"42 (a)", b"42 (a) S 7 42"] {
            assert_eq!(Stat::parse(bytes), None);
        }
    }

    #[test]
    fn a_start_is_told_after_years_and_not_beyond_all_time() {
        let mut stat = stat(0, "x");
        let booted = SystemTime::UNIX_EPOCH;
        assert_eq!(stat.started(booted), booted.checked_add(Duration::from_millis(1_234_560)));
        let years = Duration::from_secs(3 * 365 * 86_400);
        stat.start = years.as_secs() * 100;
        assert_eq!(stat.started(booted), booted.checked_add(years));
        stat.start = u64::MAX;
        assert_eq!(stat.started(booted), None);
    }

    #[test]
    fn control_groups_of_both_versions() {
        for (bytes, expected) in [
            (&b"0::/system.slice/x.service\n"[..], Some("/system.slice/x.service")),
            (b"4:memory:/a\n1:name=systemd:/b\n", Some("/a")),
            (b"12:cpu:/a:b\n0::/c\n", Some("/c")),
            (b"12:cpu:/a:b\n", Some("/a:b")),
            (b"0:\n0", None),
            (b"", None),
        ] {
            assert_eq!(control_group(bytes), expected.map(str::as_bytes));
        }
    }

    #[test]
    fn this_process() {
        let me = Entry::open(std::process::id()).unwrap();
        assert_eq!(me.executable(), std::env::current_exe().ok());
        let stat = me.stat().unwrap();
        let age = SystemTime::now().duration_since(stat.started(booted()).unwrap()).unwrap();
        assert!(age < Duration::from_secs(3600), "{age:?}");
        assert!(control_group(&me.read(c"cgroup", 4096).unwrap()).is_some());
        assert_eq!(me.read(c"comm", 2).unwrap().len(), 2);
        assert!(me.file(c"no such file").is_none() && Entry::open(u32::MAX).is_none());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(Stat::parse(&bytes));
            drop(arguments(&bytes, 100));
            prop_assert!(control_groups(&bytes).count() > 0 || control_group(&bytes).is_none());
        }
    }
}
