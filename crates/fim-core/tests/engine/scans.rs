//! What no event told, found by looking at everything again while the watch runs.

use crate::house::{House, Lines, Plain, event, findings, told};
use fim_core::{
    Action, Actor, Detected, Engine, FileEvent, Finding, Place, ReplayWatcher, Scan, Severity, State,
    StopToken, Via, WatchMessage,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

const OFTEN: Duration = Duration::from_millis(10);

fn metadata() -> Scan {
    let mut scan = Scan::never();
    scan.metadata_every = OFTEN;
    scan
}

fn full() -> Scan {
    let mut scan = Scan::never();
    scan.full_every = OFTEN;
    scan
}

/// Watches, with scans, while `act` changes files; until so many changes are told.
fn watch(
    house: &House,
    scan: Scan,
    changes: usize,
    act: impl FnOnce(&Path) -> Vec<FileEvent> + Send + 'static,
) -> Lines {
    let (started, wait) = channel();
    let (changed, heard) = channel();
    let lines = Lines { started: Some(started), changed: Some(changed), ..Lines::default() };
    let root = house.root.clone();
    let events = std::iter::once_with(move || {
        wait.recv().unwrap();
        act(&root).into_iter().map(WatchMessage::Event)
    })
    .flatten();
    // Sends nothing more, but ends the watch only when all is told.
    let rest = std::iter::from_fn(move || {
        for _ in 0..changes {
            heard.recv_timeout(Duration::from_secs(60)).unwrap();
        }
        None
    });
    let watcher = Box::new(ReplayWatcher::new(events.chain(rest)));
    let state = State::open(Box::new(house.store.clone())).unwrap();
    let plain = Box::new(Plain(house.root.to_str().unwrap().to_owned()));
    let mut engine =
        Engine::builder().consumer(plain).scan(scan).build(state, Box::new(lines.clone())).unwrap();
    engine.run(watcher, &StopToken::new()).unwrap();
    lines
}

fn names(house: &House, lines: &Lines) -> Vec<(Action, String)> {
    let mut all: Vec<_> = told(house, lines).into_iter().map(|(action, name, _)| (action, name)).collect();
    all.sort();
    all
}

fn is_by_scan(finding: &Finding) -> bool {
    (finding.detected, finding.via) == (Detected::Scan, None) && finding.actors.is_empty()
}

#[test]
fn what_no_event_told_is_one_finding_without_an_actor() {
    let house = House::new();
    house.baseline();
    let lines = watch(&house, metadata(), 1, |root| {
        fs::write(root.join("a"), "changed").unwrap();
        Vec::new()
    });
    assert_eq!(names(&house, &lines), [(Action::Updated, "a".to_owned())]);
    assert!(findings(&lines).iter().all(is_by_scan), "{lines:?}");
}

#[test]
fn names_that_came_and_went_are_found_below_directories_too() {
    let house = House::new();
    house.baseline();
    let lines = watch(&house, metadata(), 6, |root| {
        fs::remove_file(root.join("b")).unwrap();
        fs::remove_dir_all(root.join("sub")).unwrap();
        fs::create_dir_all(root.join("new/er")).unwrap();
        fs::write(root.join("new/er/file"), "x").unwrap();
        Vec::new()
    });
    let named = |action, name: &str| (action, name.to_owned());
    assert_eq!(
        names(&house, &lines),
        [
            named(Action::Created, "new"),
            named(Action::Created, "new/er"),
            named(Action::Created, "new/er/file"),
            named(Action::Deleted, "b"),
            named(Action::Deleted, "sub"),
            named(Action::Deleted, "sub/c"),
        ]
    );
    assert!(findings(&lines).iter().all(is_by_scan));
}

#[test]
fn other_bytes_under_the_same_clocks_are_found_by_reading_everything() {
    let house = House::new();
    house.baseline();
    // As if the bytes had been others before: no clock tells.
    let path = house.path("sub/c");
    let mut state = State::open(Box::new(house.store.clone())).unwrap();
    let mut record = state.get(&path).unwrap().unwrap();
    record.seen.as_mut().unwrap().blake3 = Some([7; 32]);
    state.put(&path, record).unwrap();
    state.commit().unwrap();
    let lines = watch(&house, full(), 1, |_| Vec::new());
    assert_eq!(names(&house, &lines), [(Action::Updated, "sub/c".to_owned())]);
    let finding = &findings(&lines)[0];
    assert!(is_by_scan(finding));
    assert_eq!((finding.changes[0].what.as_str(), finding.severity), ("clocks_unmoved", Severity::High));
}

#[test]
fn a_change_that_an_event_tells_too_has_its_actor() {
    let house = House::new();
    house.baseline();
    let lines = watch(&house, metadata(), 1, |root| {
        let path: PathBuf = root.join("a");
        fs::write(&path, "changed").unwrap();
        // Long enough for a scan to come by; the event is late.
        std::thread::sleep(OFTEN * 10);
        let mut event = event(Via::Write);
        event.place = Some(Place::Path(path));
        event.actor = Some(Arc::new(Actor::new(77)));
        vec![event]
    });
    let told = findings(&lines);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].detected, told[0].actors[0].pid), (Detected::Live, 77));
}

#[test]
fn the_start_says_what_depends_on_scans() {
    let house = House::new();
    for (scan, said) in [(full(), "late"), (metadata(), "none")] {
        let lines = watch(&house, scan, 0, |_| Vec::new());
        let reports = lines.reports.lock().unwrap();
        let fim_core::Record::WatchStarted(started) = &reports[0].record else { panic!("{reports:?}") };
        assert_eq!(started.coverage["raw_write"].as_str(), said);
    }
}
