//! What is watched now, by the consumers' words and the file system's links.
//!
//! Asks the consumers, resolves, and tells what is new since the last time. Knows no state and no watcher.

use super::error::EngineError;
use super::resolve::{self, Resolved};
use crate::consumer::Consumer;
use crate::watch_set::{Cover, Interest, WatchSet};
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

/// The interests of all consumers, in order of precedence.
#[derive(Debug)]
pub(super) struct Interests {
    asked_set: WatchSet,
    resolved: Vec<Resolved>,
    links: HashSet<PathBuf>,
    /// Something happened since that may change them.
    stale: bool,
}

impl Interests {
    /// Asks for the first time.
    pub(super) fn ask(consumers: &[Box<dyn Consumer>]) -> Result<(Self, WatchSet), EngineError> {
        let asked: Vec<Interest> = consumers.iter().map(|it| it.interest()).collect();
        let resolved: Vec<Resolved> = asked.iter().cloned().map(resolve::interest).collect();
        let watch = set(&resolved)?;
        let links = resolved.iter().flat_map(|it| it.links.iter().cloned()).collect();
        let asked_set = WatchSet::new(asked)?;
        Ok((Self { asked_set, resolved, links, stale: false }, watch))
    }

    /// Asks again; if anything is different: what is watched now, and of that what is new.
    pub(super) fn ask_again(
        &mut self,
        consumers: &[Box<dyn Consumer>],
    ) -> Result<Option<(WatchSet, WatchSet)>, EngineError> {
        self.stale = false;
        let (now, watch) = Self::ask(consumers)?;
        if now.resolved == self.resolved {
            return Ok(None);
        }
        let new = now.resolved.iter().zip(&self.resolved).map(|(now, before)| {
            let known: HashSet<&String> = before.interest.paths.iter().collect();
            let mut interest = now.interest.clone();
            interest.paths.retain(|path| !known.contains(path));
            let known: HashSet<&String> = before.interest.overhears.iter().collect();
            interest.overhears.retain(|path| !known.contains(path));
            interest
        });
        let new = WatchSet::new(new.collect())?;
        *self = now;
        Ok(Some((watch, new)))
    }

    /// What each consumer wants, resolved.
    pub(super) fn each(&self) -> impl Iterator<Item = &Interest> {
        self.resolved.iter().map(|it| &it.interest)
    }

    /// The patterns of all, as they are watched.
    pub(super) fn patterns(&self) -> BTreeSet<String> {
        self.each().flat_map(|interest| interest.paths.iter().cloned()).collect()
    }

    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    pub(super) fn make_stale(&mut self) {
        self.stale = true;
    }

    /// Notes a change at a path: where a link on the way to something watched came, went or moved, all is
    /// to be resolved anew.
    pub(super) fn link_changed(&mut self, path: &Path, was_or_is_link: bool) {
        self.stale |=
            was_or_is_link && (self.links.contains(path) || self.asked_set.cover(path) != Cover::Nothing);
    }

    /// What the owner of a real path calls it.
    pub(super) fn name(&self, owner: usize, path: &Path) -> Option<PathBuf> {
        let names = &self.resolved.get(owner)?.names;
        let (real, named) = names.iter().find(|(real, _)| path.starts_with(real))?;
        if self.asked_set.claims(owner, path) {
            return None;
        }
        let rest = path.strip_prefix(real).ok()?;
        Some(if rest.as_os_str().is_empty() { named.clone() } else { named.join(rest) })
    }
}

fn set(resolved: &[Resolved]) -> Result<WatchSet, EngineError> {
    Ok(WatchSet::new(resolved.iter().map(|it| it.interest.clone()).collect())?)
}
