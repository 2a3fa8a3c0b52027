//! Directories that were renamed, compared once more when the renames have come to rest: a look comes after the change,
//! and by then what it looked for may have moved on, so that two renames in a row can leave something behind that no
//! later event speaks of. What is found so is found by a scan.
//!
//! Must not know how a rename is taken in.

use super::adopt::Adopt;
use super::error::EngineError;
use super::live::Live;
use super::pending::Pending;
use crate::event::{FileEvent, Via};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// This long after the last of them.
const QUIET: Duration = Duration::from_millis(100);
/// Where they never rest, no later than this after the first.
const AT_LAST: Duration = Duration::from_secs(2);
/// How many times as long as it took is spent on other things first.
const REST: u32 = 10;
/// Directories compared in one go.
const STEP: usize = 16;

/// What is still to be compared.
#[derive(Debug, Default)]
pub(super) struct Settling {
    /// Names that directories had or got.
    moved: BTreeSet<PathBuf>,
    first: Option<Instant>,
    last: Option<Instant>,
    /// Directories of the comparison under way.
    todo: Vec<PathBuf>,
    /// How long it took so far.
    took: Duration,
    /// None begins before then.
    rest: Option<Instant>,
}

impl Settling {
    /// A directory has this name, or had it.
    pub(super) fn add(&mut self, path: &Path, now: Instant) {
        self.first.get_or_insert(now);
        self.last = Some(now);
        if !self.moved.contains(path) {
            self.moved.insert(path.to_owned());
        }
    }

    /// A directory was renamed. What is noted below it needs no new name: it is met on the way from this one.
    pub(super) fn rename(&mut self, from: &Path, to: &Path, now: Instant) {
        self.add(from, now);
        self.add(to, now);
    }

    /// When there is something to compare.
    pub(super) fn due(&self) -> Option<Instant> {
        if !self.todo.is_empty() {
            return Some(Instant::now());
        }
        let due = (self.last? + QUIET).min(self.first? + AT_LAST);
        Some(self.rest.map_or(due, |rest| rest.max(due)))
    }

    /// Nothing is to be compared.
    pub(super) fn is_at_rest(&self) -> bool {
        self.todo.is_empty() && self.moved.is_empty()
    }

    /// The next directory of the comparison under way; of all there is to compare, if it must be everything.
    fn next(&mut self, everything: bool) -> Option<PathBuf> {
        if self.todo.is_empty() && everything {
            self.begin();
        }
        self.todo.pop()
    }

    fn begin(&mut self) {
        (self.first, self.last, self.took) = (None, None, Duration::ZERO);
        for path in std::mem::take(&mut self.moved) {
            // What is below another is met on the way, and comes right after it.
            if self.todo.last().is_none_or(|last| !path.starts_with(last)) {
                self.todo.push(path);
            }
        }
        self.todo.reverse();
    }
}

impl Live<'_> {
    /// A directory's rename was looked at: whatever that made of what was known of its names, they are compared after it.
    pub(super) fn settle_again(&mut self, path: &Path, item: &Pending) {
        let now = Instant::now();
        for path in [Some(path), item.previous.as_deref(), item.moved_to.as_deref()].into_iter().flatten() {
            self.settling.add(path, now);
        }
    }

    /// Compares some of what was renamed, if it has come to rest, or all of it.
    pub(super) fn settle_renames(&mut self, everything: bool) -> Result<(), EngineError> {
        if !everything && self.settling.due().is_none_or(|due| due > Instant::now()) {
            return Ok(());
        }
        let start = Instant::now();
        let mut steps = 0;
        if self.settling.todo.is_empty() {
            self.settling.begin();
        }
        while let Some(dir) = self.settling.next(everything) {
            let event = FileEvent::new(SystemTime::now(), Via::Scan);
            let how = Adopt { scanned: true, alone: true, ..Adopt::default() };
            let tally = self.adopt_part(&dir, &event, &how)?;
            self.settling.todo.extend(tally.below);
            steps += 1;
            if steps == STEP && !everything {
                break;
            }
        }
        let took = start.elapsed();
        self.settling.took += took;
        if self.settling.todo.is_empty() {
            self.settling.rest = Some(Instant::now() + self.settling.took * REST);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renames_of_nested_directories_are_noted_once_each() {
        let (mut settling, now) = (Settling::default(), Instant::now());
        let name =
            |level: usize| (0..level).fold(PathBuf::from("/w"), |path, it| path.join(format!("d{it}")));
        for level in (1..=40).rev() {
            settling.rename(&name(level), &name(level).with_extension("new"), now);
        }
        assert_eq!(settling.moved.len(), 80);
        let first = settling.next(true);
        assert_eq!(first, Some(name(1)));
        assert_eq!(settling.todo, [name(1).with_extension("new")], "the others are below");
        // To and fro while a comparison is under way.
        settling.todo.push(name(2));
        for _ in 0..50 {
            settling.rename(&name(1), Path::new("/w/b"), now);
            settling.rename(Path::new("/w/b"), &name(1), now);
        }
        assert_eq!((settling.todo.len(), settling.moved.len()), (2, 2));
    }
}
