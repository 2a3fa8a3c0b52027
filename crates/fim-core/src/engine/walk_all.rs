//! Walks over everything watched, with as many readers as there is work for.

use super::error::EngineError;
use super::index::Index;
use super::tally::Tally;
use super::walk::{Anew, Reading, Visited, Walk};
use super::{Engine, ROUNDS};
use crate::remote::RemoteTops;
use crate::snapshot::Reader;
use crate::watch_set::{Cover, WatchSet};
use crate::watcher::Marks;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Files between two commits of a long walk: bounds memory.
const COMMIT_EVERY: u64 = 20_000;

/// Tells a watcher what is watched, before anything is marked for it.
fn tell(marks: &mut Option<&mut (dyn Marks + 'static)>, watch: &WatchSet) {
    if let Some(marks) = marks {
        marks.watch(watch);
    }
}

impl Engine {
    /// Visits everything watched below these paths (none: everything), and what is found to be watched too
    /// on the way.
    pub(super) fn walk(
        &mut self,
        paths: &[PathBuf],
        reading: Reading,
        index: &mut Index,
        mut marks: Option<&mut (dyn Marks + 'static)>,
        each: &mut dyn FnMut(&mut Self, Visited) -> Result<(), EngineError>,
    ) -> Result<Tally, EngineError> {
        // What consumers recalled may have brought more into their interest than the watcher was told of.
        tell(&mut marks, &self.watch);
        let everything = [PathBuf::from("/")];
        let tops = if paths.is_empty() { &everything[..] } else { paths };
        let mut done = HashSet::new();
        for top in self.first_of(tops) {
            // It is counted when all are visited.
            self.walk_one(&top, reading, index, marks.as_deref_mut(), None, &mut |engine, visited| {
                done.extend(visited.as_ref().map(|walked| walked.snapshot.path.clone()));
                each(engine, visited)
            })?;
        }
        let each = &mut |engine: &mut Self, visited: Visited| {
            let is_done = visited.as_ref().is_some_and(|walked| done.remove(&walked.snapshot.path));
            if is_done { Ok(()) } else { each(engine, visited) }
        };
        let mut tally = Tally::default();
        let mut anew: Option<(WatchSet, WatchSet)> = None;
        for _ in 0..ROUNDS {
            for top in tops {
                let anew = anew.as_ref().map(|(only, was)| Anew { only, was });
                tally.add(self.walk_one(top, reading, index, marks.as_deref_mut(), anew, each)?);
            }
            let was = self.watch.clone();
            let only = if self.interests.is_stale() { self.rewatch()? } else { None };
            anew = only.map(|only| (only, was));
            if anew.is_none() {
                break;
            }
            tell(&mut marks, &self.watch);
        }
        Ok(tally)
    }

    /// Files that are named as they are to consumers that read content: what such a file says may decide what others
    /// mean, so that they go first.
    fn first_of(&self, tops: &[PathBuf]) -> Vec<PathBuf> {
        let fixed = self.covered.fixed();
        let readers = (0..self.consumers.len()).filter(|owner| self.watch.need(*owner).content.is_some());
        let mut files: Vec<PathBuf> = readers.flat_map(|owner| fixed.roots_of(owner)).collect();
        files.retain(|path| {
            tops.iter().any(|top| path.starts_with(top) && path != top)
                && path.symlink_metadata().is_ok_and(|found| found.is_file())
        });
        files.sort();
        files.dedup();
        files
    }

    /// Notes where remote file systems begin; those that were not known.
    pub(super) fn note_remote(&mut self, found: RemoteTops) -> Vec<PathBuf> {
        found.0.into_iter().filter(|(dir, name)| self.remote.note(dir, name)).map(|(dir, _)| dir).collect()
    }

    /// Whether a path, or something below it, is watched.
    pub(super) fn is_watched(&self, path: &Path) -> bool {
        self.watch.owner(path).is_some() || self.watch.cover(path) != Cover::Nothing
    }

    pub(super) fn new_reader(&self) -> Reader {
        self.reader.another(self.limits)
    }

    fn walk_one(
        &mut self,
        top: &Path,
        reading: Reading,
        index: &mut Index,
        marks: Option<&mut (dyn Marks + 'static)>,
        anew: Option<Anew<'_>>,
        each: &mut dyn FnMut(&mut Self, Visited) -> Result<(), EngineError>,
    ) -> Result<Tally, EngineError> {
        let watch = self.watch.clone();
        let mut walk = Walk::new(&watch, index, marks, reading, self.new_reader());
        let helpers = (0..self.workers).map(|_| self.new_reader()).collect();
        walk.anew = anew;
        if !self.covered.is_first() {
            walk.unmoved = self.consumers.iter().map(|consumer| !consumer.keeps()).collect();
        }
        walk.helpers = if reading == Reading::Never { Vec::new() } else { helpers };
        let mut done = 0u64;
        walk.visit(top, self, &mut |engine: &mut Self, visited| {
            done += 1;
            if done.is_multiple_of(COMMIT_EVERY) {
                engine.reporter.commit(&mut engine.state)?;
            }
            if done.is_multiple_of(256) {
                engine.tell_progress(done);
            }
            each(engine, visited)
        })?;
        let Walk { tally, remote, .. } = walk;
        self.note_remote(remote);
        self.tell_progress(done);
        Ok(tally)
    }
}
