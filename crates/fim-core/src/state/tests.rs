//! The state over stores, against a plain map.

use super::arbitrary::{any_record, usual_record};
use super::{FileRecord, State};
use crate::store::{Batch, MemStore, Store, StoreErrorKind};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

fn open(store: &MemStore) -> State {
    State::open(Box::new(store.clone())).unwrap()
}

fn all_of(state: &State) -> BTreeMap<PathBuf, FileRecord> {
    let (mut all, mut count) = (BTreeMap::new(), 0);
    state
        .walk(Path::new("/"), &mut |path, record| {
            count += 1;
            all.insert(path, record);
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(all.len(), count, "a path came twice");
    all
}

/// Few enough names that they meet, enough that blocks split.
fn any_path() -> impl Strategy<Value = PathBuf> {
    let name = prop_oneof![
        8 => (0..400u32).prop_map(|number| format!("{number:x}").into_bytes()),
        1 => prop::collection::vec(prop_oneof![Just(1u8), Just(b'-'), Just(b'.'), Just(0x7f), Just(0xff)], 1..3),
        1 => Just(vec![b'n'; 5000]),
    ];
    let dir = prop::sample::select(&["/", "/a", "/a/b", "/a-", "/a/\u{1}", "/a/b/c"]);
    (dir, name).prop_filter_map("a path of its own", |(dir, name)| {
        (name != b"." && name != b"..").then(|| Path::new(dir).join(OsStr::from_bytes(&name)))
    })
}

#[derive(Clone, Debug)]
enum Step {
    Put(PathBuf, Box<FileRecord>),
    Fill(PathBuf, u32),
    Remove(PathBuf),
    RemoveTree(PathBuf),
    Commit,
    Reopen,
}

fn any_step() -> impl Strategy<Value = Step> {
    let tree = || prop::sample::select(&["/a", "/a/b", "/c", "/a-", "/d/e"]).prop_map(PathBuf::from);
    prop_oneof![
        10 => (any_path(), any_record()).prop_map(|(path, record)| Step::Put(path, Box::new(record))),
        2 => (tree(), 0..600u32).prop_map(|(dir, count)| Step::Fill(dir, count)),
        6 => any_path().prop_map(Step::Remove),
        1 => tree().prop_map(Step::RemoveTree),
        3 => Just(Step::Commit),
        1 => Just(Step::Reopen),
    ]
}

fn take_step(state: &mut State, model: &mut BTreeMap<PathBuf, FileRecord>, step: Step) {
    match step {
        Step::Put(path, record) => {
            state.put(&path, (*record).clone()).unwrap();
            model.insert(path, *record);
        }
        Step::Fill(dir, count) => {
            for number in 0..count {
                let path = dir.join(format!("{number:x}"));
                state.put(&path, usual_record(number.into())).unwrap();
                model.insert(path, usual_record(number.into()));
            }
        }
        Step::Remove(path) => {
            state.remove(&path).unwrap();
            model.remove(&path);
        }
        Step::RemoveTree(top) => {
            for (path, _) in state.below(&top).unwrap() {
                state.remove(&path).unwrap();
            }
            model.retain(|path, _| !path.starts_with(&top) || *path == top);
        }
        Step::Commit => {
            state.commit().unwrap();
        }
        Step::Reopen => unreachable!(),
    }
}

fn agree(state: &State, model: &BTreeMap<PathBuf, FileRecord>) {
    assert_eq!(&all_of(state), model);
    for dir in ["/", "/a", "/a/b", "/nowhere"] {
        let names: Vec<PathBuf> = state
            .list_dir(Path::new(dir))
            .unwrap()
            .into_iter()
            .map(|(name, _)| Path::new(dir).join(name))
            .collect();
        let expected: Vec<PathBuf> =
            model.keys().filter(|path| path.parent() == Some(Path::new(dir))).cloned().collect();
        assert_eq!(names, expected);
    }
    for (path, record) in model {
        assert_eq!(state.get(path).unwrap().as_ref(), Some(record), "{path:?}");
    }
}

fn against_a_map(steps: Vec<Step>, mut open: impl FnMut() -> State) {
    let (mut state, mut model) = (open(), BTreeMap::new());
    for step in steps {
        if let Step::Reopen = step {
            state.commit().unwrap();
            drop(state);
            state = open();
        } else {
            take_step(&mut state, &mut model, step);
        }
    }
    agree(&state, &model);
    state.commit().unwrap();
    agree(&state, &model);
    drop(state);
    agree(&open(), &model);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn in_memory_it_is_a_map(steps in prop::collection::vec(any_step(), 0..60)) {
        let store = MemStore::new();
        against_a_map(steps, || open(&store));
    }
}

#[cfg(feature = "sled")]
#[test]
fn on_disk_it_is_a_map() {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) };
    proptest!(config, |(steps in prop::collection::vec(any_step(), 0..60))| {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("state");
        against_a_map(steps, || State::open(Box::new(crate::store::SledStore::open(&dir).unwrap())).unwrap());
    });
}

