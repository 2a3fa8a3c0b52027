//! Renames and exchanges, of files and directories.

use crate::house::{House, Plain, at, event, findings, renamed, told};
use fim_core::{Action, Place, Via, WatchMessage};
use std::fs;

#[test]
fn an_atomic_replace_is_one_update() {
    let house = House::new();
    let lines = house.watch(|root| {
        fs::write(root.join("sedAbC123"), "new").unwrap();
        fs::rename(root.join("sedAbC123"), root.join("a")).unwrap();
        vec![
            at(Via::Create, root.join("sedAbC123")),
            at(Via::Close, root.join("sedAbC123")),
            renamed(root.join("sedAbC123"), root.join("a")),
        ]
    });
    assert_eq!(told(&house, &lines), [(Action::Updated, "a".into(), Some("sedAbC123".into()))]);
    assert_eq!(findings(&lines)[0].via, Some(Via::Rename));
}

#[test]
fn a_rename_to_a_free_name_is_a_move_and_a_chain_is_one() {
    let house = House::new();
    let lines = house.watch(|root| {
        fs::rename(root.join("a"), root.join("x")).unwrap();
        fs::rename(root.join("x"), root.join("y")).unwrap();
        vec![renamed(root.join("a"), root.join("x")), renamed(root.join("x"), root.join("y"))]
    });
    assert_eq!(told(&house, &lines), [(Action::Moved, "y".into(), Some("a".into()))]);
    assert!(told(&house, &house.watch(|_| Vec::new())).is_empty(), "the state followed");
}

#[test]
fn what_is_below_goes_with_a_directory_above_it() {
    let house = House::new();
    let sub = Plain(house.path("sub").to_str().unwrap().to_owned());
    let lines = house.watch_by(Box::new(sub), |root| {
        let away = root.with_file_name("away");
        fs::rename(root, &away).unwrap();
        vec![renamed(root, away)]
    });
    let mut told = told(&house, &lines);
    told.sort();
    assert_eq!(told, [(Action::Deleted, "sub".into(), None), (Action::Deleted, "sub/c".into(), None)]);
}

#[test]
fn a_rotated_log_is_two_lines() {
    let house = House::new();
    let lines = house.watch(|root| {
        fs::rename(root.join("a"), root.join("a.1")).unwrap();
        fs::write(root.join("a"), "fresh").unwrap();
        vec![
            renamed(root.join("a"), root.join("a.1")),
            at(Via::Create, root.join("a")),
            at(Via::Close, root.join("a")),
        ]
    });
    let mut told = told(&house, &lines);
    told.sort();
    assert_eq!(
        told,
        [(Action::Created, "a.1".into(), Some("a".into())), (Action::Updated, "a".into(), None)]
    );
}

#[test]
fn a_renamed_directory_is_one_line_and_its_files_follow() {
    let house = House::new();
    house.baseline();
    let lines = house.watch(|root| {
        fs::rename(root.join("sub"), root.join("dir")).unwrap();
        fs::write(root.join("dir/c"), "written").unwrap();
        vec![renamed(root.join("sub"), root.join("dir")), at(Via::Close, root.join("dir/c"))]
    });
    assert_eq!(
        told(&house, &lines),
        [(Action::Moved, "dir".into(), Some("sub".into())), (Action::Updated, "dir/c".into(), None)]
    );
    assert!(told(&house, &house.watch(|_| Vec::new())).is_empty());
    let mut check: Vec<_> = house.check().iter().map(|it| (it.action, it.path.clone())).collect();
    check.sort();
    assert_eq!(
        check,
        [
            (Action::Created, house.path("dir")),
            (Action::Created, house.path("dir/c")),
            (Action::Deleted, house.path("sub")),
            (Action::Deleted, house.path("sub/c")),
        ]
    );
}

#[test]
fn a_tree_moved_in_is_told_file_by_file_and_one_moved_out_too() {
    let house = House::new();
    let outside = house.root.parent().unwrap().join("outside");
    fs::create_dir_all(outside.join("t/u")).unwrap();
    fs::write(outside.join("t/u/f"), "x").unwrap();
    let (from, to) = (outside.join("t"), outside.join("gone"));
    let lines = house.watch(move |root| {
        fs::rename(&from, root.join("t")).unwrap();
        fs::rename(root.join("sub"), &to).unwrap();
        vec![renamed(from, root.join("t")), renamed(root.join("sub"), to)]
    });
    let findings = findings(&lines);
    let mut names: Vec<_> = findings.iter().map(|it| (it.action, it.path.clone())).collect();
    names.sort();
    assert_eq!(
        names,
        [
            (Action::Created, house.path("t")),
            (Action::Created, house.path("t/u")),
            (Action::Created, house.path("t/u/f")),
            (Action::Deleted, house.path("sub")),
            (Action::Deleted, house.path("sub/c")),
        ]
    );
    let file = findings.iter().find(|it| it.path.ends_with("u/f")).unwrap();
    assert_eq!(file.previous_path, Some(outside.join("t/u/f")));
    let gone = findings.iter().find(|it| it.path.ends_with("sub/c")).unwrap();
    assert_eq!(gone.moved_to, Some(outside.join("gone/c")));
}

