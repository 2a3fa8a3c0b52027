//! What is dirty and when to look at it: marks joined by path until the file is settled.
//!
//! A file just closed by its writer is looked at once; a new name waits a moment in case it is renamed
//! into place; a hot file is looked at ever less often. Knows time only as it is told, and no file system.

#[cfg(test)]
mod tests;

use super::backoff::Backoff;
use super::by_path::ByPath;
use super::fair_queue::{FairQueue, Lane};
use super::open_files::OpenFiles;
use super::pending::{Pending, SETTLE};
use super::temporary::is_temporary;
use crate::event::{FileEvent, Via};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// How often a file is looked at while a mapping or an asynchronous write may still change it.
const OPEN: Duration = Duration::from_secs(5);
/// How long a new file of a temporary name may wait for its rename.
const TEMPORARY: Duration = Duration::from_secs(30);
/// How long what a scan found waits for an event of the same change, which would say who made it.
const SCANNED: Duration = Duration::from_secs(2);
/// How long it waits at most while events queue up.
const SCANNED_AT_MOST: Duration = Duration::from_secs(60);
/// Looks at a file that moves whenever it is read, before it is reported as unstable.
const MAX_TRIES: u32 = 4;

/// How long a look waits for its reason at most: until a package manager has written down what it did.
const REASON: Duration = Duration::from_secs(2);
/// How often it is asked for meanwhile.
const REASON_PAUSE: Duration = Duration::from_millis(50);

/// All that is dirty.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// In a piece of memory each: a queue that grows would move them all.
    items: ByPath<Box<Pending>>,
    due: FairQueue,
    hot: Backoff,
    /// Files that may change without a further event until their last close.
    open: OpenFiles,
    /// What is taken is taken early, until the go has ended.
    is_early: bool,
    /// What was put back meanwhile: it would be taken again at once.
    back: Vec<PathBuf>,
}

/// What is known of a name besides the event.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Name {
    /// It has a tool's temporary name.
    pub temporary: bool,
    /// It is in the state already.
    pub known: bool,
}

impl Name {
    /// Of a path that is in the state already, or not.
    pub(crate) fn of(path: &Path, known: bool) -> Self {
        let temporary = path.file_name().is_some_and(|name| is_temporary(name.as_bytes()));
        Self { temporary, known }
    }
}

