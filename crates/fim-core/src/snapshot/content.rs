//! The bytes of an open regular file: hashed in pieces, kept where they are wanted, never more than a limit.
//!
//! Knows nothing of paths and of whether the file moves meanwhile.

use crate::watch_set::Need;
use rustix::io::{Errno, Result, pread};
use sha2::{Digest, Sha256};
use std::os::fd::BorrowedFd;

/// What reading a file to its end gave.
#[derive(Debug)]
pub(super) enum Content {
    /// Its hashes, and its bytes if they were wanted and few enough.
    Read { blake3: [u8; 32], sha256: Option<[u8; 32]>, bytes: Option<Vec<u8>> },
    /// It has more bytes than the limit.
    TooBig,
    /// Reading failed.
    Unreadable,
}

/// Reads a file of this size. A file that has no size may yet have bytes (those in /proc do); any other
/// is read as far as its size says: if it has grown, it has moved.
pub(super) fn read(file: BorrowedFd<'_>, size: u64, limit: u64, need: Need, buffer: &mut [u8]) -> Content {
    if size > limit {
        return Content::TooBig;
    }
    let end = if size == 0 { limit.saturating_add(1) } else { size };
    let mut bytes = need.content.filter(|most| size <= *most).map(|_| Vec::new());
    let mut sha256 = need.sha256.then(Sha256::new);
    // Most files fit into the buffer: one call to hash them is cheaper than a hasher.
    let mut whole = None;
    let mut hasher = None;
    let mut done = 0_u64;
    while done < end {
        let piece = match read_piece(file, done, end, buffer) {
            Ok([]) => break,
            Ok(piece) => piece,
            Err(_) => return Content::Unreadable,
        };
        done = done.saturating_add(piece.len() as u64);
        if done > limit {
            return Content::TooBig;
        }
        if done == size && whole.is_none() && hasher.is_none() {
            whole = Some(blake3::hash(piece));
        } else {
            hasher.get_or_insert_with(blake3::Hasher::new).update(piece);
        }
        if let Some(sha256) = &mut sha256 {
            sha256.update(piece);
        }
        bytes = bytes.filter(|_| need.content.is_some_and(|most| done <= most));
        if let Some(bytes) = &mut bytes {
            bytes.extend_from_slice(piece);
        }
    }
    let hash = whole.or_else(|| hasher.map(|hasher| hasher.finalize())).unwrap_or_else(|| blake3::hash(&[]));
    Content::Read { blake3: hash.into(), sha256: sha256.map(|sha256| sha256.finalize().into()), bytes }
}

/// The next bytes, as many as fit into the buffer and are before `end`; none at the end of the file.
fn read_piece<'a>(file: BorrowedFd<'_>, from: u64, end: u64, buffer: &'a mut [u8]) -> Result<&'a [u8]> {
    let room = usize::try_from(end.saturating_sub(from)).unwrap_or(usize::MAX);
    let length = buffer.len().min(room);
    let target = buffer.get_mut(..length).unwrap_or_default();
    loop {
        match pread(file, &mut *target, from) {
            Ok(count) => return Ok(target.get(..count).unwrap_or_default()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}
