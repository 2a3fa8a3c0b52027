//! The engine joins the parts: it takes marks from a watcher, looks at files, asks consumers what a change
//! means, reports, and keeps the state in step.
//!
//! It knows the traits and nothing behind them: no BPF, no fanotify, no sled, no output format.

mod compare;
mod consult;
mod covered;
mod error;
mod file_system;
mod gaps;
mod heal;
mod index;
mod interests;
mod judge;
mod live;
mod look;
mod mounts;
mod once;
mod pending;
mod queue;
mod reload;
mod renames;
mod reporter;
mod resolve;
mod scan;
mod storm;
mod telling;
mod temporary;
mod unarmed;
mod unwritable;
mod visit;
mod walk;

pub use error::EngineError;
pub use file_system::pseudo_file_system;
pub use mounts::own_coverage;
pub use once::{BaselineSummary, CheckSummary};
pub use scan::Scan;

use crate::consumer::Consumer;
use crate::control::{Control, Order};
use crate::finding::{BaselineLost, Sink, Stopped};
use crate::remote::RemoteTops;
use crate::secrecy::Secrecy;
use crate::snapshot::{Limits, Reader};
use crate::state::State;
use crate::status::Status;
use crate::watch_set::WatchSet;
use crate::watcher::{StopToken, Watcher};
use consult::Kept;
use covered::Covered;
use crossbeam_channel::{Receiver, Sender, unbounded};
use interests::Interests;
use reporter::Reporter;
use visit::reader;

const BASELINE: &str = "baseline";
const COVERED: &str = "covered";
/// How often what is read may lead to more that is to be read: accounts to homes, includes to includes.
const ROUNDS: usize = 8;

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
    status: Status,
    workers: usize,
    lost: heal::Lost,
    scan: Scan,
    remote: RemoteTops,
    orders: (Sender<Order>, Receiver<Order>),
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
    scan: Scan,
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

    /// Looks at everything from time to time while it runs, as this says; else as [`Scan::default`].
    #[must_use]
    pub fn scan(mut self, scan: Scan) -> Self {
        self.scan = scan;
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
            reporter: Reporter::new(sink),
            state,
            reader: reader(self.limits, self.secrecy.as_ref())?,
            limits: self.limits,
            secrecy: self.secrecy,
            progress: self.progress,
            status: Status::new(),
            lost: heal::Lost::new(self.lost),
            scan: self.scan,
            remote: RemoteTops::default(),
            orders: unbounded(),
            workers: std::thread::available_parallelism().map_or(1, |count| count.get().min(8)),
        })
    }
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

    /// A hand on the watch while it runs.
    #[must_use]
    pub fn control(&self) -> Control {
        Control(self.orders.0.clone())
    }

    /// A view of the watch, kept up to date while it runs.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.clone()
    }

    /// Whether a baseline was ever made in this state.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn has_baseline(&self) -> Result<bool, EngineError> {
        Ok(self.state.meta(BASELINE)?.is_some())
    }

    /// Watches until `stop` is raised: reports what changed since the last time, then what changes.
    ///
    /// # Errors
    /// When the watcher cannot watch or ends, the state cannot be kept, or a report cannot be written; what
    /// was not reported is reported at the next start.
    pub fn run(&mut self, watcher: Box<dyn Watcher>, stop: &StopToken) -> Result<Stopped, EngineError> {
        live::run(self, watcher, stop)
    }
}

impl AsMut<State> for Engine {
    fn as_mut(&mut self) -> &mut State {
        &mut self.state
    }
}
