//! The process ends at every write of the store, just before and just after it: what was reported and what
//! is reported at the next start are together all that changed, and a baseline is whole or none.

#![cfg(feature = "sled")]

use crate::house::{Lines, Plain, at, event};
use fim_core::{
    Batch, Engine, Generation, Place, Record, ReplayWatcher, Report, Sink, SledStore, State, StopToken,
    Store, StoreError, Via, Visit, WatchMessage,
};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};

const DIR: &str = "FIM_TEST_CRASH_DIR";
const WRITES: &str = "FIM_TEST_CRASH_AFTER";

/// Ends the process at a write.
struct Doomed {
    store: SledStore,
    /// Twice the writes that succeed; odd: the last one is done before the end.
    left: u64,
}

impl Doomed {
    fn write<T>(&mut self, act: impl FnOnce(&mut SledStore) -> T) -> T {
        if self.left == 0 {
            std::process::abort();
        }
        let done = act(&mut self.store);
        if self.left == 1 {
            std::process::abort();
        }
        self.left -= 2;
        done
    }
}

impl Store for Doomed {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(key)
    }

    fn floor(&self, key: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>, StoreError> {
        self.store.floor(key)
    }

    fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.store.scan(prefix, visit)
    }

    fn apply(&mut self, batch: Batch) -> Result<(), StoreError> {
        self.write(|store| store.apply(batch))
    }

    fn sync(&mut self) -> Result<Generation, StoreError> {
        self.write(Store::sync)
    }
}

/// A line for each change: what a reader had got when the process ended. Says when the watch has started.
struct Stdout(Sender<()>);

impl Sink for Stdout {
    fn write(&mut self, report: &Report) -> io::Result<()> {
        match &report.record {
            Record::Change(it) => writeln!(io::stdout(), "\ntold {:?} {}", it.action, it.path.display()),
            Record::WatchStarted(_) => self.0.send(()).map_err(io::Error::other),
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

fn engine(store: impl Store + 'static, dir: &Path, sink: impl Sink + 'static) -> Engine {
    let plain = Plain(dir.join("watched").to_str().unwrap().to_owned());
    let state = State::open(Box::new(store)).unwrap();
    Engine::builder().consumer(Box::new(plain)).build(state, Box::new(sink)).unwrap()
}

/// What changes while the watch runs.
fn change(watched: &Path) {
    fs::write(watched.join("live"), "changed").unwrap();
    fs::rename(watched.join("old"), watched.join("new")).unwrap();
}

fn messages(watched: &Path) -> Vec<WatchMessage> {
    change(watched);
    let mut renamed = event(Via::Rename);
    renamed.from = Some(Place::Path(watched.join("old")));
    renamed.place = Some(Place::Path(watched.join("new")));
    vec![at(Via::Close, watched.join("live")), WatchMessage::Event(renamed)]
}

/// Not a test: the process that ends. Learns, or watches what changed meanwhile and what changes.
#[test]
fn child() {
    let (Ok(dir), Ok(writes)) = (std::env::var(DIR), std::env::var(WRITES)) else { return };
    let dir = Path::new(&dir);
    let store = SledStore::open(&dir.join("state")).unwrap();
    let (send, started) = channel();
    let mut engine = engine(Doomed { store, left: writes.parse().unwrap() }, dir, Stdout(send));
    if engine.has_baseline().unwrap() {
        let watched = dir.join("watched");
        let messages = std::iter::once_with(move || {
            started.recv().unwrap();
            messages(&watched)
        });
        let messages = messages.flatten();
        engine.run(Box::new(ReplayWatcher::new(messages)), &StopToken::new()).unwrap();
    } else {
        engine.baseline(&[]).unwrap();
    }
}

/// Runs the child until a write of that number: whether it came to its end, and what it told.
fn run(dir: &Path, writes: u64) -> (bool, Vec<String>) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture"])
        .env(DIR, dir)
        .env(WRITES, writes.to_string())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let told = told.lines().filter_map(|line| line.strip_prefix("told ")).map(str::to_owned).collect();
    (output.status.success(), told)
}

fn scene() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let watched = dir.path().join("watched");
    fs::create_dir(&watched).unwrap();
    for name in ["live", "old", "down", "gone"] {
        fs::write(watched.join(name), "old").unwrap();
    }
    dir
}

#[test]
fn a_baseline_is_whole_or_none() {
    for writes in 0.. {
        let dir = scene();
        let (ended, _) = run(dir.path(), writes);
        let store = SledStore::open(&dir.path().join("state")).unwrap();
        let mut engine = engine(store, dir.path(), Lines::default());
        if engine.has_baseline().unwrap() {
            let summary = engine.check(&[], true).unwrap();
            assert_eq!((summary.changes, summary.never_covered), (0, 0), "at write {writes}");
        }
        if ended {
            assert!(writes > 2 && engine.has_baseline().unwrap());
            return;
        }
    }
}

#[test]
fn every_change_is_told_at_least_once() {
    let expected: BTreeSet<String> = ["Updated live", "Moved new", "Updated down", "Deleted gone"]
        .map(str::to_owned)
        .into_iter()
        .collect();
    for writes in 0.. {
        let dir = scene();
        let watched = dir.path().join("watched");
        assert!(run(dir.path(), u64::MAX - 1).0);
        fs::write(watched.join("down"), "changed").unwrap();
        fs::remove_file(watched.join("gone")).unwrap();
        let (ended, mut told) = run(dir.path(), writes);
        if watched.join("old").exists() {
            change(&watched);
        }

        let lines = Lines::default();
        let store = SledStore::open(&dir.path().join("state")).unwrap();
        let mut engine = engine(store, dir.path(), lines.clone());
        engine.run(Box::new(ReplayWatcher::new([])), &StopToken::new()).unwrap();
        drop(engine);
        let again = crate::house::findings(&lines);
        if ended {
            assert_eq!(again.len(), 0, "nothing is left");
        }
        told.extend(again.iter().map(|it| format!("{:?} {}", it.action, it.path.display())));
        let prefix = format!("{}/", watched.display());
        let told: BTreeSet<String> = told.iter().map(|line| line.replace(&prefix, "")).collect();
        // Found at the start, a rename is two lines.
        let rename = ["Deleted old", "Created new"].map(str::to_owned);
        let missing: Vec<_> = expected
            .iter()
            .filter(|line| !told.contains(*line))
            .filter(|line| *line != "Moved new" || !rename.iter().all(|part| told.contains(part)))
            .collect();
        assert!(missing.is_empty(), "at write {writes}: {missing:?} of {told:?}");
        if ended {
            assert!(writes > 4);
            return;
        }
    }
}
