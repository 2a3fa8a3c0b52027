//! What the store on disk must survive: sudden death, a second process, damage, old copies, a full disk.

#![cfg(feature = "sled")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use fim_core::{Batch, Facts, FileKind, FileRecord, SledStore, State, Store, StoreError, StoreErrorKind};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const CHILD: &str = "FIM_TEST_CHILD_STATE";

fn temp() -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("state");
    (temp, dir)
}

fn kind<T>(outcome: Result<T, StoreError>) -> Option<StoreErrorKind> {
    outcome.err().map(|error| error.kind)
}

/// Every value of a round says which one it is of: a torn batch shows.
fn round(number: u32) -> Batch {
    let mut batch = Batch::default();
    for key in 0..50u32 {
        batch.put(format!("key {key}"), [number.to_le_bytes().as_slice(), &[0; 300]].concat());
    }
    batch
}

fn rounds_of(store: &dyn Store) -> Vec<u32> {
    let mut rounds = Vec::new();
    store
        .scan(b"key ", &mut |_, value| {
            rounds.push(u32::from_le_bytes(value[..4].try_into().unwrap()));
            ControlFlow::Continue(())
        })
        .unwrap();
    rounds
}

/// Not a test: the process that other tests start.
#[test]
fn child() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    println!();
    let mut store = SledStore::open(Path::new(&dir)).unwrap();
    let mut lines = std::io::stdin().lines();
    while let Some(Ok(line)) = lines.next() {
        let (word, number) = line.split_once(' ').unwrap();
        match word {
            "apply" => store.apply(round(number.parse().unwrap())).unwrap(),
            "sync" => drop(store.sync().unwrap()),
            _ => std::process::abort(),
        }
        println!("did {line}");
    }
}

struct Child(std::process::Child, BufReader<std::process::ChildStdout>);

impl Child {
    fn start(dir: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(CHILD, dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self(child, out)
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.0.stdin.as_mut().unwrap(), "{line}").unwrap();
        let (expected, mut said) = (format!("did {line}"), String::new());
        while !said.ends_with(&format!("{expected}\n")) {
            assert_ne!(self.1.read_line(&mut said).unwrap(), 0, "the child ended: {said}");
        }
    }

    fn die(mut self) {
        writeln!(self.0.stdin.as_mut().unwrap(), "abort now").unwrap();
        assert!(!self.0.wait().unwrap().success());
    }
}

#[test]
fn sudden_death_leaves_all_that_was_synced() {
    let (_temp, dir) = temp();
    for start in [0, 10, 20] {
        let mut child = Child::start(&dir);
        child.tell(&format!("apply {start}"));
        child.tell(&format!("apply {}", start + 1));
        child.tell("sync 0");
        for more in 2..7 {
            child.tell(&format!("apply {}", start + more));
        }
        child.die();
        let store = SledStore::open(&dir).unwrap();
        let rounds = rounds_of(&store);
        assert_eq!(rounds.len(), 50);
        assert!(rounds[0] > start && rounds[0] < start + 7, "{rounds:?}");
        assert!(rounds.iter().all(|round| *round == rounds[0]), "a torn batch: {rounds:?}");
    }
}

#[test]
fn a_store_is_opened_anew_in_place() {
    let (_temp, dir) = temp();
    let mut store = SledStore::open(&dir).unwrap();
    store.apply(round(1)).unwrap();
    store.sync().unwrap();
    store.recover().unwrap();
    assert!(rounds_of(&store).iter().all(|round| *round == 1));
    store.apply(round(2)).unwrap();
    store.sync().unwrap();
    drop(store);
    assert!(rounds_of(&SledStore::open(&dir).unwrap()).iter().all(|round| *round == 2));
}

#[test]
fn a_second_opener_is_told_who_has_it() {
    let (_temp, dir) = temp();
    let mut child = Child::start(&dir);
    child.tell("apply 1");
    let error = SledStore::open(&dir).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Locked);
    assert!(error.to_string().contains(&child.0.id().to_string()), "{error}");
    assert_eq!(kind(SledStore::set_aside(&dir)), Some(StoreErrorKind::Locked));
    child.die();
    drop(SledStore::open(&dir).unwrap());
    let first = SledStore::open(&dir).unwrap();
    assert_eq!(kind(SledStore::open(&dir)), Some(StoreErrorKind::Locked));
    drop(first);
    drop(SledStore::open(&dir).unwrap());
}

