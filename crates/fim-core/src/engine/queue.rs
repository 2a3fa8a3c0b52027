//! What is dirty and when to look at it: marks joined by path until the file is settled.
//!
//! A file just closed by its writer is looked at once; a new name waits a moment in case it is renamed
//! into place; a hot file is looked at ever less often. Knows time only as it is told, and no file system.

use super::pending::{Pending, SETTLE};
use crate::event::{FileEvent, Via};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// The longest pause between two looks at a hot file.
const HOTTEST: Duration = Duration::from_secs(1);
/// How long a file that was hot is remembered as such.
const COOL: Duration = Duration::from_secs(3);
/// Hot files remembered before any is forgotten.
const REMEMBERED: usize = 10_000;
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

#[derive(Clone, Copy, Debug)]
struct Heat {
    looked: Instant,
    pause: Duration,
}

/// All that is dirty.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    items: HashMap<PathBuf, Pending>,
    due: BinaryHeap<Reverse<(Instant, PathBuf)>>,
    hot: HashMap<PathBuf, Heat>,
    /// When there are as many, those that cooled down are forgotten.
    hot_room: usize,
    /// Files that may change without a further event until their last close.
    open: HashMap<PathBuf, FileEvent>,
}

/// What is known of a name besides the event.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Name {
    /// It has a tool's temporary name.
    pub temporary: bool,
    /// It is in the state already.
    pub known: bool,
}

