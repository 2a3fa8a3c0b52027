//! One safe read of a file: metadata, hash, and content where it is wanted.
//!
//! The only place that opens watched files. Never follows a symbolic link, opens no FIFO, device or socket,
//! reads no more than its limit, and leaves the access time alone
//! (but that of a symbolic link, which the kernel offers no way to spare).

mod content;
mod flags;
mod open;
mod read;
mod stat;
mod unread;
mod window;
mod xattrs;

pub use read::{Limits, Reader};

use crate::facts::{Facts, FileKind, HashState};
use std::path::{Path, PathBuf};
use unread::Unread;

/// One look at one path.
///
/// ```
/// use fim_core::{Facts, FileKind, HashState, Snapshot};
///
/// // The engine takes them; a test of a consumer makes its own.
/// let there = Snapshot::new("/etc/motd", Facts::new(FileKind::File), Some(b"hello".to_vec()));
/// assert_eq!(there.hash_state(), HashState::Stable);
/// assert_eq!(Snapshot::gone("/etc/motd").hash_state(), HashState::Gone);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Which path.
    pub path: PathBuf,
    /// What was found; `None` if nothing is there.
    pub facts: Option<Facts>,
    /// The bytes, where they were asked for, are within the limit, and the file did not move meanwhile.
    pub content: Option<Vec<u8>>,
    /// The checksum that was asked for, if the file did not move meanwhile.
    pub checksum: Option<Vec<u8>>,
    named: Option<PathBuf>,
    unread: Unread,
}

impl Snapshot {
    /// A look at a path where nothing is.
    #[must_use]
    pub fn gone(path: impl Into<PathBuf>) -> Self {
        Self { facts: None, ..Self::new(path, Facts::new(FileKind::File), None) }
    }

    /// A look that found this.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, facts: Facts, content: Option<Vec<u8>>) -> Self {
        let unread = Unread::default();
        Self { path: path.into(), facts: Some(facts), content, checksum: None, named: None, unread }
    }

    /// The same look, under the name by which its consumer asked for it.
    #[must_use]
    pub fn called(mut self, name: impl Into<PathBuf>) -> Self {
        self.named = Some(name.into());
        self
    }

    /// What the consumer that asked for it calls it: its path, unless links lie between the two.
    #[must_use]
    pub fn name(&self) -> &Path {
        self.named.as_deref().unwrap_or(&self.path)
    }

    /// How far the hash can be trusted.
    #[must_use]
    pub fn hash_state(&self) -> HashState {
        self.facts.as_ref().map_or(HashState::Gone, |facts| facts.hash_state)
    }
}
