//! A process and what it is in, written once for all its lines.
//!
//! Its user is not among it: an account may get another name.

use super::super::json::Written;
use super::super::secret::Redactor;
use super::actor::{Container, Orchestrator, Process};
use fim_core::Actor;
use std::sync::Arc;

/// `process`, `container` and `orchestrator`.
#[derive(Debug)]
pub(super) struct Who {
    /// Kept, so that no other process is found at its place.
    actor: Arc<Actor>,
    pub process: Written,
    pub container: Option<Written>,
    pub orchestrator: Option<Written>,
}

impl Who {
    /// Writes what is known of a process.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn of(actor: &Arc<Actor>, redactor: &Redactor) -> serde_json::Result<Self> {
        Ok(Self {
            process: Written::of(&Process::of(actor, redactor))?,
            container: Container::of(actor).as_ref().map(Written::of).transpose()?,
            orchestrator: Orchestrator::of(actor).as_ref().map(Written::of).transpose()?,
            actor: Arc::clone(actor),
        })
    }

    /// Whether this is the one.
    pub fn is(&self, actor: &Arc<Actor>) -> bool {
        Arc::ptr_eq(&self.actor, actor)
    }
}
