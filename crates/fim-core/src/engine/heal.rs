//! Damage to the state: said aloud, given up block by block, and never taken for a change of the files.

use super::Engine;
use super::error::EngineError;
use crate::finding::{BaselineLost, Record};
use crate::state::State;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// What is lost of the state.
#[derive(Debug)]
pub(super) struct Lost {
    untold: Vec<BaselineLost>,
    dirs: HashSet<PathBuf>,
}

impl Lost {
    pub(super) fn new(untold: Vec<BaselineLost>) -> Self {
        Self { untold, dirs: HashSet::new() }
    }

    /// Whether what was known of a path may be lost: that it is not known says nothing then.
    pub(super) fn concerns(&self, path: &Path) -> bool {
        !self.dirs.is_empty() && path.parent().is_some_and(|dir| self.dirs.contains(dir))
    }
}

impl Engine {
    /// Reports what was lost before this engine was made.
    pub(super) fn tell_lost(&mut self) -> Result<(), EngineError> {
        for lost in std::mem::take(&mut self.lost.untold) {
            self.reporter.report(Record::BaselineLost(lost))?;
        }
        Ok(())
    }

    /// Does something, again from its start whenever it meets damage.
    pub(super) fn healing<T>(
        &mut self,
        mut act: impl FnMut(&mut Self) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        loop {
            match act(self) {
                Err(error) => drop(self.heal(error)?),
                done => return done,
            }
        }
    }

    /// Gives up what an error says is damaged, and says so: the directory. Any other error is given back.
    pub(super) fn heal(&mut self, error: EngineError) -> Result<PathBuf, EngineError> {
        let EngineError::Store(damage) = &error else { return Err(error) };
        let Some(dir) = State::damaged_dir(damage) else { return Err(error) };
        let dir: PathBuf = dir.components().collect();
        if self.state.drop_damaged(&dir)? == 0 {
            return Err(error);
        }
        let lost =
            BaselineLost { reason: damage.to_string(), set_aside: None, scope: dir.display().to_string() };
        self.reporter.report(Record::BaselineLost(lost))?;
        self.lost.dirs.insert(dir.clone());
        Ok(dir)
    }
}
