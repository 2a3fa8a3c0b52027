//! What a kernel marked while nobody took it: joined with what comparing found, so that a change made between
//! two watches has its actor.
//!
//! The events are those of a watch, but they come after all of it has happened: directories may be gone that
//! they name. Knows no watcher.

use super::error::EngineError;
use super::live::Live;
use super::queue::Name;
use crate::event::{FileEvent, Place, Via};
use crate::id::FileId;
use crate::watcher::{Backlog, WatchMessage};
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

/// A path that is not as it was last seen, and whether it was seen at all.
pub(super) type Unlike = (PathBuf, bool);

impl Live<'_> {
    /// Looks at what comparing found to be unlike, and at what was marked, once who did it is known.
    pub(super) fn follow_backlog(
        &mut self,
        backlog: Backlog,
        unlike: Vec<Unlike>,
    ) -> Result<(), EngineError> {
        let now = Instant::now();
        self.catching_up = true;
        let found = FileEvent::new(SystemTime::now(), Via::Scan);
        for (path, known) in unlike {
            self.queue.mark(&path, &found, Name::of(&path, known), now);
        }
        self.learn_gone(&backlog.messages);
        for message in backlog.messages {
            self.take(&message)?;
        }
        self.drain(true)?;
        // The state knows of what is held back, and is committed before the watch is said to have started.
        self.tell_storms()?;
        self.close_compared()?;
        self.gone.clear();
        self.catching_up = false;
        // Found by comparing at the start, not by making up for a loss.
        self.gaps.found = 0;
        Ok(())
    }

    /// Learns what directories were called that are gone by now, from the events of their going. The last ones
    /// first: where a tree was removed, only they lead to something that is still there.
    fn learn_gone(&mut self, messages: &[WatchMessage]) {
        let events = || {
            messages.iter().rev().filter_map(|message| match message {
                WatchMessage::Event(event) => Some(event),
                _ => None,
            })
        };
        let named: HashSet<FileId> = events()
            .flat_map(|event| [&event.place, &event.from])
            .filter_map(|place| match place {
                Some(Place::Entry { dir, .. }) => Some(*dir),
                _ => None,
            })
            .collect();
        for event in events() {
            let Some(id) = event.file.filter(|id| named.contains(id)) else { continue };
            if self.index.is_dir(id) || self.gone.contains_key(&id) {
                continue;
            }
            let places = [&event.place, &event.from];
            let path = places.into_iter().flatten().find_map(|place| self.resolve(place));
            if let Some(path) = path {
                self.gone.insert(id, path);
            }
        }
    }
}
