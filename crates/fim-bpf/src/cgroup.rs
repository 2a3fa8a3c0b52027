//! The path of a control group of which the kernel told the last name: what is above a container is its pod.
//!
//! Read in /proc while the process lives, and taken only if it is the same process in the same group; of one that has
//! ended there is the last name. A group of a container has a name that no other has: once seen, it is known.

use fim_core::procfs::{Entry, control_groups};
use std::collections::HashMap;
use std::ffi::OsStr;
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
    let process = Entry::open(pid)?;
    (process.stat()?.start == start / TICK_NANOS).then(|| process.read(c"cgroup", 16_384)).flatten()
}

/// The path in version 2 that ends in this name. A process that is topmost there may be in a group of version 1: in
/// systemd's, else in the first.
fn path(cgroup: &[u8], last: &[u8]) -> Option<String> {
    let groups = || control_groups(cgroup);
    let ends_so = |path: &[u8]| path.rsplit(|&byte| byte == b'/').next() == Some(last);
    let found = if last.is_empty() {
        let below = || groups().filter(|(_, path)| *path != b"/");
        below().find(|(kind, _)| *kind == b"name=systemd").or_else(|| below().next())
    } else {
        groups().find(|(kind, path)| kind.is_empty() && ends_so(path))
    };
    found.map(|(_, path)| String::from_utf8_lossy(path).into_owned())
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
    }

    #[test]
    fn a_process_that_lives_is_asked_and_another_is_not() {
        let pid = std::process::id();
        let start = Entry::open(pid).unwrap().stat().unwrap().start * TICK_NANOS;
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
