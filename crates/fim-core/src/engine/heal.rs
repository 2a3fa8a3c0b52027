//! Damage to the state: said aloud, given up block by block, and never taken for a change of the files.

use super::Engine;
use super::error::EngineError;
use crate::finding::{BaselineLost, Record};
use crate::state::{Input, Malformed, State, put_sized};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What was lost and no watch has told yet.
const LOST: &str = "lost";

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

    /// All that is there is known again.
    pub(super) fn forget(&mut self) {
        self.dirs.clear();
    }

    /// Whether what was known of a path may be lost: that it is not known says nothing then.
    pub(super) fn concerns(&self, path: &Path) -> bool {
        !self.dirs.is_empty() && path.parent().is_some_and(|dir| self.dirs.contains(dir))
    }
}

impl Engine {
    /// Reports what was lost before this watch, or before the check or baseline that noticed it.
    pub(super) fn tell_lost(&mut self) -> Result<(), EngineError> {
        let kept = self.state.meta(LOST)?.unwrap_or_default();
        if !kept.is_empty() {
            self.state.set_meta(LOST, &[])?;
        }
        // What cannot be read back was told once all the same.
        for lost in decode(&kept).unwrap_or_default().into_iter().chain(std::mem::take(&mut self.lost.untold))
        {
            self.reporter.report(Record::BaselineLost(lost))?;
        }
        Ok(())
    }

    /// Reports what was lost, and keeps it for the next watch: whoever reads its lines must know as well.
    pub(super) fn tell_lost_for_now(&mut self) -> Result<(), EngineError> {
        for lost in std::mem::take(&mut self.lost.untold) {
            self.keep_for_watch(&lost)?;
            self.reporter.report(Record::BaselineLost(lost))?;
        }
        self.reporter.sync(&mut self.state)
    }

    fn keep_for_watch(&mut self, lost: &BaselineLost) -> Result<(), EngineError> {
        let mut kept = self.state.meta(LOST)?.unwrap_or_default();
        encode(lost, &mut kept);
        Ok(self.state.set_meta(LOST, &kept)?)
    }

    /// Does something, again from its start whenever it meets damage.
    pub(super) fn healing<T>(
        &mut self,
        mut act: impl FnMut(&mut Self) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        loop {
            match act(self) {
                Err(error) => self.heal(error)?,
                done => return done,
            }
        }
    }

    /// Gives up what an error says is damaged, and says so. Any other error is given back.
    pub(super) fn heal(&mut self, error: EngineError) -> Result<(), EngineError> {
        let EngineError::Store(damage) = &error else { return Err(error) };
        let Some(dir) = State::damaged_dir(damage) else { return Err(error) };
        let dir: PathBuf = dir.components().collect();
        if self.state.drop_damaged(&dir)? == 0 {
            return Err(error);
        }
        let lost =
            BaselineLost { reason: damage.to_string(), set_aside: None, scope: dir.display().to_string() };
        if !self.reporter.is_series() {
            self.keep_for_watch(&lost)?;
        }
        self.reporter.report(Record::BaselineLost(lost))?;
        self.lost.dirs.insert(dir);
        Ok(())
    }
}

fn encode(lost: &BaselineLost, to: &mut Vec<u8>) {
    put_sized(to, lost.reason.as_bytes());
    put_sized(to, lost.set_aside.as_ref().map_or(&[][..], |path| path.as_os_str().as_bytes()));
    put_sized(to, lost.scope.as_bytes());
}

fn decode(bytes: &[u8]) -> Result<Vec<BaselineLost>, Malformed> {
    let mut input = Input(bytes);
    let mut all = Vec::new();
    while !input.is_empty() {
        let reason = text(input.sized()?);
        let set_aside = Some(input.sized()?).filter(|path| !path.is_empty());
        let set_aside = set_aside.map(|path| PathBuf::from(OsStr::from_bytes(path)));
        all.push(BaselineLost { reason, set_aside, scope: text(input.sized()?) });
    }
    Ok(all)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
