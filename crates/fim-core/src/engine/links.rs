//! The other names of a file that got one more while it was watched, where events come by name: a file of one name is not
//! known by its identity, and what is written through the new name changes what is under the old one.
//!
//! Must not know where events come from.

use super::error::EngineError;
use super::live::Live;
use crate::event::{FileEvent, Via};
use crate::facts::Facts;
use crate::id::FileId;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Instant, SystemTime};

/// How many times as long as a search took is spent on other things: anybody can make links.
const REST: u32 = 20;

/// Files with more names than are known.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// By device and inode as stat tells them, and how the watcher calls them.
    wanted: HashMap<(u64, u64), FileId>,
    /// No search before then.
    next: Option<Instant>,
}

impl Links {
    /// A file has other names than those that are known.
    pub(super) fn want(&mut self, facts: &Facts, id: FileId) {
        self.wanted.insert((facts.device, facts.inode), id);
    }

    /// Nothing is waited for any more.
    pub(super) fn hurry(&mut self) {
        self.next = None;
    }

    /// When their names are to be looked for.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        (!self.wanted.is_empty()).then(|| self.next.unwrap_or(now))
    }
}

impl Live<'_> {
    /// Looks for the other names in what was last seen, if it is time to. From now on they are known; what was written through
    /// the new name until now, a look at them finds.
    pub(super) fn look_for_other_names(&mut self) -> Result<(), EngineError> {
        let start = Instant::now();
        if self.links.due(start).is_none_or(|due| due > start) {
            return Ok(());
        }
        let wanted = std::mem::take(&mut self.links.wanted);
        let mut found = Vec::new();
        self.engine.state.walk(Path::new("/"), &mut |path, record| {
            let seen = record.seen.as_ref();
            if let Some(id) = seen.and_then(|seen| wanted.get(&(seen.device, seen.inode))) {
                found.push((path, *id));
            }
            ControlFlow::Continue(())
        })?;
        let event = FileEvent::new(SystemTime::now(), Via::Scan);
        for (path, id) in found {
            self.index.add_file(&path, id);
            self.mark(&path, &event)?;
        }
        self.links.next = Some(start + start.elapsed() * REST);
        Ok(())
    }
}
