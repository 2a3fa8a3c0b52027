//! Why a path is watched, or is not, by the very patterns that say so. For people: it compiles them one by
//! one, and is not on the way of a change.

use super::{Claim, Interest, WatchSet, absolute, absolute_or_anywhere, bytes, patterns};
use std::path::Path;

/// What one interest says of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// None of its patterns matches.
    Nothing,
    /// It wants the path.
    Wanted {
        /// By this pattern of [`Interest::paths`].
        by: String,
    },
    /// It wants to be given looks at the path, and has it if no interest wants it.
    Overheard {
        /// By this pattern of [`Interest::overhears`].
        by: String,
    },
    /// It would want the path, but leaves it out.
    Excluded {
        /// By this pattern of [`Interest::paths`].
        by: String,
        /// But for this one of [`Interest::exclude`] or [`Interest::exclude_regex`].
        but: String,
    },
}

impl WatchSet {
    /// What each interest says of an absolute path, in order of precedence: the first that wants it has it,
    /// else the first that overhears it.
    #[must_use]
    pub fn why(&self, path: &Path) -> Vec<Why> {
        let path = bytes(path);
        self.interests.iter().map(|interest| path.map_or(Why::Nothing, |path| why(interest, path))).collect()
    }
}

fn why(interest: &Interest, path: &[u8]) -> Why {
    let wants = |text: &&String| {
        patterns(std::slice::from_ref(*text), absolute).is_ok_and(|pattern| pattern.matches(path))
    };
    let Some(by) = interest.paths.iter().find(wants).cloned() else {
        let overheard = interest.overhears.iter().find(wants).cloned();
        return overheard.map_or(Why::Nothing, |by| Why::Overheard { by });
    };
    let leaves_out = |text: &&String| {
        patterns(std::slice::from_ref(*text), absolute_or_anywhere).is_ok_and(|pattern| pattern.matches(path))
    };
    let leaves_out_by_regex = |text: &&String| {
        let alone = Interest { exclude_regex: vec![(*text).clone()], ..Interest::default() };
        Claim::new(&alone).is_ok_and(|claim| claim.regex_excludes(path))
    };
    let but = interest.exclude.iter().find(leaves_out);
    match but.or_else(|| interest.exclude_regex.iter().find(leaves_out_by_regex)) {
        Some(but) => Why::Excluded { by, but: but.clone() },
        None => Why::Wanted { by },
    }
}
