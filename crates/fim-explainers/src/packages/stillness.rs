//! Whether anything was done in the folders of a database since it was read: one call, where looking takes ten. For
//! each of thousands of changes a second that is a sixth of what they cost.
//!
//! inotify says nothing of what is mounted over a folder, or written through a mapping or another link: it is believed
//! for a moment only.

use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
use rustix::io::{Errno, read};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Room for events, of which the longest name is a part; there are few, and the room is cleared each time.
const ROOM: usize = 512;

/// So long it is believed that nothing was done.
const BELIEVED: Duration = Duration::from_secs(2);

/// Watches some folders.
#[derive(Debug)]
pub struct Stillness {
    folders: Vec<PathBuf>,
    inotify: Option<OwnedFd>,
    since: Option<Instant>,
}

impl Stillness {
    /// Of these folders.
    pub fn of(folders: Vec<PathBuf>) -> Self {
        Self { folders, inotify: init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok(), since: None }
    }

    /// Whether nothing was done in the folders since [`Self::begin`].
    pub fn holds(&mut self, now: Instant) -> bool {
        let is_fresh = self.since.is_some_and(|since| now.saturating_duration_since(since) < BELIEVED);
        let holds =
            is_fresh && self.inotify.as_ref().is_some_and(|inotify| take_events(inotify) == Some(false));
        if !holds {
            self.end();
        }
        holds
    }

    /// It does not hold before it begins anew.
    pub const fn end(&mut self) {
        self.since = None;
    }

    /// The folders are about to be read: what is done from here on counts.
    pub fn begin(&mut self, now: Instant) {
        self.end();
        let Some(inotify) = &self.inotify else { return };
        let what = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVE
            | WatchFlags::MODIFY
            | WatchFlags::ATTRIB
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR
            | WatchFlags::DONT_FOLLOW;
        // Again each time: a name may be that of another folder by now.
        let is_watched = self.folders.iter().all(|folder| add_watch(inotify, folder, what).is_ok());
        let mut taken = Some(true);
        while taken == Some(true) {
            taken = take_events(inotify);
        }
        if is_watched && taken.is_some() {
            self.since = Some(now);
        }
    }
}

/// Takes some events, and whether there were any; `None` if that cannot be known. A queue that overflowed has one, too.
fn take_events(inotify: &OwnedFd) -> Option<bool> {
    let mut events = [0; ROOM];
    match read(inotify, &mut events) {
        Ok(_) => Some(true),
        Err(Errno::AGAIN) => Some(false),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    /// A folder, another that is moved to its place, and whether all is still after something is done.
    fn is_still_after(what: impl FnOnce(&Path)) -> bool {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("folder");
        fs::create_dir_all(&folder).unwrap();
        fs::create_dir_all(dir.path().join("other")).unwrap();
        fs::write(folder.join("file"), "as it was").unwrap();
        let mut stillness = Stillness::of(vec![folder.clone()]);
        let now = Instant::now();
        assert!(!stillness.holds(now), "nothing was read yet");
        stillness.begin(now);
        assert!(stillness.holds(now) && stillness.holds(now));
        what(dir.path());
        stillness.holds(now)
    }

    #[test]
    fn whatever_is_done_to_a_file_or_the_folder_ends_it() {
        let changes: [fn(&Path); 7] = [
            |dir| fs::write(dir.join("folder/file"), "other").unwrap(),
            |dir| fs::write(dir.join("folder/new"), "").unwrap(),
            |dir| fs::remove_file(dir.join("folder/file")).unwrap(),
            |dir| fs::rename(dir.join("folder/file"), dir.join("folder/moved")).unwrap(),
            |dir| fs::rename(dir.join("folder/file"), dir.join("away")).unwrap(),
            |dir| fs::hard_link(dir.join("folder/file"), dir.join("folder/link")).unwrap(),
            |dir| fs::rename(dir.join("folder"), dir.join("moved")).unwrap(),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            assert!(!is_still_after(change), "change {number}");
        }
        assert!(is_still_after(|dir| drop(fs::read(dir.join("folder/file")))), "reading is no change");
        assert!(
            is_still_after(|dir| fs::write(dir.join("other/file"), "").unwrap()),
            "nor is what others do"
        );
    }

    #[test]
    fn it_is_believed_for_a_moment_and_after_it_ended_not_before_it_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let mut stillness = Stillness::of(vec![dir.path().to_owned()]);
        let now = Instant::now();
        stillness.begin(now);
        assert!(!stillness.holds(now + BELIEVED));
        assert!(!stillness.holds(now));
        fs::write(dir.path().join("before"), "").unwrap();
        stillness.begin(now);
        assert!(stillness.holds(now), "what was done before is read");
    }

    #[test]
    fn a_folder_that_is_not_there_is_never_still() {
        let dir = tempfile::tempdir().unwrap();
        let mut stillness = Stillness::of(vec![dir.path().to_owned(), dir.path().join("none")]);
        let now = Instant::now();
        stillness.begin(now);
        assert!(!stillness.holds(now));
    }
}
