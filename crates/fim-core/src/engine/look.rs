//! One look at one path that was marked: open, arm, clear the mark, read, compare, report, remember.

use super::error::EngineError;
use super::judge::Cause;
use super::live::Live;
use super::pending::Pending;
use super::queue::Name;
use super::rename_source::Origin;
use super::renames::Carried;
use super::unarmed::Unarmed;
use crate::event::{FileEvent, Via};
use crate::facts::{Facts, FileKind, HashState};
use crate::finding::{Detected, Record};
use crate::id::FileId;
use crate::snapshot::{Reader, Snapshot};
use crate::state::{FileRecord, State, Trusted};
use crate::watcher::{MarkRequest, MarkScope};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

/// How many times as long as it took to follow a directory is spent on other things.
const REST: u32 = 4;

/// Looks at a path whose time has come.
pub(super) fn look(live: &mut Live<'_>, path: PathBuf, item: Box<Pending>) -> Result<(), EngineError> {
    if live.is_on_its_way(&path, &item)? && live.queue.again(&path, &item) {
        return Ok(());
    }
    // A file that was renamed to a watched name is one story, told by its new name.
    if let Some(to) = item.moved_to.clone()
        && let Some(new) = live.queue.take_if_from(&to, &path, Instant::now())
    {
        live.queue.put_back(path.clone(), item);
        look_here(live, &to, &new)?;
        if live.queue.is_waiting(&to) {
            live.queue.wait_behind(&path, &to);
            return Ok(());
        }
        return match live.queue.take(&path) {
            Some(item) => look_here(live, &path, &item),
            None => Ok(()),
        };
    }
    look_here(live, &path, &item)
}

/// Looks at a path now, after the directories it is in.
pub(super) fn look_here(live: &mut Live<'_>, path: &Path, item: &Pending) -> Result<(), EngineError> {
    let mut record = live.engine.state.get(path)?;
    let is_unknown = record.as_ref().is_none_or(|record| record.seen.is_none());
    if is_unknown && live.look_above(path)? {
        record = live.engine.state.get(path)?;
    }
    look_alone(live, path, item, record)
}

