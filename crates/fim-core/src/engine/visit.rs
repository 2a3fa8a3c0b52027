//! Walks over everything watched, with as many readers as there is work for.

use super::error::EngineError;
use super::index::Index;
use super::unarmed::Unarmed;
use super::walk::{Reading, Walk, Walked};
use super::{Engine, ROUNDS};
use crate::remote::RemoteTops;
use crate::secrecy::Secrecy;
use crate::snapshot::{Limits, Reader};
use crate::watch_set::{Cover, WatchSet};
use crate::watcher::Marks;
use std::path::{Path, PathBuf};

/// Files between two commits of a long walk: bounds memory.
const COMMIT_EVERY: u64 = 20_000;

/// What a walk counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub files: u64,
    pub dirs: u64,
    pub unarmed: Unarmed,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.files += other.files;
        self.dirs += other.dirs;
        self.unarmed.join(other.unarmed);
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
        each: &mut dyn FnMut(&mut Self, Walked) -> Result<(), EngineError>,
    ) -> Result<Tally, EngineError> {
        let everything = [PathBuf::from("/")];
        let tops = if paths.is_empty() { &everything[..] } else { paths };
        let mut tally = Tally::default();
        let mut only = None;
        for _ in 0..ROUNDS {
            for top in tops {
                tally.add(self.walk_one(top, reading, index, marks.as_deref_mut(), only.as_ref(), each)?);
            }
            only = if self.interests.is_stale() { self.rewatch()? } else { None };
            if only.is_none() {
                break;
            }
        }
        Ok(tally)
    }

    /// Notes where remote file systems begin; those that were not known.
    pub(super) fn note_remote(&mut self, found: RemoteTops) -> Vec<PathBuf> {
        found.0.into_iter().filter(|(dir, name)| self.remote.note(dir, name)).map(|(dir, _)| dir).collect()
    }

    /// Whether a path, or something below it, is watched.
    pub(super) fn is_watched(&self, path: &Path) -> bool {
        self.watch.owner(path).is_some() || self.watch.cover(path) != Cover::Nothing
    }

    pub(super) fn new_reader(&self) -> Result<Reader, EngineError> {
        reader(self.limits, self.secrecy.as_ref())
    }

    /// A reader that tries a file that moves only so often.
    pub(super) fn new_reader_that_tries(&self, attempts: u32) -> Result<Reader, EngineError> {
        reader(Limits { attempts, ..self.limits }, self.secrecy.as_ref())
    }

    fn walk_one(
        &mut self,
        top: &Path,
        reading: Reading,
        index: &mut Index,
        marks: Option<&mut (dyn Marks + 'static)>,
        only: Option<&WatchSet>,
        each: &mut dyn FnMut(&mut Self, Walked) -> Result<(), EngineError>,
    ) -> Result<Tally, EngineError> {
        let watch = self.watch.clone();
        let mut walk = Walk::new(&watch, index, marks, reading, self.new_reader()?);
        let helpers = (0..self.workers).map(|_| self.new_reader()).collect::<Result<_, _>>()?;
        walk.only = only;
        walk.helpers = if reading == Reading::Never { Vec::new() } else { helpers };
        let mut done = 0u64;
        walk.visit(top, self, &mut |engine: &mut Self, walked| {
            done += 1;
            if done.is_multiple_of(COMMIT_EVERY) {
                engine.reporter.commit(&mut engine.state)?;
            }
            if done.is_multiple_of(256) {
                engine.tell_progress(done);
            }
            each(engine, walked)
        })?;
        let tally = Tally { files: walk.files, dirs: walk.dirs, unarmed: walk.unarmed };
        let remote = walk.remote;
        self.note_remote(remote);
        self.tell_progress(done);
        Ok(tally)
    }
}

pub(super) fn reader(limits: Limits, secrecy: Option<&Secrecy>) -> Result<Reader, EngineError> {
    match Reader::new(limits) {
        Ok(reader) => Ok(reader.with_secrecy(secrecy.cloned())),
        Err(source) => {
            Err(EngineError::System { what: "cannot open /proc/self/fd to read files".to_owned(), source })
        }
    }
}
