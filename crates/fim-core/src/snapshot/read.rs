//! The reader: from a path to a [`Snapshot`].
//!
//! Order of a look: open without following or waking anything, stat, read, stat. What moved meanwhile is
//! looked at again a few times, then said to be unstable. Decides nothing about what a change means.

use super::Snapshot;
use super::content::{self, Content, Task};
use super::flags;
use super::open::Opener;
use super::stat;
use super::unread::Unread;
use super::xattrs::{self, Handle};
use crate::facts::{Facts, FileKind, HashState};
use crate::secrecy::Secrecy;
use crate::watch_set::Need;
use rustix::fs::{Advice, OFlags, fadvise, readlinkat_raw};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Files are read in pieces of so many bytes.
const PIECE: usize = 128 * 1024;
/// Room for a piece with the end of the one before; and for a list of attribute names and a value at their largest.
const BUFFER: usize = PIECE + Secrecy::OVERLAP;

/// Bounds of one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Larger files are not read; in bytes.
    pub max_hash_bytes: u64,
    /// How often a file that moves while it is read is read, before it is called unstable.
    pub attempts: u32,
    /// A file that takes longer to read, since it comes in drops, is called unreadable. A single read(2) that never
    /// returns is not bounded by this.
    pub max_time: Duration,
}

impl Default for Limits {
    /// 1 GiB, 3 attempts, a minute.
    fn default() -> Self {
        Self { max_hash_bytes: 1 << 30, attempts: 3, max_time: Duration::from_secs(60) }
    }
}

