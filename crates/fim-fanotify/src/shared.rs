//! What the reader and the engine's thread hold together.
//!
//! Never held while a message is sent: the engine that would take the message may be waiting for it.

use crate::group::Group;
use crate::registry::Registry;
use fim_core::WatchSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
pub(crate) struct Shared {
    pub group: Group,
    registry: Mutex<Registry>,
    /// What is of interest from now on, if it is something else than before.
    watch: Mutex<Option<WatchSet>>,
}

impl Shared {
    pub(crate) fn new(group: Group) -> Self {
        Self { group, registry: Mutex::default(), watch: Mutex::default() }
    }

    /// The registry; whole even if a thread died with it, since each change to it is a single one.
    pub(crate) fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Other paths are of interest.
    pub(crate) fn set_watch(&self, watch: WatchSet) {
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch);
    }

    /// What is of interest, if that was said since the last time.
    pub(crate) fn take_watch(&self) -> Option<WatchSet> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
