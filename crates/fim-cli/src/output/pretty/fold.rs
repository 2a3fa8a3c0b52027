//! Routine changes that have the same reason, told in one line: an upgrade touches thousands of files, and nobody
//! reads as many lines. Only what came in one turn is told together, since nothing may be kept back for longer
//! than the state that speaks of it.
//!
//! The other forms have a line for each file.

use fim_core::{Finding, Severity};

/// Changes that belong together.
#[derive(Debug)]
pub struct Group {
    /// The first of them.
    pub first: Finding,
    /// How many there are besides.
    pub more: u64,
}

/// What was put off.
#[derive(Debug, Default)]
pub struct Fold(Vec<Group>);

impl Fold {
    /// Takes a change that can be told with others; `false` if it must be told by itself.
    pub fn take(&mut self, finding: &Finding) -> bool {
        if finding.explained_by.is_none() || finding.severity > Severity::Routine {
            return false;
        }
        match self.0.iter_mut().find(|group| group.is_like(finding)) {
            Some(group) => group.more += 1,
            None => self.0.push(Group { first: finding.clone(), more: 0 }),
        }
        true
    }

    /// Gives all that was taken.
    pub fn release(&mut self) -> Vec<Group> {
        std::mem::take(&mut self.0)
    }
}

impl Group {
    fn is_like(&self, other: &Finding) -> bool {
        let pid = |finding: &Finding| finding.actors.last().map(|actor| (actor.pid, actor.start));
        let first = &self.first;
        first.explained_by == other.explained_by && first.action == other.action && pid(first) == pid(other)
    }
}
