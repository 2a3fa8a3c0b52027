//! Visits everything watched, on disk and in the state, once: arms a directory before it is listed and a
//! file before it is read, so that nothing changes unseen between the two.
//!
//! Reading is spread over threads; everything else happens here. Says nothing and decides nothing: each
//! file goes to the caller, who is told no more than that there is one where nothing can come of it.

mod absent;
mod arm;
mod keep;
mod names;

pub(super) use names::list;

use self::absent::{below, missing, unreadable, with_orphans};
use self::names::{Listed, merge, names};
use super::Engine;
use super::error::EngineError;
use super::file_system::{FileSystem, file_system};
use super::index::Index;
use super::pool::Pool;
use super::tally::Tally;
use crate::facts::{Facts, FileKind};
use crate::remote::RemoteTops;
use crate::snapshot::{Reader, Snapshot};
use crate::state::FileRecord;
use crate::watch_set::{Cover, Need, WatchSet};
use crate::watcher::Marks;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Files opened and armed together.
const CHUNK: usize = 256;

/// Which files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// None: metadata alone.
    Never,
    /// Those whose stat differs from what was last seen.
    UnlikeSeen,
    /// Those whose stat differs from what is trusted.
    UnlikeTrusted,
    /// All.
    Always,
}

/// One path, as it is and as it was.
#[derive(Debug)]
pub(crate) struct Walked {
    /// What is there; with a hash only if it was read or is known to be as it was.
    pub snapshot: Snapshot,
    /// Whose it is.
    pub owner: usize,
    /// What the state holds of it.
    pub record: Option<FileRecord>,
    /// It belonged to another consumer until now: to this one, which reads content, all of it is new.
    pub handed: bool,
}

/// What a caller is told of a path; `None`: a file that is as it was, of which nobody makes anything.
pub(crate) type Visited = Option<Box<Walked>>;

/// What came to be watched by what was read.
#[derive(Clone, Copy)]
pub(crate) struct Anew<'a> {
    /// What is new.
    pub only: &'a WatchSet,
    /// All that was watched before: what changed hands is read though it is as it was.
    pub was: &'a WatchSet,
}

/// What a walk works with.
pub(crate) struct Walk<'a> {
    pub watch: &'a WatchSet,
    /// Only what this concerns; `None`: all.
    pub anew: Option<Anew<'a>>,
    /// Takes the new files of directories of which everything is watched, which are looked at anyway; `None`: they are opened
    /// as others are.
    pub new_files: Option<Vec<PathBuf>>,
    /// Only the top and what is directly in it; directories met there are left in the tally.
    pub alone: bool,
    pub index: &'a mut Index,
    pub marks: Option<&'a mut (dyn Marks + 'static)>,
    pub reading: Reading,
    /// Whose files are nothing to tell of while they are as they were, by the places of the consumers.
    pub unmoved: Vec<bool>,
    /// Opens, and reads where there are no helpers.
    reader: Reader,
    /// Each reads on a thread of its own.
    pub helpers: Vec<Reader>,
    pub tally: Tally,
    /// Where remote file systems begin.
    pub remote: RemoteTops,
}

struct Entry {
    path: PathBuf,
    owner: Option<usize>,
    record: Option<FileRecord>,
}

impl Entry {
    fn unmoved(self, owner: usize, known: Facts) -> Box<Walked> {
        let snapshot = Snapshot::new(self.path, known, None);
        Box::new(Walked { snapshot, owner, record: self.record, handed: false })
    }
}

/// An entry that is there.
struct Opened {
    entry: Entry,
    file: OwnedFd,
    facts: Facts,
    /// How much is watched of what is below it.
    cover: Cover,
}

/// The directory that is being gone through.
struct Dir {
    file: OwnedFd,
    /// Everything in it is watched.
    is_whole: bool,
}

/// A file that is to be read.
pub(super) struct Job {
    path: PathBuf,
    file: OwnedFd,
    facts: Facts,
    need: Need,
    owner: usize,
    record: Option<FileRecord>,
    handed: bool,
}

impl Job {
    fn done(self, facts: Facts) -> Walked {
        let Self { path, owner, record, handed, .. } = self;
        Walked { snapshot: Snapshot::new(path, facts, None), owner, record, handed }
    }

    pub(super) const fn size(&self) -> u64 {
        self.facts.size
    }

