//! The reader: from a path to a [`Snapshot`].
//!
//! Order of a look: open without following or waking anything, stat, read, stat. What moved meanwhile is
//! looked at again a few times, then said to be unstable. Decides nothing about what a change means.

use super::Snapshot;
use super::content::{self, Content, Task};
use super::flags;
use super::open::Opener;
use super::xattrs::{self, Handle};
use crate::facts::{Facts, FileKind, FileTime, HashState};
use crate::secrecy::Secrecy;
use crate::watch_set::Need;
use rustix::fs::{
    Advice, AtFlags, OFlags, Statx, StatxFlags, StatxTimestamp, fadvise, makedev, readlinkat_raw, statx,
};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Room for a list of attribute names and a value at their largest; files are read in pieces of it.
const BUFFER: usize = 128 * 1024;

/// Bounds of one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Larger files are not read; in bytes.
    pub max_hash_bytes: u64,
    /// How often a file that moves while it is read is read, before it is called unstable.
    pub attempts: u32,
}

impl Default for Limits {
    /// 1 GiB, 3 attempts.
    fn default() -> Self {
        Self { max_hash_bytes: 1 << 30, attempts: 3 }
    }
}

/// Takes looks at files. Holds a buffer: one for each thread.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    opener: Opener,
    secrecy: Option<Secrecy>,
    /// What the cache holds of a file is dropped before it is read.
    past_the_cache: bool,
    buffer: Box<[u8]>,
}

/// Told of each piece that was read how many bytes it had; `false` to give up.
pub(crate) type EachPiece<'p> = &'p mut dyn FnMut(u64) -> bool;

impl Reader {
    /// A reader with these bounds.
    ///
    /// # Errors
    /// When `/proc/self/fd` cannot be opened: files are read through it.
    pub fn new(limits: Limits) -> io::Result<Self> {
        let buffer = vec![0; BUFFER].into_boxed_slice();
        Ok(Self { limits, opener: Opener::new()?, secrecy: None, past_the_cache: false, buffer })
    }

    /// Hashes files with a secret in them under a key.
    #[must_use]
    pub fn with_secrecy(mut self, secrecy: Option<Secrecy>) -> Self {
        self.secrecy = secrecy;
        self
    }

    /// Reads what is on the disk, even where somebody wrote to the disk past the file system and the cache.
    /// What is mapped or dirty stays in the cache all the same.
    pub(crate) fn past_the_cache(mut self) -> Self {
        self.past_the_cache = true;
        self
    }

    /// Whether a hash kept from an earlier look is one this reader could have made: not under another key, and
    /// not without one where the name alone asks for it.
    pub(crate) fn could_have_made(&self, path: &Path, facts: &Facts) -> bool {
        let Some(secrecy) = &self.secrecy else {
            return facts.keyed.is_none();
        };
        match facts.keyed {
            Some(id) => id == secrecy.key_id(),
            None => facts.blake3.is_none() || !secrecy.is_secret(path, &[]),
        }
    }

    /// An `O_PATH` descriptor of what is at this absolute path: a symbolic link itself if it is one, and
    /// nothing that is reached through one. Opening so wakes no device and waits for nobody.
    ///
    /// # Errors
    /// As openat2(2); see [`Self::is_gone`].
    pub fn open_path(&self, path: &Path) -> io::Result<OwnedFd> {
        self.opener.open_path(path).map_err(io::Error::from)
    }

    /// A directory to be listed, reached as by [`Self::open_path`].
    ///
    /// # Errors
    /// As openat2(2); see [`Self::is_gone`].
    pub(crate) fn open_dir(&self, path: &Path) -> io::Result<OwnedFd> {
        let file = self.opener.open_path(path)?;
        Ok(self.opener.reopen(file.as_fd(), OFlags::DIRECTORY)?)
    }