#[test]
fn a_folder_others_could_write_in_is_refused() {
    let (temp, dir) = temp();
    drop(SledStore::open(&dir).unwrap());
    assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o7777, 0o700);
    assert_eq!(fs::metadata(dir.join("sled")).unwrap().permissions().mode() & 0o7777, 0o700);

    let link = temp.path().join("link");
    symlink(&dir, &link).unwrap();
    let file = temp.path().join("file");
    fs::write(&file, "").unwrap();
    let open = temp.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o770)).unwrap();
    for (refused, word) in [(&link, "symbolic link"), (&file, "not a folder"), (&open, "chmod")] {
        let error = SledStore::open(refused).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(error.path.as_ref(), Some(refused));
    }
    // Needs root: else there is no folder of another user to try.
    if chown(&open, Some(4242), None).is_ok() {
        fs::set_permissions(&open, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(SledStore::open(&open).unwrap_err().to_string().contains("belongs to user 4242"));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A store of two synced rounds; the first is beside it as a copy.
fn with_old_copy(temp: &Path, dir: &Path) -> PathBuf {
    let old = temp.join("old");
    let mut store = SledStore::open(dir).unwrap();
    store.apply(round(1)).unwrap();
    store.sync().unwrap();
    drop(store);
    copy(&dir.join("sled"), &old);
    let mut store = SledStore::open(dir).unwrap();
    store.apply(round(2)).unwrap();
    store.sync().unwrap();
    old
}

#[test]
fn an_older_copy_is_noticed() {
    let (temp, dir) = temp();
    let old = with_old_copy(temp.path(), &dir);
    fs::remove_dir_all(dir.join("sled")).unwrap();
    copy(&old, &dir.join("sled"));
    assert_eq!(kind(SledStore::open(&dir)), Some(StoreErrorKind::Rollback));
}

#[test]
fn a_store_that_is_gone_is_noticed() {
    let (temp, dir) = temp();
    with_old_copy(temp.path(), &dir);
    fs::remove_dir_all(dir.join("sled")).unwrap();
    assert_eq!(kind(SledStore::open(&dir)), Some(StoreErrorKind::Rollback));
}

#[test]
fn a_mark_that_is_gone_or_damaged_is_noticed() {
    let (temp, dir) = temp();
    with_old_copy(temp.path(), &dir);
    fs::write(dir.join("STATE"), "nonsense").unwrap();
    assert_eq!(kind(SledStore::open(&dir)), Some(StoreErrorKind::Corrupt));
    fs::remove_file(dir.join("STATE")).unwrap();
    assert_eq!(kind(SledStore::open(&dir)), Some(StoreErrorKind::Rollback));
}

#[test]
fn what_is_damaged_is_set_aside_and_kept() {
    let (temp, dir) = temp();
    with_old_copy(temp.path(), &dir);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let db = dir.join("sled/db");
        let damaged = b"not what it was".to_vec();
        fs::write(&db, &damaged).unwrap();
        assert!(SledStore::open(&dir).is_err());
        let damaged = fs::read(&db).unwrap();
        let aside = SledStore::set_aside(&dir).unwrap();
        // The threads of the store that could not be opened may still be adding to it.
        assert!(fs::read(aside.join("db")).unwrap().starts_with(&damaged));
        assert!(aside.join("STATE").exists());
        assert!(aside.file_name().unwrap().to_str().unwrap().starts_with("damaged-20"), "{aside:?}");
        seen.push(aside);
        let mut store = SledStore::open(&dir).unwrap();
        assert_eq!(rounds_of(&store), []);
        store.apply(round(3)).unwrap();
        store.sync().unwrap();
    }
    assert_ne!(seen[0], seen[1]);
}

fn record(number: u64) -> FileRecord {
    let mut facts = Facts::new(FileKind::File);
    facts.size = number;
    facts.blake3 = Some([7; 32]);
    // One in a hundred is so large that the store keeps it in a file of its own.
    let kept = if number.is_multiple_of(100) { 700_000 } else { 50 };
    FileRecord::new(facts, Some(vec![3; kept]))
}

fn fill(dir: &Path, files: u64) -> BTreeMap<PathBuf, FileRecord> {
    let mut state = State::open(Box::new(SledStore::open(dir).unwrap())).unwrap();
    let all: BTreeMap<PathBuf, FileRecord> = (1..=files)
        .map(|number| (PathBuf::from(format!("/{}/{number}", number % 7)), record(number)))
        .collect();
    for (path, record) in &all {
        state.put(path, record.clone()).unwrap();
        if record.seen.as_ref().is_some_and(|facts| facts.size % 50 == 0) {
            state.commit().unwrap();
        }
    }
    state.commit().unwrap();
    state.sync().unwrap();
    drop(state);
    // From its second opening on, the store believes a summary of its log.
    drop(SledStore::open(dir).unwrap());
    all
}

fn read(dir: &Path) -> Result<BTreeMap<PathBuf, FileRecord>, StoreError> {
    let state = State::open(Box::new(SledStore::open(dir)?))?;
    let mut all = BTreeMap::new();
    state.walk(Path::new("/"), &mut |path, record| {
        all.insert(path, record);
        ControlFlow::Continue(())
    })?;
    Ok(all)
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

/// Changes every file of a store in so many places (or as many as `FIM_PLACES` says: scripts/crash does it in a
/// thousand), one at a time, and cuts it: what can still be read is all there and as it was.
fn damaged_in_many_places(records: u64, places: usize) {
    let places = std::env::var("FIM_PLACES").ok().and_then(|it| it.parse().ok()).unwrap_or(places);
    let (temp, dir) = temp();
    let all = fill(&dir, records);
    let copied = temp.path().join("copy");
    for file in files(&dir) {
        let good = fs::read(&file).unwrap();
        let used = good.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let flips = (0..used).step_by((used / places).max(1)).map(|at| {
            let mut bad = good.clone();
            bad[at] ^= [0x01, 0x80, 0xff][at % 3];
            (format!("byte {at}"), bad)
        });
        let cuts =
            [0, used / 3, used.saturating_sub(1)].map(|end| (format!("cut at {end}"), good[..end].to_vec()));
        for (damage, bad) in flips.chain(cuts) {
            drop(fs::remove_dir_all(&copied));
            copy(&dir, &copied);
            fs::set_permissions(&copied, fs::Permissions::from_mode(0o700)).unwrap();
            fs::write(copied.join(file.strip_prefix(&dir).unwrap()), &bad).unwrap();
            match read(&copied) {
                Ok(found) => assert!(found == all, "{file:?}, {damage}: {} of {records}", found.len()),
                Err(error) => {
                    use StoreErrorKind::{Corrupt, Rollback, Version};
                    assert!(
                        matches!(error.kind, Corrupt | Rollback | Version),
                        "{file:?}, {damage}: {error}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_damaged_small_store_is_an_error_or_as_it_was() {
    damaged_in_many_places(3, 60);
}

#[test]
fn a_damaged_large_store_is_an_error_or_as_it_was() {
    damaged_in_many_places(500, 25);
}

#[test]
fn a_summary_that_was_cut_short_is_no_damage() {
    let (_temp, dir) = temp();
    let all = fill(&dir, 3);
    fs::write(dir.join("sled/snap.00000000FFFFFFFF.generating"), b"").unwrap();
    assert!(read(&dir).unwrap() == all);
}

/// Damage that sled itself does not see: a value written by someone else.
#[test]
fn a_foreign_value_is_damage_of_one_directory() {
    let (_temp, dir) = temp();
    let all = fill(&dir, 500);
    let tree = |change: &dyn Fn(&sled::Db)| {
        let db = sled::open(dir.join("sled")).unwrap();
        change(&db);
        db.flush().unwrap();
    };
    let (one, other) = (b"kf/1/\0".as_slice(), b"kf/2/\0".as_slice());
    let good = std::cell::RefCell::new(Vec::new());
    tree(&|db| *good.borrow_mut() = db.get(one).unwrap().unwrap().to_vec());
    let good = good.into_inner();
    type Change = fn(&mut Vec<u8>);
    let changes: [(&str, Change); 4] = [
        ("flipped", |value| value[100] ^= 1),
        ("cut", |value| value.truncate(100)),
        ("empty", Vec::clear),
        ("lengthened", |value| value.push(0)),
    ];
    for (name, change) in changes {
        let mut bad = good.clone();
        change(&mut bad);
        tree(&|db| drop(db.insert(one, bad.clone()).unwrap()));
        let error = read(&dir).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Corrupt, "{name}: {error}");
        assert_eq!(State::damaged_dir(&error), Some("/1".into()), "{name}");
    }
    tree(&|db| drop(db.insert(one, db.get(other).unwrap().unwrap()).unwrap()));
    let mut state = State::open(Box::new(SledStore::open(&dir).unwrap())).unwrap();
    assert!(state.get(Path::new("/1/1")).is_err(), "the value of another key");
    assert_eq!(state.get(Path::new("/2/2")).unwrap().as_ref(), all.get(Path::new("/2/2")));
    assert_eq!(state.drop_damaged(Path::new("/1")).unwrap(), 1);
    assert_eq!(state.get(Path::new("/1/1")).unwrap(), None);
    drop(state);
    let left: BTreeMap<_, _> =
        all.into_iter().filter(|(path, _)| path.parent() != Some(Path::new("/1"))).collect();
    let found = read(&dir).unwrap();
    assert!(left.iter().all(|(path, record)| found.get(path) == Some(record)));
}
