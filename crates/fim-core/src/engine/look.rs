//! One look at one path that was marked: open, arm, clear the mark, read, compare, report, remember.

use super::Engine;
use super::error::EngineError;
use super::judge::{Cause, Judgement};
use super::live::Live;
use super::pending::Pending;
use super::queue::Name;
use super::temporary::is_temporary;
use super::unarmed::Unarmed;
use super::visit::Tally;
use super::walk::{Reading, Walk, Walked};
use crate::event::{FileEvent, Via};
use crate::facts::{Facts, FileKind, HashState};
use crate::finding::{Detected, Record};
use crate::id::FileId;
use crate::snapshot::{Reader, Snapshot};
use crate::state::{FileRecord, State, Trusted};
use crate::watch_set::WatchSet;
use crate::watcher::{MarkRequest, MarkScope};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How a tree is adopted.
#[derive(Default)]
pub(super) struct Adopt<'a> {
    /// Where it was before, if it was moved here.
    pub from: Option<&'a Path>,
    /// Only what concerns these.
    pub only: Option<&'a WatchSet>,
    /// Who had what before: what changed hands is looked at though it is as it was.
    pub was: Option<&'a WatchSet>,
    /// What is unlike was found by a scan.
    pub scanned: bool,
    /// Ground that was never covered is learned, not compared.
    pub learn: bool,
}

/// Looks at a path whose time has come.
pub(super) fn look(live: &mut Live<'_>, path: PathBuf, item: Pending) -> Result<(), EngineError> {
    // A file that was renamed to a watched name is one story, told by its new name.
    if let Some(to) = item.moved_to.clone()
        && let Some(new) = live.queue.take_if_from(&to, &path)
    {
        live.queue.put_back(path.clone(), item);
        look_here(live, &to, &new)?;
        return match live.queue.take(&path) {
            Some(item) => look_here(live, &path, &item),
            None => Ok(()),
        };
    }
    look_here(live, &path, &item)
}

fn look_here(live: &mut Live<'_>, path: &Path, item: &Pending) -> Result<(), EngineError> {
    live.stats.looks += 1;
    let record = live.engine.state.get(path)?;
    let snapshot = take_snapshot(live, path, item, record.as_ref())?;
    let is_link = |facts: Option<&Facts>| facts.is_some_and(|facts| facts.kind == FileKind::Symlink);
    let seen = record.as_ref().and_then(|record| record.seen.as_ref());
    live.engine.interests.link_changed(path, is_link(seen) || is_link(snapshot.facts.as_ref()));
    let Some(owner) = live.engine.watch.owner(path) else {
        // With a directory above something watched, that goes too.
        let is_dir = snapshot.facts.is_some_and(|facts| facts.kind == FileKind::Dir);
        return if is_dir { Ok(()) } else { live.vanished_dir(path, item) };
    };
    if snapshot.hash_state() == HashState::Unstable && live.queue.again(path, item) {
        return Ok(());
    }
    let was_dir = record.as_ref().and_then(|it| it.seen.as_ref()).is_some_and(|it| it.kind == FileKind::Dir);
    let is_dir = snapshot.facts.as_ref().is_some_and(|it| it.kind == FileKind::Dir);
    if was_dir && !is_dir {
        live.vanished_dir(path, item)?;
    }
    let lost = (item.swept || item.is_by_scan()) && live.engine.lost.concerns(path);
    if record.is_none() && (lost || live.is_learned_now(path)) {
        return live.engine.learn(owner, snapshot);
    }
    let origin = Origin::of(live, item, record.as_ref(), &snapshot)?;
    let (before, kept) = parts(if origin.moved { origin.record.as_ref() } else { record.as_ref() });
    let by_scan = item.is_by_scan() || (item.swept && item.actors.is_empty());
    let detected = if by_scan { Detected::Scan } else { Detected::Live };
    let exchanged = item.via == Via::Exchange && item.previous.is_some() && snapshot.facts.is_some();
    let replaced = !origin.moved && (exchanged || origin.is_known());
    let cause = Cause {
        detected,
        marks: Some(item),
        previous: item.previous.clone(),
        moved: origin.moved,
        replaced,
        newcomer: item.handed || (origin.moved && origin.owner != Some(owner)),
    };
    let Some(mut judgement) = live.engine.judge(owner, before, kept, &snapshot, &cause) else {
        return Ok(());
    };
    origin.leave(live, owner, &mut judgement)?;
    if let Some(finding) = judgement.finding {
        live.stats.findings += 1;
        live.gaps.found += u64::from(item.swept);
        let told = match judgement.small {
            Some(small) => live.storms.take(*finding, small, Instant::now()).map(Box::new),
            None => Some(finding),
        };
        if let Some(finding) = told {
            live.engine.reporter.report(Record::Change(finding))?;
        }
    }
    advance(&mut live.engine.state, record, snapshot, judgement.keep)
}