    /// Whether an error of [`Self::open_path`] means that nothing is at the path, a directory above it
    /// having gone or become a link included.
    #[must_use]
    pub fn is_gone(error: &io::Error) -> bool {
        let gone = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP, Errno::NAMETOOLONG];
        Errno::from_io_error(error).is_some_and(|error| gone.contains(&error))
    }

    /// What stat(2) says of an open file: no hash, no attributes, no target, and of the flags only those
    /// that stat(2) knows.
    ///
    /// # Errors
    /// As statx(2): a file system that went away.
    pub fn stat(file: BorrowedFd<'_>) -> io::Result<Facts> {
        Ok(facts(&stat(file)?))
    }

    /// Looks at a path. What cannot be read is said in [`Facts::hash_state`]; where not even its metadata
    /// could be had (no right to search a directory above), its inode is 0 and nothing else in it is known.
    #[must_use]
    pub fn look(&mut self, path: &Path, need: Need) -> Snapshot {
        match self.open_path(path) {
            Ok(file) => self.look_at(file.as_fd(), path, need),
            Err(error) if Self::is_gone(&error) => Snapshot::gone(path),
            Err(_) => Snapshot::new(path, unknown(), None),
        }
    }

    /// Looks at the file behind an `O_PATH` descriptor, as [`Self::look`] does. A file whose last name is
    /// gone is seen all the same, with no link.
    #[must_use]
    pub fn look_at(&mut self, file: BorrowedFd<'_>, path: &Path, need: Need) -> Snapshot {
        match stat(file) {
            Ok(found) => self.look_and(file, path, facts(&found), need, &mut |_| true, &mut || ()),
            Err(_) => Snapshot::new(path, unknown(), None),
        }
    }

    /// As [`Self::look_at`], at the pace of `piece`. What was given up is unreadable.
    pub(crate) fn look_paced(&mut self, file: BorrowedFd<'_>, path: &Path, piece: EachPiece<'_>) -> Snapshot {
        match stat(file) {
            Ok(found) => self.look_and(file, path, facts(&found), Need::default(), piece, &mut || ()),
            Err(_) => Snapshot::new(path, unknown(), None),
        }
    }

    /// As [`Self::look_at`], going on from an earlier [`Self::stat`] of this descriptor: one call less for a
    /// regular file. If it moved since that stat, that is noticed as if it had moved while it was read.
    #[must_use]
    pub fn look_from(&mut self, file: BorrowedFd<'_>, path: &Path, stat: Facts, need: Need) -> Snapshot {
        if stat.kind == FileKind::File {
            self.look_and(file, path, stat, need, &mut |_| true, &mut || ())
        } else {
            self.look_at(file, path, need)
        }
    }

    /// `meanwhile` is called after each reading, before it is checked whether the file moved.
    fn look_and(
        &mut self,
        file: BorrowedFd<'_>,
        path: &Path,
        mut facts: Facts,
        need: Need,
        piece: EachPiece<'_>,
        meanwhile: &mut dyn FnMut(),
    ) -> Snapshot {
        let mut content = None;
        match facts.kind {
            FileKind::File => match self.opener.reopen(file, OFlags::empty()) {
                Ok(open) => {
                    (facts, content) = self.read(open.as_fd(), path, facts, need, piece, meanwhile);
                }
                Err(_) => {
                    facts = stat(file).map_or(facts, |found| self::facts(&found));
                    facts.hash_state = HashState::Unreadable;
                    facts.xattrs = xattrs::read(Handle::PathOnly(file), &mut self.buffer);
                }
            },
            FileKind::Dir => {
                if let Ok(open) = self.opener.reopen(file, OFlags::DIRECTORY) {
                    facts.flags = flags::of_open(&open).unwrap_or(facts.flags);
                    facts.xattrs = xattrs::read(Handle::Open(open.as_fd()), &mut self.buffer);
                } else {
                    facts.xattrs = xattrs::read(Handle::PathOnly(file), &mut self.buffer);
                }
            }
            FileKind::Symlink => {
                facts.target = self.target(file);
                if facts.target.is_none() {
                    facts.hash_state = HashState::Unreadable;
                }
                facts.xattrs = xattrs::read(Handle::PathOnly(file), &mut self.buffer);
            }
            _ => facts.xattrs = xattrs::read(Handle::PathOnly(file), &mut self.buffer),
        }
        Snapshot::new(path, facts, content)
    }

    /// Reads an open regular file until it did not move meanwhile, or often enough.
    fn read(
        &mut self,
        file: BorrowedFd<'_>,
        path: &Path,
        mut before: Facts,
        need: Need,
        piece: EachPiece<'_>,
        meanwhile: &mut dyn FnMut(),
    ) -> (Facts, Option<Vec<u8>>) {
        let secrecy = self.secrecy.as_ref();
        let key = secrecy.map(Secrecy::key_id);
        let mut attempt = 1;
        loop {
            let task = Task { path, size: before.size, limit: self.limits.max_hash_bytes, need, secrecy };
            if self.past_the_cache {
                // It is no more than advice: what the cache keeps is read from there.
                let _refused = fadvise(file, 0, None, Advice::DontNeed);
            }
            let content = content::read(file, &task, &mut self.buffer, piece);
            let xattrs = xattrs::read(Handle::Open(file), &mut self.buffer);
            let flags = flags::of_open(file);
            meanwhile();
            let Ok(found) = stat(file) else {
                before.hash_state = HashState::Unreadable;
                return (before, None);
            };
            let mut now = facts(&found);
            let moved = !now.same_stat(&before);
            if moved && attempt < self.limits.attempts {
                attempt += 1;
                before = now;
                continue;
            }
            now.xattrs = xattrs;
            now.flags = flags.unwrap_or(now.flags);
            let bytes = put(content, key, &mut now);
            if moved && now.hash_state == HashState::Stable {
                now.hash_state = HashState::Unstable;
            }
            return (now, bytes.filter(|_| !moved));
        }
    }

    /// The target of a symbolic link; `None` if it cannot be read. Linux bounds it to 4095 bytes.
    fn target(&mut self, link: BorrowedFd<'_>) -> Option<PathBuf> {
        let length = readlinkat_raw(link, c"", &mut *self.buffer).ok()?;
        let target = self.buffer.get(..length)?;
        Some(PathBuf::from(OsStr::from_bytes(target)))
    }
}

