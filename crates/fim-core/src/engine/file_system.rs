//! What kind of file system a file is on, as far as watching goes: a window into the kernel, shared with others,
//! or neither.

use crate::id::FileId;
use crate::remote::remote_file_system;
use std::os::fd::OwnedFd;

/// The name of a file system that is a window into the kernel (endless, always changing, nothing to keep),
/// by `f_type` of statfs(2). Such are not watched.
#[must_use]
pub fn pseudo_file_system(f_type: u64) -> Option<&'static str> {
    const KNOWN: [(u64, &str); 14] = [
        (0x9fa0, "proc"),
        (0x6265_6572, "sysfs"),
        (0x0027_e0eb, "cgroup"),
        (0x6367_7270, "cgroup2"),
        (0x6462_6720, "debugfs"),
        (0x7472_6163, "tracefs"),
        (0xcafe_4a11, "bpf"),
        (0x1cd1, "devpts"),
        (0x7363_6673, "securityfs"),
        (0x6165_676c, "pstore"),
        (0x1980_0202, "mqueue"),
        (0x6265_6570, "configfs"),
        (0x4249_4e4d, "binfmt_misc"),
        (0xf97c_ff8c, "selinuxfs"),
    ];
    KNOWN.iter().find(|(known, _)| *known == f_type).map(|(_, name)| *name)
}

/// What kind of file system a file is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileSystem {
    /// Not watched.
    Pseudo,
    /// Changed by others too.
    Remote(&'static str),
    /// Changed through this kernel alone.
    Local,
}

/// What kind of file system a file is on.
pub(super) fn file_system(file: &OwnedFd) -> FileSystem {
    let Ok(found) = rustix::fs::fstatfs(file) else {
        return FileSystem::Local;
    };
    let f_type = found.f_type.cast_unsigned();
    match (pseudo_file_system(f_type), remote_file_system(f_type)) {
        (Some(_), _) => FileSystem::Pseudo,
        (None, Some(name)) => FileSystem::Remote(name),
        (None, None) => FileSystem::Local,
    }
}

/// Whether a directory is the top of a btrfs subvolume, which has a number of its own there. It is opened only if it has.
pub(super) fn is_subvolume(id: FileId, open: impl FnOnce() -> Option<OwnedFd>) -> bool {
    const TOP: u64 = 256;
    const BTRFS: u64 = 0x9123_683e;
    let is_on_btrfs =
        |dir| rustix::fs::fstatfs(&dir).is_ok_and(|found| found.f_type.cast_unsigned() == BTRFS);
    id.inode == TOP && open().is_some_and(is_on_btrfs)
}
