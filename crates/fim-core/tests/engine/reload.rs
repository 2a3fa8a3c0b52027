//! Another configuration while the watch runs: nothing is lost on the way, new ground is learned, old ground is
//! compared.

use crate::house::{House, Lines, Plain, at, findings};
use fim_core::{
    Action, Consumer, ConsumerError, Context, Control, Detected, Interest, Limits, Reload, Reloaded,
    ReplayWatcher, Scan, Snapshot, Status, StopToken, Via, WatchMessage,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// What a test does while the watch runs: acts, gives orders, waits for them, and says what a watcher saw.
pub struct Hand {
    pub root: PathBuf,
    pub control: Control,
    pub status: Status,
    reloaded: Receiver<Reloaded>,
    changed: Receiver<PathBuf>,
}

impl Hand {
    fn reload(&self, paths: &[&str]) -> Reloaded {
        let mut reload = Reload::new(Limits::default(), Scan::never());
        for path in paths {
            reload = reload.consumer(plain(&self.root, path));
        }
        self.control.reload(reload.note("a note"));
        self.wait()
    }

    fn wait(&self) -> Reloaded {
        self.reloaded.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    pub fn wait_for_change(&self) -> PathBuf {
        self.changed.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    pub fn write(&self, name: &str) -> WatchMessage {
        let path = self.root.join(name);
        fs::write(&path, "changed").unwrap();
        at(Via::Write, path)
    }
}

pub fn plain(root: &Path, name: &str) -> Box<Plain> {
    Box::new(Plain(root.join(name).to_str().unwrap().to_owned()))
}

/// Watches `one` below the root until the steps are done; each gives what a watcher saw of it.
pub fn watch(house: &House, steps: Vec<fn(&Hand) -> Vec<WatchMessage>>) -> Lines {
    watch_by(house, plain(&house.root, "one"), steps)
}

fn watch_by(house: &House, consumer: Box<dyn Consumer>, steps: Vec<fn(&Hand) -> Vec<WatchMessage>>) -> Lines {
    let (started, wait) = channel();
    let (reloaded, heard) = channel();
    let (changed, told) = channel();
    let lines = Lines {
        started: Some(started),
        reloaded: Some(reloaded),
        changed: Some(changed),
        ..Lines::default()
    };
    let mut engine = house.engine_of(consumer, lines.clone());
    let (control, status) = (engine.control(), engine.status());
    let hand = Hand { root: house.root.clone(), control, status, reloaded: heard, changed: told };
    let begun = std::iter::once_with(move || {
        wait.recv().unwrap();
        Vec::new()
    });
    let steps = steps.into_iter().map(move |step| step(&hand));
    let watcher = Box::new(ReplayWatcher::new(begun.chain(steps).flatten()));
    engine.run(watcher, &StopToken::new()).unwrap();
    lines
}

pub fn house() -> House {
    let house = House::new();
    for dir in ["one", "two"] {
        fs::create_dir(house.path(dir)).unwrap();
        for file in ["x", "y"] {
            fs::write(house.path(dir).join(file), "old").unwrap();
        }
    }
    house
}

pub fn told(house: &House, lines: &Lines) -> Vec<(Action, Detected, String)> {
    let name = |path: &Path| path.strip_prefix(&house.root).unwrap().to_str().unwrap().to_owned();
    findings(lines).iter().map(|it| (it.action, it.detected, name(&it.path))).collect()
}

#[test]
fn new_ground_is_learned_without_a_word_and_watched_from_then_on() {
    let house = house();
    let lines = watch(
        &house,
        vec![|hand| {
            let reloaded = hand.reload(&["one", "two"]);
            assert_eq!((reloaded.learned, reloaded.files), (3, 4), "{reloaded:?}");
            assert_eq!(reloaded.gained, [hand.root.join("two").to_str().unwrap()]);
            assert_eq!((reloaded.lost_count, reloaded.notes), (0, vec!["a note".to_owned()]));
            vec![hand.write("two/x"), hand.write("one/x")]
        }],
    );
    let mut all = told(&house, &lines);
    all.sort_by(|one, other| one.2.cmp(&other.2));
    let changed = |name: &str| (Action::Updated, Detected::Live, name.to_owned());
    assert_eq!(all, [changed("one/x"), changed("two/x")]);
}

#[test]
fn what_leaves_is_told_to_the_last_and_no_longer() {
    let house = house();
    let lines = watch(
        &house,
        vec![
            // On its way while the order comes.
            |hand| vec![hand.write("one/x")],
            |hand| {
                let reloaded = hand.reload(&["two"]);
                assert_eq!(reloaded.lost, [hand.root.join("one").to_str().unwrap()]);
                vec![hand.write("one/y"), hand.write("two/y")]
            },
        ],
    );
    let changed = |name: &str| (Action::Updated, Detected::Live, name.to_owned());
    assert_eq!(told(&house, &lines), [changed("one/x"), changed("two/y")]);
}

#[test]
fn ground_that_was_left_for_a_while_is_compared() {
    let house = house();
    let lines = watch(
        &house,
        vec![|hand| {
            hand.reload(&["two"]);
            fs::write(hand.root.join("one/x"), "meanwhile").unwrap();
            fs::write(hand.root.join("one/new"), "meanwhile").unwrap();
            fs::remove_file(hand.root.join("one/y")).unwrap();
            assert_eq!(hand.reload(&["one", "two"]).learned, 0);
            (0..3).for_each(|_| drop(hand.wait_for_change()));
            Vec::new()
        }],
    );
    let mut all = told(&house, &lines);
    all.sort_by(|one, other| one.2.cmp(&other.2));
    let found = |action, name: &str| (action, Detected::Scan, name.to_owned());
    assert_eq!(
        all,
        [found(Action::Created, "one/new"), found(Action::Updated, "one/x"), found(Action::Deleted, "one/y"),]
    );
}

#[test]
fn what_cannot_be_used_is_refused_and_the_old_one_holds() {
    let house = house();
    let lines = watch(
        &house,
        vec![|hand| {
            hand.control.refused("line 3: no");
            assert_eq!(hand.wait().refused.as_deref(), Some("line 3: no"));
            assert_eq!(hand.status.now().refused.as_deref(), Some("line 3: no"));
            let bad = Reload::new(Limits::default(), Scan::never());
            hand.control.reload(bad.consumer(Box::new(Plain("not absolute".to_owned()))));
            let refused = hand.wait().refused.unwrap();
            assert!(refused.contains("not absolute"), "{refused}");
            assert_eq!(hand.status.now().refused, Some(refused));
            hand.reload(&["one"]);
            assert_eq!(hand.status.now().refused, None);
            vec![hand.write("one/x")]
        }],
    );
    assert_eq!(told(&house, &lines), [(Action::Updated, Detected::Live, "one/x".to_owned())]);
}

#[test]
fn what_was_learned_survives_a_restart() {
    let house = house();
    watch(
        &house,
        vec![|hand| {
            hand.reload(&["one", "two"]);
            Vec::new()
        }],
    );
    fs::write(house.path("two/x"), "while nothing ran").unwrap();
    fs::write(house.path("two/new"), "while nothing ran").unwrap();
    let lines = watch_by(&house, plain(&house.root, "two"), Vec::new());
    let startup = |action, name: &str| (action, Detected::Startup, name.to_owned());
    let mut all = told(&house, &lines);
    all.sort_by(|one, other| one.2.cmp(&other.2));
    assert_eq!(all, [startup(Action::Created, "two/new"), startup(Action::Updated, "two/x")]);
}

/// Keeps the content of its files, and says what it was before.
struct Keeper(String);

impl Consumer for Keeper {
    fn name(&self) -> &'static str {
        "keeper"
    }

    fn interest(&self) -> Interest {
        Interest::in_paths([self.0.clone()]).with_content(100)
    }

    fn inspect(&mut self, file: &Snapshot, cx: &mut Context<'_>) -> Result<(), ConsumerError> {
        if let Some(kept) = cx.kept() {
            cx.diff(String::from_utf8_lossy(kept).into_owned());
        }
        cx.keep(file.content.clone().unwrap_or_default());
        Ok(())
    }
}

#[test]
fn a_consumer_that_comes_to_known_files_has_something_to_compare_with() {
    let house = house();
    let lines = watch(
        &house,
        vec![|hand| {
            let keeper = Keeper(hand.root.join("one/x").to_str().unwrap().to_owned());
            let reload = Reload::new(Limits::default(), Scan::never());
            hand.control.reload(reload.consumer(Box::new(keeper)).consumer(plain(&hand.root, "one")));
            hand.wait();
            Vec::new()
        }],
    );
    assert_eq!(told(&house, &lines), []);
    let keeper = Box::new(Keeper(house.path("one/x").to_str().unwrap().to_owned()));
    fs::write(house.path("one/x"), "changed").unwrap();
    let lines = watch_by(&house, keeper, Vec::new());
    assert_eq!(findings(&lines)[0].diff.as_deref(), Some("old"));
}
