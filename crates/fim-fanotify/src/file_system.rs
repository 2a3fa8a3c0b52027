//! One watched file system: how its handles become identities, and how a handle becomes a path again.
//!
//! Must not know events, nor which files are marked.

use crate::handle;
use fanotify_fid::handle::{FileHandle, open_by_handle_at};
use fim_core::FileId;
use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags, fstat, open, readlink, stat, statx};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How many mounts of one file system are remembered.
const MOUNTS: usize = 8;

/// How a file system is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// As a whole, but for writes.
    Whole,
    /// Only directory by directory.
    Directories,
}

/// One watched file system.
#[derive(Debug)]
pub(crate) struct FileSystem {
    /// Its number in [`FileId::device`].
    pub device: u32,
    /// How it is marked.
    pub reach: Reach,
    /// Marked files by handle, where handles do not say the inode; `None` where they do.
    foreign: Option<HashMap<FileHandle, FileId>>,
    /// A directory below each mount of it. Paths, no descriptors: those would keep it from being unmounted.
    mounts: Vec<(u64, PathBuf)>,
}

/// A directory on the file system, open for as long as one batch of events is worked on.
#[derive(Debug)]
pub(crate) struct Mount(OwnedFd);

impl FileSystem {
    /// A file system, seen first at a file with this handle and inode number.
    pub(crate) fn new(device: u32, reach: Reach, handle: &[u8], inode: u64) -> Self {
        let plain = handle::inode(handle).is_some_and(|(number, _)| number == inode);
        Self { device, reach, foreign: (!plain).then(HashMap::new), mounts: Vec::new() }
    }

    /// The identity of a file that is being marked.
    pub(crate) fn learn(&mut self, handle: FileHandle, inode: u64) -> FileId {
        let id = FileId { inode, device: self.device, generation: 0 };
        match &mut self.foreign {
            Some(known) => {
                known.insert(handle, id);
                id
            }
            None => self.identify(&handle).unwrap_or(id),
        }
    }

    /// The identity a handle stands for; `None` where it takes a mark to know it.
    pub(crate) fn identify(&self, handle: &[u8]) -> Option<FileId> {
        match &self.foreign {
            Some(known) => known.get(handle).copied(),
            None => handle::inode(handle).map(|(inode, generation)| FileId {
                inode,
                device: self.device,
                generation,
            }),
        }
    }

    /// Forgets what [`FileSystem::learn`] kept of these files.
    pub(crate) fn forget(&mut self, gone: &dyn Fn(&FileId) -> bool) {
        if let Some(known) = &mut self.foreign {
            known.retain(|_, id| !gone(id));
        }
    }

    /// Remembers that this directory is on this file system.
    pub(crate) fn seen_at(&mut self, dir: BorrowedFd<'_>, path: &Path) {
        if self.mounts.len() >= MOUNTS {
            return;
        }
        // Linux before 5.8 does not fill it in; one mount is known then.
        let mount = statx(dir, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID).map_or(0, |s| s.stx_mnt_id);
        if !self.mounts.iter().any(|(known, _)| *known == mount) {
            self.mounts.push((mount, path.to_owned()));
        }
    }

    /// Whether no mount is missing among those by which its files are watched.
    pub(crate) fn knows_all_mounts(&self) -> bool {
        self.mounts.len() < MOUNTS
    }

    /// Opens the mounts of this file system that are still there.
    pub(crate) fn open(&mut self) -> Vec<Mount> {
        let mut open_now = Vec::new();
        let device = self.device;
        self.mounts.retain(|(_, path)| {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            match open(path, flags, Mode::empty()) {
                Ok(fd) if fstat(&fd).is_ok_and(|s| fold(s.st_dev) == device) => {
                    open_now.push(Mount(fd));
                    true
                }
                _ => false,
            }
        });
        open_now
    }
}

impl Mount {
    /// The file of a handle.
    ///
    /// # Errors
    /// When it is gone, or without `CAP_DAC_READ_SEARCH`.
    pub(crate) fn open(&self, handle: &[u8]) -> io::Result<OwnedFd> {
        open_by_handle_at(&self.0, handle)
    }

    /// The file of a handle and its present path, seen through this mount.
    ///
    /// # Errors
    /// When it is gone, has no path here, or without `CAP_DAC_READ_SEARCH`.
    pub(crate) fn find(&self, handle: &[u8]) -> io::Result<(OwnedFd, PathBuf)> {
        let file = self.open(handle)?;
        let path = readlink(format!("/proc/self/fd/{}", file.as_raw_fd()), Vec::new())?;
        Ok((file, PathBuf::from(OsStr::from_bytes(path.as_bytes()))))
    }
}

/// A device number of user space in 32 bits, as the kernel holds it.
pub(crate) fn fold(device: u64) -> u32 {
    (rustix::fs::major(device) << 20) | (rustix::fs::minor(device) & 0xf_ffff)
}

/// Whether this path leads to this file: one seen through a bind mount of a part of the file system may
/// lead nowhere or elsewhere, and that of a deleted file is no path.
pub(crate) fn leads_to(path: &Path, file: &OwnedFd) -> bool {
    match (stat(path), fstat(file)) {
        (Ok(there), Ok(here)) => (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino),
        _ => false,
    }
}
