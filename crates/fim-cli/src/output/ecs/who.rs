//! A process and what it is in, written once for all its lines.
//!
//! Its user is not among it: an account may get another name.

use super::super::json::Written;
use super::super::secret::Redactor;
use super::actor::{Container, Orchestrator, Process};
use fim_core::Actor;
use serde::ser::Error as _;
use serde_json::Error;
use std::collections::VecDeque;
use std::sync::Arc;

/// So many are kept: as many as may change files in turns.
const MANY: usize = 16;

/// Processes that were written lately.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The newest first.
    all: VecDeque<Who>,
    /// By which patterns their secrets are hidden.
    version: u64,
}

impl Known {
    /// A process, written now if it was not before.
    ///
    /// # Errors
    /// As [`Who::of`].
    pub fn who(&mut self, actor: &Arc<Actor>, redactor: &Redactor) -> serde_json::Result<&Who> {
        let version = redactor.version();
        if self.version != version {
            *self = Self { version, ..Self::default() };
        }
        let at = match self.all.iter().position(|who| who.is(actor)) {
            Some(at) => at,
            None => {
                let who = Who::of(actor, redactor)?;
                self.all.truncate(MANY - 1);
                self.all.push_front(who);
                0
            }
        };
        self.all.get(at).ok_or_else(|| Error::custom("it is not where it was put"))
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use regex::bytes::Regex;

    #[test]
    fn many_processes_are_each_written_as_they_are() {
        let (mut known, redactor) = (Known::default(), Redactor::new(vec![]));
        let all: Vec<Arc<Actor>> = (0..3 * MANY as u32).map(|pid| Arc::new(Actor::new(pid))).collect();
        for actor in all.iter().chain(all.iter().rev()) {
            for _ in 0..2 {
                let who = known.who(actor, &redactor).unwrap();
                assert_eq!(format!("{:?}", who.process), format!("{{\"pid\":{}}}", actor.pid));
            }
        }
        assert_eq!(known.all.len(), MANY);
    }

    #[test]
    fn what_is_hidden_from_now_on_is_hidden_of_a_process_that_is_known() {
        let (mut known, redactor) = (Known::default(), Redactor::new(vec![]));
        let mut actor = Actor::new(7);
        actor.args = vec!["pin=1234".into()];
        let actor = Arc::new(actor);
        let mut shown = || format!("{:?}", known.who(&actor, &redactor).unwrap().process);
        assert!(shown().contains("1234"));
        redactor.set(vec![Regex::new("pin=([0-9]+)").unwrap()]);
        assert!(!shown().contains("1234"));
    }
}