#[test]
fn the_root_has_a_record_of_its_own() {
    let mut state = open(&MemStore::new());
    state.put(Path::new("/"), usual_record(1)).unwrap();
    state.put(Path::new("/etc"), usual_record(2)).unwrap();
    assert_eq!(state.get(Path::new("/")).unwrap(), Some(usual_record(1)));
    assert_eq!(state.list_dir(Path::new("/")).unwrap(), [("etc".into(), usual_record(2))]);
    assert_eq!(state.below(Path::new("/")).unwrap(), [("/etc".into(), usual_record(2))]);
    assert_eq!(all_of(&state).len(), 2);
}

#[test]
fn what_cannot_be_a_path_is_refused() {
    let mut state = open(&MemStore::new());
    for path in ["relative", "", "/with\0nul"] {
        assert!(state.put(Path::new(path), usual_record(1)).is_err(), "{path:?}");
        assert!(state.get(Path::new(path)).is_err(), "{path:?}");
    }
}

#[test]
fn a_long_path_is_kept() {
    let store = MemStore::new();
    let path = PathBuf::from(format!("/{}", vec!["d".repeat(255); 100].join("/")));
    let mut state = open(&store);
    state.put(&path, usual_record(1)).unwrap();
    state.commit().unwrap();
    assert_eq!(open(&store).get(&path).unwrap(), Some(usual_record(1)));
}

#[test]
fn nothing_changed_is_nothing_to_commit() {
    let mut state = open(&MemStore::new());
    assert!(!state.commit().unwrap());
    state.put(Path::new("/a"), usual_record(1)).unwrap();
    assert!(state.commit().unwrap());
    state.put(Path::new("/a"), usual_record(1)).unwrap();
    state.remove(Path::new("/b")).unwrap();
    assert!(!state.commit().unwrap());
    state.set_meta("x", b"1").unwrap();
    assert!(state.commit().unwrap());
    assert_eq!(state.meta("x").unwrap().as_deref(), Some(&b"1"[..]));
}

#[test]
fn a_crash_leaves_what_was_synced() {
    let store = MemStore::new();
    let mut state = open(&store);
    state.put(Path::new("/a"), usual_record(1)).unwrap();
    state.commit().unwrap();
    state.sync().unwrap();
    state.put(Path::new("/b"), usual_record(2)).unwrap();
    state.commit().unwrap();
    let after = open(&store.crash());
    assert_eq!(all_of(&after).keys().collect::<Vec<_>>(), [Path::new("/a")]);
}

#[test]
fn what_could_not_be_committed_is_still_seen() {
    let store = MemStore::new();
    let mut state = open(&store);
    store.fail_after(0);
    state.put(Path::new("/a"), usual_record(1)).unwrap();
    assert_eq!(state.commit().unwrap_err().kind, StoreErrorKind::Io);
    assert_eq!(state.commit().unwrap_err().kind, StoreErrorKind::Poisoned);
    assert_eq!(state.get(Path::new("/a")).unwrap(), Some(usual_record(1)));
}