/// Writes what reading gave into the facts; the bytes are left.
fn put(content: Content, key: Option<u32>, facts: &mut Facts) -> Option<Vec<u8>> {
    match content {
        Content::Read { blake3, keyed, sha256, bytes } => {
            facts.keyed = key.filter(|_| keyed);
            facts.blake3 = Some(blake3);
            facts.sha256 = sha256;
            return bytes;
        }
        Content::TooBig => facts.hash_state = HashState::TooBig,
        Content::Unreadable => facts.hash_state = HashState::Unreadable,
    }
    None
}

fn stat(file: BorrowedFd<'_>) -> rustix::io::Result<Statx> {
    statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS)
}

fn facts(found: &Statx) -> Facts {
    let mode = u32::from(found.stx_mode);
    let mut facts = Facts::new(FileKind::from_mode(mode));
    facts.mode = mode & 0o7777;
    facts.uid = found.stx_uid;
    facts.gid = found.stx_gid;
    facts.links = found.stx_nlink;
    facts.inode = found.stx_ino;
    facts.device = makedev(found.stx_dev_major, found.stx_dev_minor);
    facts.mtime = time(&found.stx_mtime);
    facts.ctime = time(&found.stx_ctime);
    facts.flags = flags::of_attributes(found.stx_attributes);
    match facts.kind {
        FileKind::Dir => {}
        FileKind::CharDevice | FileKind::BlockDevice => {
            facts.rdev = makedev(found.stx_rdev_major, found.stx_rdev_minor);
        }
        _ => facts.size = found.stx_size,
    }
    facts
}

fn time(stamp: &StatxTimestamp) -> FileTime {
    FileTime { seconds: stamp.tv_sec, nanos: stamp.tv_nsec }
}

/// Facts of a file of which nothing could be learned.
fn unknown() -> Facts {
    let mut facts = Facts::new(FileKind::File);
    facts.hash_state = HashState::Unreadable;
    facts
}

#[cfg(test)]
mod tests;