/// Takes looks at files. Holds a buffer: one for each thread.
///
/// ```
/// use fim_core::{FileKind, Limits, Need, Reader};
///
/// let dir = tempfile::tempdir()?;
/// std::os::unix::fs::symlink("/etc/shadow", dir.path().join("link"))?;
/// let mut reader = Reader::new(Limits::default())?;
/// // What somebody laid there is looked at as what it is, and not followed.
/// let look = reader.look(&dir.path().join("link"), Need::default());
/// let facts = look.facts.ok_or("it is gone")?;
/// assert_eq!((facts.kind, facts.blake3), (FileKind::Symlink, None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    opener: Arc<Opener>,
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
        Ok(Self::opening_by(Arc::new(Opener::new()?), limits))
    }

    fn opening_by(opener: Arc<Opener>, limits: Limits) -> Self {
        let buffer = vec![0; BUFFER].into_boxed_slice();
        Self { limits, opener, secrecy: None, past_the_cache: false, buffer }
    }

    /// One more of its kind. It needs no descriptor of its own, so that there is always one to be had.
    pub(crate) fn another(&self, limits: Limits) -> Self {
        Self::opening_by(Arc::clone(&self.opener), limits).with_secrecy(self.secrecy.clone())
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
            None => facts.blake3.is_none() || !secrecy.is_secret_unread(path, facts.size),
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

    /// As [`Self::open_path`], of a name in a directory.
    ///
    /// # Errors
    /// As openat2(2); see [`Self::is_gone`].
    pub(crate) fn open_in(&self, dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<OwnedFd> {
        Ok(self.opener.open_in(dir, name)?)
    }

    /// As [`Self::stat`], of a name in a directory: of a symbolic link itself.
    ///
    /// # Errors
    /// As statx(2); see [`Self::is_gone`].
    pub(crate) fn stat_in(&self, dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<Facts> {
        Ok(stat::in_dir(dir, name)?)
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
        Ok(stat::whole(file)?)
    }

    /// As [`Self::stat`], without flags: a look at a regular file that goes on from it asks for them by itself.
    pub(crate) fn stat_before_look(file: BorrowedFd<'_>) -> io::Result<Facts> {
        Ok(stat::without_flags(file)?)
    }

    /// Looks at a path. What cannot be read is said in [`Facts::hash_state`]; where not even its metadata
    /// could be had (no right to search a directory above), its inode is 0 and nothing else in it is known.
    #[must_use]
    pub fn look(&mut self, path: &Path, need: Need) -> Snapshot {
        match self.open_path(path) {
            Ok(file) => self.look_at(file.as_fd(), path, need),
            Err(error) if Self::is_gone(&error) => Snapshot::gone(path),
            Err(_) => Snapshot::unreadable(path),
        }
    }

    /// Looks at the file behind an `O_PATH` descriptor, as [`Self::look`] does. A file whose last name is
    /// gone is seen all the same, with no link.
    #[must_use]
    pub fn look_at(&mut self, file: BorrowedFd<'_>, path: &Path, need: Need) -> Snapshot {
        match stat::whole(file) {
            Ok(facts) => {
                let mut in_time = self.in_time();
                self.look_and(file, path, facts, need, &mut in_time, &mut || ())
            }
            Err(_) => Snapshot::unreadable(path),
        }
    }

    /// As [`Self::look_at`], at the pace of `piece`. What was given up is unreadable.
    pub(crate) fn look_paced(&mut self, file: BorrowedFd<'_>, path: &Path, piece: EachPiece<'_>) -> Snapshot {
        match stat::whole(file) {
            Ok(facts) => self.look_and(file, path, facts, Need::default(), piece, &mut || ()),
            Err(_) => Snapshot::unreadable(path),
        }
    }

    /// As [`Self::look_at`], going on from an earlier [`Self::stat`] of this descriptor: one call less for a
    /// regular file. If it moved since that stat, that is noticed as if it had moved while it was read.
    #[must_use]
    pub fn look_from(&mut self, file: BorrowedFd<'_>, path: &Path, stat: Facts, need: Need) -> Snapshot {
        if stat.kind == FileKind::File {
            let mut in_time = self.in_time();
            self.look_and(file, path, stat, need, &mut in_time, &mut || ())
        } else {
            self.look_at(file, path, need)
        }
    }

    /// Whether a look that begins now has not taken too long.
    fn in_time(&self) -> impl FnMut(u64) -> bool + use<> {
        let until = Instant::now() + self.limits.max_time;
        move |_| Instant::now() < until
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
        let (mut content, mut checksum, mut unread) = (None, None, Unread::default());
        match facts.kind {
            FileKind::File => match self.opener.reopen(file, OFlags::empty()) {
                Ok(open) => {
                    let read = self.read(open.as_fd(), path, facts, need, piece, meanwhile);
                    (facts, content, checksum, unread) = read;
                }
                Err(_) => {
                    facts = stat::whole(file).unwrap_or(facts);
                    facts.hash_state = HashState::Unreadable;
                    unread.flags = true;
                    self.name_attributes(Handle::PathOnly(file), &mut facts, &mut unread);
                }
            },
            FileKind::Dir => {
                if let Ok(open) = self.opener.reopen(file, OFlags::DIRECTORY) {
                    put_flags(flags::of_open(&open), &mut facts, &mut unread);
                    self.name_attributes(Handle::Open(open.as_fd()), &mut facts, &mut unread);
                } else {
                    unread.flags = true;
                    self.name_attributes(Handle::PathOnly(file), &mut facts, &mut unread);
                }
            }
            FileKind::Symlink => {
                facts.target = self.target(file);
                if facts.target.is_none() {
                    facts.hash_state = HashState::Unreadable;
                }
                self.name_attributes(Handle::PathOnly(file), &mut facts, &mut unread);
            }
            _ => self.name_attributes(Handle::PathOnly(file), &mut facts, &mut unread),
        }
        Snapshot { checksum, unread, ..Snapshot::new(path, facts, content) }
    }

    fn name_attributes(&mut self, file: Handle<'_>, facts: &mut Facts, unread: &mut Unread) {
        match xattrs::read(file, &mut self.buffer) {
            Ok(xattrs) => facts.xattrs = xattrs,
            Err(_) => unread.xattrs = true,
        }
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
    ) -> (Facts, Option<Vec<u8>>, Option<Vec<u8>>, Unread) {
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
            let flags = stat::flags(file);
            meanwhile();
            let Ok(mut now) = stat::without_flags(file) else {
                before.hash_state = HashState::Unreadable;
                return (before, None, None, Unread { xattrs: true, flags: true, ..Unread::default() });
            };
            let moved = !now.same_stat(&before);
            let mut unread = Unread::default();
            if moved && attempt < self.limits.attempts {
                attempt += 1;
                before = now;
                continue;
            }
            unread.xattrs = xattrs.is_err();
            now.xattrs = xattrs.unwrap_or_default();
            put_flags(flags, &mut now, &mut unread);
            let (bytes, checksum) = put(content, key, &mut now);
            if moved && now.hash_state == HashState::Stable {
                now.hash_state = HashState::Unstable;
            }
            return (now, bytes.filter(|_| !moved), checksum.filter(|_| !moved), unread);
        }
    }

    /// The target of a symbolic link; `None` if it cannot be read. Linux bounds it to 4095 bytes.
    fn target(&mut self, link: BorrowedFd<'_>) -> Option<PathBuf> {
        let length = readlinkat_raw(link, c"", &mut *self.buffer).ok()?;
        let target = self.buffer.get(..length)?;
        Some(PathBuf::from(OsStr::from_bytes(target)))
    }
}

/// Writes what reading gave into the facts; the bytes and the checksum are left.
fn put(content: Content, key: Option<u32>, facts: &mut Facts) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    match content {
        Content::Read { blake3, keyed, sha256, checksum, bytes } => {
            facts.keyed = key.filter(|_| keyed);
            facts.blake3 = Some(blake3);
            facts.sha256 = sha256;
            return (bytes, checksum);
        }
        Content::TooBig => facts.hash_state = HashState::TooBig,
        Content::Unreadable => facts.hash_state = HashState::Unreadable,
    }
    (None, None)
}

/// Writes what was learned of the flags into the facts.
fn put_flags(flags: rustix::io::Result<Option<u32>>, facts: &mut Facts, unread: &mut Unread) {
    unread.flags = flags.is_err();
    facts.flags = flags.ok().flatten().unwrap_or(facts.flags);
}

#[cfg(test)]
mod tests;
