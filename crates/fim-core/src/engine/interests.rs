//! What is watched now, by the consumers' words and the file system's links.
//!
//! Asks the consumers, resolves, and tells what is new since the last time. Knows no state and no watcher.

use super::error::EngineError;
use super::resolve::{self, Way};
use crate::consumer::Consumer;
use crate::event::Actor;
use crate::watch_set::{Cover, Interest, WatchSet};
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The interests of all consumers, in order of precedence.
#[derive(Debug)]
pub(super) struct Interests {
    /// As they were asked for.
    asked: WatchSet,
    /// Resolved.
    watch: WatchSet,
    ways: Vec<Way>,
    links: HashSet<PathBuf>,
    /// Something happened since that may change them.
    stale: bool,
    /// Who let a link lead elsewhere since.
    by: Option<Arc<Actor>>,
    /// Links below it lead from there.
    root: PathBuf,
}

impl Interests {
    /// Asks for the first time.
    pub(super) fn ask(consumers: &[Box<dyn Consumer>], root: &Path) -> Result<(Self, WatchSet), EngineError> {
        let mut asked: Vec<Option<Interest>> = Vec::new();
        let (mut interests, mut ways) = (Vec::new(), Vec::new());
        for consumer in consumers {
            let resolved = resolve::interest(consumer.interest(), root);
            asked.push(resolved.asked);
            interests.push(resolved.interest);
            ways.push(resolved.way);
        }
        let links = ways.iter().flat_map(|way: &Way| way.links.iter().cloned()).collect();
        let watch = WatchSet::new(interests)?;
        let asked = if asked.iter().any(Option::is_some) {
            let or_as_it_is =
                |(asked, is): (Option<Interest>, &Interest)| asked.unwrap_or_else(|| is.clone());
            WatchSet::new(asked.into_iter().zip(watch.interests()).map(or_as_it_is).collect())?
        } else {
            watch.clone()
        };
        let root = root.to_owned();
        Ok((Self { asked, watch: watch.clone(), ways, links, stale: false, by: None, root }, watch))
    }

    /// Asks again; if anything is different: what is watched now, and of that what is new.
    pub(super) fn ask_again(
        &mut self,
        consumers: &[Box<dyn Consumer>],
    ) -> Result<Option<(WatchSet, WatchSet)>, EngineError> {
        self.stale = false;
        let (now, watch) = Self::ask(consumers, &self.root)?;
        if now.watch.interests() == self.watch.interests() && now.ways == self.ways {
            return Ok(None);
        }
        let new = now.each().zip(self.each()).map(|(now, before)| Interest {
            paths: without(&now.paths, &before.paths),
            overhears: without(&now.overhears, &before.overhears),
            exclude: now.exclude.clone(),
            exclude_regex: now.exclude_regex.clone(),
            need: now.need,
        });
        let new = WatchSet::new(new.collect())?;
        *self = now;
        Ok(Some((watch, new)))
    }

    /// What each consumer wants, resolved.
    pub(super) fn each(&self) -> impl Iterator<Item = &Interest> {
        self.watch.interests().iter()
    }

    /// The patterns of all, as they are watched.
    pub(super) fn patterns(&self) -> BTreeSet<String> {
        self.each().flat_map(|interest| interest.paths.iter().cloned()).collect()
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    pub(super) fn make_stale(&mut self) {
        self.stale = true;
    }

    /// Notes a change at a path: where a link on the way to something watched came, went or moved, all is
    /// to be resolved anew.
    pub(super) fn link_changed(&mut self, path: &Path, was_or_is_link: bool, by: Option<&Arc<Actor>>) {
        if was_or_is_link && (self.links.contains(path) || self.asked.cover(path) != Cover::Nothing) {
            self.stale = true;
            self.by = by.cloned();
        }
    }

    /// Who let a link lead elsewhere since this was last asked, and so brought other files into view.
    pub(super) fn changed_by(&mut self) -> Option<Arc<Actor>> {
        self.by.take()
    }

    /// What the owner of a real path calls it.
    pub(super) fn name(&self, owner: usize, path: &Path) -> Option<PathBuf> {
        let names = &self.ways.get(owner)?.names;
        let (real, named) = names.iter().find(|(real, _)| path.starts_with(real))?;
        if self.asked.claims(owner, path) {
            return None;
        }
        let rest = path.strip_prefix(real).ok()?;
        Some(if rest.as_os_str().is_empty() { named.clone() } else { named.join(rest) })
    }
}

/// The first without the others.
fn without(these: &[String], others: &[String]) -> Vec<String> {
    let others: HashSet<&String> = others.iter().collect();
    these.iter().filter(|it| !others.contains(it)).cloned().collect()
}