/// Looks at a path now, whatever is known of the directories it is in.
fn look_alone(
    live: &mut Live<'_>,
    path: &Path,
    item: &Pending,
    record: Option<FileRecord>,
) -> Result<(), EngineError> {
    live.stats.looks += 1;
    log::trace!(
        "look at {path:?}: {:?} from {:?} to {:?}, list {}",
        item.via,
        item.previous,
        item.moved_to,
        item.list
    );
    let (carried, record, snapshot) = arrive(live, path, item, record)?;
    let is_link = |facts: Option<&Facts>| facts.is_some_and(|facts| facts.kind == FileKind::Symlink);
    let seen = record.as_ref().and_then(|record| record.seen.as_ref());
    let link = is_link(seen) || is_link(snapshot.facts.as_ref());
    live.engine.interests.link_changed(path, link, item.actors.last());
    let Some(owner) = live.engine.watch.owner(path) else {
        // With a directory above something watched, that goes too.
        let is_dir = snapshot.facts.is_some_and(|facts| facts.kind == FileKind::Dir);
        return if is_dir { Ok(()) } else { live.vanished_dir(path, item) };
    };
    if snapshot.hash_state() == HashState::Unstable && live.queue.again(path, item) {
        return Ok(());
    }
    let is_dir = snapshot.facts.as_ref().is_some_and(|it| it.kind == FileKind::Dir);
    if (is_dir || was_dir(record.as_ref())) && item.is_rename() {
        // What was noted of it when the rename was told may have been compared before this look.
        live.settle_again(path, item);
    }
    if was_dir(record.as_ref()) && !is_dir {
        live.vanished_dir(path, item)?;
    }
    let lost = (item.swept || item.is_by_scan()) && live.engine.lost.concerns(path);
    if record.is_none() && (lost || live.is_learned_now(path)) {
        return live.engine.learn(owner, snapshot);
    }
    let exchanged = item.via == Via::Exchange && item.previous.is_some() && snapshot.facts.is_some();
    let previous = item.previous.as_deref().filter(|previous| {
        // Whoever reads of a directory that took another's place moves what was below its old name.
        let takes_place = is_dir && record.as_ref().is_some_and(|record| record.seen.is_some());
        *previous != path && (!takes_place || exchanged || carried.is_some() || !live.is_watched(previous))
    });
    let origin = match (previous, &carried) {
        (Some(previous), None) if !exchanged => Origin::of(live, previous, record.as_ref(), &snapshot)?,
        _ => Origin::default(),
    };
    let (mut before, kept) = parts(if origin.moved { origin.record.as_ref() } else { record.as_ref() });
    let carried_onto = carried.as_ref().and_then(|carried| carried.replaced.as_ref());
    before = carried_onto.or(before);
    let moved = origin.moved || (carried.is_some() && carried_onto.is_none());
    let replaced = !moved && (exchanged || carried.is_some() || origin.is_known() || item.retell);
    let mut cause = Cause {
        detected: detected(live, item),
        marks: Some(item),
        previous: previous.map(Path::to_owned),
        moved,
        replaced,
        newcomer: item.handed || (origin.moved && live.engine.is_new_by_name(origin.owner, owner)),
        reason: None,
    };
    let reason = live.engine.reason(before, &snapshot, &cause);
    // What was carried is told now: it would be at home the next time.
    if carried.is_none() && live.waits_for(&reason, path, item) {
        return Ok(());
    }
    cause.reason = Some(reason);
    let is_there = snapshot.facts.is_some();
    let Some(mut judgement) = live.engine.judge(owner, before, kept, &snapshot, &cause) else {
        return Ok(());
    };
    origin.leave(live, owner, &mut judgement)?;
    if let Some(finding) = judgement.finding {
        live.gaps.found += u64::from(item.is_found());
        let told = match judgement.small {
            Some(small) => live.storms.take(*finding, small, Instant::now()).map(Box::new),
            None => Some(finding),
        };
        if let Some(finding) = told {
            live.engine.reporter.report(Record::Change(finding))?;
            if live.is_alone {
                // Nothing follows that it could leave with: it need not wait until the state knows of it.
                live.engine.reporter.flush()?;
            }
        }
        if let Some(previous) = cause.previous.filter(|_| !exchanged && is_there) {
            live.tell_again(&previous)?;
        }
    }
    advance(&mut live.engine.state, record, snapshot, judgement.keep)
}

/// What is at a path, and what was known of it; a directory that was renamed to it takes along what is known below.
fn arrive(
    live: &mut Live<'_>,
    path: &Path,
    item: &Pending,
    mut record: Option<FileRecord>,
) -> Result<(Option<Carried>, Option<FileRecord>, Snapshot), EngineError> {
    let start = Instant::now();
    let carried = live.carry(path, item)?;
    if carried.is_some() {
        record = live.engine.state.get(path)?;
    }
    let mut snapshot = take_snapshot(live, path, item, record.as_ref())?;
    if carried.is_some() {
        live.next_carry = Instant::now() + start.elapsed() * REST;
        let known = record.as_ref().and_then(|record| record.seen.as_ref());
        let is_it =
            |now: &Facts| known.is_some_and(|known| known.inode == now.inode && known.kind == now.kind);
        if !snapshot.facts.as_ref().is_some_and(is_it) {
            // It went on this very moment: that it came here is told, and then where it went.
            snapshot = Snapshot::gone(path);
            snapshot.facts = known.cloned();
            live.look_again(path)?;
        }
    }
    Ok((carried, record, snapshot))
}

fn detected(live: &Live<'_>, item: &Pending) -> Detected {
    // What was found by listing a directory that is new has no event of its own.
    match item.actors.is_empty() && (item.swept || item.via == Via::Scan) {
        _ if live.catching_up => Detected::Startup,
        true => Detected::Scan,
        false => Detected::Live,
    }
}

