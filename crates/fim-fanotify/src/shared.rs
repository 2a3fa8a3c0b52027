//! What the reader and the engine's thread hold together.
//!
//! Never held while a message is sent: the engine that would take the message may be waiting for it.

use crate::group::Group;
use crate::registry::Registry;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
pub(crate) struct Shared {
    pub group: Group,
    registry: Mutex<Registry>,
}

impl Shared {
    pub(crate) fn new(group: Group) -> Self {
        Self { group, registry: Mutex::default() }
    }

    /// The registry; whole even if a thread died with it, since each change to it is a single one.
    pub(crate) fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
