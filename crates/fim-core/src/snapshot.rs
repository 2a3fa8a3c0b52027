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
use std::path::PathBuf;

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
}

impl Snapshot {
    /// A look at a path where nothing is.
    #[must_use]
    pub fn gone(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), facts: None, content: None }
    }

    /// A look that found this.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, facts: Facts, content: Option<Vec<u8>>) -> Self {
        Self { path: path.into(), facts: Some(facts), content }
    }

    /// How far the hash can be trusted.
    #[must_use]
    pub fn hash_state(&self) -> HashState {
        self.facts.as_ref().map_or(HashState::Gone, |facts| facts.hash_state)
    }
}
