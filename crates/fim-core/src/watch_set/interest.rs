//! What one consumer wants to see.
//!
//! Pure data: who matches paths is `patterns.rs`.

/// What one consumer wants to see.
///
/// ```
/// use fim_core::{Interest, WatchSet};
/// use std::path::Path;
///
/// let keys = Interest::in_paths(["/home/*/.ssh"]).with_content(1 << 20);
/// let rest = Interest::in_paths(["/etc", "/home"]).excluding(["**/*.swp"]);
/// let set = WatchSet::new(vec![keys, rest])?;
/// // A path belongs to the first that claims it.
/// assert_eq!(set.owner(Path::new("/home/bob/.ssh/authorized_keys")), Some(0));
/// assert_eq!(set.owner(Path::new("/etc/passwd")), Some(1));
/// assert_eq!(set.owner(Path::new("/etc/.passwd.swp")), None);
/// # Ok::<(), fim_core::PatternError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interest {
    /// Absolute paths or globs (`*`, `?`, `[…]`, `{…}`, `**`). A path without a glob is that file, or that
    /// whole tree if it is a directory, whether it exists already or not; what a glob matches likewise.
    /// `*`, `?` and `[…]` match within a name, names with a leading dot included; `**` any number of
    /// directories; `/a/**` is everything below `/a` without `/a` itself. `\` makes the next character
    /// an ordinary one: see [`escape`](crate::escape).
    pub paths: Vec<String>,
    /// More paths and globs, of files that another consumer may have: this one is
    /// [given each look](crate::Consumer::overhear) at them too. They are its own only if no other consumer
    /// wants them.
    pub overhears: Vec<String>,
    /// Globs of paths to leave out, with everything below them: absolute, or `**/…` for any depth.
    pub exclude: Vec<String>,
    /// Regular expressions on the whole path, unanchored; what matches is left out with everything below.
    /// A `$` is the end of the path, or of a directory it is in.
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
        Self { paths: paths.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// Wants to be given looks at these, whichever consumer they belong to.
    #[must_use]
    pub fn overhearing<I, P>(mut self, paths: I) -> Self
    where
        I: IntoIterator<Item = P>,
        P: Into<String>,
    {
        self.overhears.extend(paths.into_iter().map(Into::into));
        self
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
    /// A checksum to compare with somebody else's records; never kept.
    pub checksum: Option<Checksum>,
}

/// By what others know a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Checksum {
    /// MD5, as dpkg.
    Md5,
    /// SHA-256, as rpm.
    Sha256,
}
