//! Which paths are watched, and whose they are: files, directories, trees, globs, excludes, and paths that
//! do not exist yet.
//!
//! Pure: matches paths as bytes, and asks no file system.

mod braces;
mod interest;
mod pattern;
mod patterns;
mod trees;
mod why;

pub use interest::{Checksum, Interest, Need};
use patterns::Patterns;
use regex::bytes::{Regex, RegexSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use trees::Trees;
pub use why::Why;

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

/// The pattern that matches exactly this text: a path as it is on disk, whatever characters it has.
///
/// ```
/// use fim_core::{Interest, WatchSet, escape};
/// use std::path::Path;
///
/// let set = WatchSet::new(vec![Interest::in_paths([escape("/srv/[old]")])])?;
/// assert_eq!(set.owner(Path::new("/srv/[old]/x")), Some(0));
/// assert_eq!(set.owner(Path::new("/srv/o/x")), None);
/// # Ok::<(), fim_core::PatternError>(())
/// ```
#[must_use]
pub fn escape(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for sign in path.chars() {
        if matches!(sign, '*' | '?' | '[' | '{' | '\\') {
            pattern.push('\\');
        }
        pattern.push(sign);
    }
    pattern
}

/// All interests together, in order of precedence: a path belongs to the first that claims it.
///
/// ```
/// use fim_core::{Cover, Interest, WatchSet};
/// use std::path::Path;
///
/// let set = WatchSet::new(vec![Interest::in_paths(["/etc/*.conf", "/srv"])])?;
/// assert_eq!(set.cover(Path::new("/srv/www")), Cover::All);
/// assert_eq!(set.cover(Path::new("/etc")), Cover::Some);
/// assert_eq!(set.cover(Path::new("/home")), Cover::Nothing);
/// # Ok::<(), fim_core::PatternError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct WatchSet {
    /// Shared by all copies: there may be a million paths in them.
    claims: Arc<[Claim]>,
    /// As they were given.
    interests: Arc<[Interest]>,
}

impl WatchSet {
    /// Joins interests; the earlier one wins.
    ///
    /// # Errors
    /// The first pattern that is no absolute path, glob or regular expression.
    pub fn new(interests: Vec<Interest>) -> Result<Self, PatternError> {
        let claims = interests.iter().map(Claim::new).collect::<Result<_, _>>()?;
        Ok(Self { claims, interests: interests.into() })
    }

    /// Which interest, by its place in the list, claims this absolute path.
    #[must_use]
    pub fn owner(&self, path: &Path) -> Option<usize> {
        let path = bytes(path)?;
        self.claims
            .iter()
            .position(|claim| claim.has(path))
            .or_else(|| self.claims.iter().position(|claim| claim.overhears(path)))
    }

    /// Who is told of looks at a path besides its owner, by their places in the list.
    pub(crate) fn overhearers(&self, owner: usize, path: &Path) -> impl Iterator<Item = usize> {
        let others = self.claims.iter().enumerate().filter(move |(place, _)| *place != owner);
        bytes(path).into_iter().flat_map(move |path| {
            others.clone().filter(move |(_, claim)| claim.overhears(path)).map(|(place, _)| place)
        })
    }

    /// Whether an interest, by its place in the list, wants this absolute path, whoever has it in the end.
    pub(crate) fn claims(&self, claim: usize, path: &Path) -> bool {
        let claim = self.claims.get(claim);
        bytes(path).is_some_and(|path| claim.is_some_and(|claim| claim.has(path)))
    }

    /// What the owner of a path needs of it.
    #[must_use]
    pub fn need(&self, owner: usize) -> Need {
        self.claims.get(owner).map_or_else(Need::default, |claim| claim.need)
    }

    /// What is to be read of this path: what its owner needs, and its content for those who overhear.
    #[must_use]
    pub fn need_of(&self, owner: usize, path: &Path) -> Need {
        let mut need = self.need(owner);
        for place in self.overhearers(owner, path) {
            need.content = need.content.max(self.need(place).content);
        }
        need
    }

    /// The interests, as they were given.
    pub(crate) fn interests(&self) -> &[Interest] {
        &self.interests
    }

    /// How much of this directory is watched.
    #[must_use]
    pub fn cover(&self, dir: &Path) -> Cover {
        let Some(dir) = bytes(dir) else {
            return Cover::Nothing;
        };
        let mut most = Cover::Nothing;
        for claim in self.claims.iter() {
            match claim.cover(dir) {
                Cover::All => return Cover::All,
                Cover::Some => most = Cover::Some,
                Cover::Nothing => {}
            }
        }
        most
    }

    /// Whether everything in the directory that a path is in is watched.
    pub(crate) fn covers_all_beside(&self, path: &Path) -> bool {
        path.parent().is_some_and(|dir| self.cover(dir) == Cover::All)
    }

