//! Whether a change really happened: the expected files as they were before, against what they are now.
//!
//! Looks with the plainest means, and so by other code than what it tests.

use crate::case::{Action, Case, Expect};
use crate::scene::Scene;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// One file at one moment; `None` if it is not there.
pub(crate) type Look = Option<Facts>;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    content: Vec<u8>,
    rights: (u32, u32, u32, u32, Vec<Vec<u8>>),
    identity: (u64, u64),
    clocks: [i64; 4],
}

/// All expected files of a case, and `f` besides.
pub(crate) fn look(scene: &Scene, case: &Case) -> io::Result<Vec<Look>> {
    let mut paths: Vec<&str> =
        case.expect.iter().flat_map(|line| [Some(line.path), line.from]).flatten().collect();
    paths.push("f");
    paths.iter().map(|path| look_at(&scene.expected(path))).collect()
}

fn look_at(path: &Path) -> io::Result<Look> {
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let mut content = Vec::new();
    let mut flags = 0;
    if meta.is_file() {
        let file = fs::File::open(path)?;
        flags = rustix::fs::ioctl_getflags(&file).map_or(0, |flags| flags.bits());
        // A prefix is enough: no case changes more.
        file.take(4 << 20).read_to_end(&mut content)?;
    } else if meta.is_symlink() {
        content = fs::read_link(path)?.into_os_string().into_encoded_bytes();
    }
    Ok(Some(Facts {
        content,
        rights: (meta.mode(), meta.uid(), meta.gid(), flags, xattrs(path)),
        identity: (meta.ino(), meta.size()),
        clocks: [meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()],
    }))
}

/// Names and values; none where the file system has none.
fn xattrs(path: &Path) -> Vec<Vec<u8>> {
    let mut names = vec![0; 4096];
    let Ok(length) = rustix::fs::llistxattr(path, &mut names) else { return Vec::new() };
    names.truncate(length);
    let mut all: Vec<Vec<u8>> = names
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| {
            let mut value = vec![0; 4096];
            let length = rustix::fs::lgetxattr(path, name, &mut value).unwrap_or_default();
            value.truncate(length);
            [name, b"=", &value].concat()
        })
        .collect();
    all.sort();
    all
}

/// What is missing of the effect that was meant, if anything.
pub(crate) fn missing(case: &Case, before: &[Look], after: &[Look]) -> Option<String> {
    let mut at = before.iter().zip(after);
    for line in &case.expect {
        let here = at.next()?;
        let there = line.from.and_then(|_| at.next());
        if !happened(line, here, there) {
            return Some(format!("no effect on {}", line.path));
        }
    }
    let (before, after) = at.next()?;
    let (Some(before), Some(after)) = (before, after) else { return None };
    let moved = before.content != after.content || before.rights != after.rights;
    (case.expect.is_empty() && moved).then(|| "f changed, which it should not have".to_owned())
}

fn happened(line: &Expect, here: (&Look, &Look), from: Option<(&Look, &Look)>) -> bool {
    match (line.action, here) {
        (Some(Action::Created), (None, Some(_))) | (Some(Action::Deleted), (Some(_), None)) => true,
        (Some(Action::Moved), (None, Some(_))) => from.is_some_and(|(_, after)| after.is_none()),
        (Some(Action::Updated), (Some(before), Some(after))) if line.what == Some("touched") => {
            before.clocks != after.clocks
        }
        (Some(Action::Updated), (Some(before), Some(after))) => {
            before.content != after.content || before.identity.1 != after.identity.1
        }
        (Some(Action::AttributesModified), (Some(before), Some(after))) => before.rights != after.rights,
        (None, (before, after)) => before != after,
        _ => false,
    }
}
