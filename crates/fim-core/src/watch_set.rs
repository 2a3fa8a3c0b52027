//! Which paths are watched, and whose they are: files, directories, trees, globs, excludes, and paths that
//! do not exist yet.
//!
//! Pure: matches paths as bytes, and asks no file system.

use std::path::{Path, PathBuf};

/// What one consumer wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interest {
    /// Absolute paths or globs (`*`, `?`, `[…]`, `{…}`, `**`). A path without a glob is that file, or that
    /// whole tree if it is a directory, whether it exists already or not; what a glob matches likewise.
    pub paths: Vec<String>,
    /// Globs of paths to leave out, with everything below them.
    pub exclude: Vec<String>,
    /// Regular expressions on the whole path, unanchored; what matches is left out with everything below.
    pub exclude_regex: Vec<String>,
    /// What of each file the consumer needs besides its metadata.
    pub need: Need,
}

impl Interest {
    /// Interest in these paths, with metadata and BLAKE3.
    #[must_use]
    pub fn in_paths<I, P>(paths: I) -> Self
    where
        I: IntoIterator<Item = P>,
        P: Into<String>,
    {
        Self {
            paths: paths.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Asks for the content of each file as well, up to `limit` bytes.
    #[must_use]
    pub const fn with_content(mut self, limit: u64) -> Self {
        self.need.content = Some(limit);
        self
    }

    /// Asks for SHA-256 as well.
    #[must_use]
    pub const fn with_sha256(mut self) -> Self {
        self.need.sha256 = true;
        self
    }

    /// Leaves out what these globs match.
    #[must_use]
    pub fn excluding<I, P>(mut self, globs: I) -> Self
    where
        I: IntoIterator<Item = P>,
        P: Into<String>,
    {
        self.exclude.extend(globs.into_iter().map(Into::into));
        self
    }
}

/// What of a file is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Need {
    /// The bytes, when there are no more than this many.
    pub content: Option<u64>,
    /// SHA-256 besides BLAKE3.
    pub sha256: bool,
}

/// How much of a directory is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cover {
    /// Nothing in it or below.
    Nothing,
    /// Some names in it or below: names must be looked at one by one.
    Some,
    /// Everything in it and below, but for excludes.
    All,
}

/// A pattern that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// The pattern as written.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

impl std::fmt::Display for PatternError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot use the pattern \"{}\": {}", self.pattern, self.reason)
    }
}

impl std::error::Error for PatternError {}

/// All interests together, in order of precedence: a path belongs to the first that claims it.
#[derive(Clone, Debug, Default)]
pub struct WatchSet {
    interests: Vec<Interest>,
}

impl WatchSet {
    /// Joins interests; the earlier one wins.
    ///
    /// # Errors
    /// The first pattern that is no absolute path, glob or regular expression.
    pub fn new(interests: Vec<Interest>) -> Result<Self, PatternError> {
        Ok(Self { interests })
    }

    /// Which interest, by its place in the list, claims this absolute path.
    #[must_use]
    pub fn owner(&self, path: &Path) -> Option<usize> {
        let _ = path;
        None
    }

    /// What the owner of a path needs of it.
    #[must_use]
    pub fn need(&self, owner: usize) -> Need {
        self.interests
            .get(owner)
            .map_or_else(Need::default, |interest| interest.need)
    }

    /// How much of this directory is watched.
    #[must_use]
    pub fn cover(&self, dir: &Path) -> Cover {
        let _ = dir;
        Cover::Nothing
    }

    /// The longest glob-free paths from which all watched paths can be reached, without those below
    /// another, sorted. They need not exist.
    #[must_use]
    pub fn roots(&self) -> Vec<PathBuf> {
        Vec::new()
    }
}
