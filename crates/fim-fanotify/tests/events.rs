//! Which events each operation makes, on a disk and on tmpfs.

mod common;

use common::{Watch, brief, open, places};
use fim_core::{MarkScope, Place, Via};
use rustix::fs::{CWD, RenameFlags};
use std::collections::HashMap;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

type Expected = &'static [(Via, &'static str, &'static str)];
type Case = (&'static str, fn(&Path), Expected);

#[test]
fn operations() {
    let table: &[Case] = &[
        (
            "create and write",
            |dir| fs::write(dir.join("a"), b"x").unwrap(),
            &[(Via::Create, "", "a"), (Via::Write, "", "a")],
        ),
        (
            "append",
            |dir| {
                OpenOptions::new().append(true).open(dir.join("a")).unwrap().write_all(b"y").unwrap();
            },
            &[(Via::Write, "", "a")],
        ),
        (
            "chmod",
            |dir| fs::set_permissions(dir.join("a"), Permissions::from_mode(0o600)).unwrap(),
            &[(Via::Attributes, "", "a")],
        ),
        ("rename", |dir| fs::rename(dir.join("a"), dir.join("b")).unwrap(), &[(Via::Rename, "a", "b")]),
        ("symlink", |dir| symlink("b", dir.join("l")).unwrap(), &[(Via::Create, "", "l")]),
        ("mkdir", |dir| fs::create_dir(dir.join("d")).unwrap(), &[(Via::Mkdir, "", "d")]),
        ("rmdir", |dir| fs::remove_dir(dir.join("d")).unwrap(), &[(Via::Rmdir, "", "d")]),
        ("unlink", |dir| fs::remove_file(dir.join("b")).unwrap(), &[(Via::Unlink, "", "b")]),
        (
            "move out",
            |dir| {
                fs::rename(dir.join("l"), dir.join("../outside/l")).unwrap();
            },
            &[(Via::Rename, "l", "l")],
        ),
        (
            "what happens outside",
            |dir| {
                fs::write(dir.join("../outside/o"), b"x").unwrap();
                fs::remove_file(dir.join("../outside/o")).unwrap();
            },
            &[],
        ),
        (
            "move in",
            |dir| fs::rename(dir.join("../outside/l"), dir.join("m")).unwrap(),
            &[(Via::Rename, "l", "m")],
        ),
        (
            "chmod of the directory itself",
            |dir| fs::set_permissions(dir, Permissions::from_mode(0o700)).unwrap(),
            &[(Via::Attributes, "", "")],
        ),
    ];
    for place in places() {
        let mut watch = Watch::start(&place);
        let dir = watch.path("watched");
        for (what, run, expected) in table {
            run(&dir);
            let events = watch.events();
            let expected: Vec<_> =
                expected.iter().map(|&(via, from, to)| (via, from.to_owned(), to.to_owned())).collect();
            assert_eq!(brief(&events), expected, "{what} in {}", place.display());
            let writers = expected.iter().filter(|(via, ..)| *via == Via::Write).count();
            assert_eq!(events.iter().filter(|event| event.settled).count(), writers, "{events:?}");
            for event in &events {
                assert_eq!(event.actor.as_ref().unwrap().pid, std::process::id());
            }
        }
        watch.stop();
    }
}

#[test]
fn an_exchange_is_no_rename() {
    for place in places() {
        let mut watch = Watch::start(&place);
        fs::write(watch.path("watched/a"), b"x").unwrap();
        fs::write(watch.path("watched/b"), b"y").unwrap();
        watch.events();
        let (a, b) = (watch.path("watched/a"), watch.path("watched/b"));
        rustix::fs::renameat_with(CWD, &a, CWD, &b, RenameFlags::EXCHANGE).unwrap();
        let events = brief(&watch.events());
        fs::rename(&a, watch.path("watched/c")).unwrap();
        fs::rename(watch.path("watched/c"), &a).unwrap();
        let back_and_forth = watch.events();
        let whole = back_and_forth.iter().all(|event| event.from.is_some() && event.place.is_some());
        if whole {
            // The first half is a rename still if the kernel took long to queue the second.
            assert_eq!(events.last(), Some(&(Via::Exchange, "b".to_owned(), "a".to_owned())), "{events:?}");
            assert!(back_and_forth.iter().all(|event| event.via == Via::Rename));
        } else {
            println!("skipped: no FAN_RENAME here");
        }
        watch.stop();
    }
}

#[test]
fn identities_agree_with_marks() {
    for place in places() {
        let mut watch = Watch::start(&place);
        fs::write(watch.path("watched/a"), b"x").unwrap();
        let events = watch.events();
        let inode = fs::metadata(watch.path("watched/a")).unwrap().ino();
        let marked = watch.mark("watched/a", MarkScope::File).id;
        for event in events {
            let Some(Place::Entry { dir, .. }) = event.place else { panic!("{event:?}") };
            assert_eq!(dir, watch.dir);
            // Before Linux 5.17 a new name comes without the file's own handle.
            if let Some(file) = event.file {
                assert_eq!((file, file.inode), (marked, inode));
            }
        }
        watch.stop();
    }
}

#[test]
fn the_other_end_of_a_move_is_a_path() {
    for place in places() {
        let mut watch = Watch::start(&place);
        fs::write(watch.path("outside/a"), b"x").unwrap();
        fs::rename(watch.path("outside/a"), watch.path("watched/a")).unwrap();
        let from = watch.events().pop().unwrap().from;
        if from.is_some() {
            assert_eq!(from, Some(Place::Path(watch.path("outside/a"))));
        } else {
            println!("skipped: no FAN_RENAME here");
        }
        watch.stop();
    }
}

#[test]
fn a_marked_file_in_a_directory_that_is_not() {
    for place in places() {
        let mut watch = Watch::start(&place);
        fs::write(watch.path("outside/a"), b"x").unwrap();
        let marked = watch.mark("outside/a", MarkScope::File).id;
        fs::write(watch.path("outside/a"), b"y").unwrap();
        fs::write(watch.path("outside/b"), b"y").unwrap();
        let events = watch.events();
        assert!(events.iter().any(|event| event.via == Via::Write), "{events:?}");
        assert!(events.iter().any(|event| event.settled), "{events:?}");
        for event in &events {
            assert_eq!((event.file, &event.place), (Some(marked), &None));
        }
        watch.stop();
    }
}

#[test]
fn of_a_directory_marked_for_names_only_those_come_that_lead_to_something() {
    for place in places() {
        let mut watch = Watch::start(&place);
        watch.mark("", MarkScope::Names);
        fs::write(watch.path("stranger"), b"x").unwrap();
        fs::create_dir(watch.path("strange")).unwrap();
        fs::rename(watch.path("strange"), watch.path("stranger.d")).unwrap();
        fs::remove_file(watch.path("stranger")).unwrap();
        assert_eq!(brief(&watch.events()), []);
        fs::rename(watch.path("watched"), watch.path("away")).unwrap();
        fs::rename(watch.path("away"), watch.path("watched")).unwrap();
        let events = brief(&watch.events());
        let renames = events.iter().filter(|event| event.0 == Via::Rename).count();
        assert!(renames >= 2, "{events:?}");
        watch.stop();
    }
}

#[test]
fn a_file_may_be_called_as_the_kernel_calls_one_without_a_name() {
    for place in places() {
        let mut watch = Watch::start(&place);
        let made = watch.path("outside/made");
        fs::write(&made, "x").unwrap();
        let called = format!("#{}", made.metadata().unwrap().ino());
        let path = watch.path(&format!("watched/{called}"));
        fs::rename(&made, &path).unwrap();
        watch.mark("watched", MarkScope::Tree);
        fs::set_permissions(&path, Permissions::from_mode(0o4755)).unwrap();
        fs::remove_file(&path).unwrap();
        let told: Vec<Via> = watch.events().iter().map(|event| event.via).collect();
        assert!(told.contains(&Via::Attributes) && told.contains(&Via::Unlink), "{told:?}");
    }
}

#[test]
fn a_removed_mark_is_silent() {
    for place in places() {
        let mut watch = Watch::start(&place);
        fs::create_dir(watch.path("outside/d")).unwrap();
        let marked = watch.mark("outside/d", MarkScope::Tree).id;
        fs::write(watch.path("outside/d/a"), b"x").unwrap();
        assert_eq!(
            brief(&watch.events()),
            [(Via::Create, "", "a"), (Via::Write, "", "a")].map(|(via, from, name)| (
                via,
                from.to_owned(),
                name.to_owned()
            ))
        );
        watch.ready.marks.remove(&[marked]);
        fs::write(watch.path("outside/d/a"), b"y").unwrap();
        assert_eq!(brief(&watch.events()), []);
        assert_eq!(watch.ready.marks.fill().0, 1);
        watch.stop();
    }
}

#[test]
fn a_directory_that_goes_takes_its_mark_along() {
    for place in places() {
        let mut watch = Watch::start(&place);
        fs::create_dir(watch.path("watched/d")).unwrap();
        watch.events();
        let marked = watch.mark("watched/d", MarkScope::Tree).id;
        fs::remove_dir(watch.path("watched/d")).unwrap();
        let events = watch.events();
        let evicted = events.iter().find(|event| event.via == Via::Evict).expect("an eviction");
        assert_eq!(evicted.file, Some(marked));
        // The watched directory and the two fences are no marks of ours but the first.
        assert_eq!(watch.ready.marks.fill().0, 1);
        watch.stop();
    }
}

#[test]
fn new_directories_are_seen_before_they_are_marked() {
    for place in places() {
        let mut watch = Watch::start(&place);
        for round in 0..1000 {
            let deep = watch.path(&format!("watched/{round}/b/c/d/e/f"));
            fs::create_dir_all(&deep).unwrap();
            fs::write(deep.join("g"), b"x").unwrap();
        }
        let mut counts: HashMap<Place, usize> = HashMap::new();
        for place in watch.events().into_iter().filter_map(|event| event.place) {
            *counts.entry(place).or_default() += 1;
        }
        for round in 0..1000 {
            let leaf = Place::Path(watch.path(&format!("watched/{round}/b/c/d/e/f/g")));
            let count = counts.get(&leaf).copied().unwrap_or(0);
            assert!(count >= 2, "round {round}: create and close, not {count} events");
        }
        watch.stop();
    }
}

#[test]
fn a_directory_moved_in_is_no_longer_unwatched() {
    for place in places() {
        let mut watch = Watch::start(&place);
        fs::create_dir_all(watch.path("outside/d")).unwrap();
        fs::write(watch.path("outside/d/a"), b"x").unwrap();
        assert_eq!(brief(&watch.events()), []);
        fs::rename(watch.path("outside/d"), watch.path("watched/d")).unwrap();
        fs::write(watch.path("watched/d/a"), b"y").unwrap();
        let places: Vec<_> = watch.events().into_iter().filter_map(|event| event.place).collect();
        assert!(places.contains(&Place::Path(watch.path("watched/d/a"))), "{places:?}");
        watch.stop();
    }
}

#[test]
fn a_descriptor_of_a_mark_request_is_only_looked_at() {
    for place in places() {
        let mut watch = Watch::start(&place);
        let fifo = watch.path("watched/fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
        assert!(made.success());
        // A watcher that opened it would wait for a writer.
        watch.mark("watched/fifo", MarkScope::File);
        drop(open(&fifo));
        watch.stop();
    }
}
