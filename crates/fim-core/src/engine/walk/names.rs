//! The names in a directory: on disk, and in the state.

use crate::snapshot::Reader;
use crate::state::FileRecord;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Names on disk and names in the state, joined in order.
pub(super) fn merge(
    names: Vec<OsString>,
    recorded: Vec<(OsString, FileRecord)>,
) -> impl Iterator<Item = (OsString, Option<FileRecord>)> {
    let (mut names, mut recorded) = (names.into_iter().peekable(), recorded.into_iter().peekable());
    std::iter::from_fn(move || {
        let record_is_next = match (names.peek(), recorded.peek()) {
            (Some(name), Some((known, _))) => known <= name,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if record_is_next {
            let (known, record) = recorded.next()?;
            if names.peek() == Some(&known) {
                names.next();
            }
            return Some((known, Some(record)));
        }
        Some((names.next()?, None))
    })
}

/// The names in a directory, in the order of their bytes.
pub(in crate::engine) fn list(reader: &Reader, dir: &Path) -> io::Result<Vec<OsString>> {
    names(reader.open_dir(dir)?)
}

pub(super) fn names(dir: OwnedFd) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::new(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}
