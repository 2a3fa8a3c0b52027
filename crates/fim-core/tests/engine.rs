//! The engine with real files and replayed events: which lines come of what.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use fim_core::{
    Action, Change, Consumer, ConsumerError, Context, Detected, Engine, FileEvent, Finding, Interest, Loss,
    MemStore, Place, Record, Recovery, ReplayWatcher, Report, Sink, Snapshot, State, StopToken, Store,
    StoreError, StoreErrorKind, Via, WatchMessage,
};
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// Claims a tree and says nothing of its own.
struct Plain(String);

impl Consumer for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn interest(&self) -> Interest {
        Interest::in_paths([self.0.clone()]).excluding(["**/*.skip"])
    }

    fn inspect(&mut self, file: &Snapshot, cx: &mut Context<'_>) -> Result<(), ConsumerError> {
        if file.path.ends_with("panic") {
            panic!("told to");
        }
        if let (Some(before), Some(after)) = (cx.before(), &file.facts)
            && before.size != after.size
        {
            cx.change(Change::from_to("size", before.size, after.size));
        }
        Ok(())
    }
}

#[derive(Clone, Default)]
struct Lines {
    reports: Arc<Mutex<Vec<Report>>>,
    started: Option<Sender<()>>,
    broken_after: Option<usize>,
}

