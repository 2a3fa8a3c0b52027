//! What a walk counts and leaves for its caller.

use super::unarmed::Unarmed;
use std::path::PathBuf;

/// What a walk counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Files that have an identity by now.
    pub files: u64,
    pub dirs: u64,
    /// Files that could not be marked, but for those on remote file systems, where scans make up for it.
    pub unarmed: Unarmed,
    /// Directories met that were not gone through.
    pub below: Vec<PathBuf>,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.files += other.files;
        self.dirs += other.dirs;
        self.unarmed.join(other.unarmed);
        self.below.extend(other.below);
    }
}