impl Queue {
    /// The paths that wait to be looked at.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.items.keys().cloned().collect()
    }

    /// Paths that wait to be looked at.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Joins a mark to what is known of the path, and sets when to look.
    pub(crate) fn mark(&mut self, path: &Path, event: &FileEvent, name: Name, now: Instant) -> &mut Pending {
        self.note_open(path, event);
        let heat = self.hot.get(path).copied();
        if !self.items.contains_key(path) {
            self.items.insert(path.to_owned(), Pending::new(event, now));
        }
        #[allow(clippy::expect_used)] // inserted above; `entry` would clone the path of every hot write
        let item = self.items.get_mut(path).expect("just inserted");
        item.join(event);
        item.waiting = false;
        item.appeared |= matches!(
            event.via,
            Via::Create | Via::Mkdir | Via::Mknod | Via::Symlink | Via::Link | Via::Rename | Via::Exchange
        ) && event.place.is_some();
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
        if let Some(heat) = heat {
            due = due.max(heat.looked + heat.pause);
        }
        item.due = due;
        self.due.push(Reverse((due, path.to_owned())));
        item
    }

    /// Marks what a scan found, if nothing else did.
    pub(crate) fn mark_scanned(&mut self, path: &Path, now: Instant) {
        if self.items.contains_key(path) {
            return;
        }
        let mut item = Pending::new(&FileEvent::new(SystemTime::now(), Via::Scan), now);
        item.scanned = true;
        item.due = now + SCANNED;
        self.put_back(path.to_owned(), item);
    }

    /// Puts back what only a scan speaks of, since there are events that nobody has looked at yet; gives back
    /// what has waited long enough.
    pub(crate) fn postpone(&mut self, path: &Path, mut item: Pending, now: Instant) -> Option<Pending> {
        if now.saturating_duration_since(item.first) > SCANNED_AT_MOST {
            return Some(item);
        }
        item.due = now + SCANNED;
        self.put_back(path.to_owned(), item);
        None
    }

    fn note_open(&mut self, path: &Path, event: &FileEvent) {
        match event.via {
            Via::Mmap | Via::IoUring | Via::Aio | Via::Kernel => {
                self.open.insert(path.to_owned(), event.clone());
            }
            Via::Close | Via::Evict | Via::Unlink => {
                self.open.remove(path);
            }
            _ => {}
        }
    }

    /// The item of a path, to add to what is known.
    pub(crate) fn get_mut(&mut self, path: &Path) -> Option<&mut Pending> {
        self.items.get_mut(path)
    }

    /// Makes due at once what stands for a lost record, or everything.
    pub(crate) fn hasten(&mut self, everything: bool, now: Instant) {
        let wanted = |item: &Pending| !item.waiting && (everything || item.swept);
        for (path, item) in self.items.iter_mut().filter(|(_, item)| wanted(item)) {
            item.due = now;
            self.due.push(Reverse((now, path.clone())));
        }
    }

    /// Whether a path is to be looked at anyway.
    pub(crate) fn holds(&self, path: &Path) -> bool {
        self.items.get(path).is_some_and(|item| !item.waiting)
    }

    /// When the next look is due.
    pub(crate) fn next_due(&mut self) -> Option<Instant> {
        while let Some(Reverse((due, path))) = self.due.peek() {
            match self.items.get(path) {
                Some(item) if item.due == *due => return Some(*due),
                _ => {
                    self.due.pop();
                }
            }
        }
        None
    }

    /// Takes the next item whose time has come.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<(PathBuf, Pending)> {
        if self.next_due()? > now {
            return None;
        }
        let Reverse((_, path)) = self.due.pop()?;
        let item = self.items.remove(&path)?;
        self.heat(&path, now);
        if let Some(event) = self.open.get(&path).cloned() {
            let mut again = Pending::new(&event, now);
            again.join(&event);
            again.due = now + OPEN;
            again.waiting = true;
            self.due.push(Reverse((again.due, path.clone())));
            self.items.insert(path.clone(), again);
        }
        Some((path, item))
    }

    /// The end: nothing is waited for any more.
    pub(crate) fn finish(&mut self, now: Instant) {
        self.open.clear();
        for item in self.items.values_mut() {
            item.waiting = false;
        }
        self.hasten(true, now);
    }

    /// Takes the item of `path` if it stands for a rename from `from`.
    pub(crate) fn take_if_from(&mut self, path: &Path, from: &Path) -> Option<Pending> {
        let is_from = self.items.get(path)?.previous.as_deref() == Some(from);
        if is_from { self.items.remove(path) } else { None }
    }

    /// Puts an item back that was taken too early.
    pub(crate) fn put_back(&mut self, path: PathBuf, item: Pending) {
        self.due.push(Reverse((item.due, path.clone())));
        self.items.insert(path, item);
    }

    /// Looks again at a file that moved while it was read; `false` after enough tries.
    pub(crate) fn again(&mut self, path: &Path, item: &Pending) -> bool {
        if item.tries == MAX_TRIES {
            return false;
        }
        let mut item = item.clone();
        item.tries += 1;
        item.due = Instant::now() + SETTLE * 2u32.pow(item.tries);
        match self.items.get_mut(path) {
            Some(newer) => {
                newer.inherit(&item);
                newer.tries = item.tries;
            }
            None => self.put_back(path.to_owned(), item),
        }
        true
    }

    /// Takes an item out of turn.
    pub(crate) fn take(&mut self, path: &Path) -> Option<Pending> {
        self.items.remove(path)
    }

    fn heat(&mut self, path: &Path, now: Instant) {
        if self.hot.len() >= self.hot_room.max(REMEMBERED) {
            self.hot.retain(|_, heat| now.saturating_duration_since(heat.looked) < COOL);
            // Not again with the next look, if most of them are hot.
            self.hot_room = self.hot.len() * 2;
        }
        let pause = match self.hot.get(path) {
            Some(heat) if now.saturating_duration_since(heat.looked) < COOL => (heat.pause * 2).min(HOTTEST),
            _ => SETTLE,
        };
        self.hot.insert(path.to_owned(), Heat { looked: now, pause });
    }

    /// Gives everything below one directory its new path.
    pub(crate) fn rename_tree(&mut self, from: &Path, to: &Path) {
        let moved: Vec<PathBuf> =
            self.items.keys().filter(|path| path.starts_with(from) && *path != from).cloned().collect();
        for path in moved {
            if let (Ok(rest), Some(item)) = (path.strip_prefix(from), self.items.remove(&path)) {
                let path = to.join(rest);
                self.due.push(Reverse((item.due, path.clone())));
                self.items.insert(path, item);
            }
        }
        let open: Vec<PathBuf> = self.open.keys().filter(|path| path.starts_with(from)).cloned().collect();
        for path in open {
            if let (Ok(rest), Some(event)) = (path.strip_prefix(from), self.open.remove(&path)) {
                self.open.insert(to.join(rest), event);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Actor;
    use std::sync::Arc;

    const KNOWN: Name = Name { temporary: false, known: true };
    const NEW: Name = Name { temporary: false, known: false };

    fn event(via: Via) -> FileEvent {
        let mut event = FileEvent::new(SystemTime::UNIX_EPOCH, via);
        event.settled = via == Via::Close;
        if via.is_namespace() {
            event.place = Some(crate::event::Place::Path("/f".into()));
        }
        event
    }

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_closed_file_is_looked_at_once_and_an_open_one_after_a_moment() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.mark(Path::new("/f"), &event(Via::Write), KNOWN, now);
        assert!(queue.pop(now).is_none());
        assert_eq!(queue.next_due(), Some(now + SETTLE));
        queue.mark(Path::new("/f"), &event(Via::Close), KNOWN, now + ms(1));
        let (path, item) = queue.pop(now + ms(1)).unwrap();
        assert_eq!((path.as_path(), item.via), (Path::new("/f"), Via::Write));
        assert!(queue.items.is_empty());
    }

    #[test]
    fn a_new_name_settles_and_a_temporary_one_longer() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.mark(Path::new("/new"), &event(Via::Create), NEW, now);
        queue.mark(Path::new("/new"), &event(Via::Close), NEW, now);
        assert_eq!(queue.next_due(), Some(now + SETTLE));
        let temporary = Name { temporary: true, known: false };
        queue.mark(Path::new("/tmp"), &event(Via::Create), temporary, now);
        assert!(queue.pop(now + SETTLE).is_some());
        assert!(queue.pop(now + SETTLE).is_none());
        assert!(queue.pop(now + TEMPORARY).is_some());
    }

    #[test]
    fn a_write_by_identity_alone_does_not_end_the_wait_of_a_new_name() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let temporary = Name { temporary: true, known: false };
        queue.mark(Path::new("/sedAbC123"), &event(Via::Create), temporary, now);
        queue.mark(Path::new("/sedAbC123"), &event(Via::Close), KNOWN, now);
        assert!(queue.pop(now + SETTLE).is_none());
        assert!(queue.pop(now + TEMPORARY).is_some());
    }

    #[test]
    fn a_temporary_name_that_went_is_waited_for_no_longer() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let temporary = Name { temporary: true, known: false };
        queue.mark(Path::new("/a.lock"), &event(Via::Create), temporary, now);
        queue.mark(Path::new("/a.lock"), &event(Via::Unlink), temporary, now);
        assert!(queue.pop(now + SETTLE).is_some());
    }

    #[test]
    fn a_hot_file_is_looked_at_less_and_less() {
        let (mut queue, mut now) = (Queue::default(), Instant::now());
        let mut looks = 0;
        for _ in 0..10_000 {
            queue.mark(Path::new("/hot"), &event(Via::Close), KNOWN, now);
            looks += u32::from(queue.pop(now).is_some());
            now += ms(1);
        }
        assert!((10..=16).contains(&looks), "{looks} looks in ten seconds");
        assert!(queue.pop(now + HOTTEST).is_some(), "the last change is not forgotten");
    }

    #[test]
    fn a_mapped_file_is_looked_at_until_its_last_close() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.mark(Path::new("/m"), &event(Via::Mmap), KNOWN, now);
        for round in 0..3 {
            assert!(queue.pop(now + SETTLE + OPEN * (round + 1)).is_some());
        }
        queue.mark(Path::new("/m"), &event(Via::Close), KNOWN, now);
        assert!(queue.pop(now + OPEN * 9).is_some());
        assert!(queue.items.is_empty());
    }

    #[test]
    fn every_writer_is_named_once_and_the_last_is_last() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        for pid in [1, 2, 1] {
            let mut event = event(Via::Write);
            event.actor = Some(Arc::new(Actor::new(pid)));
            queue.mark(Path::new("/f"), &event, KNOWN, now);
        }
        let item = queue.take(Path::new("/f")).unwrap();
        assert_eq!(item.actors.iter().map(|actor| actor.pid).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn what_was_learned_of_a_writer_outlives_it() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let mut named = Actor::new(1);
        named.name = Some("sed".into());
        for actor in [named.clone(), Actor::new(1)] {
            let mut event = event(Via::Write);
            event.actor = Some(Arc::new(actor));
            queue.mark(Path::new("/f"), &event, KNOWN, now);
        }
        assert_eq!(queue.take(Path::new("/f")).unwrap().actors, [Arc::new(named)]);
    }

    #[test]
    fn what_a_scan_found_waits_for_who_did_it() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.mark_scanned(Path::new("/f"), now);
        assert!(queue.pop(now + SETTLE).is_none());
        let item = queue.pop(now + SCANNED).unwrap().1;
        assert!(item.is_by_scan());
        assert!(queue.postpone(Path::new("/f"), item.clone(), now + SCANNED).is_none());
        assert!(queue.pop(now + SCANNED).is_none());
        assert!(queue.postpone(Path::new("/f"), item, now + SCANNED_AT_MOST * 2).is_some());

        queue.mark(Path::new("/g"), &event(Via::Write), KNOWN, now);
        queue.mark_scanned(Path::new("/g"), now);
        assert!(!queue.pop(now + SETTLE).unwrap().1.is_by_scan());
        queue.mark_scanned(Path::new("/h"), now);
        queue.mark(Path::new("/h"), &event(Via::Close), KNOWN, now);
        assert!(queue.pop(now).is_some(), "an event does not wait");
    }

    #[test]
    fn what_cooled_down_is_forgotten() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let many = 4 * REMEMBERED;
        for number in 0..many {
            queue.heat(&PathBuf::from(number.to_string()), now);
        }
        assert_eq!(queue.hot.len(), many, "all are hot");
        for number in 0..many {
            queue.heat(&PathBuf::from(format!("later/{number}")), now + COOL);
        }
        assert!(queue.hot.len() <= many, "those of before are gone");
    }

    #[test]
    fn what_is_below_a_renamed_directory_is_renamed() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.mark(Path::new("/a/x"), &event(Via::Write), KNOWN, now);
        queue.rename_tree(Path::new("/a"), Path::new("/b"));
        assert_eq!(queue.pop(now + SETTLE).unwrap().0, Path::new("/b/x"));
    }
}