    /// If it moved since it was first seen, as before it was armed, that is noticed.
    pub(super) fn read(self, reader: &mut Reader) -> Walked {
        let Self { path, file, facts, need, owner, record, handed } = self;
        let known = record.as_ref().and_then(|record| record.seen.as_ref());
        let snapshot = reader.look_from(file.as_fd(), &path, facts, need).completed(known);
        Walked { snapshot, owner, record, handed }
    }
}

type Each<'e> = &'e mut dyn FnMut(&mut Engine, Visited) -> Result<(), EngineError>;

impl<'a> Walk<'a> {
    /// A walk that reads by itself, until it is given helpers.
    pub(crate) fn new(
        watch: &'a WatchSet,
        index: &'a mut Index,
        marks: Option<&'a mut (dyn Marks + 'static)>,
        reading: Reading,
        reader: Reader,
    ) -> Self {
        Self {
            watch,
            anew: None,
            new_files: None,
            alone: false,
            index,
            marks,
            reading,
            unmoved: Vec::new(),
            reader,
            helpers: Vec::new(),
            tally: Tally::default(),
            remote: RemoteTops::default(),
        }
    }

    /// Visits a path and, if it is a directory, all that is watched below it.
    pub(crate) fn visit(
        &mut self,
        top: &Path,
        engine: &mut Engine,
        each: Each<'_>,
    ) -> Result<(), EngineError> {
        if self.helpers.is_empty() {
            return self.run(top, engine, each, &mut Pool::here());
        }
        std::thread::scope(|scope| {
            let mut pool = Pool::with_helpers(scope, self.helpers.drain(..));
            self.run(top, engine, each, &mut pool)
        })
    }

    fn run(
        &mut self,
        top: &Path,
        engine: &mut Engine,
        each: Each<'_>,
        pool: &mut Pool,
    ) -> Result<(), EngineError> {
        let mut dirs = Vec::new();
        let first =
            Entry { path: top.to_owned(), owner: self.watch.owner(top), record: engine.state.get(top)? };
        self.open(vec![first], None, &mut dirs, engine, each, pool)?;
        while let Some(dir) = dirs.pop() {
            let recorded = engine.state.list_dir(&dir)?;
            let (names, at) = match self.list(&dir) {
                Ok((names, at)) => (names, Some(at)),
                Err(error) if Reader::is_gone(&error) => (Vec::new(), None),
                Err(error) => {
                    self.cannot_read(&dir.join("*"), "list", &error);
                    continue;
                }
            };
            let names = if self.alone { with_orphans(&dir, names, &recorded, engine)? } else { names };
            let mut chunk = Vec::new();
            let is_whole = at.as_ref().is_some_and(|at| at.is_whole);
            for (Listed { name, is_file }, record) in merge(names, recorded) {
                let path = dir.join(&name);
                let owner = self.watch.owner(&path);
                if (owner.is_none() && self.watch.cover(&path) == Cover::Nothing) || !self.concerns(&path) {
                    continue;
                }
                if let Some(new) = &mut self.new_files
                    && is_whole
                    && is_file
                    && record.is_none()
                {
                    new.push(path);
                    continue;
                }
                chunk.push(Entry { path, owner, record });
                if chunk.len() == CHUNK {
                    self.open(std::mem::take(&mut chunk), at.as_ref(), &mut dirs, engine, each, pool)?;
                }
            }
            self.open(chunk, at.as_ref(), &mut dirs, engine, each, pool)?;
            if self.alone {
                self.tally.below = std::mem::take(&mut dirs);
            }
        }
        while let Some(walked) = pool.wait() {
            each(engine, Some(Box::new(walked)))?;
        }
        Ok(())
    }

    /// The names in a directory, and what they are reached by: their paths are not gone through again.
    fn list(&self, dir: &Path) -> io::Result<(Vec<Listed>, Dir)> {
        let file = self.reader.open_dir(dir)?;
        let names = names(file.try_clone()?)?;
        Ok((names, Dir { file, is_whole: self.watch.cover(dir) == Cover::All }))
    }

    /// What cannot be read is not watched: a watch opens a gap for it, a comparison says so here.
    fn cannot_read(&mut self, path: &Path, what: &str, error: &io::Error) {
        if self.marks.is_some() {
            log::debug!("{}: cannot {what}: {error}", path.display());
            self.tally.unarmed.add_unreadable(path);
        } else {
            log::warn!("{}: cannot {what}: {error}", path.display());
        }
    }

    /// A window into the kernel is left out of what is watched around it; one that was asked for by name is missed.
    fn cannot_watch(&mut self, dir: &Path) {
        let roots = self.watch.roots();
        let mut asked = roots.iter().filter(|root| root.starts_with(dir));
        if self.marks.is_some() {
            if asked.next().is_some() {
                self.tally.unarmed.add(&dir.join("*"));
            }
        } else {
            for asked in asked {
                log::warn!(
                    "{}: not looked at: what it shows is made by the kernel when it is read",
                    asked.display()
                );
            }
        }
    }

    fn concerns(&self, path: &Path) -> bool {
        self.anew
            .is_none_or(|Anew { only, .. }| only.owner(path).is_some() || only.cover(path) != Cover::Nothing)
    }

    /// Whether a file belongs to another consumer than it did, to one that reads content.
    fn is_handed_on(&self, owner: usize, path: &Path) -> bool {
        self.watch.need(owner).content.is_some()
            && self.anew.and_then(|anew| anew.was.owner(path)).is_some_and(|before| before != owner)
    }

    /// Opens, arms and hands on one chunk of what is in a directory, or the top.
    fn open(
        &mut self,
        chunk: Vec<Entry>,
        at: Option<&Dir>,
        dirs: &mut Vec<PathBuf>,
        engine: &mut Engine,
        each: Each<'_>,
        pool: &mut Pool,
    ) -> Result<(), EngineError> {
        let mut opened = Vec::with_capacity(chunk.len());
        for entry in chunk {
            if let Some((owner, known)) = self.unchanged(&entry, at) {
                self.tally.files += 1;
                let known = (self.unmoved.get(owner) != Some(&true)).then(|| known.clone());
                each(engine, known.map(|known| entry.unmoved(owner, known)))?;
                continue;
            }
            let file = match (at, entry.path.file_name()) {
                (Some(dir), Some(name)) => self.reader.open_in(dir.file.as_fd(), name),
                _ => self.reader.open_path(&entry.path),
            };
            match file {
                Ok(file) => {
                    let facts = match Reader::stat(file.as_fd()) {
                        Ok(facts) => facts,
                        Err(error) => {
                            self.cannot_read(&entry.path, "stat", &error);
                            unreadable(entry, engine, each)?;
                            continue;
                        }
                    };
                    let is_dir = facts.kind == FileKind::Dir;
                    let cover = if is_dir { self.watch.cover(&entry.path) } else { Cover::Nothing };
                    if cover != Cover::Nothing
                        && let FileSystem::Remote(name) = file_system(&file)
                    {
                        self.remote.note(&entry.path, name);
                    }
                    opened.push(Opened { entry, file, facts, cover });
                }
                Err(error) if Reader::is_gone(&error) => missing(entry, engine, each)?,
                Err(error) => {
                    self.cannot_read(&entry.path, "open", &error);
                    unreadable(entry, engine, each)?;
                }
            }
        }
        self.arm(&opened, at)?;
        for Opened { entry, file, facts, cover } in opened {
            let is_dir = facts.kind == FileKind::Dir;
            if !is_dir && (self.alone || entry.record.as_ref().is_some_and(was_dir)) {
                below(&entry.path, entry.owner, engine, each)?;
            }
            if cover != Cover::Nothing {
                if file_system(&file) == FileSystem::Pseudo {
                    self.cannot_watch(&entry.path);
                } else {
                    self.tally.dirs += 1;
                    dirs.push(entry.path.clone());
                }
            }
            let Some(owner) = entry.owner else { continue };
            self.tally.files += u64::from(!is_dir);
            let need = self.watch.need_of(owner, &entry.path);
            let handed = self.is_handed_on(owner, &entry.path);
            let job = Job { path: entry.path, file, facts, need, owner, record: entry.record, handed };
            if let Some(walked) = self.read_or_keep(job, pool) {
                each(engine, Some(Box::new(walked)))?;
            }
            while let Some(walked) = pool.next_ready() {
                each(engine, Some(Box::new(walked)))?;
            }
        }
        Ok(())
    }
}

fn was_dir(record: &FileRecord) -> bool {
    record.seen.as_ref().is_some_and(|facts| facts.kind == FileKind::Dir)
        || record.trusted_facts().is_some_and(|facts| facts.kind == FileKind::Dir)
}
