//! Taking in what a watcher sends: which paths an event is about, and what follows from it before anybody looks.
//!
//! Must not know when a path is looked at.

use super::error::EngineError;
use super::file_system::is_subvolume;
use super::live::Live;
use crate::event::{FileEvent, Place, Via};
use crate::id::FileId;
use crate::watcher::WatchMessage;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

impl Live<'_> {
    pub(super) fn take(&mut self, message: &WatchMessage) -> Result<(), EngineError> {
        match message {
            WatchMessage::Event(event) => self.event(event),
            WatchMessage::Lost(loss) => self.lost(loss),
            WatchMessage::Recovered(number) => {
                self.gaps.note_compared(*number);
                Ok(())
            }
            WatchMessage::Tampered(tampering) => self.tell_alert(tampering.clone()),
        }
    }

    fn event(&mut self, event: &FileEvent) -> Result<(), EngineError> {
        self.stats.events += 1;
        log::trace!(
            "{:?} of {:?}, {:?} from {:?}",
            event.via,
            event.file.map(|id| id.inode),
            event.place,
            event.from
        );
        self.at_only_path(event)?;
        self.at_other_paths(event)
    }

    /// Takes in what happened to a name in a directory that is at other watched paths too.
    fn at_other_paths(&mut self, event: &FileEvent) -> Result<(), EngineError> {
        for place in [&event.place, &event.from].into_iter().flatten() {
            let Place::Entry { dir, name } = place else { continue };
            for path in self.index.other_entries(*dir, name) {
                let mut there = event.clone();
                (there.place, there.from) = (Some(Place::Path(path.clone())), None);
                match event.via {
                    Via::Rename | Via::Exchange => {
                        self.settling.add(&path, Instant::now());
                        self.mark(&path, &there)?;
                    }
                    _ => self.at_path(&path, &there)?,
                }
            }
        }
        Ok(())
    }

    fn at_only_path(&mut self, event: &FileEvent) -> Result<(), EngineError> {
        match event.via {
            Via::Rename | Via::Exchange => return self.renamed(event),
            Via::Mount => {
                self.mounts.about_to(event);
                return Ok(());
            }
            Via::Evict => {
                if let Some(id) = event.file {
                    for path in self.index.paths(id) {
                        self.mark(&path, event)?;
                    }
                    self.index.remove(id);
                }
                return Ok(());
            }
            _ => {}
        }
        match event.place.as_ref().map(|place| self.resolve(place)) {
            Some(Some(path)) => self.at_path(&path, event),
            // A name in a directory that is not watched, or not any more; the file may have a watched one besides.
            Some(None) if event.via.is_namespace() => {
                if let Some(id) = event.file.filter(|_| event.via.makes_a_name()) {
                    self.unmark_stranger(id);
                }
                Ok(())
            }
            Some(None) | None => self.mark_names(event, None),
        }
    }

    /// Joins an event to the names by which its file is known, without the one where it was seen.
    fn mark_names(&mut self, event: &FileEvent, seen: Option<&Path>) -> Result<(), EngineError> {
        let paths = event.file.map(|id| self.index.paths(id)).unwrap_or_default();
        let mut others = paths.iter().filter(|path| Some(path.as_path()) != seen);
        others.try_for_each(|path| self.mark(path, event))
    }

    fn at_path(&mut self, path: &Path, event: &FileEvent) -> Result<(), EngineError> {
        if !self.is_watched(path) {
            if !event.via.is_namespace() {
                // Reached by a name nobody watches: a hard link beside the watched tree, or an excluded one.
                return self.mark_names(event, Some(path));
            }
            if let Some(id) = event.file {
                self.unmark_stranger(id);
            }
            return Ok(());
        }
        let may_be_unmarked = self.may_be_unmarked(event);
        if self.follows
            && let Some(id) = event.file
        {
            match event.via {
                Via::Unlink => self.index.remove_name(id, path),
                Via::Rmdir => {}
                // What has no mark yet stays unknown, so that its look sets one.
                _ if !self.is_marked_at_birth(path) && self.index.paths(id).is_empty() => {}
                Via::Mkdir => self.index.add_dir(path, id),
                _ if may_be_unmarked => {}
                _ => self.index.add_file(path, id),
            }
        }
        self.mark(path, event)?;
        if event.via == Via::Mkdir
            && may_be_unmarked
            && let Some(item) = self.queue.get_mut(path)
        {
            item.list = true;
        }
        if !event.via.is_namespace() {
            self.mark_names(event, Some(path))?;
        }
        // One that is known was armed and listed with what it is in: else a deep tree is walked once for each level.
        let is_known = || event.file.is_some() && self.index.dir_id(path) == event.file;
        if event.via == Via::Mkdir && !self.follows && !is_known() {
            // Who made the directory is not known to have made what is in it.
            self.adopt(path, &FileEvent::new(event.at, Via::Scan), None)?;
        }
        if event.via == Via::Mkdir && self.follows && self.is_snapshot(path, event.file) {
            // All that is in it is there from the moment it is made, and by whom.
            let mut found = FileEvent::new(event.at, Via::Scan);
            found.actor.clone_from(&event.actor);
            self.adopt(path, &found, None)?;
        }
        Ok(())
    }

    /// Whether a new directory may be full of files at once.
    fn is_snapshot(&self, path: &Path, id: Option<FileId>) -> bool {
        id.is_some_and(|id| is_subvolume(id, || self.engine.reader.open_path(path).ok()))
    }

    /// A file the kernel marked, but which has no watched name (any more).
    pub(super) fn unmark_stranger(&mut self, id: FileId) {
        if self.index.paths(id).is_empty() {
            self.unmark(&[id]);
        }
    }

    /// Whether the kernel marks what gets this name by itself: in a directory that is watched as a whole.
    pub(super) fn is_marked_at_birth(&self, path: &Path) -> bool {
        use crate::watch_set::Cover;
        self.follows && path.parent().is_some_and(|dir| self.engine.watch.cover(dir) == Cover::All)
    }

    /// Removes marks of what is not watched any more, as far as is known: by now it may be back under a watched name,
    /// of which no event has come yet.
    pub(super) fn unmark(&mut self, ids: &[FileId]) {
        if !ids.is_empty() {
            self.marks.remove(ids);
            self.unmarked = Some(SystemTime::now());
        }
    }

    /// Whether the mark that a file had when this happened may have been removed since.
    pub(super) fn may_be_unmarked(&self, event: &FileEvent) -> bool {
        self.unmarked.is_some_and(|at| event.at <= at)
            && event.file.is_some_and(|id| self.index.paths(id).is_empty())
    }

    pub(super) fn is_watched(&self, path: &Path) -> bool {
        self.engine.is_watched(path)
    }

    pub(super) fn resolve(&self, place: &Place) -> Option<PathBuf> {
        match place {
            Place::Entry { dir, name } => {
                let gone = || self.gone.get(dir).map(|dir| dir.join(name));
                self.index.entry(*dir, name).or_else(gone)
            }
            Place::Path(path) => Some(path.clone()),
        }
    }
}
