//! The names in a directory: on disk, and in the state.

use crate::snapshot::Reader;
use crate::state::FileRecord;
use rustix::fs::FileType;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A name on disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Listed {
    pub name: OsString,
    /// It was that of a regular file: not all file systems say.
    pub is_file: bool,
}

/// Names on disk and names in the state, joined in order.
pub(super) fn merge(
    names: Vec<Listed>,
    recorded: Vec<(OsString, FileRecord)>,
) -> impl Iterator<Item = (Listed, Option<FileRecord>)> {
    let (mut names, mut recorded) = (names.into_iter().peekable(), recorded.into_iter().peekable());
    std::iter::from_fn(move || {
        let record_is_next = match (names.peek(), recorded.peek()) {
            (Some(on_disk), Some((known, _))) => *known <= on_disk.name,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if record_is_next {
            let (name, record) = recorded.next()?;
            let on_disk = names.next_if(|on_disk| on_disk.name == name);
            return Some((on_disk.unwrap_or(Listed { name, is_file: false }), Some(record)));
        }
        Some((names.next()?, None))
    })
}

/// The names in a directory, in the order of their bytes.
pub(in crate::engine) fn list(reader: &Reader, dir: &Path) -> io::Result<Vec<OsString>> {
    Ok(names(reader.open_dir(dir)?)?.into_iter().map(|listed| listed.name).collect())
}

pub(super) fn names(dir: OwnedFd) -> io::Result<Vec<Listed>> {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::new(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            let is_file = entry.file_type() == FileType::RegularFile;
            names.push(Listed { name: OsStr::from_bytes(name).to_owned(), is_file });
        }
    }
    names.sort_unstable();
    Ok(names)
}
