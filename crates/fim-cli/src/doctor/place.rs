//! Where a watched path lies, and whether every change of it passes through this kernel.

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
    /// Nothing is there yet.
    Missing,
    /// It cannot be looked at.
    Unknown(String),
}

/// File systems by `f_type`, and whether somebody else than this kernel can change the files.
const KINDS: [(u32, &str, bool); 20] = [
    (0x0000_ef53, "ext4", false),
    (0x5846_5342, "xfs", false),
    (0x9123_683e, "btrfs", false),
    (0x0102_1994, "tmpfs", false),
    (0x794c_7630, "overlay", false),
    (0xf2f5_2010, "f2fs", false),
    (0x2fc1_2fc1, "zfs", false),
    (0xca45_1a4e, "bcachefs", false),
    (0x7371_7368, "squashfs", false),
    (0x0000_4d44, "vfat", false),
    (0x8584_58f6, "ramfs", false),
    (0x0000_6969, "nfs", true),
    (0xff53_4d42, "cifs", true),
    (0xfe53_4d42, "smb2", true),
    (0x6573_5546, "fuse", true),
    (0x0102_1997, "9p", true),
    (0x5346_414f, "afs", true),
    (0x7375_7245, "coda", true),
    (0x00c3_6400, "ceph", true),
    (0x786f_4256, "vboxsf", true),
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
        match KINDS.iter().find(|(known, ..)| *known == kind) {
            Some((_, name, false)) => Self::Local(name),
            Some((_, name, true)) => Self::Shared(name),
            None => Self::Local("another file system"),
        }
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
                "{name}: changes made by others than this machine are not seen; run fim where the files are"
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
    }
}
