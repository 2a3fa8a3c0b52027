//! Whether a file of a database is the one that was read: one call, without opening it.

use rustix::fs::{AtFlags, StatxFlags, StatxTimestamp, makedev, statx};
use std::os::fd::OwnedFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Clocks of files go in ticks: what was read so soon after a change may have been changed again in the same one.
const TICK: Duration = Duration::from_millis(20);

/// Seconds and nanoseconds.
type Stamp = (i64, u32);

/// What stat(2) said of a file, and when.
#[derive(Debug, Default)]
pub struct Print {
    seen: Option<(u64, u64, u64, Stamp, Stamp)>,
    at: Option<SystemTime>,
}

impl Print {
    /// Of a name in this folder: one call, where nothing is opened and no link followed.
    pub fn of(dir: Option<&OwnedFd>, name: &str) -> Self {
        // Before: whoever is kept waiting in between must not take for old what has just changed.
        let at = SystemTime::now();
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        let found = dir.and_then(|dir| statx(dir, name, flags, StatxFlags::BASIC_STATS).ok());
        let seen = found.map(|it| {
            let time = |stamp: StatxTimestamp| (stamp.tv_sec, stamp.tv_nsec);
            let device = makedev(it.stx_dev_major, it.stx_dev_minor);
            (device, it.stx_ino, it.stx_size, time(it.stx_mtime), time(it.stx_ctime))
        });
        Self { seen, at: Some(at) }
    }

    /// Whether there was anything.
    #[cfg(feature = "dpkg")]
    pub const fn is_there(&self) -> bool {
        self.seen.is_some()
    }

    /// Whether what was read then is what is there now.
    pub fn holds(&self, now: &Self) -> bool {
        let changed = self.seen.map(|(.., (seconds, nanos))| {
            UNIX_EPOCH + Duration::new(u64::try_from(seconds).unwrap_or(0), nanos)
        });
        self.seen == now.seen && changed.zip(self.at).is_some_and(|(changed, at)| changed + TICK < at)
    }

    /// Whether two looks found the same; of files that change in place, not that they were the same in between.
    pub fn is(&self, other: &Self) -> bool {
        self.seen == other.seen
    }

    /// Whether it was another file that had the name.
    #[cfg(feature = "rpm")]
    pub fn is_other_file(&self, other: &Self) -> bool {
        let file = |print: &Self| print.seen.map(|(device, inode, ..)| (device, inode));
        file(self) != file(other)
    }
}