/// What became of the name a file was renamed from.
#[derive(Default)]
struct Origin {
    /// The name, if it is gone and this look tells its story.
    gone: Option<PathBuf>,
    /// What was known of it, and whose it was.
    record: Option<FileRecord>,
    owner: Option<usize>,
    /// The same file, under a name that was free.
    moved: bool,
}

impl Origin {
    fn of(
        live: &Live<'_>,
        item: &Pending,
        record: Option<&FileRecord>,
        now: &Snapshot,
    ) -> Result<Self, EngineError> {
        let (Some(previous), Some(after)) = (&item.previous, &now.facts) else {
            return Ok(Self::default());
        };
        if !live.engine.reader.open_path(previous).is_err_and(|error| Reader::is_gone(&error)) {
            return Ok(Self::default());
        }
        let known = live.engine.state.get(previous)?;
        let was_here = record.is_some_and(|record| record.seen.is_some());
        let seen = known.as_ref().and_then(|record| record.seen.as_ref());
        let moved = !was_here && seen.is_some_and(|it| it.inode == after.inode && it.kind == after.kind);
        let owner = live.engine.watch.owner(previous);
        Ok(Self { gone: Some(previous.clone()), record: known, owner, moved })
    }

    fn is_known(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.seen.is_some())
    }

    /// Takes leave of the old name: its owner is told, and what that means to it is told with the rest.
    fn leave(
        &self,
        live: &mut Live<'_>,
        new_owner: usize,
        judgement: &mut Judgement,
    ) -> Result<(), EngineError> {
        let Some(previous) = &self.gone else { return Ok(()) };
        if let (Some(owner), Some(record), true) = (self.owner, &self.record, self.is_known()) {
            let (changes, severity) = live.engine.farewell(owner, record, &Snapshot::gone(previous));
            if let Some(finding) = judgement.finding.as_mut().filter(|_| owner != new_owner) {
                finding.changes.extend(changes);
                finding.severity =
                    severity.map_or(finding.severity, |severity| finding.severity.max(severity));
            }
        }
        advance(&mut live.engine.state, self.record.clone(), Snapshot::gone(previous), None)?;
        live.queue.take(previous);
        Ok(())
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
    let opened = live.engine.reader.open_path(path).and_then(|file| Ok((Reader::stat(file.as_fd())?, file)));
    let (facts, file) = match opened {
        Ok((facts, file)) => (facts, file),
        Err(error) if Reader::is_gone(&error) => return Ok(Snapshot::gone(path)),
        Err(error) => {
            log::warn!("{}: cannot look: {error}", path.display());
            let mut facts =
                record.and_then(|it| it.seen.clone()).unwrap_or_else(|| Facts::new(FileKind::File));
            (facts.hash_state, facts.blake3, facts.keyed, facts.sha256) =
                (HashState::Unreadable, None, None, None);
            return Ok(Snapshot::new(path, facts, None));
        }
    };
    live.arm(path, &file, &facts, item)?;
    let Some(owner) = live.engine.watch.owner(path) else {
        return Ok(Snapshot::new(path, facts, None));
    };
    let need = live.engine.watch.need_of(owner, path);
    Ok(live.engine.reader.look_at(file.as_fd(), path, need))
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
        let mut name = Name { temporary: false, known: true };
        if event.place.is_some() {
            name.temporary = path.file_name().is_some_and(|name| is_temporary(name.as_bytes()));
            name.known = self.engine.state.get(path)?.is_some_and(|record| record.seen.is_some());
        }
        self.queue.mark(path, event, name, Instant::now());
        Ok(())
    }

    /// Makes sure that what is under this path now is marked, before it is read.
    fn arm(&mut self, path: &Path, file: &OwnedFd, facts: &Facts, item: &Pending) -> Result<(), EngineError> {
        let is_dir = facts.kind == FileKind::Dir;
        let known = match item.id.filter(|id| id.inode == facts.inode) {
            Some(id) if is_dir => self.index.dir_id(path) == Some(id),
            Some(id) => self.index.has(id, path),
            None if is_dir => self.index.dir_id(path).is_some_and(|id| id.inode == facts.inode),
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
            self.marks.clear(marked.id);
            if !marked.armed && !self.engine.remote.has(path) {
                let mut unarmed = Unarmed::default();
                unarmed.add(path);
                self.unarmed(unarmed)?;
            }
        }
        Ok(())
    }

    fn forget_stale(&mut self, path: &Path, old: Option<FileId>, new: FileId) {
        if let Some(old) = old.filter(|old| *old != new) {
            self.index.remove_name(old, path);
        }
    }

    fn adopt_below(&mut self, path: &Path, item: &Pending) -> Result<(), EngineError> {
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
        let reader = self.engine.new_reader()?;
        let marks = Some(&mut *self.marks);
        let mut walk = Walk::new(&watch, &mut self.index, marks, Reading::Never, reader);
        let (mut unlike, mut new) = (Vec::new(), Vec::new());
        walk.only = how.only;
        walk.visit(top, &mut *self.engine, &mut |engine: &mut Engine, walked| {
            if how.learn
                && walked.record.is_none()
                && engine.is_new_ground(walked.owner, &walked.snapshot.path)
            {
                new.push(walked.snapshot.path);
                return Ok(());
            }
            let handed = how.was.is_some_and(|was| is_handed_on(was, &watch, &walked));
            if walked.snapshot.path != top
                && (handed || is_unlike(&walked) || (how.learn && is_news_to_consumers(&watch, &walked)))
            {
                let known = walked.record.is_some_and(|record| record.seen.is_some());
                unlike.push((walked.snapshot.path, known, handed));
            }
            Ok(())
        })?;
        let mut tally = Tally { files: walk.files, dirs: walk.dirs, unarmed: walk.unarmed };
        let remote = walk.remote;
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
            let temporary = path.file_name().is_some_and(|name| is_temporary(name.as_bytes()));
            let item = self.queue.mark(&path, &event, Name { temporary, known }, Instant::now());
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
    fn vanished_dir(&mut self, path: &Path, item: &Pending) -> Result<(), EngineError> {
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
        self.marks.remove(&gone);
        Ok(())
    }
}

