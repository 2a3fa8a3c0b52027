//! Renames: the two ends of one are one story, and a directory takes everything below it along.

use super::error::EngineError;
use super::judge::Cause;
use super::live::Live;
use super::look::{advance, parts};
use super::pending::Pending;
use crate::event::{FileEvent, Via};
use crate::facts::{Facts, FileKind};
use crate::finding::{Detected, Record};
use crate::snapshot::{Reader, Snapshot};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

impl Live<'_> {
    /// Takes in a rename or exchange.
    pub(super) fn renamed(&mut self, event: &FileEvent) -> Result<(), EngineError> {
        let to = event.place.as_ref().and_then(|place| self.resolve(place));
        let from = event.from.as_ref().and_then(|place| self.resolve(place));
        let is_dir = self.is_dir(event, from.as_deref(), to.as_deref())?;
        if event.via == Via::Exchange {
            return self.exchanged(event, from.as_deref(), to.as_deref());
        }
        let to_watched = to.as_deref().is_some_and(|to| self.is_watched(to));
        match (from, to) {
            (Some(from), Some(to)) if is_dir && to_watched => self.moved_dir(&from, &to, event),
            (Some(from), to) if is_dir => self.left_dir(&from, to.as_deref(), event),
            (None, Some(to)) if is_dir && to_watched => {
                self.mark(&to, event)?;
                self.adopt(&to, event, None)
            }
            (from, to) => self.renamed_file(from, to, to_watched, event),
        }
    }

    fn is_dir(&self, event: &FileEvent, from: Option<&Path>, to: Option<&Path>) -> Result<bool, EngineError> {
        if event.file.is_some_and(|id| self.index.is_dir(id)) {
            return Ok(true);
        }
        if let Some(from) = from
            && let Some(seen) = self.engine.state.get(from)?.and_then(|record| record.seen)
        {
            return Ok(seen.kind == FileKind::Dir);
        }
        Ok(to.and_then(|to| self.stat(to)).is_some_and(|facts| facts.kind == FileKind::Dir))
    }

    fn is_seen(&self, path: &Path) -> Result<bool, EngineError> {
        Ok(self.engine.state.get(path)?.is_some_and(|record| record.seen.is_some()))
    }

    fn stat(&self, path: &Path) -> Option<Facts> {
        let file = self.engine.reader.open_path(path).ok()?;
        Reader::stat(file.as_fd()).ok()
    }

    fn renamed_file(
        &mut self,
        from: Option<PathBuf>,
        to: Option<PathBuf>,
        to_watched: bool,
        event: &FileEvent,
    ) -> Result<(), EngineError> {
        let mut history: Option<Pending> = None;
        let mut previous = from.clone();
        let is_marked = event.file.is_some_and(|id| !self.index.paths(id).is_empty());
        if let Some(from) = &from {
            if let Some(id) = event.file {
                self.index.remove_name(id, from);
            }
            history = self.queue.get_mut(from).map(|item| item.clone());
            match history.as_ref().and_then(|item| item.previous.clone()) {
                // Renamed on before anyone looked: the name between came and went.
                Some(older) if to_watched && !self.is_seen(from)? => {
                    self.queue.take(from);
                    if let Some(item) = self.queue.get_mut(&older) {
                        item.moved_to.clone_from(&to);
                    }
                    previous = Some(older);
                }
                _ => {
                    self.mark(from, event)?;
                    if let Some(item) = self.queue.get_mut(from) {
                        item.moved_to.clone_from(&to);
                    }
                }
            }
        }
        let Some(to) = to else { return Ok(()) };
        // A name that has no mark yet stays unknown, so that its look sets one.
        if let Some(id) = event.file.filter(|_| self.follows && (is_marked || self.is_marked_at_birth(&to))) {
            self.index.add_file(&to, id);
        }
        self.mark(&to, event)?;
        if let Some(item) = self.queue.get_mut(&to) {
            item.previous = previous.filter(|previous| *previous != to);
            if let Some(history) = &history {
                item.inherit(history);
            }
        }
        Ok(())
    }

    fn exchanged(
        &mut self,
        event: &FileEvent,
        from: Option<&Path>,
        to: Option<&Path>,
    ) -> Result<(), EngineError> {
        for (path, other) in [(from, to), (to, from)] {
            let Some(path) = path.filter(|path| self.is_watched(path)) else {
                continue;
            };
            // Identities below two exchanged directories are learned anew; what was known is wrong now.
            self.index.remove_dir(path);
            self.mark(path, event)?;
            if let Some(item) = self.queue.get_mut(path) {
                item.previous = other.map(Path::to_owned);
                (item.list, item.id) = (true, None);
            }
        }
        Ok(())
    }

    /// A directory renamed within the watched paths: its records follow, and it is listed once more.
    fn moved_dir(&mut self, from: &Path, to: &Path, event: &FileEvent) -> Result<(), EngineError> {
        self.index.rename_dir(from, to);
        self.queue.rename_tree(from, to);
        let record = self.engine.state.get(from)?;
        if record.as_ref().is_none_or(|record| record.seen.is_none()) {
            self.queue.take(from);
            self.mark(to, event)?;
            if let Some(item) = self.queue.get_mut(to) {
                item.previous = Some(from.to_owned());
            }
            return self.adopt(to, event, Some(from));
        }
        self.queue.take(from);
        self.tell_moved(from, to, event)?;
        for (old, record) in self.engine.state.below(from)? {
            let Ok(rest) = old.strip_prefix(from) else {
                continue;
            };
            let new = to.join(rest);
            let (seen, kept) = (record.seen.clone(), record.kept.clone());
            advance(&mut self.engine.state, Some(record), Snapshot::gone(old), None)?;
            if let Some(seen) = seen.filter(|_| self.engine.watch.owner(&new).is_some()) {
                let there = self.engine.state.get(&new)?;
                advance(&mut self.engine.state, there, Snapshot::new(new, seen, None), kept)?;
            }
        }
        self.adopt(to, &FileEvent::new(event.at, Via::Scan), None)
    }

    /// The one line of a directory that was renamed.
    fn tell_moved(&mut self, from: &Path, to: &Path, event: &FileEvent) -> Result<(), EngineError> {
        let (old, there) = (self.engine.state.get(from)?, self.engine.state.get(to)?);
        let Some(owner) = self.engine.watch.owner(to) else {
            return Ok(());
        };
        let before = old.as_ref().and_then(|record| record.seen.clone());
        let facts = self.stat(to).filter(|now| now.kind == FileKind::Dir).or_else(|| before.clone());
        let Some(facts) = facts else { return Ok(()) };
        let snapshot = Snapshot::new(to, facts, None);
        self.queue.take(to);
        let marks = Pending::of(event);
        let replaced = there.as_ref().is_some_and(|record| record.seen.is_some());
        let cause = Cause {
            detected: Detected::Live,
            marks: Some(&marks),
            previous: Some(from.to_owned()),
            moved: !replaced,
            replaced,
            newcomer: false,
        };
        let (_, kept) = parts(old.as_ref());
        let judgement = self.engine.judge(owner, before.as_ref(), kept, &snapshot, &cause);
        if let Some(finding) = judgement.and_then(|it| it.finding) {
            self.stats.findings += 1;
            self.engine.reporter.report(Record::Change(finding))?;
        }
        advance(&mut self.engine.state, old, Snapshot::gone(from), None)?;
        advance(&mut self.engine.state, there, snapshot, None)
    }

    /// A directory moved out of the watched paths.
    fn left_dir(&mut self, from: &Path, to: Option<&Path>, event: &FileEvent) -> Result<(), EngineError> {
        self.mark(from, event)?;
        if let Some(item) = self.queue.get_mut(from) {
            item.moved_to = to.map(Path::to_owned);
        }
        // What is still marked below is gone from there too; its own look says so.
        let gone = self.index.remove_dir(from);
        self.marks.remove(&gone);
        Ok(())
    }
}
