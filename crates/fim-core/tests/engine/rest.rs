//! At rest: where names moved on before anybody looked, whoever reads the lines and the state both end at what is there.

use crate::house::{House, Lines, at, event, findings, renamed};
use fim_core::{Action, FileKind, Finding, Place, State, Via, WatchMessage};
use rustix::fs::{CWD, RenameFlags, XattrFlags, renameat_with, setxattr};
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

type Tree = BTreeMap<PathBuf, String>;

/// What is there, by a walk of the test's own.
fn walk(top: &Path) -> Tree {
    let stat = top.symlink_metadata().unwrap();
    if !stat.is_dir() {
        return Tree::from([(top.to_owned(), blake3::hash(&fs::read(top).unwrap()).to_hex().to_string())]);
    }
    let mut tree = Tree::from([(top.to_owned(), "dir".to_owned())]);
    for entry in fs::read_dir(top).unwrap() {
        tree.extend(walk(&entry.unwrap().path()));
    }
    tree
}

fn word(facts: &fim_core::Facts) -> String {
    match facts.kind {
        FileKind::Dir => "dir".to_owned(),
        _ => facts.blake3.unwrap().iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// As docs/events.md tells readers to.
fn read(tree: &mut Tree, finding: &Finding) {
    let Some(after) = finding.after.as_ref().filter(|_| finding.action != Action::Deleted) else {
        tree.remove(&finding.path);
        return;
    };
    if let Some(previous) = finding.previous_path.as_ref().filter(|_| finding.via != Some(Via::Exchange)) {
        tree.remove(previous);
        if after.kind == FileKind::Dir && finding.action != Action::Created {
            let below: Vec<_> = tree.keys().filter(|path| path.starts_with(previous)).cloned().collect();
            let moved: Vec<_> = below.iter().filter_map(|path| tree.remove_entry(path)).collect();
            tree.extend(
                moved
                    .into_iter()
                    .map(|(path, it)| (finding.path.join(path.strip_prefix(previous).unwrap()), it)),
            );
        }
    }
    tree.insert(finding.path.clone(), word(after));
}

/// Lets all of it happen before anybody looks.
fn at_rest(house: &House, act: impl FnOnce(&Path) -> Vec<WatchMessage> + Send + 'static) -> Lines {
    house.baseline();
    let mut told = walk(&house.root);
    let lines = house.watch(act);
    for finding in findings(&lines) {
        read(&mut told, &finding);
    }
    let there = walk(&house.root);
    assert_eq!(told, there, "by the lines {:#?}", crate::house::told(house, &lines));
    let mut known = Tree::new();
    let visit = &mut |path: PathBuf, record: fim_core::FileRecord| {
        known.extend(record.seen.map(|seen| (path, word(&seen))));
        ControlFlow::Continue(())
    };
    State::open(Box::new(house.store.clone())).unwrap().walk(&house.root, visit).unwrap();
    assert_eq!(known, there, "by the state");
    lines
}

fn exchanged(from: &Path, to: &Path) -> WatchMessage {
    renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE).unwrap();
    let mut event = event(Via::Exchange);
    event.place = Some(Place::Path(to.to_owned()));
    event.from = Some(Place::Path(from.to_owned()));
    WatchMessage::Event(event)
}

fn moved(from: &Path, to: &Path) -> WatchMessage {
    fs::rename(from, to).unwrap();
    renamed(from, to)
}

fn written(path: PathBuf) -> WatchMessage {
    fs::write(&path, "written").unwrap();
    at(Via::Close, path)
}

fn made(path: PathBuf) -> WatchMessage {
    fs::create_dir(&path).unwrap();
    at(Via::Mkdir, path)
}

fn unlinked(path: PathBuf) -> WatchMessage {
    fs::remove_file(&path).unwrap();
    at(Via::Unlink, path)
}

#[test]
fn a_renamed_directory_keeps_its_attributes() {
    let house = House::new();
    if setxattr(house.path("sub"), "user.fim", b"v", XattrFlags::empty()).is_err() {
        return;
    }
    let lines = at_rest(&house, |root| vec![moved(&root.join("sub"), &root.join("dir"))]);
    let all = findings(&lines);
    let [only] = &all[..] else { panic!("{all:?}") };
    assert_eq!((only.action, only.after.as_ref().unwrap().xattrs.len()), (Action::Moved, 1));
}

#[test]
fn a_directory_renamed_on_is_one_line() {
    let house = House::new();
    let lines = at_rest(&house, |root| {
        let (sub, dir) = (root.join("sub"), root.join("dir"));
        let mut all = Vec::new();
        for _ in 0..10 {
            all.extend([moved(&sub, &dir), moved(&dir, &sub)]);
        }
        all.push(moved(&sub, &root.join("last")));
        all
    });
    let told = crate::house::told(&house, &lines);
    assert_eq!(told, [(Action::Moved, "last".into(), Some("sub".into()))]);
}

#[test]
fn a_directory_renamed_below_one_that_took_its_name() {
    let house = House::new();
    fs::create_dir(house.path("sub/in")).unwrap();
    at_rest(&house, |root| {
        let (sub, away) = (root.join("sub"), root.join("away"));
        vec![moved(&sub, &away), made(sub.clone()), moved(&away, &sub.join("in"))]
    });
}

#[test]
fn a_directory_above_it_is_renamed_before_anybody_looks() {
    let house = House::new();
    fs::create_dir_all(house.path("sub/in/deep")).unwrap();
    fs::write(house.path("sub/in/deep/f"), "x").unwrap();
    at_rest(&house, |root| {
        let sub = root.join("sub");
        vec![moved(&sub.join("in"), &sub.join("on")), moved(&sub, &root.join("up"))]
    });
}

#[test]
fn another_directory_of_the_same_name_is_moved_on() {
    let house = House::new();
    at_rest(&house, |root| {
        let (sub, outside) = (root.join("sub"), root.parent().unwrap().join("outside"));
        vec![
            unlinked(sub.join("c")),
            moved(&sub, &outside),
            written(sub.clone()),
            unlinked(sub.clone()),
            made(sub.clone()),
            written(sub.join("d")),
            moved(&sub, &root.join("dir")),
        ]
    });
}

#[test]
fn a_directory_moved_out_and_another_in_its_place() {
    let house = House::new();
    at_rest(&house, |root| {
        let sub = root.join("sub");
        vec![
            moved(&sub, &root.parent().unwrap().join("outside")),
            made(sub.clone()),
            written(sub.join("new")),
        ]
    });
}

#[test]
fn a_directory_with_a_new_one_in_it_is_moved_before_either_was_told() {
    let house = House::new();
    at_rest(&house, |root| {
        let (new, sub) = (root.join("new"), root.join("sub"));
        vec![
            made(new.clone()),
            moved(&sub, &new.join("sub")),
            moved(&new, &root.join("newer")),
            written(root.join("newer/sub/c")),
        ]
    });
}

#[test]
fn a_file_takes_the_place_of_a_directory_and_the_other_way_round() {
    let house = House::new();
    at_rest(&house, |root| {
        let (sub, a) = (root.join("sub"), root.join("a"));
        vec![
            exchanged(&sub, &a),
            moved(&a, &root.join("b.dir")),
            moved(&sub, &a),
            made(sub.clone()),
            written(sub.join("c")),
        ]
    });
}

#[test]
fn one_of_two_exchanged_goes() {
    let house = House::new();
    fs::write(house.path("b"), "other").unwrap();
    let lines = at_rest(&house, |root| {
        let (a, b) = (root.join("a"), root.join("b"));
        vec![exchanged(&a, &b), unlinked(b)]
    });
    assert!(findings(&lines).iter().any(|it| it.action == Action::Deleted && it.path == house.path("b")));
}

#[test]
fn one_of_two_exchanged_is_renamed_over() {
    let house = House::new();
    fs::write(house.path("b"), "other").unwrap();
    fs::write(house.path("third"), "third").unwrap();
    at_rest(&house, |root| {
        let (a, b) = (root.join("a"), root.join("b"));
        vec![exchanged(&a, &b), moved(&root.join("third"), &a)]
    });
}

#[test]
fn the_like_of_what_left_a_name_is_told_of_after_it() {
    let house = House::new();
    let time = fs::metadata(house.path("a")).unwrap().modified().unwrap();
    at_rest(&house, move |root| {
        let (a, b) = (root.join("a"), root.join("b"));
        let all = vec![moved(&a, &b), written(a.clone())];
        fs::write(&a, "old").unwrap();
        fs::File::options().write(true).open(&a).unwrap().set_modified(time).unwrap();
        all
    });
}

#[test]
fn a_directory_takes_the_place_of_an_empty_one_and_its_own_is_taken() {
    let house = House::new();
    for dir in ["full", "empty"] {
        fs::create_dir(house.path(dir)).unwrap();
    }
    fs::write(house.path("full/f"), "x").unwrap();
    at_rest(&house, |root| {
        let (full, empty) = (root.join("full"), root.join("empty"));
        vec![
            moved(&full, &empty),
            moved(&root.join("sub"), &full),
            moved(&full, &root.join("last")),
            written(full),
        ]
    });
}