#[test]
fn another_format_is_refused() {
    for (format, kind) in [(&[3, 0, 0, 0][..], StoreErrorKind::Version), (b"?", StoreErrorKind::Version)] {
        let mut store = MemStore::new();
        let mut batch = Batch::default();
        batch.put(*b"mformat", format);
        store.apply(batch).unwrap();
        assert_eq!(State::open(Box::new(store)).unwrap_err().kind, kind);
    }
    let mut store = MemStore::new();
    let mut batch = Batch::default();
    batch.put(*b"something", *b"else");
    store.apply(batch).unwrap();
    assert_eq!(State::open(Box::new(store)).unwrap_err().kind, StoreErrorKind::Corrupt);
}

#[test]
fn the_format_before_is_read_and_written_as_the_present_one() {
    let mut store = MemStore::new();
    let mut state = State::open(Box::new(store.clone())).unwrap();
    state.put(Path::new("/d/a"), usual_record(1)).unwrap();
    state.commit().unwrap();
    let present = store.get(b"mformat").unwrap().unwrap();
    // As the version before left it: what it knew reads the same.
    let mut batch = Batch::default();
    batch.put(*b"mformat", *b"\x01\0\0\0");
    store.apply(batch).unwrap();
    let mut state = State::open(Box::new(store.clone())).unwrap();
    assert_eq!(state.get(Path::new("/d/a")).unwrap(), Some(usual_record(1)));
    state.put(Path::new("/d/b"), usual_record(2)).unwrap();
    state.commit().unwrap();
    assert_eq!(store.get(b"mformat").unwrap().unwrap(), present);
    let state = State::open(Box::new(store)).unwrap();
    assert_eq!(state.get(Path::new("/d/a")).unwrap(), Some(usual_record(1)));
}

#[test]
fn damage_names_its_directory_and_can_be_given_up() {
    let mut store = MemStore::new();
    let mut state = open(&store);
    for dir in ["/a", "/b", "/b/c"] {
        for number in 0..300 {
            state.put(&Path::new(dir).join(format!("{number:03}")), usual_record(number)).unwrap();
        }
    }
    state.commit().unwrap();
    state.sync().unwrap();
    // The middle block of /b.
    let (key, mut value) = store.floor(b"f/b/\x00150").unwrap().unwrap();
    assert!(key.starts_with(b"f/b/\x001"));
    value.pop();
    let mut batch = Batch::default();
    batch.put(key.clone(), value);
    store.apply(batch).unwrap();
    assert!(state.get(Path::new("/b/150")).unwrap().is_some(), "what is in memory counts");
    let mut state = open(&store);

    let hurt = Path::new("/b/150");
    let outcomes = [
        state.get(hurt).map(drop),
        state.put(hurt, usual_record(1)),
        state.remove(hurt),
        state.list_dir(Path::new("/b")).map(drop),
        state.below(Path::new("/")).map(drop),
    ];
    for outcome in outcomes {
        let error = outcome.unwrap_err();
        assert_eq!(State::damaged_dir(&error).as_deref(), Some(Path::new("/b")), "{error}");
        assert!(error.to_string().contains("/b"), "{error}");
    }
    for fine in ["/a/150", "/b/000", "/b/299", "/b/c/000"] {
        assert!(state.get(Path::new(fine)).unwrap().is_some(), "{fine}");
    }

    assert_eq!(state.drop_damaged(Path::new("/b")).unwrap(), 1);
    assert_eq!(state.get(hurt).unwrap(), None);
    assert_eq!(state.list_dir(Path::new("/a")).unwrap().len(), 300);
    state.put(hurt, usual_record(1)).unwrap();
    state.commit().unwrap();
    assert_eq!(state.get(hurt).unwrap(), Some(usual_record(1)));
    assert_eq!(state.drop_damaged(Path::new("/b")).unwrap(), 0);
}
