//! Extended attributes of one file: names, and a digest of each value.
//!
//! The kernel bounds a list of names and a value to 64 KiB each, so a buffer of twice that is enough.

use super::open::magic_path;
use crate::facts::Xattr;
use rustix::fs::{fgetxattr, flistxattr, getxattr, listxattr};
use rustix::io::{Errno, Result};
use std::os::fd::BorrowedFd;

/// Bytes that are offered to the kernel first: it makes and clears as many as it is offered, and most files have none or
/// few attributes, and short ones.
const FEW: usize = 512;

/// How the file can be reached.
#[derive(Clone, Copy, Debug)]
pub(super) enum Handle<'a> {
    /// A descriptor opened for reading.
    Open(BorrowedFd<'a>),
    /// An `O_PATH` descriptor.
    PathOnly(BorrowedFd<'a>),
}

/// All attributes that can be seen, sorted by name; none where the file system has none, or shows none to us. A value
/// that cannot be read has a digest of zeros.
pub(super) fn read(file: Handle<'_>, buffer: &mut [u8]) -> Result<Vec<Xattr>> {
    let (names, value) = buffer.split_at_mut(buffer.len() / 2);
    let path = match file {
        Handle::Open(_) => String::new(),
        Handle::PathOnly(file) => magic_path(file),
    };
    let listed = few_first(names, |names| match file {
        Handle::Open(file) => flistxattr(file, names),
        Handle::PathOnly(_) => listxattr(&path, names),
    });
    let listed = match listed {
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM | Errno::ACCESS) => 0,
        listed => listed?,
    };
    let mut found: Vec<Xattr> = names
        .get(..listed)
        .unwrap_or_default()
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .filter_map(|name| {
            let length = few_first(value, |value| match file {
                Handle::Open(file) => fgetxattr(file, name, value),
                Handle::PathOnly(_) => getxattr(&path, name, value),
            });
            digest(length, value).map(|digest| Xattr { name: text(name), digest })
        })
        .collect();
    found.sort_unstable();
    Ok(found)
}

/// Fills few bytes of a buffer, or all of it if those do not suffice.
fn few_first(buffer: &mut [u8], mut fill: impl FnMut(&mut [u8]) -> Result<usize>) -> Result<usize> {
    let few = buffer.get_mut(..FEW).map(&mut fill);
    match few {
        Some(Err(Errno::RANGE)) | None => fill(buffer),
        Some(filled) => filled,
    }
}

/// `None` if the attribute is gone by now.
fn digest(length: Result<usize>, value: &[u8]) -> Option<[u8; 16]> {
    match length {
        Ok(length) => {
            let hash = blake3::hash(value.get(..length).unwrap_or_default());
            Some(hash.as_bytes().first_chunk().copied().unwrap_or(Xattr::UNREADABLE))
        }
        Err(Errno::NODATA) => None,
        Err(_) => Some(Xattr::UNREADABLE),
    }
}

/// The name as text, with bytes that are no UTF-8 escaped.
fn text(name: &[u8]) -> String {
    match str::from_utf8(name) {
        Ok(name) => name.to_owned(),
        Err(_) => name.escape_ascii().to_string(),
    }
}
