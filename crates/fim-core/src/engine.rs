//! The engine joins the parts: it takes marks from a watcher, looks at files, asks consumers what a change
//! means, reports, and keeps the state in step.
//!
//! It knows the traits and nothing behind them: no BPF, no fanotify, no sled, no output format.

mod adopt;
mod backlog;
mod backoff;
mod barrier;
mod baseline_check;
mod by_path;
mod compare;
mod consult;
mod covered;
mod dispatch;
mod error;
mod fair_queue;
mod file_system;
mod flow;
mod gaps;
mod heal;
mod heartbeat;
mod index;
mod intake;
mod interests;
mod judge;
mod links;
mod live;
mod look;
mod mounts;
mod open_files;
mod pending;
mod pool;
mod queue;
mod reason;
mod reload;
mod rename_source;
mod renames;
mod reporter;
mod requests;
mod resolve;
mod room;
mod scan;
mod settling;
mod start;
mod status_update;
mod storm;
mod tally;
mod temporary;
mod unarmed;
mod unwritable;
mod walk;
mod walk_all;
mod writing;

pub use baseline_check::{BaselineSummary, CheckSummary};
pub use error::EngineError;
pub use file_system::pseudo_file_system;
pub use mounts::own_coverage;
pub use scan::Scan;

use crate::consumer::Consumer;
use crate::control::{Control, Order};
use crate::explain::Explainer;
use crate::finding::{BaselineLost, Stopped};
use crate::guard::{Guard, Tampering};
use crate::remote::RemoteTops;
use crate::secrecy::Secrecy;
use crate::sink::Sink;
use crate::snapshot::{Limits, Reader};
use crate::state::State;
use crate::status::Status;
use crate::stop::StopToken;
use crate::watch_set::WatchSet;
use crate::watcher::Watcher;
use consult::Kept;
use covered::Covered;
use crossbeam_channel::{Receiver, Sender, unbounded};
use interests::Interests;
use reporter::Reporter;
use std::path::PathBuf;

const BASELINE: &str = "baseline";
const COVERED: &str = "covered";
/// How often what is read may lead to more that is to be read: accounts to homes, includes to includes.
const ROUNDS: usize = 8;

/// Told how far a long walk has come.
///
/// ```
/// use fim_core::Progress;
///
/// struct Dots;
///
/// impl Progress for Dots {
///     fn files(&mut self, done: u64) {
///         if done % 1000 == 0 {
///             eprint!(".");
///         }
///     }
/// }
///
/// let builder = fim_core::Engine::builder().progress(Box::new(Dots));
/// # drop(builder);
/// ```
pub trait Progress: Send {
    /// So many files are done.
    fn files(&mut self, done: u64);
}

/// Watches files, or compares them once. Made by [`Engine::builder`].
///
/// ```no_run
/// # fn example(watcher: Box<dyn fim_core::Watcher>, mine: Box<dyn fim_core::Consumer>, sink: Box<dyn fim_core::Sink>)
/// # -> Result<(), Box<dyn std::error::Error>> {
/// use fim_core::{Engine, SledStore, State, StopToken};
///
/// let state = State::open(Box::new(SledStore::open("/var/lib/my-agent".as_ref())?))?;
/// let mut engine = Engine::builder().consumer(mine).build(state, sink)?;
/// let stop = StopToken::new(); // raise it from a signal handler
/// engine.run(watcher, &stop)?;
/// # Ok(())
/// # }
/// ```
pub struct Engine {
    consumers: Vec<Box<dyn Consumer>>,
    interests: Interests,
    covered: Covered,
    watch: WatchSet,
    state: State,
    reporter: Reporter,
    reader: Reader,
    limits: Limits,
    explainer: Option<Box<dyn Explainer>>,
    progress: Option<Box<dyn Progress>>,
    status: Status,
    workers: usize,
    lost: heal::Lost,
    scan: Scan,
    remote: RemoteTops,
    orders: (Sender<Order>, Receiver<Order>),
    alerts: (Sender<Tampering>, Receiver<Tampering>),
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
    explainer: Option<Box<dyn Explainer>>,
    progress: Option<Box<dyn Progress>>,
    lost: Vec<BaselineLost>,
    scan: Scan,
    guard: Guard,
    root: PathBuf,
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

    /// Asks this what led to a change.
    #[must_use]
    pub fn explainer(mut self, explainer: Box<dyn Explainer>) -> Self {
        self.explainer = Some(explainer);
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

    /// The agent's own files.
    #[must_use]
    pub fn guard(mut self, guard: Guard) -> Self {
        self.guard = guard;
        self
    }

    /// Where the watched system has its root, if not at `/`: absolute links below it lead from there.
    #[must_use]
    pub fn root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = root.into();
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
        let (interests, watch) = Interests::ask(&self.consumers, &self.root)?;
        let earlier = match state.meta(BASELINE)? {
            Some(_) => Some(state.meta(COVERED)?.unwrap_or_default()),
            None => None,
        };
        let reader = Reader::new(self.limits).map_err(|source| EngineError::System {
            what: "cannot open /proc/self/fd to read files".to_owned(),
            source,
        })?;
        let reader = reader.with_secrecy(self.secrecy);
        let claims = self.consumers.iter().map(|it| it.name().to_owned()).zip(interests.each().cloned());
        Ok(Engine {
            covered: Covered::new(earlier.as_deref(), claims.collect()),
            interests,
            watch,
            consumers: self.consumers,
            reporter: Reporter::new(sink, self.guard),
            state,
            reader,
            limits: self.limits,
            explainer: self.explainer,
            progress: self.progress,
            status: Status::new(),
            lost: heal::Lost::new(self.lost),
            scan: self.scan,
            remote: RemoteTops::default(),
            orders: unbounded(),
            alerts: unbounded(),
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

    /// A hand on the next watch, or on the one that runs; after its end another is to be asked for.
    #[must_use]
    pub fn control(&self) -> Control {
        Control { orders: self.orders.0.clone(), alerts: self.alerts.0.clone() }
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
        let outcome = live::run(self, watcher, stop);
        // Whoever still waits for an answer, or will, learns that there is none: what they hold leads nowhere now.
        self.orders = unbounded();
        outcome
    }
}
