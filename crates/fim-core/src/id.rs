//! The identity of a file: what the kernel calls it, whatever its paths are.
//!
//! Knows nothing of paths, events or stores.

use std::fmt;

/// A file as the kernel knows it. Filled in by the watcher, from the kernel: user space cannot know
/// the generation on tmpfs nor the real device on btrfs.
///
/// Valid while the machine runs: device numbers change over a reboot, so this is never stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FileId {
    /// `i_ino`, all 64 bits.
    pub inode: u64,
    /// The device in the watcher's own encoding: equal numbers mean one file system, or one subvolume of a btrfs, each of
    /// which numbers its files for itself.
    pub device: u32,
    /// `i_generation`: tells a re-used inode number from its predecessor. 0 where it is unknown.
    pub generation: u32,
}

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}:{}.{:x}", self.device, self.inode, self.generation)
    }
}
