//! What earlier runs covered: a file that is not in the state is new if its path was covered then, and is
//! taken as it is if nobody ever looked there.
//!
//! Pure but for the patterns' compiling. A claim once made is kept: a path that is not watched for a while
//! and then again is compared with what was last seen.

use crate::state::{Input, Malformed, put_number, put_sized};
use crate::watch_set::{Interest, WatchSet, escape};
use std::path::{Path, PathBuf};

/// A consumer's name and what it claimed.
type Claim = (String, Interest);

/// What is covered, by earlier runs and by now.
#[derive(Debug, Default)]
pub(super) struct Covered {
    /// Nothing was ever: this is the first baseline.
    first: bool,
    earlier: Vec<Claim>,
    was: WatchSet,
    /// What is claimed before any account or file was read.
    fixed: WatchSet,
    now: Vec<Claim>,
}

impl Covered {
    /// `earlier` is what was encoded last; `None` before the first baseline. `now` is what the consumers
    /// claim before they recall anything.
    pub(super) fn new(earlier: Option<&[u8]>, now: Vec<Claim>) -> Self {
        let first = earlier.is_none();
        // What cannot be read covers everything: a finding too many, never one too few.
        let earlier = earlier.map_or(Ok(Vec::new()), decode).unwrap_or_else(|_| {
            now.iter().map(|(name, _)| (name.clone(), Interest::in_paths(["/"]))).collect()
        });
        let set = |claims: &[Claim]| WatchSet::new(claims.iter().map(|(_, it)| it.clone()).collect());
        let was = set(&earlier).unwrap_or_default();
        let fixed = set(&now).unwrap_or_default();
        Self { first, earlier, was, fixed, now }
    }

    /// Other claims hold from now on; what was covered was.
    pub(super) fn claim(&mut self, now: Vec<Claim>) {
        let earlier = (!self.first).then(|| encode(&self.earlier));
        *self = Self::new(earlier.as_deref(), now);
    }

    /// What is claimed before any account or file was read.
    pub(super) const fn fixed(&self) -> &WatchSet {
        &self.fixed
    }

    pub(super) fn is_first(&self) -> bool {
        self.first
    }

    /// Whether a path without a record is taken as it is, without a word: nobody looked there before. What
    /// a consumer came to want by what it read is new with the consumer alone: a home that appeared while
    /// nothing ran is worth a word.
    pub(super) fn is_new_ground(&self, path: &Path, consumer: &str) -> bool {
        self.first
            || if self.fixed.owner(path).is_some() {
                self.was.owner(path).is_none()
            } else {
                !self.earlier.iter().any(|(name, _)| name == consumer)
            }
    }

    /// Notes that all that is claimed, or what of it is below these paths, was walked; gives what is to be
    /// kept of that.
    pub(super) fn walked(&mut self, paths: &[PathBuf]) -> Vec<u8> {
        let part = paths.iter().filter_map(|path| path.to_str());
        let part = [(String::new(), Interest::in_paths(part.map(escape)))];
        let now = if paths.is_empty() { &self.now[..] } else { &part };
        let mut all = self.earlier.clone();
        all.extend(now.iter().filter(|claim| !self.earlier.contains(claim)).cloned());
        let kept = encode(&all);
        *self = Self::new(Some(&kept), std::mem::take(&mut self.now));
        kept
    }
}

fn encode(claims: &[Claim]) -> Vec<u8> {
    let mut out = Vec::new();
    put_number(&mut out, claims.len() as u64);
    for (name, interest) in claims {
        put_sized(&mut out, name.as_bytes());
        for list in [&interest.paths, &interest.overhears, &interest.exclude, &interest.exclude_regex] {
            put_number(&mut out, list.len() as u64);
            for text in list {
                put_sized(&mut out, text.as_bytes());
            }
        }
    }
    out
}

fn decode(bytes: &[u8]) -> Result<Vec<Claim>, Malformed> {
    let mut input = Input(bytes);
    let mut claims = Vec::new();
    for _ in 0..input.number()? {
        let name = text(&mut input)?;
        let mut list =
            || -> Result<Vec<String>, Malformed> { (0..input.number()?).map(|_| text(&mut input)).collect() };
        let (paths, overhears, exclude, exclude_regex) = (list()?, list()?, list()?, list()?);
        claims.push((name, Interest { paths, overhears, exclude, exclude_regex, ..Interest::default() }));
    }
    Ok(claims)
}

fn text(input: &mut Input<'_>) -> Result<String, Malformed> {
    let bytes = input.sized()?;
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Malformed("a pattern is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(name: &str, path: &str) -> Claim {
        (name.to_owned(), Interest::in_paths([path]).excluding(["**/*.swp"]))
    }

    #[test]
    fn the_first_baseline_is_all_new() {
        let covered = Covered::new(None, vec![claim("generic", "/etc")]);
        assert!(covered.is_first() && covered.is_new_ground(Path::new("/etc/x"), "generic"));
    }

    #[test]
    fn what_was_never_covered_is_new_ground() {
        let first = Covered::new(None, vec![claim("generic", "/etc")]).walked(&[]);
        let now = vec![claim("users", "/etc/passwd"), claim("generic", "/etc"), claim("generic", "/usr")];
        let mut covered = Covered::new(Some(&first), now);
        assert!(!covered.is_new_ground(Path::new("/etc/x"), "generic"));
        assert!(covered.is_new_ground(Path::new("/usr/x"), "generic"));
        // A consumer that was not there before: its homes are new with it.
        assert!(covered.is_new_ground(Path::new("/home/bob/.ssh/authorized_keys"), "users"));
        let mut again = Covered::new(Some(&covered.walked(&[])), vec![claim("users", "/etc/passwd")]);
        assert!(!again.is_new_ground(Path::new("/home/bob/.ssh/authorized_keys"), "users"));
        // A path left out for a while is not new.
        let later = Covered::new(Some(&again.walked(&[])), vec![claim("generic", "/usr")]);
        assert!(!later.is_new_ground(Path::new("/usr/x"), "generic"));
    }

    #[test]
    fn what_is_no_longer_excluded_is_new_ground() {
        let first = Covered::new(None, vec![claim("generic", "/etc")]).walked(&[]);
        let now = vec![("generic".to_owned(), Interest::in_paths(["/etc"]))];
        let covered = Covered::new(Some(&first), now);
        assert!(covered.is_new_ground(Path::new("/etc/x.swp"), "generic"));
        assert!(!covered.is_new_ground(Path::new("/etc/x"), "generic"));
    }

    #[test]
    fn what_cannot_be_read_hides_nothing() {
        let covered = Covered::new(Some(b"\xff\xff"), vec![claim("generic", "/etc")]);
        assert!(!covered.is_new_ground(Path::new("/etc/x"), "generic"));
    }
}