    /// The longest glob-free paths from which all watched paths can be reached, without those below
    /// another, sorted. They need not exist.
    #[must_use]
    pub fn roots(&self) -> Vec<PathBuf> {
        Self::roots_in(&self.claims)
    }

    /// As [`Self::roots`], of one interest.
    pub(crate) fn roots_of(&self, claim: usize) -> Vec<PathBuf> {
        Self::roots_in(self.claims.get(claim..=claim).unwrap_or_default())
    }

    /// How many patterns one interest has, at the least.
    pub(crate) fn size_of(&self, claim: usize) -> usize {
        self.claims.get(claim).map_or(0, |claim| claim.wanted.len().saturating_add(claim.overheard.len()))
    }

    fn roots_in(claims: &[Claim]) -> Vec<PathBuf> {
        let paths = claims.iter().flat_map(|claim| claim.wanted.roots().chain(claim.overheard.roots()));
        let trees = Trees::new(paths);
        let root = |path: &[u8]| PathBuf::from(OsStr::from_bytes(if path.is_empty() { b"/" } else { path }));
        trees.paths().map(root).collect()
    }
}

/// An absolute path without slashes at its end, as the matchers want it: the root is empty.
fn bytes(path: &Path) -> Option<&[u8]> {
    let mut bytes = path.as_os_str().as_bytes();
    if bytes.first() != Some(&b'/') {
        return None;
    }
    while let [front @ .., b'/'] = bytes {
        bytes = front;
    }
    Some(bytes)
}

/// An interest, compiled.
#[derive(Clone, Debug)]
struct Claim {
    wanted: Patterns,
    overheard: Patterns,
    excluded: Patterns,
    excluded_regex: RegexSet,
    need: Need,
}

impl Claim {
    fn new(interest: &Interest) -> Result<Self, PatternError> {
        for text in &interest.exclude_regex {
            Regex::new(text).map_err(|error| refused((text, regex_reason(&error))))?;
        }
        Ok(Self {
            wanted: patterns(&interest.paths, absolute)?,
            overheard: patterns(&interest.overhears, absolute)?,
            excluded: patterns(&interest.exclude, absolute_or_anywhere)?,
            excluded_regex: RegexSet::new(&interest.exclude_regex)
                .map_err(|error| refused(("exclude_regex", regex_reason(&error))))?,
            need: interest.need,
        })
    }

    fn has(&self, path: &[u8]) -> bool {
        self.wanted.matches(path) && !self.excluded.matches(path) && !self.regex_excludes(path)
    }

    fn overhears(&self, path: &[u8]) -> bool {
        self.overheard.len() > 0
            && self.overheard.matches(path)
            && !self.excluded.matches(path)
            && !self.regex_excludes(path)
    }

    fn cover(&self, dir: &[u8]) -> Cover {
        let cover = match self.wanted.cover(dir) {
            Cover::Nothing => self.overheard.cover(dir),
            cover => cover,
        };
        let nothing_left =
            cover != Cover::Nothing && (self.excluded.cover(dir) == Cover::All || self.regex_excludes(dir));
        if nothing_left { Cover::Nothing } else { cover }
    }

    /// Whether a regular expression matches the path or a directory it is in.
    fn regex_excludes(&self, path: &[u8]) -> bool {
        if self.excluded_regex.is_empty() {
            return false;
        }
        let above = path
            .iter()
            .enumerate()
            .filter_map(|(at, byte)| (*byte == b'/' && at > 0).then(|| path.get(..at)).flatten());
        let own = if path.is_empty() { b"/" } else { path };
        above.chain([own]).any(|path| self.excluded_regex.is_match(path))
    }
}

fn patterns(
    texts: &[String],
    absolute: impl Fn(&str) -> Result<String, String>,
) -> Result<Patterns, PatternError> {
    Patterns::new(texts, absolute).map_err(refused)
}

fn absolute(pattern: &str) -> Result<String, String> {
    if pattern.starts_with('/') {
        Ok(pattern.to_owned())
    } else if pattern.is_empty() {
        Err("it is empty: write a path".to_owned())
    } else if let Some(below) = pattern.strip_prefix("~/") {
        Err(format!("\"~\" is not resolved: write \"/root/{below}\" or \"/home/*/{below}\""))
    } else {
        Err(format!("it is not absolute: write \"/{pattern}\""))
    }
}

fn absolute_or_anywhere(pattern: &str) -> Result<String, String> {
    if pattern == "**" || pattern.starts_with("**/") {
        Ok(format!("/{pattern}"))
    } else {
        absolute(pattern).map_err(|reason| {
            if pattern.is_empty() { reason } else { format!("{reason}, or \"**/{pattern}\" for any depth") }
        })
    }
}

fn refused((pattern, reason): (&str, String)) -> PatternError {
    PatternError { pattern: pattern.to_owned(), reason }
}

/// The last line of the message: the others draw the expression.
fn regex_reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests;
