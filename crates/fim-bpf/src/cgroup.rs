//! The path of a control group of which the kernel told the last name: what is above a container is its pod.
//!
//! Read in /proc while the process lives, and taken only if it is the same process in the same group; of one that has
//! ended there is the last name. A group of a container has a name that no other has: once seen, it is known.

use rustix::fs::{Mode, OFlags, open, openat};
use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

/// Paths remembered; then all are forgotten.
const KEPT: usize = 1024;
/// A name of at least so many signs is one of a container, by its id.
const UNIQUE: usize = 64;
/// Ticks of a second in /proc.
const TICK_NANOS: u64 = 10_000_000;

/// Paths by their last names.
#[derive(Debug, Default)]
pub struct Paths(HashMap<Vec<u8>, String>);

impl Paths {
    /// The path of the group of a process that started then, in nanoseconds since boot; its last name if no more is
    /// known; `None` for the topmost.
    pub fn of(&mut self, pid: u32, start: u64, last: &OsStr) -> Option<String> {
        let name = last.as_bytes();
        if let Some(known) = self.0.get(name) {
            return Some(known.clone());
        }
        let Some(path) = read(pid, start).and_then(|bytes| path(&bytes, name)) else {
            return Some(last.to_string_lossy().into_owned()).filter(|name| !name.is_empty());
        };
        if name.len() >= UNIQUE {
            if self.0.len() >= KEPT {
                self.0.clear();
            }
            self.0.insert(name.to_vec(), path.clone());
        }
        Some(path)
    }
}

/// `/proc/PID/cgroup`, if the process is the one that started then.
fn read(pid: u32, start: u64) -> Option<Vec<u8>> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    // What was opened stays that of its process, whoever has the number next.
    let process = open(format!("/proc/{pid}"), flags, Mode::empty()).ok()?;
    let began = started(&entry(&process, c"stat")?)?;
    (began == start / TICK_NANOS).then(|| entry(&process, c"cgroup")).flatten()
}

fn entry(process: &OwnedFd, name: &CStr) -> Option<Vec<u8>> {
    let file = openat(process, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut bytes = Vec::new();
    File::from(file).take(16_384).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Field 22 of /proc/PID/stat, in ticks. The name before may hold anything.
fn started(stat: &[u8]) -> Option<u64> {
    let end = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end.checked_add(1)?..)?).ok()?;
    rest.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// The path in version 2 that ends in this name. A process that is topmost there may be in a group of version 1: in
/// systemd's, else in the first.
fn path(cgroup: &[u8], last: &[u8]) -> Option<String> {
    let groups = || cgroup.split(|&byte| byte == b'\n').filter_map(group);
    let ends_so = |path: &[u8]| path.rsplit(|&byte| byte == b'/').next() == Some(last);
    let found = if last.is_empty() {
        let below = || groups().filter(|(_, path)| *path != b"/");
        below().find(|(kind, _)| *kind == b"name=systemd").or_else(|| below().next())
    } else {
        groups().find(|(kind, path)| kind.is_empty() && ends_so(path))
    };
    found.map(|(_, path)| String::from_utf8_lossy(path).into_owned())
}

/// A line: which controllers, none in version 2, and the path.
fn group(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = line.splitn(3, |&byte| byte == b':').skip(1);
    Some((parts.next()?, parts.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_that_ends_in_the_name() {
        let hybrid: &[u8] = b"12:pids:/docker/x\n1:name=systemd:/docker/y\n0::/\n";
        for (cgroup, last, expected) in [
            (
                &b"0::/kubepods.slice/a.slice/b.scope\n"[..],
                &b"b.scope"[..],
                Some("/kubepods.slice/a.slice/b.scope"),
            ),
            (b"0::/kubepods.slice/a.slice/b.scope\n", b"c.scope", None),
            (b"0::/a/xb.scope\n", b"b.scope", None),
            (b"0::/\n", b"", None),
            (b"", b"b.scope", None),
            (b"0:\n0", b"b.scope", None),
            (hybrid, b"", Some("/docker/y")),
            (hybrid, b"y", None),
            (b"12:pids:/docker/x\n3:cpu:/\n", b"", Some("/docker/x")),
        ] {
            let (text, name) = (String::from_utf8_lossy(cgroup), String::from_utf8_lossy(last));
            assert_eq!(path(cgroup, last).as_deref(), expected, "{text} {name}");
        }
        assert_eq!(started(b"1 (a) b) S 1 1 1 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 4711 0"), Some(4711));
    }

    #[test]
    fn a_process_that_lives_is_asked_and_another_is_not() {
        let pid = std::process::id();
        let stat = std::fs::read("/proc/self/stat").unwrap();
        let start = started(&stat).unwrap() * TICK_NANOS;
        let own = std::fs::read("/proc/self/cgroup").unwrap();
        assert_eq!(read(pid, start), Some(own));
        assert_eq!(read(pid, start + TICK_NANOS), None, "it has the number of an earlier one");
        assert_eq!(
            Paths::default().of(pid, start + TICK_NANOS, OsStr::new("x.scope")).as_deref(),
            Some("x.scope")
        );
        assert_eq!(Paths::default().of(u32::MAX, 0, OsStr::new("")), None);
    }

    #[test]
    fn what_has_an_id_in_its_name_is_remembered() {
        let name = format!("docker-{}.scope", "0f".repeat(32));
        let mut paths = Paths::default();
        let path = format!("/system.slice/{name}");
        paths.0.insert(name.clone().into_bytes(), path.clone());
        assert_eq!(paths.of(u32::MAX, 0, OsStr::new(&name)), Some(path), "though the process has ended");
    }
}
