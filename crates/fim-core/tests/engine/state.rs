//! What is kept from one run to the next.

use crate::house::{House, Lines, at, findings, renamed, told};
use fim_core::{
    Action, Detected, Loss, MemStore, Record, Recovery, ReplayWatcher, StopToken, Store, StoreError,
    StoreErrorKind, Via, WatchMessage,
};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

#[test]
fn what_happened_while_nothing_ran_is_told_at_the_start() {
    let house = House::new();
    assert!(findings(&house.watch(|_| Vec::new())).is_empty(), "the first start learns");
    fs::write(house.path("a"), "changed").unwrap();
    fs::remove_dir_all(house.path("sub")).unwrap();
    fs::write(house.path("n"), "").unwrap();
    let lines = house.watch(|_| Vec::new());
    let mut told = told(&house, &lines);
    told.sort();
    assert_eq!(
        told,
        [
            (Action::Created, "n".into(), None),
            (Action::Updated, "a".into(), None),
            (Action::Deleted, "sub".into(), None),
            (Action::Deleted, "sub/c".into(), None),
        ]
    );
    assert!(findings(&lines).iter().all(|finding| finding.detected == Detected::Startup));
    assert!(findings(&house.watch(|_| Vec::new())).is_empty(), "and only once");
}

#[test]
fn check_compares_with_what_is_trusted_until_it_is_accepted() {
    let house = House::new();
    house.baseline();
    assert!(house.check().is_empty());
    fs::write(house.path("a"), "changed").unwrap();
    assert_eq!(house.check().len(), 1);
    let lines = house.watch(|_| Vec::new());
    assert_eq!(findings(&lines).len(), 1, "run tells it");
    assert_eq!(house.check().len(), 1, "it stays in check");
    house.engine(Lines::default()).baseline(&[house.path("a")]).unwrap();
    assert!(house.check().is_empty());
}

#[test]
fn check_needs_a_baseline() {
    let house = House::new();
    let error = house.engine(Lines::default()).check(&[], false).unwrap_err();
    assert!(error.to_string().contains("Engine::baseline"), "{error}");
}

#[test]
fn numbers_go_on_across_restarts_without_holes() {
    let house = House::new();
    let mut numbers = Vec::new();
    for round in 0..3 {
        fs::write(house.path("a"), format!("round {round}")).unwrap();
        let lines = house.watch(|_| Vec::new());
        numbers.extend(lines.reports.lock().unwrap().iter().map(|report| report.sequence));
    }
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
}

#[test]
fn what_could_not_be_reported_is_reported_at_the_next_start() {
    let house = House::new();
    house.watch(|_| Vec::new());
    fs::write(house.path("a"), "changed").unwrap();
    let broken = Lines { broken_after: Some(0), ..Lines::default() };
    let mut engine = house.engine(broken);
    engine.run(Box::new(fim_core::NullWatcher), &StopToken::new()).unwrap_err();
    drop(engine);
    let lines = house.watch(|_| Vec::new());
    assert_eq!(told(&house, &lines), [(Action::Updated, "a".into(), None)]);
}

/// Writes so many files, more than are looked at in one go, and says what a watcher would have seen of it.
fn write_many(root: &Path, text: &str) -> Vec<WatchMessage> {
    let write = |number: usize| {
        let path = root.join(format!("many-{number:04}"));
        fs::write(&path, text).unwrap();
        at(Via::Close, path)
    };
    (0..2_000).map(write).collect()
}

#[test]
fn many_changes_at_once_are_told_in_order_each_once() {
    let house = House::new();
    write_many(&house.root, "original");
    house.baseline();
    let lines = house.watch(|root| write_many(root, "changed"));
    let reports = lines.reports.lock().unwrap();
    assert!(reports.iter().map(|report| report.sequence).eq(1..=reports.len() as u64));
    drop(reports);
    let names: BTreeSet<_> = told(&house, &lines).into_iter().map(|(_, name, _)| name).collect();
    assert_eq!((names.len(), findings(&lines).len()), (2_000, 2_000));
}

#[test]
fn what_a_reader_missed_of_many_is_reported_at_the_next_start() {
    let house = House::new();
    house.watch(|_| Vec::new());
    let messages = write_many(&house.root, "changed");
    let broken = Lines { broken_after: Some(700), ..Lines::default() };
    let watcher = ReplayWatcher::new(messages);
    house.engine(broken.clone()).run(Box::new(watcher), &StopToken::new()).unwrap_err();
    let names = |lines: &Lines| -> BTreeSet<String> {
        told(&house, lines).into_iter().map(|(_, name, _)| name).collect()
    };
    let mut all = names(&broken);
    assert_eq!(broken.reports.lock().unwrap().len(), 700);
    all.extend(names(&house.watch(|_| Vec::new())));
    assert_eq!(all.len(), 2_000, "what was told then or is told now is all there is");
}

