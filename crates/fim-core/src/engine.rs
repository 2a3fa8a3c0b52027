//! The engine joins the parts: it takes marks from a watcher, looks at files, asks consumers what a change
//! means, reports, and keeps the state in step.
//!
//! It knows the traits and nothing behind them: no BPF, no fanotify, no sled, no output format.

mod compare;
mod covered;
mod error;
mod gaps;
mod heal;
mod index;
mod interests;
mod judge;
mod live;
mod look;
mod pending;
mod renames;
mod reporter;
mod resolve;
mod temporary;
mod walk;

pub use error::EngineError;

use crate::consumer::Consumer;
use crate::facts::Facts;
use crate::finding::{BaselineLost, Detected, Record, Sink, Stopped};
use crate::secrecy::Secrecy;
use crate::snapshot::{Limits, Reader, Snapshot};
use crate::state::{FileRecord, State};
use crate::watch_set::WatchSet;
use crate::watcher::{Marks, StopToken, Watcher};
use covered::Covered;
use index::Index;
use interests::Interests;
use judge::{Cause, Judgement, first_look, judge, recall};
use reporter::Reporter;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use walk::{Reading, Walk, Walked};

const BASELINE: &str = "baseline";
const COVERED: &str = "covered";
/// How often what is read may lead to more that is to be read: accounts to homes, includes to includes.
const ROUNDS: usize = 8;
/// Files between two commits of a long walk: bounds memory.
const COMMIT_EVERY: u64 = 20_000;

/// Told how far a long walk has come.
pub trait Progress: Send {
    /// So many files are done.
    fn files(&mut self, done: u64);
}

/// Watches files, or compares them once. Made by [`Engine::builder`].
pub struct Engine {
    consumers: Vec<Box<dyn Consumer>>,
    interests: Interests,
    covered: Covered,
    watch: WatchSet,
    state: State,
    reporter: Reporter,
    reader: Reader,
    limits: Limits,
    secrecy: Option<Secrecy>,
    progress: Option<Box<dyn Progress>>,
    workers: usize,
    lost: heal::Lost,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("watch", &self.watch).finish_non_exhaustive()
    }
}

/// Collects the parts of an [`Engine`].
#[derive(Default)]
pub struct EngineBuilder {
    consumers: Vec<Box<dyn Consumer>>,
    limits: Limits,
    secrecy: Option<Secrecy>,
    progress: Option<Box<dyn Progress>>,
    lost: Vec<BaselineLost>,
}

impl std::fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineBuilder").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl EngineBuilder {
    /// Adds a consumer; of two that claim a path, the one added first has it.
    #[must_use]
    pub fn consumer(mut self, consumer: Box<dyn Consumer>) -> Self {
        self.consumers.push(consumer);
        self
    }

    /// Bounds what is read of a file.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Hashes files with a secret in them under the installation's key.
    #[must_use]
    pub fn secrecy(mut self, secrecy: Secrecy) -> Self {
        self.secrecy = Some(secrecy);
        self
    }

    /// Tells this of long walks.
    #[must_use]
    pub fn progress(mut self, progress: Box<dyn Progress>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Says first of all that an earlier state is lost: a damaged one was set aside and this one is new.
    #[must_use]
    pub fn baseline_lost(mut self, lost: BaselineLost) -> Self {
        self.lost.push(lost);
        self
    }

    /// Joins the parts: state from here, reports to there.
    ///
    /// # Errors
    /// A pattern of a consumer that cannot be used, or a state that cannot be read.
    pub fn build(self, state: State, sink: Box<dyn Sink>) -> Result<Engine, EngineError> {
        let (interests, watch) = Interests::ask(&self.consumers)?;
        let earlier = match state.meta(BASELINE)? {
            Some(_) => Some(state.meta(COVERED)?.unwrap_or_default()),
            None => None,
        };
        let claims = self.consumers.iter().map(|it| it.name().to_owned()).zip(interests.each().cloned());
        Ok(Engine {
            covered: Covered::new(earlier.as_deref(), claims.collect()),
            interests,
            watch,
            consumers: self.consumers,
            reporter: Reporter::new(sink, &state)?,
            state,
            reader: reader(self.limits, self.secrecy.as_ref())?,
            limits: self.limits,
            secrecy: self.secrecy,
            progress: self.progress,
            lost: heal::Lost::new(self.lost),
            workers: std::thread::available_parallelism().map_or(1, |count| count.get().min(8)),
        })
    }
}

/// What a baseline came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BaselineSummary {
    /// Files, directories, links and special files recorded.
    pub files: u64,
    /// Bytes in regular files.
    pub bytes: u64,
    /// Files that could not be read; their metadata is recorded.
    pub unreadable: u64,
    /// Files larger than the limit; their metadata is recorded.
    pub too_big: u64,
}