impl Sink for Lines {
    fn write(&mut self, report: &Report) -> io::Result<()> {
        let mut reports = self.reports.lock().unwrap();
        if self.broken_after.is_some_and(|limit| reports.len() >= limit) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if matches!(report.record, Record::WatchStarted(_))
            && let Some(started) = &self.started
        {
            started.send(()).unwrap();
        }
        reports.push(report.clone());
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct House {
    _dir: tempfile::TempDir,
    root: PathBuf,
    store: MemStore,
}

impl House {
    /// A tree with `a` (old), `b` (old) and `sub/c` (old).
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("w");
        fs::create_dir_all(root.join("sub")).unwrap();
        for name in ["a", "b", "sub/c"] {
            fs::write(root.join(name), "old").unwrap();
        }
        Self { _dir: dir, root, store: MemStore::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn engine(&self, lines: Lines) -> Engine {
        self.engine_on(self.store.clone(), lines)
    }

    fn engine_on(&self, store: impl Store + 'static, lines: Lines) -> Engine {
        let state = State::open(Box::new(store)).unwrap();
        Engine::builder()
            .consumer(Box::new(Plain(self.root.to_str().unwrap().to_owned())))
            .build(state, Box::new(lines))
            .unwrap()
    }

    fn baseline(&self) {
        self.engine(Lines::default()).baseline(&[]).unwrap();
    }

    fn check(&self) -> Vec<Finding> {
        let lines = Lines::default();
        self.engine(lines.clone()).check(&[], false).unwrap();
        findings(&lines)
    }

    /// Watches while `act` changes files and says what a watcher would have seen of it.
    fn watch(&self, act: impl FnOnce(&Path) -> Vec<WatchMessage> + Send + 'static) -> Lines {
        let (started, wait) = channel();
        let lines = Lines { started: Some(started), ..Lines::default() };
        let root = self.root.clone();
        let messages = std::iter::once_with(move || {
            wait.recv().unwrap();
            act(&root)
        })
        .flatten();
        let watcher = Box::new(ReplayWatcher::new(messages));
        self.engine(lines.clone()).run(watcher, &StopToken::new()).unwrap();
        lines
    }
}

fn findings(lines: &Lines) -> Vec<Finding> {
    let reports = lines.reports.lock().unwrap();
    reports
        .iter()
        .filter_map(|report| match &report.record {
            Record::Change(finding) => Some((**finding).clone()),
            _ => None,
        })
        .collect()
}

/// What a test asserts of a finding: action, name, previous name.
fn told(house: &House, lines: &Lines) -> Vec<(Action, String, Option<String>)> {
    let name = |path: &Path| path.strip_prefix(&house.root).unwrap().to_str().unwrap().to_owned();
    findings(lines)
        .iter()
        .map(|finding| (finding.action, name(&finding.path), finding.previous_path.as_deref().map(name)))
        .collect()
}

fn event(via: Via) -> FileEvent {
    let mut event = FileEvent::new(SystemTime::now(), via);
    event.settled = via == Via::Close;
    event
}

fn at(via: Via, path: impl Into<PathBuf>) -> WatchMessage {
    let mut event = event(via);
    event.place = Some(Place::Path(path.into()));
    WatchMessage::Event(event)
}

fn renamed(from: impl Into<PathBuf>, to: impl Into<PathBuf>) -> WatchMessage {
    let mut event = event(Via::Rename);
    event.place = Some(Place::Path(to.into()));
    event.from = Some(Place::Path(from.into()));
    WatchMessage::Event(event)
}

#[test]
fn writes_creates_and_removes_are_told_once_each() {
    let house = House::new();
    let lines = house.watch(|root| {
        fs::write(root.join("a"), "new!").unwrap();
        fs::write(root.join("n"), "new").unwrap();
        fs::remove_file(root.join("b")).unwrap();
        vec![
            at(Via::Write, root.join("a")),
            at(Via::Write, root.join("a")),
            at(Via::Close, root.join("a")),
            at(Via::Create, root.join("n")),
            at(Via::Write, root.join("n")),
            at(Via::Close, root.join("n")),
            at(Via::Unlink, root.join("b")),
        ]
    });
    let mut told = told(&house, &lines);
    told.sort();
    assert_eq!(
        told,
        [
            (Action::Created, "n".into(), None),
            (Action::Updated, "a".into(), None),
            (Action::Deleted, "b".into(), None),
        ]
    );
    let findings = findings(&lines);
    let updated = findings.iter().find(|finding| finding.action == Action::Updated).unwrap();
    assert_eq!(updated.via, Some(Via::Write));
    assert_eq!(updated.changes, [Change::from_to("size", 3u64, 4u64)]);
    assert_eq!(updated.after.as_ref().unwrap().blake3, Some(*blake3::hash(b"new!").as_bytes()));
    assert_eq!(updated.before.as_ref().unwrap().blake3, Some(*blake3::hash(b"old").as_bytes()));
}

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
fn what_came_and_went_and_what_was_only_touched_is_said_in_a_word() {
    let house = House::new();
    let lines = house.watch(|root| {
        fs::write(root.join("brief"), "x").unwrap();
        fs::remove_file(root.join("brief")).unwrap();
        fs::File::options()
            .write(true)
            .open(root.join("a"))
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH)
            .unwrap();
        vec![
            at(Via::Create, root.join("brief")),
            at(Via::Close, root.join("brief")),
            at(Via::Unlink, root.join("brief")),
            at(Via::Attributes, root.join("a")),
            at(Via::Close, root.join("b")),
        ]
    });
    let words: Vec<_> = findings(&lines)
        .iter()
        .map(|it| (it.action, it.path.clone(), it.changes[0].what.clone(), it.severity.number()))
        .collect();
    assert_eq!(words.len(), 2, "an open for writing that wrote nothing is no line: {words:?}");
    assert!(words.contains(&(Action::Deleted, house.path("brief"), "transient".into(), 10)));
    assert!(words.contains(&(Action::Updated, house.path("a"), "touched".into(), 10)));
}

#[test]
fn a_mode_is_an_attribute() {
    let house = House::new();
    let lines = house.watch(|root| {
        fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(root.join("sub"), fs::Permissions::from_mode(0o700)).unwrap();
        vec![at(Via::Attributes, root.join("a")), at(Via::Attributes, root.join("sub"))]
    });
    let mut told = told(&house, &lines);
    told.sort();
    assert_eq!(
        told,
        [(Action::AttributesModified, "a".into(), None), (Action::AttributesModified, "sub".into(), None)]
    );
    assert_eq!(findings(&lines)[0].after.as_ref().unwrap().blake3, Some(*blake3::hash(b"old").as_bytes()));
}

#[test]
fn a_new_directory_is_listed_however_little_was_seen_of_it() {
    let house = House::new();
    let lines = house.watch(|root| {
        fs::create_dir_all(root.join("1/2/3/4/5/6")).unwrap();
        fs::write(root.join("1/2/3/4/5/6/f"), "x").unwrap();
        fs::write(root.join("1/2/no.skip"), "x").unwrap();
        vec![at(Via::Mkdir, root.join("1"))]
    });
    let told = told(&house, &lines);
    assert_eq!(told.len(), 7, "{told:?}");
    assert!(told.contains(&(Action::Created, "1/2/3/4/5/6/f".into(), None)));
}

#[test]
fn a_removed_tree_is_told_file_by_file() {
    let house = House::new();
    let lines = house.watch(|root| {
        fs::remove_dir_all(root.join("sub")).unwrap();
        vec![at(Via::Rmdir, root.join("sub"))]
    });
    let mut told = told(&house, &lines);
    told.sort();
    assert_eq!(told, [(Action::Deleted, "sub".into(), None), (Action::Deleted, "sub/c".into(), None)]);
}

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
    assert!(error.to_string().contains("fim baseline"), "{error}");
}

#[test]
fn a_loss_opens_a_gap_that_closes_with_what_was_found() {
    for recovery in [Recovery::Sweep, Recovery::Rescan] {
        let house = House::new();
        let lines = house.watch(move |root| {
            fs::write(root.join("a"), "unseen").unwrap();
            fs::write(root.join("sub/n"), "unseen").unwrap();
            let lost = Loss { number: 7, cause: "ring_full", count: 3, recovery };
            let mut messages = vec![WatchMessage::Lost(lost)];
            if recovery == Recovery::Sweep {
                messages.extend([
                    at(Via::Sweep, root.join("a")),
                    at(Via::Sweep, root.join("sub")),
                    WatchMessage::Recovered(7),
                ]);
            }
            messages
        });
        let reports = lines.reports.lock().unwrap();
        let words: Vec<String> = reports
            .iter()
            .map(|report| match &report.record {
                Record::Change(finding) => format!("{:?}", finding.action),
                Record::CoverageGap(gap) => format!("gap {} {} {}", gap.id, gap.cause, gap.lost),
                Record::GapClosed(gap) => format!("closed {} {}", gap.id, gap.found),
                other => format!("{other:?}").split('(').next().unwrap().to_owned(),
            })
            .collect();
        let mut middle = words[2..4].to_vec();
        middle.sort();
        assert_eq!(words[1], "gap 1 ring_full 3");
        assert_eq!(middle, ["Created", "Updated"]);
        assert_eq!(words[4], "closed 1 2");
        assert_eq!(words.last().unwrap(), "WatchStopped");
    }
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

#[test]
fn a_panicking_consumer_does_not_stop_the_others() {
    let house = House::new();
    let lines = house.watch(|root| {
        fs::write(root.join("panic"), "x").unwrap();
        fs::write(root.join("n"), "x").unwrap();
        vec![at(Via::Create, root.join("panic")), at(Via::Create, root.join("n"))]
    });
    let mut told = told(&house, &lines);
    told.sort();
    assert_eq!(told, [(Action::Created, "n".into(), None), (Action::Created, "panic".into(), None)]);
}

#[test]
fn an_identity_finds_all_its_names() {
    let house = House::new();
    fs::hard_link(house.path("a"), house.path("sub/link")).unwrap();
    let lines = house.watch(|root| {
        fs::write(root.join("a"), "through one name").unwrap();
        let stat = rustix::fs::stat(root.join("a")).unwrap();
        assert_eq!(fs::metadata(root.join("a")).unwrap().nlink(), 2);
        let mut event = event(Via::Close);
        event.file = Some(fim_core::file_id(&stat));
        vec![WatchMessage::Event(event)]
    });
    let mut told = told(&house, &lines);
    told.sort();
    assert_eq!(told, [(Action::Updated, "a".into(), None), (Action::Updated, "sub/link".into(), None)]);
}

/// A store in which what is kept of one directory is damaged until it is removed.
struct Rotten(MemStore, &'static [u8]);

impl Rotten {
    fn sound<T>(&self, key: &[u8], value: T) -> Result<T, StoreError> {
        if key.windows(self.1.len()).any(|part| part == self.1) {
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
    let mut engine = house.engine_on(Rotten(house.store.clone(), b"/w/sub/\0"), lines.clone());
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
