//! Inode flags, as chattr(1) sets them, in the numbers of `FS_IOC_GETFLAGS`.
//!
//! Leaves out flags by which a file system keeps its own books (extents, hashed directories, inline data):
//! they change without anyone having changed the file.

use rustix::fs::{IFlags, StatxAttributes, ioctl_getflags};
use rustix::io::{Errno, Result};
use std::os::fd::AsFd;

const VERITY: u32 = 0x0010_0000;
const ENCRYPTED: u32 = 0x0000_0800;
const PROJECT_INHERIT: u32 = 0x2000_0000;
const CASE_FOLDED: u32 = 0x4000_0000;
const DAX: u32 = 0x0200_0000;
const NOT_COMPRESSED: u32 = 0x0000_0400;

/// What a user can set.
const KEPT: u32 = IFlags::IMMUTABLE.bits()
    | IFlags::APPEND.bits()
    | IFlags::NODUMP.bits()
    | IFlags::NOATIME.bits()
    | IFlags::COMPRESSED.bits()
    | IFlags::SYNC.bits()
    | IFlags::DIRSYNC.bits()
    | IFlags::JOURNALING.bits()
    | IFlags::NOTAIL.bits()
    | IFlags::TOPDIR.bits()
    | IFlags::NOCOW.bits()
    | IFlags::SECURE_REMOVAL.bits()
    | IFlags::UNRM.bits()
    | NOT_COMPRESSED
    | VERITY
    | ENCRYPTED
    | PROJECT_INHERIT
    | CASE_FOLDED
    | DAX;

/// The flags of an open regular file or directory; `None` where the file system keeps none, or shows none to us.
pub(super) fn of_open(file: impl AsFd) -> Result<Option<u32>> {
    match ioctl_getflags(file) {
        Ok(flags) => Ok(Some(flags.bits() & KEPT)),
        Err(Errno::NOTTY | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::PERM | Errno::ACCESS) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The flags that stat(2) shows, for files that are not opened.
pub(super) fn of_attributes(attributes: StatxAttributes) -> u32 {
    [
        (StatxAttributes::IMMUTABLE, IFlags::IMMUTABLE.bits()),
        (StatxAttributes::APPEND, IFlags::APPEND.bits()),
        (StatxAttributes::NODUMP, IFlags::NODUMP.bits()),
        (StatxAttributes::COMPRESSED, IFlags::COMPRESSED.bits()),
        (StatxAttributes::ENCRYPTED, ENCRYPTED),
        (StatxAttributes::VERITY, VERITY),
    ]
    .into_iter()
    .filter(|(attribute, _)| attributes.contains(*attribute))
    .fold(0, |flags, (_, flag)| flags | flag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_and_flags_agree() {
        let both = StatxAttributes::IMMUTABLE | StatxAttributes::APPEND | StatxAttributes::MOUNT_ROOT;
        assert_eq!(of_attributes(both), 0x30);
        assert_eq!(of_attributes(StatxAttributes::all()) & !KEPT, 0);
        assert_eq!(of_attributes(StatxAttributes::empty()), 0);
    }
}