impl Queue {
    /// The paths that wait to be looked at.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.items.paths().map(Path::to_owned).collect()
    }

    /// Paths that wait to be looked at.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether what is known of the name counts for this mark: the state is read for it, which is too much for each
    /// write to a file that is known.
    pub(crate) fn asks_for_name(&self, path: &Path, event: &FileEvent) -> bool {
        event.place.is_some()
            && (event.via.makes_a_name() || self.items.get(path).is_some_and(|item| item.appeared))
    }

    /// Joins a mark to what is known of the path, and sets when to look.
    pub(crate) fn mark(&mut self, path: &Path, event: &FileEvent, name: Name, now: Instant) -> &mut Pending {
        self.open.note(path, event);
        self.tidy();
        let next_look = self.hot.next_look(path);
        let Self { items, due: turns, .. } = self;
        let item = items.get_or_insert_with(path, || Box::new(Pending::new(event, now)));
        item.join(event);
        item.appeared |= event.via.makes_a_name() && event.place.is_some();
        if item.appeared && event.place.is_some() {
            // Events that know no name, as those of writes, do not forget what was known of it.
            item.fresh = !name.known;
            item.temporary = name.temporary;
        }
        let fresh = item.appeared && item.fresh;
        let gone = matches!(event.via, Via::Unlink | Via::Rmdir);
        let mut due = if gone {
            now + SETTLE
        } else if fresh && item.temporary {
            item.first + TEMPORARY
        } else if fresh || item.via.is_namespace() {
            item.first + SETTLE
        } else if event.settled {
            now
        } else {
            item.first + SETTLE
        };
        due = next_look.map_or(due, |next| due.max(next));
        item.due = due;
        note(turns, path, item);
        item
    }

    /// Marks what a scan found, if nothing else did.
    pub(crate) fn mark_scanned(&mut self, path: &Path, now: Instant) {
        if self.items.get(path).is_some() {
            return;
        }
        let mut item = Box::new(Pending::new(&FileEvent::new(SystemTime::now(), Via::Scan), now));
        item.scanned = true;
        item.due = now + SCANNED;
        self.put_back(path.to_owned(), item);
    }

    /// Puts back what only a scan speaks of, since there are events that nobody has looked at yet; gives back
    /// what has waited long enough.
    pub(crate) fn postpone(
        &mut self,
        path: &Path,
        mut item: Box<Pending>,
        now: Instant,
    ) -> Option<Box<Pending>> {
        if now.saturating_duration_since(item.first) > SCANNED_AT_MOST {
            return Some(item);
        }
        item.due = now + SCANNED;
        self.put_back(path.to_owned(), item);
        None
    }

    /// Drops what is passed over, where that is most of what was noted.
    fn tidy(&mut self) {
        const FEW: usize = 1024;
        if self.due.len() > FEW + 4 * self.items.len() {
            self.due.clear();
            let mut items: Vec<_> = self.items.iter_mut().collect();
            items.sort_unstable_by_key(|(path, item)| (item.due, path.as_os_str()));
            for (path, item) in items {
                item.noted = None;
                note(&mut self.due, path, item);
            }
        }
    }

    /// Puts off the look at a path.
    pub(crate) fn not_before(&mut self, path: &Path, when: Instant) {
        if let Some(item) = self.items.get_mut(path).filter(|item| item.due < when) {
            item.due = when;
        }
    }

    /// The item of a path, to add to what is known.
    pub(crate) fn get_mut(&mut self, path: &Path) -> Option<&mut Pending> {
        self.items.get_mut(path).map(Box::as_mut)
    }

    /// Makes due at once what stands for a lost record, or everything: directories before what is in them.
    pub(crate) fn hasten(&mut self, everything: bool, now: Instant) {
        let is_due = |item: &Pending| item.hastened && item.due <= now;
        let wanted = |item: &Pending| !item.is_open() && (everything || item.swept) && !is_due(item);
        let mut wanted: Vec<_> = self.items.iter_mut().filter(|(_, item)| wanted(item)).collect();
        wanted.sort_unstable_by_key(|(path, _)| path.as_os_str());
        for (path, item) in wanted {
            (item.due, item.hastened, item.noted) = (now, true, None);
            note(&mut self.due, path, item);
        }
    }

    /// Whether a path is to be looked at anyway.
    pub(crate) fn holds(&self, path: &Path) -> bool {
        self.items.get(path).is_some_and(|item| !item.is_open())
    }

    /// When the next look is due.
    pub(crate) fn next_due(&mut self) -> Option<Instant> {
        let Self { due, items, .. } = self;
        due.next(&mut |at, path| due_of(items, at, path))
    }

    /// Whether the time of an item has come.
    pub(crate) fn has_due(&mut self, now: Instant) -> bool {
        self.next_due().is_some_and(|due| due <= now)
    }

    /// Takes the next item whose time has come.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<(PathBuf, Box<Pending>)> {
        let Self { due, items, .. } = self;
        let path = due.pop(now, &mut |at, path| due_of(items, at, path))?;
        self.take_out(path, now)
    }

    /// Takes the next item, whether its time has come or not: there are too many. What is put back from now on is
    /// not among them until the go [has ended](Self::end_go).
    pub(crate) fn pop_early(&mut self, now: Instant) -> Option<(PathBuf, Box<Pending>)> {
        self.is_early = true;
        let Self { due: turns, items, .. } = self;
        let path = turns.pop(now, &mut |at, path| {
            let due = due_of(items, at, path)?;
            // One that was put off goes behind the others first.
            let is_wanted = due == at && items.get(path).is_some_and(|item| !item.is_open());
            Some(if is_wanted { due.min(now) } else { due })
        })?;
        let (path, mut item) = self.take_out(path, now)?;
        item.hastened = true;
        Some((path, item))
    }

    /// The looks of one go have been taken.
    pub(crate) fn end_go(&mut self) {
        self.is_early = false;
        for path in std::mem::take(&mut self.back) {
            if let Some(item) = self.items.get_mut(&path) {
                note(&mut self.due, &path, item);
            }
        }
    }

    fn take_out(&mut self, path: PathBuf, now: Instant) -> Option<(PathBuf, Box<Pending>)> {
        let item = self.items.remove(&path)?;
        self.hot.looked(&path, now);
        if let Some(mut event) = self.open.event(&path).cloned() {
            // What it is found to be then came to be after this look.
            event.at = SystemTime::now();
            let mut again = Box::new(Pending::new(&event, now));
            again.join(&event);
            again.due = now + OPEN;
            again.lane = again.lane.open();
            self.put_back(path.clone(), again);
        }
        Some((path, item))
    }

    /// The end: nothing is waited for any more.
    pub(crate) fn finish(&mut self, now: Instant) {
        self.open.clear();
        for item in self.items.values_mut().filter(|item| item.is_open()) {
            (item.lane, item.noted) = (Lane::default(), None);
        }
        self.hasten(true, now);
    }

    /// Takes the item of `path` if it stands for a rename from `from`.
    pub(crate) fn take_if_from(&mut self, path: &Path, from: &Path, now: Instant) -> Option<Box<Pending>> {
        let is_from = self.items.get(path)?.previous.as_deref() == Some(from);
        if is_from { self.take_out(path.to_owned(), now).map(|(_, item)| item) } else { None }
    }

    /// Puts an item back that was taken too early.
    pub(crate) fn put_back(&mut self, path: PathBuf, mut item: Box<Pending>) {
        self.tidy();
        item.noted = None;
        if self.is_early {
            self.back.push(path.clone());
        } else {
            note(&mut self.due, &path, &mut item);
        }
        self.items.insert(path, item);
    }

    /// Looks again at a file that moved while it was read; `false` after enough tries.
    pub(crate) fn again(&mut self, path: &Path, item: &Pending) -> bool {
        if item.tries == MAX_TRIES {
            return false;
        }
        let mut item = Box::new(item.clone());
        item.tries += 1;
        item.due = Instant::now() + SETTLE * 2u32.pow(item.tries);
        self.rejoin(path, item);
        true
    }

    /// Looks again in a moment, when more may be known of the reason; `false` if it has waited long enough.
    pub(crate) fn wait(&mut self, path: &Path, item: &Pending, now: Instant) -> bool {
        let since = item.held.unwrap_or(now);
        if item.hastened || now.saturating_duration_since(since) >= REASON {
            return false;
        }
        let mut item = Box::new(item.clone());
        (item.held, item.due) = (Some(since), now + REASON_PAUSE);
        self.rejoin(path, item);
        true
    }

    /// Whether the look at a path waits for its reason.
    pub(crate) fn is_waiting(&self, path: &Path) -> bool {
        self.items.get(path).is_some_and(|item| item.held.is_some())
    }

    /// Lets a path wait until the look at another one has been taken.
    pub(crate) fn wait_behind(&mut self, path: &Path, other: &Path) {
        let Some(due) = self.items.get(other).map(|item| item.due) else { return };
        if let Some(item) = self.items.get_mut(path) {
            item.due = due + REASON_PAUSE;
            note(&mut self.due, path, item);
        }
    }

    fn rejoin(&mut self, path: &Path, item: Box<Pending>) {
        match self.items.get_mut(path) {
            Some(newer) if !newer.is_open() => {
                newer.inherit(&item);
                (newer.tries, newer.held) = (item.tries, item.held);
            }
            // What may change without an event is noted again when this is taken.
            _ => self.put_back(path.to_owned(), item),
        }
    }

    /// Takes an item out of turn.
    pub(crate) fn take(&mut self, path: &Path) -> Option<Box<Pending>> {
        self.items.remove(path)
    }

    /// A look found nothing. At the second, nothing is there any more that might change without a further event.
    pub(crate) fn found_nothing(&mut self, path: &Path) {
        if self.open.is_missing_again(path) {
            self.is_gone(path);
        }
    }

    /// Nothing is there any more that might change without a further event.
    pub(crate) fn is_gone(&mut self, path: &Path) {
        if self.open.remove(path) && self.items.get(path).is_some_and(|item| item.is_open()) {
            self.items.remove(path);
        }
    }

    /// A file that may change without a further event has another name, or two have changed theirs.
    pub(crate) fn rename_open(&mut self, from: &Path, to: &Path, is_exchange: bool) {
        self.open.rename(from, to, is_exchange);
    }

    /// Gives everything below one directory its new path, and what is said of such paths; the old paths.
    pub(crate) fn rename_tree(&mut self, from: &Path, to: &Path) -> Vec<PathBuf> {
        let below =
            |path: &Path| path.strip_prefix(from).ok().filter(|rest| *rest != "").map(|rest| to.join(rest));
        for item in self.items.values_mut() {
            for end in [&mut item.previous, &mut item.moved_to].into_iter().flatten() {
                if let Some(new) = below(end) {
                    *end = new;
                }
            }
        }
        let moved: Vec<PathBuf> =
            self.items.paths().filter(|path| below(path).is_some()).map(Path::to_owned).collect();
        for path in &moved {
            if let (Some(new), Some(mut item)) = (below(path), self.items.remove(path)) {
                if let Some(there) = self.items.get(&new) {
                    item.list |= there.list;
                }
                self.put_back(new, item);
            }
        }
        self.open.rename_all(&below);
        moved
    }
}

/// Notes when the turn of a path comes. One that comes no later than it is due is enough: what is put off again and
/// again, as a hot file, is asked then. What was noted of it before is passed over.
fn note(turns: &mut FairQueue, path: &Path, item: &mut Pending) {
    if item.noted.is_none_or(|noted| item.due < noted) {
        item.noted = Some(item.due);
        turns.push(item.lane, item.due, path.to_owned());
    }
}

/// When a path is due whose turn has come; `None` if another note counts. It is noted anew for when it is due.
fn due_of(items: &mut ByPath<Box<Pending>>, at: Instant, path: &Path) -> Option<Instant> {
    let item = items.get_mut(path).filter(|item| item.noted == Some(at))?;
    item.noted = Some(item.due.max(at));
    item.noted
}
