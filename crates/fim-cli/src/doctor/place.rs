//! Where a watched path lies, and whether every change of it passes through this kernel.

use fim_core::remote_file_system;
use rustix::fs::statfs;
use rustix::io::Errno;
use std::path::Path;

/// What is to be said of a watched path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On a file system of this machine.
    Local(&'static str),
    /// On a file system that others change too: their changes are not seen.
    Shared(&'static str),
    /// A file behind this loop device with direct I/O: what is written to the device is not seen.
    Behind(String),
    /// Nothing is there yet.
    Missing,
    /// It cannot be looked at.
    Unknown(String),
}

/// Names of local file systems by `f_type`: `include/uapi/linux/magic.h`, and the file systems' own sources.
const LOCAL: [(u32, &str); 11] = [
    (0x0000_ef53, "ext4"),
    (0x5846_5342, "xfs"),
    (0x9123_683e, "btrfs"),
    (0x0102_1994, "tmpfs"),
    (0x794c_7630, "overlay"),
    (0xf2f5_2010, "f2fs"),
    (0x2fc1_2fc1, "zfs"),
    (0xca45_1a4e, "bcachefs"),
    (0x7371_7368, "squashfs"),
    (0x0000_4d44, "vfat"),
    (0x8584_58f6, "ramfs"),
];

impl Place {
    /// Where this path lies.
    pub fn of(path: &Path) -> Self {
        match statfs(path) {
            Ok(found) => Self::of_type(found.f_type as u32),
            Err(Errno::NOENT | Errno::NOTDIR) => Self::Missing,
            Err(error) => Self::Unknown(error.to_string()),
        }
    }

    fn of_type(kind: u32) -> Self {
        if let Some(name) = remote_file_system(u64::from(kind)) {
            return Self::Shared(name);
        }
        let known = LOCAL.iter().find(|(known, _)| *known == kind);
        Self::Local(known.map_or("another file system", |(_, name)| name))
    }

    /// Whether every change passes through this kernel.
    pub const fn is_covered(&self) -> bool {
        matches!(self, Self::Local(_) | Self::Missing)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local(name) => f.write_str(name),
            Self::Shared(name) => write!(
                f,
                "{name}: late: what others than this machine change there is found by scans alone; run fim where \
                 the files are"
            ),
            Self::Behind(device) => write!(
                f,
                "behind {device} with direct I/O: late: what is written to the device is found when it lets the \
                 file go, or by scans; `losetup --direct-io=off {device}`"
            ),
            Self::Missing => f.write_str("not there yet; watched as soon as it is"),
            Self::Unknown(error) => write!(f, "cannot be looked at: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        assert!(matches!(Place::of(Path::new("/")), Place::Local(_) | Place::Shared(_)));
        assert_eq!(Place::of(Path::new("/nonexistent/x")), Place::Missing);
        assert_eq!(Place::of(Path::new("/proc/self/status/x")), Place::Missing);
        assert_eq!(Place::of_type(0x6969), Place::Shared("nfs"));
        assert!(!Place::of_type(0xff53_4d42).is_covered());
        assert!(Place::of_type(0xef53).is_covered());
        assert!(!Place::Behind("/dev/loop0".to_owned()).is_covered());
    }
}
