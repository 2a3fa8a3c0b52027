//! What stat(2) says of a file, as facts: no hash, no attributes, no target.
//!
//! By statx(2), which knows some flags; or by fstat(2), which knows none: statx(2) makes and clears room for a path each
//! time, though there is none.

use super::flags;
use crate::facts::{Facts, FileKind, FileTime};
use rustix::fs::{AtFlags, Stat, Statx, StatxFlags, StatxTimestamp, fstat, makedev, statx};
use rustix::io::Result;
use std::ffi::OsStr;
use std::os::fd::BorrowedFd;

/// Of an open file, with the flags that stat(2) knows.
pub(super) fn whole(file: BorrowedFd<'_>) -> Result<Facts> {
    statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS).map(|found| of_statx(&found))
}

/// Of an open file, without flags.
pub(super) fn without_flags(file: BorrowedFd<'_>) -> Result<Facts> {
    fstat(file).map(|found| of_stat(&found))
}

/// Of a name in a directory: of a symbolic link itself.
pub(super) fn in_dir(dir: BorrowedFd<'_>, name: &OsStr) -> Result<Facts> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    statx(dir, name, flags, StatxFlags::BASIC_STATS).map(|found| of_statx(&found))
}

/// The flags of a file that is open for reading; those that stat(2) knows where its file system keeps no others, or shows
/// none to us.
pub(super) fn flags(file: BorrowedFd<'_>) -> Result<Option<u32>> {
    match flags::of_open(file)? {
        None => Ok(whole(file).ok().map(|facts| facts.flags)),
        flags => Ok(flags),
    }
}

fn of_statx(found: &Statx) -> Facts {
    let mut facts = of_mode(u32::from(found.stx_mode), found.stx_size, || {
        makedev(found.stx_rdev_major, found.stx_rdev_minor)
    });
    facts.uid = found.stx_uid;
    facts.gid = found.stx_gid;
    facts.links = found.stx_nlink;
    facts.inode = found.stx_ino;
    facts.device = makedev(found.stx_dev_major, found.stx_dev_minor);
    facts.mtime = time(&found.stx_mtime);
    facts.ctime = time(&found.stx_ctime);
    facts.flags = flags::of_attributes(found.stx_attributes);
    facts
}

fn of_stat(found: &Stat) -> Facts {
    let time = |seconds, nanos| FileTime { seconds, nanos: u32::try_from(nanos).unwrap_or(0) };
    let size = u64::try_from(found.st_size).unwrap_or(0);
    let mut facts = of_mode(found.st_mode, size, || found.st_rdev);
    facts.uid = found.st_uid;
    facts.gid = found.st_gid;
    facts.links = u32::try_from(found.st_nlink).unwrap_or(u32::MAX);
    facts.inode = found.st_ino;
    facts.device = found.st_dev;
    facts.mtime = time(found.st_mtime, found.st_mtime_nsec);
    facts.ctime = time(found.st_ctime, found.st_ctime_nsec);
    facts
}

/// Kind and mode, and what of size and device number means something for the kind.
fn of_mode(mode: u32, size: u64, rdev: impl FnOnce() -> u64) -> Facts {
    let mut facts = Facts::new(FileKind::from_mode(mode));
    facts.mode = mode & 0o7777;
    match facts.kind {
        FileKind::Dir => {}
        FileKind::CharDevice | FileKind::BlockDevice => facts.rdev = rdev(),
        _ => facts.size = size,
    }
    facts
}

fn time(stamp: &StatxTimestamp) -> FileTime {
    FileTime { seconds: stamp.tv_sec, nanos: stamp.tv_nsec }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsFd;

    #[test]
    fn both_calls_say_the_same() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "content").unwrap();
        std::fs::hard_link(dir.path().join("file"), dir.path().join("link")).unwrap();
        for path in [dir.path().join("file"), dir.path().to_owned(), "/dev/null".into(), "/proc".into()] {
            let file = File::open(&path).unwrap();
            let whole = whole(file.as_fd()).unwrap();
            let without = without_flags(file.as_fd()).unwrap();
            assert_eq!(Facts { flags: 0, ..whole }, without, "{}", path.display());
        }
    }
}
