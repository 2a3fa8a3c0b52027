//! Parsers of the files in /proc/PID that tell who a process is.
//!
//! Pure functions on bytes: absent or odd content is `None`, never an error. Do not open anything.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// `PF_KTHREAD`: a thread of the kernel (include/linux/sched.h, as the next).
const KERNEL_THREAD: u64 = 0x0020_0000;
/// `PF_FORKNOEXEC`: forked, and has not executed a program since.
const FORKED: u64 = 0x0000_0040;

/// /proc/PID/stat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// Command name.
    pub name: OsString,
    /// Parent.
    pub parent: u32,
    /// Start in hundredths of a second since boot (`USER_HZ` is 100 wherever fim runs).
    pub start: u64,
    /// Whether it is a thread of the kernel.
    pub kernel: bool,
    /// Whether it has executed a program since it was forked.
    pub has_executed: bool,
}

/// /proc/PID/stat. The name may hold anything, closing parentheses and line feeds included.
pub(crate) fn stat(bytes: &[u8]) -> Option<Stat> {
    let open = bytes.iter().position(|&b| b == b'(')?;
    let close = bytes.iter().rposition(|&b| b == b')')?;
    let name = bytes.get(open.checked_add(1)?..close)?;
    let rest = std::str::from_utf8(bytes.get(close.checked_add(1)?..)?).ok()?;
    // Counted from the state, which is field 3.
    let mut fields = rest.split_ascii_whitespace().skip(1);
    let parent = fields.next()?.parse().ok()?;
    let flags: u64 = fields.nth(4)?.parse().ok()?;
    let start = fields.nth(12)?.parse().ok()?;
    let (kernel, has_executed) = (flags & KERNEL_THREAD != 0, flags & FORKED == 0);
    Some(Stat { name: OsString::from_vec(name.to_vec()), parent, start, kernel, has_executed })
}

/// Real user and group id in /proc/PID/status.
pub(crate) fn owner(status: &[u8]) -> (Option<u32>, Option<u32>) {
    let first = |key: &[u8]| {
        let line = status.split(|&b| b == b'\n').find_map(|line| line.strip_prefix(key))?;
        number(line.split(u8::is_ascii_whitespace).find(|word| !word.is_empty())?)
    };
    (first(b"Uid:"), first(b"Gid:"))
}

/// /proc/PID/loginuid or sessionid; all ones stand for none.
pub(crate) fn audit_id(bytes: &[u8]) -> Option<u32> {
    number(bytes.trim_ascii()).filter(|&id| id != u32::MAX)
}

/// Arguments in /proc/PID/cmdline, of which the last may be cut.
pub(crate) fn arguments(bytes: &[u8]) -> Vec<OsString> {
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    bytes.split(|&b| b == 0).map(|arg| OsString::from_vec(arg.to_vec())).collect()
}

/// The control group in /proc/PID/cgroup: that of version 2, else the first one.
pub(crate) fn cgroup(bytes: &[u8]) -> Option<String> {
    let lines = || bytes.split(|&b| b == b'\n').filter(|line| !line.is_empty());
    let line = lines().find(|line| line.starts_with(b"0::")).or_else(|| lines().next())?;
    let path = line.splitn(3, |&b| b == b':').nth(2)?;
    Some(String::from_utf8_lossy(path).into_owned())
}

/// Whether the process of a pidfd still has its number, by /proc/self/fdinfo/FD: it is then not used again.
pub(crate) fn keeps_number(fdinfo: &[u8]) -> bool {
    let pid = fdinfo.split(|&b| b == b'\n').find_map(|line| line.strip_prefix(b"Pid:"));
    pid.and_then(|pid| number(pid.trim_ascii())).is_some_and(|pid| pid > 0)
}

fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stat_of_a_hostile_name() {
        let line = b"42 (a) (b\n) S 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 1 2 3";
        let expected = Stat { name: "a) (b\n".into(), parent: 7, start: 123_456, kernel: false, has_executed: true };
        assert_eq!(stat(line), Some(expected));
    }

    #[test]
    fn stat_of_a_subshell() {
        let line = b"42 (sh) S 7 42 42 0 -1 4194368 1 2 3 4 5 6 7 8 20 0 1 0 123456 1 2 3";
        assert!(!stat(line).unwrap().has_executed);
    }

    #[test]
    fn stat_of_a_kernel_thread() {
        let line = b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 3 0 0";
        assert!(stat(line).unwrap().kernel);
    }

    #[test]
    fn owners() {
        let status = b"Name:\tx\nUid:\t1000\t0\t0\t0\nGid:\t100\t0\t0\t0\n";
        assert_eq!(owner(status), (Some(1000), Some(100)));
        assert_eq!(owner(b""), (None, None));
    }

    #[test]
    fn audit_ids() {
        for (bytes, expected) in
            [(&b"1000"[..], Some(1000)), (b"0\n", Some(0)), (b"4294967295", None), (b"", None)]
        {
            assert_eq!(audit_id(bytes), expected);
        }
    }

    #[test]
    fn argument_lists() {
        assert_eq!(arguments(b"ls\0-l\0\0"), ["ls", "-l", ""]);
        assert_eq!(arguments(b"ls\0cut of"), ["ls", "cut of"]);
        assert!(arguments(b"").is_empty());
    }

    #[test]
    fn control_groups() {
        for (bytes, expected) in [
            (&b"0::/system.slice/x.service\n"[..], Some("/system.slice/x.service")),
            (b"4:memory:/a\n1:name=systemd:/b\n", Some("/a")),
            (b"12:cpu:/a:b\n0::/c\n", Some("/c")),
            (b"", None),
        ] {
            assert_eq!(cgroup(bytes).as_deref(), expected);
        }
    }

    #[test]
    fn a_reaped_process_has_lost_its_number() {
        assert!(keeps_number(b"pos:\t0\nPid:\t42\nNSpid:\t42\n"));
        assert!(!keeps_number(b"pos:\t0\nPid:\t-1\nNSpid:\t-1\n"));
        assert!(!keeps_number(b""));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            stat(&bytes);
            owner(&bytes);
            audit_id(&bytes);
            arguments(&bytes);
            cgroup(&bytes);
            keeps_number(&bytes);
        }
    }
}