/// A store in which what is kept of one directory is damaged until it is removed, from a moment on.
struct Rotten(MemStore, &'static [u8], Arc<AtomicBool>);

impl Rotten {
    fn sound<T>(&self, key: &[u8], value: T) -> Result<T, StoreError> {
        if self.2.load(Ordering::Relaxed) && key.windows(self.1.len()).any(|part| part == self.1) {
            let damaged = StoreError::new(StoreErrorKind::Corrupt, "rotten");
            return Err(StoreError { key: Some(key.to_vec()), ..damaged });
        }
        Ok(value)
    }
}

impl Store for Rotten {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(key)?.map_or(Ok(None), |value| self.sound(key, Some(value)))
    }

    fn floor(&self, key: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>, StoreError> {
        match self.0.floor(key)? {
            Some((key, value)) => self.sound(&key.clone(), Some((key, value))),
            None => Ok(None),
        }
    }

    fn scan(&self, prefix: &[u8], visit: &mut fim_core::Visit<'_>) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        self.0.scan(prefix, &mut |key, value| match self.sound(key, ()) {
            Ok(()) => visit(key, value),
            Err(error) => {
                outcome = Err(error);
                std::ops::ControlFlow::Break(())
            }
        })?;
        outcome
    }

    fn apply(&mut self, batch: fim_core::Batch) -> Result<(), StoreError> {
        if batch.writes.iter().any(|(key, value)| value.is_none() && self.sound(key, ()).is_err()) {
            self.1 = b"nothing is rotten any more";
        }
        self.0.apply(batch)
    }

    fn sync(&mut self) -> Result<fim_core::Generation, StoreError> {
        self.0.sync()
    }
}

#[test]
fn a_damaged_directory_of_the_state_is_said_and_is_no_change() {
    let house = House::new();
    house.baseline();
    fs::write(house.path("a"), "changed").unwrap();
    let (started, wait) = channel();
    let lines = Lines { started: Some(started), ..Lines::default() };
    let root = house.root.clone();
    let messages = std::iter::once_with(move || {
        wait.recv().unwrap();
        fs::write(root.join("sub/c"), "written").unwrap();
        at(Via::Close, root.join("sub/c"))
    });
    let rotten = Rotten(house.store.clone(), b"/w/sub/\0", Arc::new(AtomicBool::new(true)));
    let mut engine = house.engine_on(rotten, lines.clone());
    engine.run(Box::new(ReplayWatcher::new(messages)), &StopToken::new()).unwrap();
    let mut told = told(&house, &lines);
    told.sort();
    assert_eq!(told, [(Action::Updated, "a".into(), None), (Action::Updated, "sub/c".into(), None)]);
    let lost: Vec<_> = lines
        .reports
        .lock()
        .unwrap()
        .iter()
        .filter_map(|report| match &report.record {
            Record::BaselineLost(lost) => Some(lost.scope.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(lost, [house.path("sub").display().to_string()]);
}

/// What meets damage to what is known of one file may be the look at another, or comparing everything.
#[test]
fn damage_during_the_watch_loses_nothing_of_what_was_being_done() {
    for losses in [0, 1] {
        let house = House::new();
        house.baseline();
        let (started, wait) = channel();
        let lines = Lines { started: Some(started), ..Lines::default() };
        let (root, rots) = (house.root.clone(), Arc::new(AtomicBool::new(false)));
        let rotten = Rotten(house.store.clone(), b"/w/sub/\0", Arc::clone(&rots));
        let messages = std::iter::once_with(move || {
            wait.recv().unwrap();
            fs::rename(root.join("sub/c"), root.join("came")).unwrap();
            // Nobody tells of it.
            fs::write(root.join("a"), "unseen").unwrap();
            rots.store(true, Ordering::Relaxed);
            let lost = (0..losses).map(|number| {
                WatchMessage::Lost(Loss { number, cause: "ring_full", count: 1, recovery: Recovery::Rescan })
            });
            lost.chain([renamed(root.join("sub/c"), root.join("came"))])
        });
        let mut engine = house.engine_on(rotten, lines.clone());
        let stopped =
            engine.run(Box::new(ReplayWatcher::new(messages.flatten())), &StopToken::new()).unwrap();
        let told = told(&house, &lines);
        let mut all: Vec<_> = told.into_iter().map(|(action, name, _)| (action, name)).collect();
        all.sort();
        assert_eq!(all, [(Action::Created, "came".into()), (Action::Updated, "a".into())]);
        assert_eq!((stopped.gaps, stopped.gaps_open), (losses, 0));
    }
}
