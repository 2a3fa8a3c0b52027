//! One safe read of a file: metadata, hash, and content where it is wanted.
//!
//! The only place that opens watched files. Never follows a symbolic link, opens no FIFO, device or socket,
//! reads no more than its limit, and leaves the access time alone
//! (but that of a symbolic link, which the kernel offers no way to spare).

mod content;
mod flags;
mod open;
mod read;
mod xattrs;

pub use read::{Limits, Reader};

use crate::facts::{Facts, HashState};
use std::path::{Path, PathBuf};

/// One look at one path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Which path.
    pub path: PathBuf,
    /// What was found; `None` if nothing is there.
    pub facts: Option<Facts>,
    /// The bytes, where they were asked for, are within the limit, and the file did not move meanwhile.
    pub content: Option<Vec<u8>>,
    named: Option<PathBuf>,
}

impl Snapshot {
    /// A look at a path where nothing is.
    #[must_use]
    pub fn gone(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), facts: None, content: None, named: None }
    }

    /// A look that found this.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, facts: Facts, content: Option<Vec<u8>>) -> Self {
        Self { path: path.into(), facts: Some(facts), content, named: None }
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
