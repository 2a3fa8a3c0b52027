//! Taking in a directory: all that is watched below it is armed, and what is unlike what was last seen is marked.
//! And giving up one that is gone.
//!
//! Must not know how a path is looked at.

use super::Engine;
use super::error::EngineError;
use super::live::Live;
use super::pending::Pending;
use super::queue::Name;
use super::tally::Tally;
use super::walk::{Anew, Reading, Walk, Walked};
use crate::event::{FileEvent, Via};
use crate::facts::FileKind;
use crate::watch_set::WatchSet;
use std::path::Path;
use std::time::Instant;

/// How a tree is adopted.
#[derive(Default)]
pub(super) struct Adopt<'a> {
    /// Where it was before, if it was moved here.
    pub from: Option<&'a Path>,
    /// Only what this concerns.
    pub anew: Option<Anew<'a>>,
    /// What is unlike was found by a scan.
    pub scanned: bool,
    /// Ground that was never covered is learned, not compared.
    pub learn: bool,
    /// Itself and what is directly in it, not what is further down.
    pub alone: bool,
}

impl Adopt<'_> {
    /// Nothing but to arm and compare.
    const fn is_plain(&self) -> bool {
        self.from.is_none() && self.anew.is_none() && !self.scanned && !self.learn && !self.alone
    }
}

impl Live<'_> {
    pub(super) fn adopt_below(&mut self, path: &Path, item: &Pending) -> Result<(), EngineError> {
        let via = match item.via {
            _ if item.swept => Via::Sweep,
            // Who exchanges a directory exchanges what is in it.
            Via::Exchange => Via::Exchange,
            _ => Via::Scan,
        };
        let mut event = FileEvent::new(item.at, via);
        event.actor = item.actors.last().filter(|_| via == Via::Exchange).cloned();
        let how = Adopt { scanned: item.is_by_scan(), ..Adopt::default() };
        self.adopt_part(path, &event, &how).map(drop)
    }

    /// Arms a directory and all that is watched below it, and marks what is not as it was last seen.
    /// Each is marked by `event`; `from` is where the tree was before, if it was moved here.
    pub(super) fn adopt(
        &mut self,
        top: &Path,
        event: &FileEvent,
        from: Option<&Path>,
    ) -> Result<(), EngineError> {
        self.adopt_part(top, event, &Adopt { from, ..Adopt::default() }).map(drop)
    }

    /// As [`Self::adopt`], otherwise.
    pub(super) fn adopt_part(
        &mut self,
        top: &Path,
        event: &FileEvent,
        how: &Adopt<'_>,
    ) -> Result<Tally, EngineError> {
        let mut event = event.clone();
        // What was just found may be about to be written; what makes up for a loss is late already.
        event.settled = event.via == Via::Sweep;
        (event.file, event.place) = (None, None);
        let watch = self.engine.watch.clone();
        let reader = self.engine.new_reader();
        let marks = Some(&mut *self.marks);
        let mut walk = Walk::new(&watch, &mut self.index, marks, Reading::Never, reader);
        let (mut unlike, mut new) = (Vec::new(), Vec::new());
        (walk.anew, walk.alone) = (how.anew, how.alone);
        // Where files have marks of their own, each gets one here.
        walk.new_files = (!self.follows && how.is_plain()).then(Vec::new);
        walk.visit(top, &mut *self.engine, &mut |engine: &mut Engine, visited| {
            let Some(walked) = visited else { return Ok(()) };
            if how.learn
                && walked.record.is_none()
                && engine.is_new_ground(walked.owner, &walked.snapshot.path)
            {
                new.push(walked.snapshot.path);
                return Ok(());
            }
            let handed = walked.handed;
            if (how.alone || walked.snapshot.path != top)
                && (handed || is_unlike(&walked) || (how.learn && is_news_to_consumers(&watch, &walked)))
            {
                let known = walked.record.is_some_and(|record| record.seen.is_some());
                unlike.push((walked.snapshot.path, known, handed));
            }
            Ok(())
        })?;
        let Walk { mut tally, remote, new_files, .. } = walk;
        unlike.extend(new_files.into_iter().flatten().map(|path| (path, false, false)));
        self.found_remote(remote);
        self.add_new_ground(new);
        for (path, known, handed) in unlike {
            if how.scanned {
                self.queue.mark_scanned(&path, Instant::now());
                continue;
            }
            if event.via == Via::Sweep && self.queue.holds(&path) {
                continue;
            }
            let item = self.queue.mark(&path, &event, Name::of(&path, known), Instant::now());
            item.handed |= handed;
            if let Some(from) = how.from
                && let Ok(rest) = path.strip_prefix(top)
            {
                item.previous = Some(from.join(rest));
            }
        }
        self.unarmed(std::mem::take(&mut tally.unarmed))?;
        Ok(tally)
    }

    /// A directory is gone: so is all that was in it.
    pub(super) fn vanished_dir(&mut self, path: &Path, item: &Pending) -> Result<(), EngineError> {
        let mut event = FileEvent::new(item.at, item.via);
        event.actor = item.actors.last().cloned();
        event.settled = true;
        for (below, record) in self.engine.state.below(path)? {
            if record.seen.is_some() {
                if item.is_by_scan() {
                    self.queue.mark_scanned(&below, Instant::now());
                    continue;
                }
                self.mark(&below, &event)?;
                if let (Some(to), Ok(rest)) = (&item.moved_to, below.strip_prefix(path))
                    && let Some(child) = self.queue.get_mut(&below)
                {
                    child.moved_to = Some(to.join(rest));
                }
            }
        }
        let gone = self.index.remove_dir(path);
        self.unmark(&gone);
        Ok(())
    }
}

/// Whether a file is to be looked at though nothing of it changed: its consumer has nothing yet to compare its
/// content with, or another overhears it.
fn is_news_to_consumers(watch: &WatchSet, walked: &Walked) -> bool {
    let is_file = walked.snapshot.facts.as_ref().is_some_and(|facts| facts.kind == FileKind::File);
    let has_kept = walked.record.as_ref().is_some_and(|record| record.kept.is_some());
    let lacks = !has_kept && watch.need(walked.owner).content.is_some();
    is_file && (lacks || watch.overhearers(walked.owner, &walked.snapshot.path).next().is_some())
}

/// Whether it is not as it was last seen, or may not be.
pub(super) fn is_unlike(walked: &Walked) -> bool {
    let seen = walked.record.as_ref().and_then(|record| record.seen.as_ref());
    match (seen, &walked.snapshot.facts) {
        (Some(seen), Some(now)) => !seen.same_stat(now) || seen.is_unreadable() || now.is_unreadable(),
        (None, None) => false,
        _ => true,
    }
}
