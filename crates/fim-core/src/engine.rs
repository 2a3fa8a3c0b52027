//! The engine joins the parts: it takes marks from a watcher, looks at files, asks consumers what a change
//! means, reports, and keeps the state in step.
//!
//! It knows the traits and nothing behind them: no BPF, no fanotify, no sled, no output format.

mod compare;
mod error;
mod gaps;
mod heal;
mod index;
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
pub use walk::pseudo_file_system;

use crate::consumer::Consumer;
use crate::finding::{BaselineLost, Detected, Record, Sink, Stopped};
use crate::snapshot::{Limits, Reader, Snapshot};
use crate::state::{FileRecord, State, Trusted};
use crate::watch_set::WatchSet;
use crate::watcher::{StopToken, Watcher};
use index::Index;
use judge::{Cause, first_look, judge};
use reporter::Reporter;
use std::path::{Path, PathBuf};
use walk::{Reading, Walk, Walked};

const BASELINE: &str = "baseline";
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
    watch: WatchSet,
    state: State,
    reporter: Reporter,
    reader: Reader,
    limits: Limits,
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
        let interests =
            self.consumers.iter().map(|consumer| resolve::interest(consumer.interest())).collect();
        Ok(Engine {
            watch: WatchSet::new(interests)?,
            consumers: self.consumers,
            reporter: Reporter::new(sink, &state)?,
            state,
            reader: reader(self.limits)?,
            limits: self.limits,
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
        let first = !self.has_baseline()?;
        let summary = self.healing(|engine| engine.record_all(paths))?;
        if first {
            self.state.set_meta(BASELINE, &[1])?;
        }
        self.reporter.sync(&mut self.state)?;
        Ok(summary)
    }

    fn record_all(&mut self, paths: &[PathBuf]) -> Result<BaselineSummary, EngineError> {
        let mut summary = BaselineSummary::default();
        self.walk(paths, Reading::Always, &mut Index::new(), &mut |engine, walked| {
            if let Some(facts) = &walked.snapshot.facts {
                summary.add(facts);
            }
            engine.learn(walked.owner, walked.snapshot)
        })?;
        Ok(summary)
    }

    /// Takes what is there as seen and trusted, without a word.
    fn learn(&mut self, owner: usize, now: Snapshot) -> Result<(), EngineError> {
        let kept = self.consumers.get_mut(owner).and_then(|it| first_look(&mut **it, &now));
        match now.facts {
            None => self.state.remove(&now.path)?,
            seen => self.state.put(&now.path, FileRecord { seen, trusted: Trusted::Same, kept })?,
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
        let summary = self.healing(|engine| engine.compare_all(paths, full))?;
        self.reporter.sync(&mut self.state)?;
        Ok(summary)
    }

    fn compare_all(&mut self, paths: &[PathBuf], full: bool) -> Result<CheckSummary, EngineError> {
        let mut summary = CheckSummary::default();
        let reading = if full { Reading::Always } else { Reading::UnlikeTrusted };
        self.walk(paths, reading, &mut Index::new(), &mut |engine, walked| {
            summary.files += u64::from(walked.snapshot.facts.is_some());
            let Some(consumer) = engine.consumers.get_mut(walked.owner) else {
                return Ok(());
            };
            let before = walked.record.as_ref().and_then(FileRecord::trusted_facts);
            let judgement =
                judge(&mut **consumer, before, Some(&[]), &walked.snapshot, &Cause::found(Detected::Scan));
            if let Some(finding) = judgement.finding {
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

    /// Visits everything watched below these paths (none: everything).
    fn walk(
        &mut self,
        paths: &[PathBuf],
        reading: Reading,
        index: &mut Index,
        each: &mut dyn FnMut(&mut Self, Walked) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let everything = [PathBuf::from("/")];
        let tops = if paths.is_empty() { &everything[..] } else { paths };
        for top in tops {
            self.walk_one(top, reading, index, None, each)?;
        }
        Ok(())
    }

    fn walk_one(
        &mut self,
        top: &Path,
        reading: Reading,
        index: &mut Index,
        marks: Option<&mut (dyn crate::watcher::Marks + 'static)>,
        each: &mut dyn FnMut(&mut Self, Walked) -> Result<(), EngineError>,
    ) -> Result<Tally, EngineError> {
        let watch = self.watch.clone();
        let mut walk = Walk::new(&watch, index, marks, reading, reader(self.limits)?);
        let helpers = (0..self.workers).map(|_| reader(self.limits)).collect::<Result<_, _>>()?;
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

fn reader(limits: Limits) -> Result<Reader, EngineError> {
    Reader::new(limits).map_err(|source| EngineError::System {
        what: "cannot open /proc/self/fd to read files".to_owned(),
        source,
    })
}

/// What a walk counted.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    files: u64,
    dirs: u64,
    unarmed: u64,
}

impl AsMut<State> for Engine {
    fn as_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl BaselineSummary {
    fn add(&mut self, facts: &crate::facts::Facts) {
        use crate::facts::HashState;
        self.files += 1;
        self.bytes += facts.size;
        self.unreadable += u64::from(facts.hash_state == HashState::Unreadable);
        self.too_big += u64::from(facts.hash_state == HashState::TooBig);
    }
}
