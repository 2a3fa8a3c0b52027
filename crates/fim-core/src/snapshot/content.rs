//! The bytes of an open regular file: hashed in pieces, kept where they are wanted, never more than a limit.
//!
//! Knows nothing of paths and of whether the file moves meanwhile.

use super::read::EachPiece;
use super::window::Window;
use crate::secrecy::Secrecy;
use crate::watch_set::{Checksum, Need};
use md5::Md5;
use sha2::{Digest, Sha256};
use std::os::fd::BorrowedFd;
use std::path::Path;

/// What reading a file to its end gave.
#[derive(Debug)]
pub(super) enum Content {
    /// Its hashes, and its bytes if they were wanted and few enough.
    Read {
        blake3: [u8; 32],
        keyed: bool,
        sha256: Option<[u8; 32]>,
        checksum: Option<Vec<u8>>,
        bytes: Option<Vec<u8>>,
    },
    /// It has more bytes than the limit.
    TooBig,
    /// Reading failed.
    Unreadable,
}

/// What is to be done with the bytes of one file.
pub(super) struct Task<'a> {
    pub path: &'a Path,
    pub size: u64,
    pub limit: u64,
    pub need: Need,
    pub secrecy: Option<&'a Secrecy>,
}

/// Reads a file of this size. A file that has no size may yet have bytes (those in /proc do); any other
/// is read as far as its size says: if it has grown, it has moved. One that turns out to have a secret in it
/// is read again from its start, to be hashed under the key.
pub(super) fn read(file: BorrowedFd<'_>, task: &Task<'_>, buffer: &mut [u8], each: EachPiece<'_>) -> Content {
    if task.size > task.limit {
        return Content::TooBig;
    }
    match task.secrecy.filter(|secrecy| secrecy.is_secret_unread(task.path, task.size)) {
        Some(secrecy) => read_as(file, task, Some(secrecy), buffer, each),
        None => read_as(file, task, None, buffer, each)
            .or_else(|| read_as(file, task, task.secrecy, buffer, each)),
    }
    .unwrap_or(Content::Unreadable)
}

/// `None` if it is to be read with a key and was not.
fn read_as(
    file: BorrowedFd<'_>,
    task: &Task<'_>,
    keyed: Option<&Secrecy>,
    buffer: &mut [u8],
    each: EachPiece<'_>,
) -> Option<Content> {
    let Task { size, limit, need, .. } = *task;
    let suspect = task.secrecy.filter(|_| keyed.is_none());
    let judged_whole = suspect.and_then(|secrecy| secrecy.judged_whole(task.path));
    let end = if size == 0 { limit.saturating_add(1) } else { size };
    let most = need.content.max(judged_whole);
    let mut bytes = most.filter(|most| size <= *most).map(|_| Vec::new());
    let mut window = Window::new(buffer);
    let mut sha256 = (need.sha256 && keyed.is_none()).then(Sha256::new);
    let mut checksum = need.checksum.map(Summing::new);
    // Most files fit into the buffer: one call to hash them is cheaper than a hasher.
    let mut whole = None;
    let mut hasher = keyed.map(Secrecy::hasher);
    let mut done = 0_u64;
    while done < end {
        let piece = match window.read(file, done, end) {
            Ok([]) => break,
            Ok(piece) => piece,
            Err(_) => return Some(Content::Unreadable),
        };
        if !each(piece.len() as u64) {
            return Some(Content::Unreadable);
        }
        done = done.saturating_add(piece.len() as u64);
        if done > limit {
            return Some(Content::TooBig);
        }
        if done == size && whole.is_none() && hasher.is_none() {
            whole = Some(blake3::hash(piece));
        } else {
            hasher.get_or_insert_with(blake3::Hasher::new).update(piece);
        }
        if let Some(sha256) = &mut sha256 {
            sha256.update(piece);
        }
        if let Some(checksum) = &mut checksum {
            checksum.update(piece);
        }
        bytes = bytes.filter(|_| most.is_some_and(|most| done <= most));
        if let Some(bytes) = &mut bytes {
            bytes.extend_from_slice(piece);
        }
        if judged_whole.is_none()
            && suspect.is_some_and(|secrecy| secrecy.is_secret(task.path, window.stretch()))
        {
            return None;
        }
    }
    if let (Some(secrecy), Some(_)) = (suspect, judged_whole)
        && bytes.as_ref().is_none_or(|bytes| secrecy.is_whole_secret(task.path, bytes))
    {
        return None;
    }
    bytes = bytes.filter(|_| need.content.is_some_and(|most| done <= most));
    let hash = whole.or_else(|| hasher.map(|hasher| hasher.finalize())).unwrap_or_else(|| blake3::hash(&[]));
    let sha256 = sha256.map(|sha256| sha256.finalize().into());
    let checksum = checksum.map(Summing::finish);
    Some(Content::Read { blake3: hash.into(), keyed: keyed.is_some(), sha256, checksum, bytes })
}

/// A checksum that is being made.
enum Summing {
    Md5(Md5),
    Sha256(Sha256),
}

impl Summing {
    fn new(checksum: Checksum) -> Self {
        match checksum {
            Checksum::Md5 => Self::Md5(Md5::new()),
            Checksum::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    fn update(&mut self, piece: &[u8]) {
        match self {
            Self::Md5(md5) => md5.update(piece),
            Self::Sha256(sha256) => sha256.update(piece),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Md5(md5) => md5.finalize().to_vec(),
            Self::Sha256(sha256) => sha256.finalize().to_vec(),
        }
    }
}
