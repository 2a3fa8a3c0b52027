//! A list of patterns, ready to be asked: does it match this path, and how much of this directory?
//!
//! Pure; knows nothing of whether the patterns are wanted or excluded.

use super::pattern::{self, Part};
use super::trees::Trees;
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
    /// Paths from which all that matches can be reached.
    pub(super) roots: Vec<String>,
}

impl Patterns {
    /// Compiles absolute patterns; the error is the one that is wrong, and what is wrong with it.
    pub(super) fn new<'a>(
        patterns: impl IntoIterator<Item = (&'a str, String)>,
    ) -> Result<Self, (&'a str, String)> {
        let mut trees = Vec::new();
        let mut roots = Vec::new();
        let mut sources = Sources::default();
        for (written, absolute) in patterns {
            for text in braces::expand(&absolute).map_err(|reason| (written, reason))? {
                let parts = pattern::parse(&text).map_err(|reason| (written, reason))?;
                let (start, is_all) = pattern::literal_prefix(&parts);
                roots.push(start.clone());
                if is_all {
                    trees.push(start);
                } else {
                    sources.add(&parts);
                }
            }
        }
        let set = |sources: &[String]| {
            RegexSet::new(sources).map_err(|_| ("", "the patterns together are too large".to_owned()))
        };
        Ok(Self {
            trees: Trees::new(trees),
            globs: set(&sources.globs)?,
            whole: set(&sources.whole)?,
            leads: set(&sources.leads)?,
            roots,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.roots.is_empty()
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