fn take_snapshot(
    live: &mut Live<'_>,
    path: &Path,
    item: &Pending,
    record: Option<&FileRecord>,
) -> Result<Snapshot, EngineError> {
    if let Some(id) = item.id {
        live.marks.clear(id);
    }
    let known = record.and_then(|record| record.seen.as_ref());
    let opened = live
        .engine
        .reader
        .open_path(path)
        .and_then(|file| Ok((Reader::stat_before_look(file.as_fd())?, file)));
    let (facts, file) = match opened {
        Ok((facts, file)) => (facts, file),
        Err(error) if Reader::is_gone(&error) => {
            live.queue.found_nothing(path);
            return Ok(Snapshot::gone(path));
        }
        Err(error) => {
            log::warn!("{}: cannot look: {error}", path.display());
            return Ok(Snapshot::unreadable(path).completed(known));
        }
    };
    live.arm(path, &file, &facts, item)?;
    let Some(owner) = live.engine.watch.owner(path) else {
        return Ok(Snapshot::new(path, facts, None));
    };
    let need = live.engine.watch.need_of(owner, path);
    Ok(live.engine.reader.look_from(file.as_fd(), path, facts, need).completed(known))
}

pub(super) fn was_dir(record: Option<&FileRecord>) -> bool {
    record.and_then(|it| it.seen.as_ref()).is_some_and(|it| it.kind == FileKind::Dir)
}

/// What a judgement needs of a record.
pub(super) fn parts(record: Option<&FileRecord>) -> (Option<&Facts>, Option<&[u8]>) {
    record.map_or((None, None), |record| (record.seen.as_ref(), record.kept.as_deref()))
}

/// Remembers what was seen; what is trusted stays as it was.
pub(super) fn advance(
    state: &mut State,
    record: Option<FileRecord>,
    now: Snapshot,
    keep: Option<Vec<u8>>,
) -> Result<(), EngineError> {
    let (path, seen) = (now.path, now.facts);
    let kept =
        if seen.is_some() { keep.or_else(|| record.as_ref().and_then(|it| it.kept.clone())) } else { None };
    if let Some(record) = &record
        && record.seen == seen
        && record.kept == kept
    {
        return Ok(());
    }
    let (trusted, trusted_kept) = match record {
        None => (Trusted::Absent, None),
        Some(FileRecord { trusted: Trusted::Same, seen: Some(old), kept, .. }) => {
            (Trusted::Facts(Box::new(old)), kept)
        }
        Some(FileRecord { trusted: Trusted::Same, seen: None, .. }) => (Trusted::Absent, None),
        Some(FileRecord { trusted, trusted_kept, .. }) => (trusted, trusted_kept),
    };
    if seen.is_none() && trusted == Trusted::Absent {
        return Ok(state.remove(&path)?);
    }
    Ok(state.put(&path, FileRecord { seen, trusted, kept, trusted_kept })?)
}

