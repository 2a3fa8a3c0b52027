//! How others tell a running engine to go on otherwise: with another configuration, or with a word that there
//! is none.
//!
//! Knows nothing of files of configuration, nor of how the engine does it.

use crate::consumer::Consumer;
use crate::engine::{BaselineSummary, Scan};
use crate::explain::Explainer;
use crate::guard::{Guard, Tampering};
use crate::secrecy::Secrecy;
use crate::snapshot::Limits;
use crate::store::CopyError;
use crossbeam_channel::{Sender, bounded};
use std::fmt;
use std::io::Write;
use std::path::PathBuf;

/// What a running engine is to go on with, instead of what it has.
///
/// As [`Control`] shows.
pub struct Reload {
    pub(crate) consumers: Vec<Box<dyn Consumer>>,
    pub(crate) limits: Limits,
    pub(crate) scan: Scan,
    pub(crate) secrecy: Option<Secrecy>,
    pub(crate) explainer: Option<Box<dyn Explainer>>,
    pub(crate) guard: Guard,
    pub(crate) notes: Vec<String>,
}

impl Reload {
    /// Nothing to watch yet, and these bounds.
    #[must_use]
    pub fn new(limits: Limits, scan: Scan) -> Self {
        Self {
            consumers: Vec::new(),
            limits,
            scan,
            secrecy: None,
            explainer: None,
            guard: Guard::default(),
            notes: Vec::new(),
        }
    }

    /// Adds a consumer; of two that claim a path, the one added first has it.
    #[must_use]
    pub fn consumer(mut self, consumer: Box<dyn Consumer>) -> Self {
        self.consumers.push(consumer);
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

    /// The agent's own files.
    #[must_use]
    pub fn guard(mut self, guard: Guard) -> Self {
        self.guard = guard;
        self
    }

    /// Adds a word to what is reported of it: what takes a restart.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let consumers: Vec<_> = self.consumers.iter().map(|it| it.name()).collect();
        f.debug_struct("Reload")
            .field("consumers", &consumers)
            .field("limits", &self.limits)
            .field("scan", &self.scan)
            .field("notes", &self.notes)
            .finish()
    }
}

/// What an engine is told.
pub(crate) enum Order {
    Reload(Box<Reload>),
    Refused(String),
    Copy(Box<dyn Write + Send>, Sender<Result<(), CopyError>>),
    Accept(Vec<PathBuf>, Sender<Accepted>),
}

/// The answer to [`Control::accept`].
type Accepted = Result<BaselineSummary, String>;

/// A hand on an engine, from [`Engine::control`](crate::Engine::control). Cheap to copy; its requests
/// are taken up in order while the engine watches: before, they wait; after its end, they are in vain.
///
/// ```no_run
/// # fn example(mut engine: fim_core::Engine, watcher: Box<dyn fim_core::Watcher>, mine: Box<dyn fim_core::Consumer>)
/// # -> Result<(), Box<dyn std::error::Error>> {
/// use fim_core::{Limits, Reload, Scan, StopToken};
///
/// let (control, stop) = (engine.control(), StopToken::new());
/// let watching = std::thread::spawn({
///     let stop = stop.clone();
///     move || engine.run(watcher, &stop).map(drop).map_err(|error| error.to_string())
/// });
/// control.reload(Reload::new(Limits::default(), Scan::default()).consumer(mine));
/// let trusted = control.accept(vec!["/etc/motd".into()]).ok_or("it watches no more")??;
/// println!("{} files are trusted as they are", trusted.files);
/// stop.stop();
/// watching.join().map_err(|_| "it panicked")??;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Control {
    pub(crate) orders: Sender<Order>,
    pub(crate) alerts: Sender<Tampering>,
}

impl Control {
    /// Continues with this. Every change made before the engine takes it up is reported by the old settings,
    /// and none is lost after: what is watched before and after stays marked, what is new is marked, then
    /// learned as trusted. Ends in a [`ConfigReloaded`](crate::Record::ConfigReloaded).
    pub fn reload(&self, reload: Reload) {
        // An engine that has gone needs no configuration.
        let _gone = self.orders.send(Order::Reload(Box::new(reload)));
    }

    /// Writes a copy of the state, as of all that was reported by then, and returns when that is done; `None` if
    /// the engine no longer watches. It looks at nothing else meanwhile: the writer should be quick.
    ///
    /// # Errors
    /// When the state cannot be read, or the copy not be written.
    pub fn copy_state(&self, out: Box<dyn Write + Send>) -> Option<Result<(), CopyError>> {
        let (answer, answered) = bounded(1);
        self.orders.send(Order::Copy(out, answer)).ok()?;
        answered.recv().ok()
    }

    /// Trusts what is there at these paths, or everywhere when there are none, after reporting what no event
    /// revealed: [`Engine::baseline`](crate::Engine::baseline) for an engine that watches. Returns when that is
    /// durable; `None` if the engine no longer watches.
    ///
    /// # Errors
    /// Which of the paths is not watched at all; nothing is done then.
    pub fn accept(&self, paths: Vec<PathBuf>) -> Option<Result<BaselineSummary, String>> {
        let (answer, answered) = bounded(1);
        self.orders.send(Order::Accept(paths, answer)).ok()?;
        answered.recv().ok()
    }

    /// Reports that a configuration was to be loaded and cannot be used, and why; nothing else changes.
    pub fn refused(&self, why: impl Into<String>) {
        let _gone = self.orders.send(Order::Refused(why.into()));
    }

    /// Reports an attempt on the watch that others than the engine noticed; as soon as it watches, before anything
    /// else.
    pub fn tampered(&self, tampering: Tampering) {
        let _gone = self.alerts.send(tampering);
    }
}
