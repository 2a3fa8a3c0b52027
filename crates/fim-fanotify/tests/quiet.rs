//! Directories of which the kernel says nothing: until something in them may count.

#![allow(clippy::unwrap_used)]

mod common;

use common::{PATIENCE, Watch, brief, mark, name, places};
use fim_core::{FileEvent, Interest, MarkScope, Via, WatchMessage, WatchSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Each watch hears of what the others make on the same file system, and all marks of a process look alike.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a mark of this process says nothing of a directory: `ignored_mask` in `/proc/self/fdinfo` (proc(5)).
fn is_quiet(dir: &Path) -> bool {
    let inode = format!("ino:{:x} ", fs::metadata(dir).unwrap().ino());
    fs::read_dir("/proc/self/fdinfo").unwrap().flatten().any(|entry| {
        let info = fs::read_to_string(entry.path()).unwrap_or_default();
        info.lines().any(|line| {
            line.starts_with("fanotify ") && line.contains(&inode) && !line.contains(" ignored_mask:0")
        })
    })
}

/// A directory that is made beside what is watched, once the kernel says nothing of it; `None` where it cannot do that.
fn made_outside(watch: &mut Watch, name: &str) -> Option<PathBuf> {
    let dir = watch.path("outside").join(name);
    fs::create_dir(&dir).unwrap();
    assert_eq!(brief(&watch.events()), []);
    if is_quiet(&dir) {
        return Some(dir);
    }
    println!("skipped: this kernel tells of directories that nobody watches (before Linux 6.0)");
    None
}

fn writes(events: &[FileEvent]) -> Vec<String> {
    let wrote = events.iter().filter(|event| matches!(event.via, Via::Write | Via::Close));
    let mut names: Vec<_> = wrote.map(|event| name(event.place.as_ref())).collect();
    names.dedup();
    names
}

#[test]
fn what_comes_into_the_watched_tree_is_listened_to() {
    let _alone = alone();
    for place in places() {
        let mut watch = Watch::start(&place);
        let Some(dir) = made_outside(&mut watch, "d") else { continue };
        fs::create_dir(dir.join("below")).unwrap();
        fs::write(dir.join("f"), "x").unwrap();
        assert_eq!(brief(&watch.events()), []);
        assert!(is_quiet(&dir.join("below")), "a directory is told of in one of which nothing else is");
        let came = watch.path("watched/came");
        fs::rename(&dir, &came).unwrap();
        watch.events();
        assert!(!is_quiet(&came) && !is_quiet(&came.join("below")));
        fs::write(came.join("f"), "changed").unwrap();
        fs::write(came.join("below/g"), "new").unwrap();
        assert_eq!(writes(&watch.events()), ["f", "g"]);
        watch.stop();
    }
}

#[test]
fn one_that_is_renamed_elsewhere_is_listened_to_until_it_is_made_again() {
    let _alone = alone();
    for place in places() {
        let mut watch = Watch::start(&place);
        let Some(dir) = made_outside(&mut watch, "d") else { continue };
        let other = watch.path("outside/other");
        fs::rename(&dir, &other).unwrap();
        assert_eq!(brief(&watch.events()), []);
        assert!(!is_quiet(&other));
        assert!(made_outside(&mut watch, "d").is_some());
        watch.stop();
    }
}

/// A file of several names, one of which is where nobody listens.
#[test]
fn a_link_to_a_marked_file_is_listened_to() {
    let _alone = alone();
    for place in places() {
        let mut watch = Watch::start(&place);
        fs::write(watch.path("watched/f"), "x").unwrap();
        watch.mark("watched/f", MarkScope::File);
        watch.events();
        let Some(dir) = made_outside(&mut watch, "d") else { continue };
        fs::hard_link(watch.path("watched/f"), dir.join("alias")).unwrap();
        watch.events();
        assert!(!is_quiet(&dir));
        fs::write(dir.join("alias"), "changed").unwrap();
        let events = watch.events();
        assert!(events.iter().any(|event| event.via == Via::Write && event.file.is_some()), "{events:?}");
        watch.stop();
    }
}

#[test]
fn a_marked_file_that_is_moved_there_is_listened_to() {
    let _alone = alone();
    for place in places() {
        let mut watch = Watch::start(&place);
        fs::write(watch.path("outside/f"), "x").unwrap();
        fs::hard_link(watch.path("outside/f"), watch.path("watched/f")).unwrap();
        watch.mark("watched/f", MarkScope::File);
        watch.events();
        let Some(dir) = made_outside(&mut watch, "d") else { continue };
        fs::rename(watch.path("outside/f"), dir.join("alias")).unwrap();
        watch.events();
        fs::write(dir.join("alias"), "changed").unwrap();
        let events = watch.events();
        assert!(events.iter().any(|event| event.via == Via::Write && event.file.is_some()), "{events:?}");
        watch.stop();
    }
}

/// Its other name may be where nobody listens.
#[test]
fn another_marked_file_has_all_listened_to() {
    let _alone = alone();
    for place in places() {
        let mut watch = Watch::start(&place);
        let Some(dir) = made_outside(&mut watch, "d") else { continue };
        fs::write(dir.join("alias"), "x").unwrap();
        fs::hard_link(dir.join("alias"), watch.path("watched/f")).unwrap();
        watch.events();
        assert!(is_quiet(&dir), "it is marked once it is looked at");
        watch.mark("watched/f", MarkScope::File);
        assert!(!is_quiet(&dir));
        fs::write(dir.join("alias"), "changed").unwrap();
        let events = watch.events();
        assert!(events.iter().any(|event| event.via == Via::Write && event.file.is_some()), "{events:?}");
        watch.stop();
    }
}

#[test]
fn one_that_is_watched_from_now_on_is_listened_to() {
    let _alone = alone();
    for place in places() {
        let mut watch = Watch::start(&place);
        let Some(dir) = made_outside(&mut watch, "d") else { continue };
        let both = [watch.path("watched"), dir.clone()];
        let both = both.iter().map(|path| path.to_str().unwrap().to_owned());
        watch.ready.marks.watch(&WatchSet::new(vec![Interest::in_paths(both)]).unwrap());
        mark(watch.ready.marks.as_mut(), &dir, MarkScope::Tree);
        assert!(!is_quiet(&dir));
        fs::write(dir.join("f"), "x").unwrap();
        assert_eq!(brief(&watch.events())[0], (Via::Create, String::new(), "f".to_owned()));
        watch.stop();
    }
}

/// The only way to it is gone for a moment: that by which the file system is reached.
#[test]
fn one_that_cannot_be_reached_is_listened_to_once_it_is_marked() {
    let _alone = alone();
    for place in places() {
        let mut watch = Watch::start(&place);
        let Some(dir) = made_outside(&mut watch, "d") else { continue };
        let (watched, away) = (watch.path("watched"), watch.path("away"));
        fs::rename(&watched, &away).unwrap();
        while !matches!(watch.source.next(PATIENCE), Some(WatchMessage::Event(event)) if event.via == Via::Rename)
        {
        }
        fs::rename(&away, &watched).unwrap();
        let both = [watched, dir.clone()];
        let both = both.iter().map(|path| path.to_str().unwrap().to_owned());
        watch.ready.marks.watch(&WatchSet::new(vec![Interest::in_paths(both)]).unwrap());
        mark(watch.ready.marks.as_mut(), &dir, MarkScope::Tree);
        assert!(!is_quiet(&dir));
        fs::write(dir.join("f"), "x").unwrap();
        assert!(brief(&watch.events()).contains(&(Via::Create, String::new(), "f".to_owned())));
        watch.stop();
    }
}

#[test]
fn a_full_memory_has_all_listened_to_and_begins_anew() {
    let _alone = alone();
    for place in places() {
        let mut watch = Watch::start(&place);
        let Some(first) = made_outside(&mut watch, "first") else { continue };
        for number in 0..8192 {
            fs::create_dir(watch.path("outside").join(number.to_string())).unwrap();
        }
        assert_eq!(brief(&watch.events()), []);
        assert!(!is_quiet(&first) && is_quiet(&watch.path("outside/8191")));
        watch.stop();
    }
}
