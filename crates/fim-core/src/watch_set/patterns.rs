//! A list of patterns, ready to be asked: does it match this path, and how much of this directory?
//!
//! Pure; knows nothing of whether the patterns are wanted or excluded.

use super::pattern::{self, Part};
use super::trees::{Trees, key};
use super::{Cover, braces};
use regex::bytes::RegexSet;
use regex::escape;

/// Any bytes below, or nothing.
const BELOW: &str = r"(?s-u:/.*)?";

/// Patterns that match what they name and everything below it.
#[derive(Clone, Debug)]
pub(super) struct Patterns {
    /// Those without wildcards.
    trees: Trees,
    /// Paths matched by the others.
    globs: RegexSet,
    /// Directories below which the others match everything.
    whole: RegexSet,
    /// Directories below which the others may match something.
    leads: RegexSet,
    /// Paths from which all that the others match can be reached.
    leads_from: Vec<String>,
}

impl Patterns {
    /// Compiles patterns made absolute by `absolute`; the error is the one that is wrong, and what is wrong with it.
    pub(super) fn new(
        patterns: &[String],
        absolute: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Self, (&str, String)> {
        let mut trees = Vec::new();
        let mut leads_from = Vec::new();
        let mut sources = Sources::default();
        for written in patterns {
            let written = written.as_str();
            if written.starts_with('/') && pattern::is_plain(written) {
                trees.push(key(written));
                continue;
            }
            let absolute = absolute(written).map_err(|reason| (written, reason))?;
            for text in braces::expand(&absolute).map_err(|reason| (written, reason))? {
                let parts = pattern::parse(&text).map_err(|reason| (written, reason))?;
                let (start, is_all) = pattern::literal_prefix(&parts);
                if is_all {
                    trees.push(key(&start));
                } else {
                    leads_from.push(start);
                    sources.add(&parts);
                }
            }
        }
        let set = |sources: &[String]| {
            RegexSet::new(sources).map_err(|_| ("", "the patterns together are too large".to_owned()))
        };
        Ok(Self {
            trees: Trees::of(trees),
            globs: set(&sources.globs)?,
            whole: set(&sources.whole)?,
            leads: set(&sources.leads)?,
            leads_from,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.trees.len().saturating_add(self.leads_from.len())
    }

    /// Paths from which all that matches can be reached.
    pub(super) fn roots(&self) -> impl Iterator<Item = String> {
        // They were text.
        let trees = self.trees.paths().map(|path| String::from_utf8_lossy(path).into_owned());
        trees.chain(self.leads_from.iter().cloned())
    }

    /// Whether a pattern matches this path, or a directory it is in.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        self.trees.contains(path) || self.globs.is_match(path)
    }

    /// How much of what is below this directory the patterns match.
    pub(super) fn cover(&self, dir: &[u8]) -> Cover {
        if self.trees.contains(dir) || self.whole.is_match(dir) {
            Cover::All
        } else if self.trees.lead_from(dir) || self.leads.is_match(dir) {
            Cover::Some
        } else {
            Cover::Nothing
        }
    }
}

/// Regular expressions for one list of globs.
#[derive(Default)]
struct Sources {
    globs: Vec<String>,
    whole: Vec<String>,
    leads: Vec<String>,
}

impl Sources {
    fn add(&mut self, parts: &[Part]) {
        self.globs.push(anchored(parts, BELOW));
        self.whole.push(anchored(without_catch_all(parts), BELOW));
        for (at, part) in parts.iter().enumerate() {
            let above = parts.get(..at).unwrap_or_default();
            if *part == Part::AnyDepth {
                self.leads.push(anchored(above, BELOW));
                break;
            }
            self.leads.push(anchored(above, ""));
        }
    }
}

/// The pattern without an end that matches every name: what it then matches is a directory below which
/// the whole pattern matches everything. `/a/**`, `/a/*` and `/a/**/*` give `/a`; `/a/*/*` gives `/a/*`.
fn without_catch_all(parts: &[Part]) -> &[Part] {
    let mut head = parts;
    if let [front @ .., Part::AnyName] = head {
        head = front;
    }
    while let [front @ .., Part::AnyDepth] = head {
        head = front;
    }
    head
}

fn anchored(parts: &[Part], end: &str) -> String {
    let mut regex = String::from("^");
    for (at, part) in parts.iter().enumerate() {
        let is_last = at + 1 == parts.len();
        match part {
            Part::Name(name) => {
                regex.push('/');
                regex.push_str(&escape(name));
            }
            Part::AnyName => regex.push_str(r"/(?-u:[^/])+"),
            Part::Glob(glob) => {
                regex.push('/');
                regex.push_str(glob);
            }
            // At the end it matches what is below, not the directory itself.
            Part::AnyDepth if is_last => regex.push_str(r"/(?-u:[^/])+"),
            Part::AnyDepth => regex.push_str(BELOW),
        }
    }
    regex.push_str(end);
    regex.push('$');
    regex
}
