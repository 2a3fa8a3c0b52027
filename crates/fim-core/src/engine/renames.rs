//! Renames: the two ends of one are one story, and a directory takes everything below it along.

use super::error::EngineError;
use super::live::Live;
use super::look::{advance, look_here};
use super::pending::Pending;
use crate::event::{FileEvent, Via};
use crate::facts::{Facts, FileKind};
use crate::id::FileId;
use crate::snapshot::{Reader, Snapshot};
use crate::state::FileRecord;
use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

/// A directory whose records followed it to its new name.
pub(super) struct Carried {
    /// What was known of that name.
    pub replaced: Option<Facts>,
}

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
                self.settling.add(&to, Instant::now());
                self.mark(&to, event)?;
                self.adopt(&to, event, None)
            }
            (from, to) => self.renamed_file(from, to, to_watched, event),
        }
    }

    fn is_dir(&self, event: &FileEvent, from: Option<&Path>, to: Option<&Path>) -> Result<bool, EngineError> {
        if let Some(is_dir) = event.dir {
            return Ok(is_dir);
        }
        if event.file.is_some_and(|id| self.index.is_dir(id)) {
            return Ok(true);
        }
        if let Some(from) = from
            && let Some(seen) = self.last_seen(from)?
        {
            return Ok(seen.kind == FileKind::Dir);
        }
        Ok(to.and_then(|to| self.stat(to)).is_some_and(|facts| facts.kind == FileKind::Dir))
    }

    /// What is known of a path.
    fn last_seen(&self, path: &Path) -> Result<Option<Facts>, EngineError> {
        Ok(self.engine.state.get(path)?.and_then(|record| record.seen))
    }

    pub(super) fn is_seen(&self, path: &Path) -> Result<bool, EngineError> {
        Ok(self.last_seen(path)?.is_some())
    }

    pub(super) fn stat(&self, path: &Path) -> Option<Facts> {
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
        let may_be_unmarked = self.may_be_unmarked(event);
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
        let Some(to) = to.filter(|_| to_watched) else {
            from.iter().for_each(|from| self.queue.is_gone(from));
            event.file.into_iter().for_each(|id| self.unmark_stranger(id));
            return Ok(());
        };
        if let Some(from) = &from {
            self.queue.rename_open(from, &to, false);
        }
        // A name that has no mark yet stays unknown, so that its look sets one.
        let is_marked = is_marked || (self.is_marked_at_birth(&to) && !may_be_unmarked);
        if let Some(id) = event.file.filter(|_| self.follows && is_marked) {
            self.index.add_file(&to, id);
        }
        self.mark(&to, event)?;
        if let Some(item) = self.queue.get_mut(&to) {
            item.previous = previous.filter(|previous| *previous != to);
            // Of several the last counts.
            item.via = Via::Rename;
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
        if let (Some(from), Some(to)) = (from, to) {
            self.queue.rename_open(from, to, true);
        }
        for (path, other) in [(from, to), (to, from)] {
            let Some(path) = path.filter(|path| self.is_watched(path)) else {
                continue;
            };
            self.settling.add(path, Instant::now());
            // Identities below two exchanged directories are learned anew; what was known is wrong now.
            self.index.remove_dir(path);
            self.mark(path, event)?;
            if let Some(item) = self.queue.get_mut(path) {
                item.previous = other.map(Path::to_owned);
                (item.via, item.list, item.id) = (Via::Exchange, true, None);
            }
        }
        Ok(())
    }

    /// A directory renamed to a watched name. Where it is now is decided by looking: it may have moved on since.
    fn moved_dir(&mut self, from: &Path, to: &Path, event: &FileEvent) -> Result<(), EngineError> {
        self.settling.rename(from, to, Instant::now());
        let marked = self.index.dir_id(from);
        let is_here = self.has_dir(from, event);
        if is_here {
            self.index.rename_dir(from, to);
        }
        let waited = self.queue.rename_tree(from, to);
        let history = self.queue.take(from);
        // Renamed on before anyone looked: the name between came and went.
        let older = history.as_ref().and_then(|item| item.previous.clone());
        let origin = match older {
            Some(older) if !self.is_seen(from)? => older,
            _ => from.to_owned(),
        };
        // Numbers differ where the kernel knows a file by another than stat tells, as on overlays.
        let is_it = origin == from && marked.is_some() && marked == event.file && self.is_seen(from)?;
        let is_known = is_it || self.knows_dir(&origin, event)?;
        if is_known {
            // Another may have that name by now.
            self.mark(&origin, event)?;
            if let Some(item) = self.queue.get_mut(&origin) {
                (item.moved_to, item.list) = (Some(to.to_owned()), true);
            }
        }
        self.mark(to, event)?;
        if let Some(item) = self.queue.get_mut(to) {
            item.previous = Some(origin.clone()).filter(|origin| origin != to);
            (item.via, item.list) = (Via::Rename, is_known);
            if let Some(history) = &history {
                item.inherit(history);
            }
        }
        if !is_known {
            let mut gone = Pending::of(event);
            gone.moved_to = Some(to.to_owned());
            if is_here {
                self.vanished_dir(from, &gone)?;
            } else {
                self.look_again(from)?;
            }
            return self.adopt(to, event, Some(&origin));
        }
        if Instant::now() < self.next_carry {
            self.queue.not_before(&origin, self.next_carry);
            self.queue.not_before(to, self.next_carry);
        } else if self.is_same_dir(&origin, to)?
            && let Some(item) = self.queue.take(to)
        {
            return look_here(self, to, &item);
        }
        // Some of them may have waited for what was there before.
        let mut event = event.clone();
        (event.file, event.place) = (None, None);
        for path in waited {
            if self.is_seen(&path)? {
                self.mark(&path, &event)?;
            }
        }
        Ok(())
    }

    /// Whether this directory is still the one that is known to be marked under this name: a look may have come so late
    /// that it found the next one there.
    fn has_dir(&self, path: &Path, event: &FileEvent) -> bool {
        event.file.zip(self.index.dir_id(path)).is_none_or(|(id, known)| id == known)
    }

    /// Whether it is this directory that was last seen under this name.
    fn knows_dir(&self, path: &Path, event: &FileEvent) -> Result<bool, EngineError> {
        let seen = self.last_seen(path)?;
        let is_it = |id: FileId, seen: &Facts| seen.kind == FileKind::Dir && seen.inode == id.inode;
        Ok(seen.is_some_and(|seen| event.file.is_none_or(|id| is_it(id, &seen))))
    }

    /// Whether the directory last seen at `from` is at `to` now.
    fn is_same_dir(&self, from: &Path, to: &Path) -> Result<bool, EngineError> {
        let known = self.last_seen(from)?;
        let Some(known) = known.filter(|known| known.kind == FileKind::Dir && from != to) else {
            return Ok(false);
        };
        let is_it =
            |now: Facts| now.kind == FileKind::Dir && now.inode == known.inode && now.device == known.device;
        Ok(self.stat(to).is_some_and(is_it))
    }

    /// Whether a known directory was renamed, but is at neither name: what is to come says where it went on to.
    pub(super) fn is_on_its_way(&self, path: &Path, item: &Pending) -> Result<bool, EngineError> {
        let (from, to) = match (item.moved_to.as_deref(), item.previous.as_deref()) {
            (Some(to), _) if self.is_watched(to) => (path, to),
            (None, Some(from)) if item.via != Via::Exchange => (from, path),
            _ => return Ok(false),
        };
        let known = self.last_seen(from)?;
        let Some(known) = known.filter(|known| known.kind == FileKind::Dir) else {
            return Ok(false);
        };
        let is_it = |now: Facts| now.inode == known.inode && now.device == known.device;
        Ok(![from, to].into_iter().any(|path| self.stat(path).is_some_and(is_it)))
    }

    /// Where a directory that was renamed is found under its new name, all that is known below the old one follows,
    /// in one step. What was known of the new name, if so.
    pub(super) fn carry(&mut self, to: &Path, item: &Pending) -> Result<Option<Carried>, EngineError> {
        let Some(from) = item.previous.as_deref().filter(|_| item.via != Via::Exchange) else {
            return Ok(None);
        };
        if !self.is_same_dir(from, to)? || self.engine.watch.owner(to).is_none() {
            return Ok(None);
        }
        let replaced = self.last_seen(to)?;
        let mut leftovers: BTreeSet<PathBuf> =
            self.engine.state.below(to)?.into_iter().map(|(path, _)| path).collect();
        let mut all = self.engine.state.below(from)?;
        all.extend(self.engine.state.get(from)?.map(|record| (from.to_owned(), record)));
        let mut moved = Vec::with_capacity(all.len());
        let mut on_their_own = Vec::new();
        // First all go: the new name may be below the old one.
        for (old, record) in all {
            let Ok(rest) = old.strip_prefix(from) else {
                continue;
            };
            // A trailing slash would make another name of the top.
            let new = if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) };
            if self.is_another_story(&old, &new, &record) {
                leftovers.remove(&new);
                on_their_own.push((old, new));
                continue;
            }
            let (seen, kept) = (record.seen.clone(), record.kept.clone());
            advance(&mut self.engine.state, Some(record), Snapshot::gone(old), None)?;
            moved.extend(seen.map(|seen| (Snapshot::new(new, seen, None), kept)));
        }
        for (snapshot, kept) in moved {
            if self.engine.watch.owner(&snapshot.path).is_some() {
                let there = self.engine.state.get(&snapshot.path)?;
                leftovers.remove(&snapshot.path);
                advance(&mut self.engine.state, there, snapshot, kept)?;
            }
        }
        // Of the directory that had this name before: it can only have gone, or its name have been free.
        for path in leftovers.into_iter().filter(|path| !path.starts_with(from)) {
            self.mark(&path, &FileEvent::new(SystemTime::now(), Via::Scan))?;
        }
        if self.stat(from).is_none() {
            self.queue.take(from);
        }
        let mut event = FileEvent::new(item.at, Via::Rename);
        event.actor = item.actors.last().cloned();
        for (old, new) in on_their_own {
            self.mark(&new, &event)?;
            if let Some(item) = self.queue.get_mut(&new) {
                (item.previous, item.via) = (Some(old), Via::Rename);
            }
        }
        Ok(Some(Carried { replaced }))
    }

    /// Whether a file means something else under the name that it gets with its directory: it is told by itself.
    fn is_another_story(&self, old: &Path, new: &Path, record: &FileRecord) -> bool {
        let is_file = record.seen.as_ref().is_some_and(|seen| seen.kind != FileKind::Dir);
        let engine = &self.engine;
        let from = engine.watch.owner(old);
        is_file && engine.watch.owner(new).is_some_and(|to| engine.means_another_by_name(from, to))
    }

    /// A directory moved out of the watched paths.
    fn left_dir(&mut self, from: &Path, to: Option<&Path>, event: &FileEvent) -> Result<(), EngineError> {
        self.settling.add(from, Instant::now());
        self.mark(from, event)?;
        if let Some(item) = self.queue.get_mut(from) {
            // Another may have its name by now.
            (item.moved_to, item.list) = (to.map(Path::to_owned), true);
        }
        if self.has_dir(from, event) {
            // What is still marked below is gone from there too; its own look says so.
            let gone = self.index.remove_dir(from);
            self.unmark(&gone);
        }
        Ok(())
    }
}
