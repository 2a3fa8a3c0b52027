//! The mount table, as `/proc/PID/mountinfo` gives it (proc_pid_mountinfo(5)). Pure: bytes in, mounts out.

use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Mount {
    id: u64,
    parent: u64,
    /// `major:minor`.
    device: Vec<u8>,
    /// Which part of the file system it shows.
    root: Vec<u8>,
    /// Where.
    point: PathBuf,
    kind: Vec<u8>,
    source: Vec<u8>,
}

/// All mounts, in the kernel's order. Lines that cannot be understood are left out.
pub(super) fn parse(bytes: &[u8]) -> Vec<Mount> {
    bytes.split(|byte| *byte == b'\n').filter_map(line).collect()
}

/// `36 35 98:0 /part /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn line(line: &[u8]) -> Option<Mount> {
    let mut words = line.split(|byte| *byte == b' ');
    let id = number(words.next()?)?;
    let parent = number(words.next()?)?;
    let device = words.next()?.to_owned();
    let root = unescape(words.next()?);
    let point = PathBuf::from(OsString::from_vec(unescape(words.next()?)));
    words.find(|word| *word == b"-")?;
    let kind = words.next()?.to_owned();
    let source = words.next().map(unescape).unwrap_or_default();
    Some(Mount { id, parent, device, root, point, kind, source })
}

fn number(word: &[u8]) -> Option<u64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// Blanks, backslashes and line ends are `\` and three octal digits.
fn unescape(word: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..3).filter(|_| *first == b'\\').and_then(|digits| {
            let text = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(text, 8).ok()
        });
        match code {
            Some(code) => {
                out.push(code);
                rest = behind.get(3..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = behind;
            }
        }
    }
    out
}

/// Where mounts came or went, sorted, without what is below another.
pub(super) fn changed(before: &[Mount], now: &[Mount]) -> Vec<PathBuf> {
    let (old, new): (HashSet<&Mount>, HashSet<&Mount>) = (before.iter().collect(), now.iter().collect());
    let mut points: Vec<PathBuf> = old.symmetric_difference(&new).map(|mount| mount.point.clone()).collect();
    points.sort();
    points.dedup_by(|later, earlier| later.starts_with(earlier));
    points
}

/// What is mounted at or above a path, in words: `tmpfs none`, or `ext4 /dev/sda1[/part]` of a part.
pub(super) fn over(table: &[Mount], path: &Path) -> String {
    let over = table
        .iter()
        .filter(|mount| path.starts_with(&mount.point))
        .max_by_key(|mount| mount.point.as_os_str().len());
    let Some(mount) = over else { return String::new() };
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let part = if mount.root == b"/" { String::new() } else { format!("[{}]", text(&mount.root)) };
    format!("{} {}{part}", text(&mount.kind), text(&mount.source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROOT: &str = "23 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n";
    const OVER: &str = "40 23 0:45 / /etc/app rw - tmpfs none rw,size=64k\n";
    const PART: &str = "41 23 8:1 /srv/my\\040data /mnt/a\\011b rw shared:7 master:2 - ext4 /dev/sda1 rw\n";

    #[test]
    fn a_line_is_understood() {
        let table = parse(format!("{ROOT}{PART}").as_bytes());
        assert_eq!(table.len(), 2);
        assert_eq!((table[1].id, table[1].parent), (41, 23));
        assert_eq!(table[1].root, b"/srv/my data");
        assert_eq!(table[1].point, Path::new("/mnt/a\tb"));
        assert_eq!(over(&table, Path::new("/mnt/a\tb/x")), "ext4 /dev/sda1[/srv/my data]");
        assert_eq!(over(&table, Path::new("/mnt/ab")), "ext4 /dev/sda1");
    }

    #[test]
    fn what_came_and_went_is_told_once_for_each_tree() {
        let table = |text: &[&str]| parse(text.concat().as_bytes());
        let below = OVER.replace("40 23", "42 40").replace("/etc/app", "/etc/app/sub");
        let points = |one: &[&str], other: &[&str]| changed(&table(one), &table(other));
        assert_eq!(points(&[ROOT], &[ROOT]), [] as [PathBuf; 0]);
        assert_eq!(points(&[ROOT], &[ROOT, OVER, &below]), [PathBuf::from("/etc/app")]);
        assert_eq!(points(&[ROOT, OVER, PART], &[ROOT, PART]), [PathBuf::from("/etc/app")]);
        // The same place, another mount.
        let again = OVER.replace("40 23", "50 23");
        assert_eq!(points(&[ROOT, OVER], &[ROOT, &again]), [PathBuf::from("/etc/app")]);
        // Options alone hide nothing.
        let read_only = OVER.replace("rw -", "ro -");
        assert_eq!(points(&[OVER], &[&read_only]), [] as [PathBuf; 0]);
    }

    proptest! {
        #[test]
        fn nothing_in_it_is_trusted(bytes: Vec<u8>, text in "[0-9 /\\\\\\-a-z:\n]{0,200}") {
            let (one, other) = (parse(&bytes), parse(text.as_bytes()));
            changed(&one, &other);
            over(&other, Path::new("/a"));
        }
    }
}