/// What a check came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckSummary {
    /// Files compared.
    pub files: u64,
    /// Changes reported.
    pub changes: u64,
    /// Files below paths of which no baseline was ever made: nothing to compare them with.
    pub never_covered: u64,
}

impl Engine {
    /// Collects the parts of an engine.
    #[must_use]
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// Which paths are watched, and whose they are.
    #[must_use]
    pub const fn watch_set(&self) -> &WatchSet {
        &self.watch
    }

    /// Whether a baseline was ever made in this state.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn has_baseline(&self) -> Result<bool, EngineError> {
        Ok(self.state.meta(BASELINE)?.is_some())
    }

    /// Records what is there as seen and trusted: everything watched, or what is watched of these paths.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn baseline(&mut self, paths: &[PathBuf]) -> Result<BaselineSummary, EngineError> {
        self.tell_lost()?;
        self.recall(Kept::Seen)?;
        let summary = self.healing(|engine| engine.record_all(paths))?;
        self.remember_covered(paths)?;
        self.reporter.sync(&mut self.state)?;
        Ok(summary)
    }

    /// Notes that all that is claimed, or what of it is below these paths, was walked.
    fn remember_covered(&mut self, paths: &[PathBuf]) -> Result<(), EngineError> {
        self.state.set_meta(BASELINE, &[1])?;
        let covered = self.covered.walked(paths);
        Ok(self.state.set_meta(COVERED, &covered)?)
    }

    fn record_all(&mut self, paths: &[PathBuf]) -> Result<BaselineSummary, EngineError> {
        let mut summary = BaselineSummary::default();
        self.walk(paths, Reading::Always, &mut Index::new(), None, &mut |engine, walked| {
            if let Some(facts) = &walked.snapshot.facts {
                summary.add(facts);
            }
            engine.learn(walked.owner, walked.snapshot)
        })?;
        Ok(summary)
    }

    /// Takes what is there as seen and trusted, without a word.
    fn learn(&mut self, owner: usize, now: Snapshot) -> Result<(), EngineError> {
        let kept = self.ask(owner, &now, first_look).and_then(|answer| answer.keep);
        match now.facts {
            None => self.state.remove(&now.path)?,
            Some(seen) => self.state.put(&now.path, FileRecord::new(seen, kept))?,
        }
        Ok(())
    }

    /// Compares everything watched, or what is watched of these paths, with the trusted baseline; changes
    /// nothing but the number of the last report. `full` reads every byte, else only what stat says may
    /// have changed.
    ///
    /// # Errors
    /// [`EngineError::NoBaseline`], or when the state cannot be read or a report not be written.
    pub fn check(&mut self, paths: &[PathBuf], full: bool) -> Result<CheckSummary, EngineError> {
        self.tell_lost()?;
        if !self.has_baseline()? {
            return Err(EngineError::NoBaseline);
        }
        self.recall(Kept::Trusted)?;
        let summary = self.healing(|engine| engine.compare_all(paths, full))?;
        self.reporter.sync(&mut self.state)?;
        Ok(summary)
    }

    fn compare_all(&mut self, paths: &[PathBuf], full: bool) -> Result<CheckSummary, EngineError> {
        let mut summary = CheckSummary::default();
        let reading = if full { Reading::Always } else { Reading::UnlikeTrusted };
        self.walk(paths, reading, &mut Index::new(), None, &mut |engine, walked| {
            summary.files += u64::from(walked.snapshot.facts.is_some());
            if walked.record.is_none() && engine.is_new_ground(walked.owner, &walked.snapshot.path) {
                summary.never_covered += 1;
                return Ok(());
            }
            let before = walked.record.as_ref().and_then(FileRecord::trusted_facts);
            let kept = walked.record.as_ref().and_then(FileRecord::kept_of_trusted);
            let cause = Cause::found(Detected::Scan);
            let judgement = engine.judge(walked.owner, before, kept, &walked.snapshot, &cause);
            if let Some(finding) = judgement.and_then(|it| it.finding) {
                summary.changes += 1;
                engine.reporter.report(Record::Change(finding))?;
            }
            Ok(())
        })?;
        Ok(summary)
    }

    /// Watches until `stop` is raised: reports what changed since the last time, then what changes.
    ///
    /// # Errors
    /// When the watcher cannot watch or ends, the state cannot be kept, or a report cannot be written; what
    /// was not reported is reported at the next start.
    pub fn run(&mut self, watcher: Box<dyn Watcher>, stop: &StopToken) -> Result<Stopped, EngineError> {
        live::run(self, watcher, stop)
    }

    /// Visits everything watched below these paths (none: everything), and what is found to be watched too
    /// on the way.
    fn walk(
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

    /// Asks the consumers again what they want; gives what is new of it.
    fn rewatch(&mut self) -> Result<Option<WatchSet>, EngineError> {
        match self.interests.ask_again(&self.consumers) {
            Ok(Some((watch, new))) => {
                self.watch = watch;
                Ok(Some(new))
            }
            Ok(None) => Ok(None),
            Err(EngineError::Pattern(error)) => {
                log::error!("a consumer wants what cannot be watched; what it wanted before is: {error}");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Tells the consumers that read content what they kept, and asks what they want once they know.
    fn recall(&mut self, which: Kept) -> Result<(), EngineError> {
        let mut part = self.watch.clone();
        for _ in 0..ROUNDS {
            self.healing(|engine| engine.recall_of(&part, which))?;
            match self.rewatch()? {
                Some(new) => part = new,
                None => break,
            }
        }
        Ok(())
    }

    fn recall_of(&mut self, part: &WatchSet, which: Kept) -> Result<(), EngineError> {
        let Self { consumers, interests, watch, state, .. } = self;
        for (owner, consumer) in consumers.iter_mut().enumerate() {
            if watch.need(owner).content.is_none() {
                continue;
            }
            for root in part.roots_of(owner) {
                state.walk(&root, &mut |path, record| {
                    let kept = match which {
                        Kept::Seen => record.kept.as_deref(),
                        Kept::Trusted => record.kept_of_trusted(),
                    };
                    if let Some(kept) = kept
                        && watch.owner(&path) == Some(owner)
                    {
                        recall(&mut **consumer, interests.name(owner, &path).as_ref().unwrap_or(&path), kept);
                    }
                    ControlFlow::Continue(())
                })?;
            }
        }
        Ok(())
    }

    fn is_new_ground(&self, owner: usize, path: &Path) -> bool {
        self.consumers.get(owner).is_some_and(|it| self.covered.is_new_ground(path, it.name()))
    }

    /// Judges one look by the consumer that owns the path.
    fn judge(
        &mut self,
        owner: usize,
        before: Option<&Facts>,
        kept: Option<&[u8]>,
        now: &Snapshot,
        cause: &Cause<'_>,
    ) -> Option<Judgement> {
        self.ask(owner, now, |consumer, now| judge(consumer, before, kept, now, cause))
    }

    fn ask(
        &mut self,
        owner: usize,
        now: &Snapshot,
        ask: impl FnOnce(&mut dyn Consumer, &Snapshot) -> Judgement,
    ) -> Option<Judgement> {
        let named = self.interests.name(owner, &now.path).map(|name| now.clone().called(name));
        let consumer = self.consumers.get_mut(owner)?;
        let judgement = ask(&mut **consumer, named.as_ref().unwrap_or(now));
        if judgement.watch_anew {
            self.interests.make_stale();
        }
        Some(judgement)
    }

    fn new_reader(&self) -> Result<Reader, EngineError> {
        reader(self.limits, self.secrecy.as_ref())
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
            if let Some(progress) = &mut engine.progress
                && done.is_multiple_of(256)
            {
                progress.files(done);
            }
            each(engine, walked)
        })?;
        if let Some(progress) = &mut self.progress {
            progress.files(done);
        }
        Ok(Tally { files: walk.files, dirs: walk.dirs, unarmed: walk.unarmed })
    }
}

fn reader(limits: Limits, secrecy: Option<&Secrecy>) -> Result<Reader, EngineError> {
    match Reader::new(limits) {
        Ok(reader) => Ok(reader.with_secrecy(secrecy.cloned())),
        Err(source) => {
            Err(EngineError::System { what: "cannot open /proc/self/fd to read files".to_owned(), source })
        }
    }
}

/// What a walk counted.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    files: u64,
    dirs: u64,
    unarmed: u64,
}

impl Tally {
    const fn add(&mut self, other: Self) {
        self.files += other.files;
        self.dirs += other.dirs;
        self.unarmed += other.unarmed;
    }
}

/// What was kept of which look.
#[derive(Clone, Copy, Debug)]
enum Kept {
    Seen,
    Trusted,
}

impl AsMut<State> for Engine {
    fn as_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl BaselineSummary {
    fn add(&mut self, facts: &Facts) {
        use crate::facts::HashState;
        self.files += 1;
        self.bytes += facts.size;
        self.unreadable += u64::from(facts.hash_state == HashState::Unreadable);
        self.too_big += u64::from(facts.hash_state == HashState::TooBig);
    }
}