#[test]
fn a_file_moved_out_says_where_it_went() {
    let house = House::new();
    let outside = house.root.parent().unwrap().join("out");
    let to = outside.clone();
    let lines = house.watch(move |root| {
        fs::rename(root.join("a"), &to).unwrap();
        vec![renamed(root.join("a"), to)]
    });
    assert_eq!(told(&house, &lines), [(Action::Deleted, "a".into(), None)]);
    assert_eq!(findings(&lines)[0].moved_to, Some(outside));
}

#[test]
fn an_exchange_is_two_updates() {
    let house = House::new();
    fs::write(house.path("b"), "other").unwrap();
    let lines = house.watch(|root| {
        let (a, b) = (root.join("a"), root.join("b"));
        rustix::fs::renameat_with(
            rustix::fs::CWD,
            &a,
            rustix::fs::CWD,
            &b,
            rustix::fs::RenameFlags::EXCHANGE,
        )
        .unwrap();
        let mut event = event(Via::Exchange);
        event.place = Some(Place::Path(b));
        event.from = Some(Place::Path(a));
        vec![WatchMessage::Event(event)]
    });
    let mut told = told(&house, &lines);
    told.sort();
    assert_eq!(
        told,
        [(Action::Updated, "a".into(), Some("b".into())), (Action::Updated, "b".into(), Some("a".into()))]
    );
}

#[test]
fn what_takes_the_place_of_its_like_is_told() {
    let house = House::new();
    for dir in ["full", "empty"] {
        fs::create_dir(house.path(dir)).unwrap();
    }
    // The same content, mode and time.
    let time = fs::metadata(house.path("a")).unwrap().modified().unwrap();
    fs::File::options().write(true).open(house.path("b")).unwrap().set_modified(time).unwrap();
    house.baseline();
    let lines = house.watch(|root| {
        fs::rename(root.join("a"), root.join("b")).unwrap();
        fs::rename(root.join("full"), root.join("empty")).unwrap();
        let pairs = [("a", "b"), ("full", "empty")];
        pairs.map(|(from, to)| renamed(root.join(from), root.join(to))).into()
    });
    let mut told = told(&house, &lines);
    told.sort();
    let updated = |to: &str, from: &str| (Action::Updated, to.to_owned(), Some(from.to_owned()));
    assert_eq!(told, [updated("b", "a"), updated("empty", "full")]);
}

#[test]
fn a_directory_above_takes_what_is_watched_along() {
    let house = House::new();
    let away = house.root.with_file_name("away");
    let sub = house.path("sub").to_str().unwrap().to_owned();
    let lines = house.watch_by(Box::new(Plain(sub)), move |root| {
        fs::rename(root, &away).unwrap();
        vec![renamed(root, away)]
    });
    let mut names = told(&house, &lines);
    names.sort();
    assert_eq!(names, [(Action::Deleted, "sub".into(), None), (Action::Deleted, "sub/c".into(), None)]);
}

#[test]
fn a_directory_that_takes_another_s_name_leaves_nothing_of_it_behind() {
    let house = House::new();
    fs::create_dir_all(house.path("d/s")).unwrap();
    fs::write(house.path("d/s/x"), "x").unwrap();
    fs::create_dir(house.path("e")).unwrap();
    fs::write(house.path("e/s"), "a file").unwrap();
    house.baseline();
    let outside = house.root.parent().unwrap().join("out");
    let lines = house.watch(move |root| {
        fs::rename(root.join("d"), &outside).unwrap();
        fs::rename(root.join("e"), root.join("d")).unwrap();
        vec![renamed(root.join("d"), outside), renamed(root.join("e"), root.join("d"))]
    });
    let told = told(&house, &lines);
    assert!(told.contains(&(Action::Deleted, "d/s/x".into(), None)), "{told:?}");
}