impl Live<'_> {
    /// Joins an event to what is known of a path.
    pub(super) fn mark(&mut self, path: &Path, event: &FileEvent) -> Result<(), EngineError> {
        if !self.is_watched(path) {
            return Ok(());
        }
        let name = match self.queue.asks_for_name(path, event) {
            true => Name::of(path, self.is_seen(path)?),
            false => Name { temporary: false, known: true },
        };
        self.queue.mark(path, event, name, Instant::now());
        Ok(())
    }

    /// Makes sure that what is under this path now is marked, before it is read.
    fn arm(&mut self, path: &Path, file: &OwnedFd, facts: &Facts, item: &Pending) -> Result<(), EngineError> {
        let is_dir = facts.kind == FileKind::Dir;
        let known = match item.id.filter(|id| id.inode == facts.inode) {
            Some(id) if is_dir => self.index.dir_id(path) == Some(id),
            Some(id) => self.index.has(id, path),
            None if is_dir => self.clear_dir(path, facts),
            None => false,
        };
        if is_dir && (!known || item.list) {
            return self.adopt_below(path, item);
        }
        if known || is_dir || (!self.follows && facts.links < 2 && self.engine.watch.covers_all_beside(path))
        {
            return Ok(());
        }
        let scope = MarkScope::File;
        let marked = self.marks.add(&[MarkRequest { file: file.as_fd(), path, scope }])?;
        if let Some(marked) = marked.first() {
            self.forget_stale(path, item.id, marked.id);
            self.index.add_file(path, marked.id);
            if !self.follows && facts.links > 1 && self.index.paths(marked.id).len() < facts.links as usize {
                self.links.want(facts, marked.id);
            }
            self.marks.clear(marked.id);
            if !marked.armed && !self.engine.remote.has(path) {
                let mut unarmed = Unarmed::default();
                unarmed.add(path);
                self.unarmed(unarmed)?;
            }
        }
        Ok(())
    }

    /// Clears the mark of a known directory that no event led to; `false` if it is not this one that is known.
    fn clear_dir(&mut self, path: &Path, facts: &Facts) -> bool {
        let id = self.index.dir_id(path).filter(|id| id.inode == facts.inode);
        if let Some(id) = id {
            self.marks.clear(id);
        }
        id.is_some()
    }

    fn forget_stale(&mut self, path: &Path, old: Option<FileId>, new: FileId) {
        if let Some(old) = old.filter(|old| *old != new) {
            self.index.remove_name(old, path);
        }
    }

    /// The directory of a path, if it is to be told of and has not been seen yet.
    fn unknown_above<'p>(&self, path: &'p Path) -> Result<Option<&'p Path>, EngineError> {
        let Some(dir) = path.parent().filter(|dir| self.engine.watch.owner(dir).is_some()) else {
            return Ok(None);
        };
        Ok((!was_dir(self.engine.state.get(dir)?.as_ref())).then_some(dir))
    }

    /// Nothing is told of what is in a directory before the directory itself, so that all that is known lies in known ones.
    /// `false` if all are known. Anybody can make them as deep as a path is long: the outermost is looked at first.
    fn look_above(&mut self, path: &Path) -> Result<bool, EngineError> {
        let (mut unknown, mut below) = (Vec::new(), path);
        while let Some(dir) = self.unknown_above(below)? {
            unknown.push(dir);
            below = dir;
        }
        if unknown.is_empty() || self.stat(path).is_none() {
            return Ok(false);
        }
        unknown.into_iter().rev().try_for_each(|dir| self.look_at_dir(dir))?;
        Ok(true)
    }

    fn look_at_dir(&mut self, dir: &Path) -> Result<(), EngineError> {
        let mut item = Box::new(Pending::of(&FileEvent::new(SystemTime::now(), Via::Scan)));
        if let Some(waiting) = self.queue.take(dir) {
            if self.is_on_its_way(dir, &waiting)? {
                // That is another directory's story.
                self.queue.put_back(dir.to_owned(), waiting);
            } else {
                item = waiting;
            }
        }
        let record = self.engine.state.get(dir)?;
        look_alone(self, dir, &item, record)
    }

    /// What is there is not what it was taken for.
    pub(super) fn look_again(&mut self, path: &Path) -> Result<(), EngineError> {
        self.mark(path, &FileEvent::new(SystemTime::now(), Via::Scan))?;
        if let Some(item) = self.queue.get_mut(path) {
            item.list = true;
        }
        Ok(())
    }

    /// Somebody was told that a file left this name; if another is there, that has to be told after it.
    fn tell_again(&mut self, path: &Path) -> Result<(), EngineError> {
        if self.is_seen(path)? && self.is_watched(path) {
            let known = Name { temporary: false, known: true };
            let event = FileEvent::new(SystemTime::now(), Via::Scan);
            self.queue.mark(path, &event, known, Instant::now()).retell = true;
        }
        Ok(())
    }
}
