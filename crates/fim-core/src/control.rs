//! How others tell a running engine to go on otherwise: with another configuration, or with a word that there
//! is none.
//!
//! Knows nothing of files of configuration, nor of how the engine does it.

use crate::consumer::Consumer;
use crate::engine::Scan;
use crate::secrecy::Secrecy;
use crate::snapshot::Limits;
use crossbeam_channel::Sender;
use std::fmt;

/// What a running engine is to go on with, instead of what it has.
pub struct Reload {
    pub(crate) consumers: Vec<Box<dyn Consumer>>,
    pub(crate) limits: Limits,
    pub(crate) scan: Scan,
    pub(crate) secrecy: Option<Secrecy>,
    pub(crate) notes: Vec<String>,
}

impl Reload {
    /// Nothing to watch yet, and these bounds.
    #[must_use]
    pub fn new(limits: Limits, scan: Scan) -> Self {
        Self { consumers: Vec::new(), limits, scan, secrecy: None, notes: Vec::new() }
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
#[derive(Debug)]
pub(crate) enum Order {
    Reload(Box<Reload>),
    Refused(String),
}

/// A hand on an engine, from [`Engine::control`](crate::Engine::control). Cheap to copy; what it says is
/// taken up in its order while the engine watches.
#[derive(Clone, Debug)]
pub struct Control(pub(crate) Sender<Order>);

impl Control {
    /// Goes on with this. Every change made before the engine takes it up is told as if nothing had been
    /// said, and none is lost after: what is watched before and after stays marked, what is new is marked,
    /// then learned as trusted. Ends in a [`ConfigReloaded`](crate::Record::ConfigReloaded).
    pub fn reload(&self, reload: Reload) {
        // An engine that has gone needs no configuration.
        let _gone = self.0.send(Order::Reload(Box::new(reload)));
    }

    /// Reports that a configuration was to be loaded and cannot be used, and why; nothing else changes.
    pub fn refused(&self, why: impl Into<String>) {
        let _gone = self.0.send(Order::Refused(why.into()));
    }
}
