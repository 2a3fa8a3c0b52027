//! Visits everything watched, on disk and in the state, once: arms a directory before it is listed and a
//! file before it is read, so that nothing changes unseen between the two.
//!
//! Reading is spread over threads; everything else happens here. Says nothing and decides nothing: each
//! file goes to the caller.

use super::error::EngineError;
use super::file_system::{FileSystem, file_system};
use super::index::Index;
use super::unarmed::Unarmed;
use crate::facts::{Facts, FileKind};
use crate::remote::RemoteTops;
use crate::snapshot::{Reader, Snapshot};
use crate::state::{FileRecord, State};
use crate::watch_set::{Cover, Need, WatchSet};
use crate::watcher::{MarkRequest, MarkScope, Marks};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Files opened and armed together.
const CHUNK: usize = 256;
/// Open files waiting to be read: with a chunk well below the usual limit of 1,024 descriptors.
const IN_FLIGHT: usize = 384;

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
}

/// What a walk works with.
pub(crate) struct Walk<'a> {
    pub watch: &'a WatchSet,
    /// Only what concerns these; `None`: all.
    pub only: Option<&'a WatchSet>,
    pub index: &'a mut Index,
    pub marks: Option<&'a mut (dyn Marks + 'static)>,
    pub reading: Reading,
    /// Opens, and reads where there are no helpers.
    reader: Reader,
    /// Each reads on a thread of its own.
    pub helpers: Vec<Reader>,
    /// Files that could not be marked, but for those on remote file systems, where scans make up for it.
    pub unarmed: Unarmed,
    /// Files that have an identity by now.
    pub files: u64,
    pub dirs: u64,
    /// Where remote file systems begin.
    pub remote: RemoteTops,
}

struct Entry {
    path: PathBuf,
    owner: Option<usize>,
    cover: Cover,
    record: Option<FileRecord>,
}

struct Job {
    path: PathBuf,
    file: OwnedFd,
    facts: Facts,
    need: Need,
    owner: usize,
    record: Option<FileRecord>,
}

impl Job {
    fn done(self, facts: Facts) -> Walked {
        Walked { snapshot: Snapshot::new(self.path, facts, None), owner: self.owner, record: self.record }
    }
}