/// Whether a file is to be looked at though nothing of it changed: its consumer has nothing yet to compare its
/// content with, or another overhears it.
fn is_news_to_consumers(watch: &WatchSet, walked: &Walked) -> bool {
    let is_file = walked.snapshot.facts.as_ref().is_some_and(|facts| facts.kind == FileKind::File);
    let has_kept = walked.record.as_ref().is_some_and(|record| record.kept.is_some());
    let lacks = !has_kept && watch.need(walked.owner).content.is_some();
    is_file && (lacks || !watch.overhearers(walked.owner, &walked.snapshot.path).is_empty())
}

/// Whether a file that is there belongs to another consumer than it did, to one that reads content: all of it
/// is new to that one.
fn is_handed_on(was: &WatchSet, is: &WatchSet, walked: &Walked) -> bool {
    let (path, owner) = (&walked.snapshot.path, walked.owner);
    let before = was.owner(path);
    is.need(owner).content.is_some() && before.is_some_and(|before| before != owner)
}

fn is_unlike(walked: &Walked) -> bool {
    let seen = walked.record.as_ref().and_then(|record| record.seen.as_ref());
    match (seen, &walked.snapshot.facts) {
        (Some(seen), Some(now)) => !seen.same_stat(now),
        (None, None) => false,
        _ => true,
    }
}