type Each<'e, H> = &'e mut dyn FnMut(&mut H, Walked) -> Result<(), EngineError>;

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
            only: None,
            index,
            marks,
            reading,
            reader,
            helpers: Vec::new(),
            unarmed: Unarmed::default(),
            files: 0,
            dirs: 0,
            remote: RemoteTops::default(),
        }
    }

    /// Visits a path and, if it is a directory, all that is watched below it.
    pub(crate) fn visit<H: AsMut<State>>(
        &mut self,
        top: &Path,
        host: &mut H,
        each: Each<'_, H>,
    ) -> Result<(), EngineError> {
        if self.helpers.is_empty() {
            return self.run(top, host, each, &mut Pool::Here);
        }
        std::thread::scope(|scope| {
            let (jobs, todo) = bounded::<Job>(IN_FLIGHT);
            let (done, results) = unbounded::<Walked>();
            for mut reader in self.helpers.drain(..) {
                let (todo, done) = (todo.clone(), done.clone());
                scope.spawn(move || {
                    for job in todo {
                        if done.send(read(&mut reader, job)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop((todo, done));
            let mut pool = Pool::Threads { jobs, results, in_flight: 0 };
            self.run(top, host, each, &mut pool)
        })
    }

    fn run<H: AsMut<State>>(
        &mut self,
        top: &Path,
        host: &mut H,
        each: Each<'_, H>,
        pool: &mut Pool,
    ) -> Result<(), EngineError> {
        let mut dirs = Vec::new();
        let first = Entry {
            path: top.to_owned(),
            owner: self.watch.owner(top),
            cover: self.watch.cover(top),
            record: host.as_mut().get(top)?,
        };
        self.open(vec![first], &mut dirs, host, each, pool)?;
        while let Some(dir) = dirs.pop() {
            let recorded = host.as_mut().list_dir(&dir)?;
            let names = match list(&self.reader, &dir) {
                Ok(names) => names,
                Err(error) if Reader::is_gone(&error) => Vec::new(),
                Err(error) => {
                    self.cannot_read(&dir.join("*"), "list", &error);
                    continue;
                }
            };
            let mut chunk = Vec::new();
            for (name, record) in merge(names, recorded) {
                let path = dir.join(&name);
                let (owner, cover) = (self.watch.owner(&path), self.watch.cover(&path));
                if (owner.is_none() && cover == Cover::Nothing) || !self.concerns(&path) {
                    continue;
                }
                chunk.push(Entry { path, owner, cover, record });
                if chunk.len() == CHUNK {
                    self.open(std::mem::take(&mut chunk), &mut dirs, host, each, pool)?;
                }
            }
            self.open(chunk, &mut dirs, host, each, pool)?;
        }
        while let Some(walked) = pool.wait() {
            each(host, walked)?;
        }
        Ok(())
    }

    /// What cannot be read is not watched: a watch opens a gap for it, a comparison says so here.
    fn cannot_read(&mut self, path: &Path, what: &str, error: &io::Error) {
        if self.marks.is_some() {
            log::debug!("{}: cannot {what}: {error}", path.display());
            self.unarmed.add_unreadable(path);
        } else {
            log::warn!("{}: cannot {what}: {error}; it is not compared", path.display());
        }
    }

    fn concerns(&self, path: &Path) -> bool {
        self.only.is_none_or(|only| only.owner(path).is_some() || only.cover(path) != Cover::Nothing)
    }

    /// Opens, arms and hands on one chunk.
    fn open<H: AsMut<State>>(
        &mut self,
        chunk: Vec<Entry>,
        dirs: &mut Vec<PathBuf>,
        host: &mut H,
        each: Each<'_, H>,
        pool: &mut Pool,
    ) -> Result<(), EngineError> {
        let mut opened = Vec::with_capacity(chunk.len());
        for entry in chunk {
            match self.reader.open_path(&entry.path) {
                Ok(file) => {
                    let facts = match Reader::stat(file.as_fd()) {
                        Ok(facts) => facts,
                        Err(error) => {
                            log::warn!("{}: cannot stat: {error}", entry.path.display());
                            continue;
                        }
                    };
                    if facts.kind == FileKind::Dir
                        && entry.cover != Cover::Nothing
                        && let FileSystem::Remote(name) = file_system(&file)
                    {
                        self.remote.note(&entry.path, name);
                    }
                    opened.push((entry, file, facts));
                }
                Err(error) if Reader::is_gone(&error) => missing(entry, host, each)?,
                Err(error) => self.cannot_read(&entry.path, "open", &error),
            }
        }
        self.arm(&opened)?;
        for (entry, file, facts) in opened {
            let is_dir = facts.kind == FileKind::Dir;
            if !is_dir && entry.record.as_ref().is_some_and(was_dir) {
                below(&entry.path, entry.owner, host, each)?;
            }
            if is_dir && entry.cover != Cover::Nothing && file_system(&file) != FileSystem::Pseudo {
                self.dirs += 1;
                dirs.push(entry.path.clone());
            }
            let Some(owner) = entry.owner else { continue };
            self.files += u64::from(!is_dir);
            let need = self.watch.need_of(owner, &entry.path);
            let job = Job { path: entry.path, file, facts, need, owner, record: entry.record };
            if let Some(walked) = self.read_or_keep(job, pool) {
                each(host, walked)?;
            }
            while let Some(walked) = pool.try_next() {
                each(host, walked)?;
            }
        }
        Ok(())
    }

    /// Answers at once for what need not be read.
    fn read_or_keep(&mut self, job: Job, pool: &mut Pool) -> Option<Walked> {
        let basis = job.record.as_ref().and_then(|record| match self.reading {
            Reading::UnlikeSeen => record.seen.as_ref(),
            Reading::UnlikeTrusted => record.trusted_facts(),
            Reading::Never | Reading::Always => None,
        });
        // The first stat was taken before the file was armed; only one taken after it can be trusted to miss nothing.
        let is_same = |known: &&Facts| {
            known.same_stat(&job.facts)
                && self.watch.overhearers(job.owner, &job.path).is_empty()
                && !is_owed_a_first_look(&job)
                && self.reader.could_have_made(&job.path, known)
                && (self.marks.is_none()
                    || Reader::stat(job.file.as_fd()).is_ok_and(|now| known.same_stat(&now)))
        };
        if let Some(known) = basis.filter(is_same).cloned() {
            return Some(job.done(known));
        }
        if self.reading == Reading::Never {
            let facts = Reader::stat(job.file.as_fd()).unwrap_or_else(|_| job.facts.clone());
            return Some(job.done(facts));
        }
        pool.read(&mut self.reader, job)
    }

    /// Marks what was opened and notes who is who.
    fn arm(&mut self, opened: &[(Entry, OwnedFd, Facts)]) -> Result<(), EngineError> {
        let Some(marks) = self.marks.as_deref_mut() else {
            return Ok(());
        };
        let follows = marks.follows_files();
        let wanted: Vec<(&Entry, &OwnedFd, MarkScope)> = opened
            .iter()
            .filter_map(|(entry, file, facts)| {
                let scope = scope(entry, facts.kind)?;
                // Where events come by name, only a file of several names must be known as itself, and one in a
                // directory of which not everything is watched.
                let alone = || !self.watch.covers_all_beside(&entry.path);
                (follows || scope != MarkScope::File || facts.links > 1 || alone())
                    .then_some((entry, file, scope))
            })
            .collect();
        let requests: Vec<MarkRequest<'_>> = wanted
            .iter()
            .map(|(entry, file, scope)| MarkRequest { file: file.as_fd(), path: &entry.path, scope: *scope })
            .collect();
        if requests.is_empty() {
            return Ok(());
        }
        let marked = marks.add(&requests)?;
        for ((entry, _, scope), marked) in wanted.iter().zip(marked) {
            if !marked.armed && !self.remote.has(&entry.path) {
                self.unarmed.add(&entry.path);
            }
            if *scope == MarkScope::File {
                self.index.add_file(&entry.path, marked.id);
            } else {
                self.index.add_dir(&entry.path, marked.id);
            }
        }
        Ok(())
    }
}

fn scope(entry: &Entry, kind: FileKind) -> Option<MarkScope> {
    match (kind, entry.cover) {
        (FileKind::Dir, Cover::All) => Some(MarkScope::Tree),
        (FileKind::Dir, Cover::Some) => Some(MarkScope::Names),
        _ => entry.owner.map(|_| MarkScope::File),
    }
}

/// Whether a consumer that reads content has nothing yet to compare with: it came to have the file later.
fn is_owed_a_first_look(job: &Job) -> bool {
    let fits = job.need.content.is_some_and(|most| job.facts.size <= most);
    fits && job.facts.kind == FileKind::File
        && job.record.as_ref().is_some_and(|record| record.kept.is_none())
}

fn was_dir(record: &FileRecord) -> bool {
    record.seen.as_ref().is_some_and(|facts| facts.kind == FileKind::Dir)
        || record.trusted_facts().is_some_and(|facts| facts.kind == FileKind::Dir)
}

/// Hands on a path that is in the state alone, with all that was below it.
fn missing<H: AsMut<State>>(entry: Entry, host: &mut H, each: Each<'_, H>) -> Result<(), EngineError> {
    below(&entry.path, entry.owner, host, each)?;
    match (entry.owner, entry.record) {
        (Some(owner), Some(record)) => {
            each(host, Walked { snapshot: Snapshot::gone(entry.path), owner, record: Some(record) })
        }
        _ => Ok(()),
    }
}

fn below<H: AsMut<State>>(
    path: &Path,
    owner: Option<usize>,
    host: &mut H,
    each: Each<'_, H>,
) -> Result<(), EngineError> {
    let owner = owner.unwrap_or(0);
    for (path, record) in host.as_mut().below(path)?.into_iter().rev() {
        each(host, Walked { snapshot: Snapshot::gone(path), owner, record: Some(record) })?;
    }
    Ok(())
}

fn read(reader: &mut Reader, job: Job) -> Walked {
    let Job { path, file, need, owner, record, .. } = job;
    Walked { snapshot: reader.look_at(file.as_fd(), &path, need), owner, record }
}

enum Pool {
    Here,
    Threads { jobs: Sender<Job>, results: Receiver<Walked>, in_flight: usize },
}

impl Pool {
    fn read(&mut self, reader: &mut Reader, job: Job) -> Option<Walked> {
        match self {
            Self::Here => Some(read(reader, job)),
            Self::Threads { jobs, results, in_flight } => {
                let back = if *in_flight >= IN_FLIGHT { results.recv().ok() } else { None };
                if back.is_some() {
                    *in_flight -= 1;
                }
                if jobs.send(job).is_ok() {
                    *in_flight += 1;
                }
                back
            }
        }
    }

    fn try_next(&mut self) -> Option<Walked> {
        match self {
            Self::Here => None,
            Self::Threads { results, in_flight, .. } => {
                let walked = results.try_recv().ok()?;
                *in_flight -= 1;
                Some(walked)
            }
        }
    }

    fn wait(&mut self) -> Option<Walked> {
        match self {
            Self::Threads { results, in_flight, .. } if *in_flight > 0 => {
                let walked = results.recv().ok()?;
                *in_flight -= 1;
                Some(walked)
            }
            _ => None,
        }
    }
}

/// Names on disk and names in the state, joined in order.
fn merge(
    names: Vec<OsString>,
    recorded: Vec<(OsString, FileRecord)>,
) -> impl Iterator<Item = (OsString, Option<FileRecord>)> {
    let (mut names, mut recorded) = (names.into_iter().peekable(), recorded.into_iter().peekable());
    std::iter::from_fn(move || {
        let record_is_next = match (names.peek(), recorded.peek()) {
            (Some(name), Some((known, _))) => known <= name,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if record_is_next {
            let (known, record) = recorded.next()?;
            if names.peek() == Some(&known) {
                names.next();
            }
            return Some((known, Some(record)));
        }
        Some((names.next()?, None))
    })
}

/// The names in a directory, in the order of their bytes.
pub(super) fn list(reader: &Reader, dir: &Path) -> io::Result<Vec<OsString>> {
    let file = reader.open_dir(dir)?;
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::new(file)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}
