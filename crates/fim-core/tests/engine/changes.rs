//! Names that come and go, content and attributes.

use crate::house::{House, at, event, findings, told};
use fim_core::{
    Action, Change, Consumer, ConsumerError, Context, Coverage, EventSink, FileId, Interest, MarkRequest,
    Marked, Marks, Place, Ready, Record, Severity, Snapshot, StatMarks, StopToken, Via, WatchError,
    WatchMessage, WatchSet, WatchStats, Watcher,
};
use rustix::fs::{Mode, OFlags};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::time::SystemTime;

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
fn a_panicking_consumer_does_not_stop_the_others() {
    let house = House::new();
    let lines = house.watch(|root| {
        fs::write(root.join("panic"), "x").unwrap();
        fs::write(root.join("n"), "x").unwrap();
        vec![at(Via::Create, root.join("panic")), at(Via::Create, root.join("n"))]
    });
    let failed: Vec<_> = findings(&lines).into_iter().filter(|it| it.severity == Severity::High).collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].changes, [Change::new("not_understood")]);
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

#[test]
fn a_write_by_a_name_nobody_watches_is_told_of_the_name_that_is_watched() {
    let house = House::new();
    let beside = house.root.parent().unwrap().join("beside");
    for other in [beside, house.path("other.skip")] {
        fs::hard_link(house.path("a"), &other).unwrap();
        let lines = house.watch(move |_| {
            fs::write(&other, format!("by {}", other.display())).unwrap();
            let mut event = event(Via::Close);
            event.file = Some(fim_core::file_id(&rustix::fs::stat(&other).unwrap()));
            event.place = Some(Place::Path(other));
            vec![WatchMessage::Event(event)]
        });
        assert_eq!(told(&house, &lines), [(Action::Updated, "a".into(), None)]);
    }
}

#[test]
fn a_storm_of_small_findings_is_one_line_with_exact_counts() {
    let house = House::new();
    house.baseline();
    let lines = house.watch(|root| {
        let names = (0..50).map(|number| root.join(format!("sub/brief{number}")));
        names.map(|name| at(Via::Create, name)).chain([at(Via::Create, root.join("brief"))]).collect()
    });
    let told: Vec<_> = findings(&lines).iter().map(|it| (it.path.clone(), it.changes.clone())).collect();
    assert_eq!(told.len(), 4 + 1 + 1);
    assert!(told.contains(&(house.path("brief"), vec![Change::new("transient")])));
    let storm = Change::new("transient").of("count", 46u64);
    assert_eq!(told.last(), Some(&(house.path("sub"), vec![storm])));
    let last = lines.reports.lock().unwrap().pop().map(|report| report.record);
    let Some(Record::WatchStopped(stopped)) = last else { panic!("{last:?}") };
    assert_eq!((stopped.findings, stopped.by_consumer.values().sum::<u64>()), (6, 6));
}

#[test]
fn what_was_only_touched_is_routine_in_an_important_place_too() {
    let house = House::new();
    house.baseline();
    let everything_matters = Box::new(Grave(house.root.to_str().unwrap().to_owned()));
    let lines = house.watch_by(everything_matters, |root| {
        let file = fs::File::options().write(true).open(root.join("a")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        vec![at(Via::Attributes, root.join("a"))]
    });
    assert_eq!(findings(&lines)[0].severity, Severity::Routine);
}

/// To it everything is grave.
struct Grave(String);

impl Consumer for Grave {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn interest(&self) -> Interest {
        Interest::in_paths([self.0.clone()])
    }

    fn inspect(&mut self, _: &Snapshot, cx: &mut Context<'_>) -> Result<(), ConsumerError> {
        cx.severity(Severity::High);
        Ok(())
    }
}

#[test]
fn what_was_only_touched_is_told_before_the_state_forgets_it() {
    let house = House::new();
    house.baseline();
    let touch = |root: &Path| {
        let file = fs::File::options().write(true).open(root.join("a")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        vec![at(Via::Attributes, root.join("a"))]
    };
    let lines = house.watch(touch);
    assert_eq!(findings(&lines)[0].changes, [Change::new("touched")]);
    assert!(findings(&house.watch(|_| Vec::new())).is_empty());
}

#[test]
fn a_path_longer_than_the_kernel_takes_is_not_lost() {
    let house = House::new();
    house.baseline();
    let name = "n".repeat(250);
    let (mut path, mut at) = (house.root.clone(), open_dir(&house.root));
    for _ in 0..20 {
        rustix::fs::mkdirat(&at, &name, Mode::RWXU).unwrap();
        at = rustix::fs::openat(&at, &name, OFlags::PATH, Mode::empty()).unwrap();
        path.push(&name);
    }
    rustix::fs::openat(&at, "leaf", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR).unwrap();
    let found: Vec<_> = house.check().into_iter().map(|it| it.path).collect();
    assert_eq!(found.len(), 21);
    assert!(found.contains(&path.join("leaf")));
}

#[test]
fn a_deep_tree_is_walked_once_and_not_for_each_level() {
    const DEPTH: usize = 60;
    let house = House::new();
    let path = house.path(&"d/".repeat(DEPTH));
    let marks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&marks);
    let lines =
        house.run(vec![house.plain()], |started| Box::new(Counting { started, marks: counted, path }));
    assert_eq!(findings(&lines).len(), DEPTH);
    let marked = marks.load(Ordering::Relaxed);
    assert!(marked < 3 * DEPTH, "{marked} marks for {DEPTH} directories");
}

fn open_dir(path: &Path) -> rustix::fd::OwnedFd {
    rustix::fs::open(path, OFlags::PATH, Mode::empty()).unwrap()
}

/// Makes this directory with all above it once the watch has started, and counts what is marked.
struct Counting {
    started: Receiver<()>,
    marks: Arc<AtomicUsize>,
    path: PathBuf,
}

impl Watcher for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn run(self: Box<Self>, _: WatchSet, sink: EventSink, _: StopToken) -> Result<WatchStats, WatchError> {
        let marks = Box::new(CountingMarks(Arc::clone(&self.marks)));
        sink.ready(Ready { marks, coverage: Coverage::new(), notes: Vec::new() });
        self.started.recv().unwrap();
        self.marks.store(0, Ordering::Relaxed);
        fs::create_dir_all(&self.path).unwrap();
        let mut made: Vec<_> = self.path.ancestors().filter(|dir| dir.ends_with("d")).collect();
        made.reverse();
        for dir in made {
            let mut event = event(Via::Mkdir);
            event.file = Some(fim_core::file_id(&rustix::fs::stat(dir).unwrap()));
            event.place = Some(Place::Path(dir.to_owned()));
            assert!(sink.send(WatchMessage::Event(event)));
        }
        Ok(WatchStats::default())
    }
}

struct CountingMarks(Arc<AtomicUsize>);

impl Marks for CountingMarks {
    fn add(&mut self, requests: &[MarkRequest<'_>]) -> Result<Vec<Marked>, WatchError> {
        self.0.fetch_add(requests.len(), Ordering::Relaxed);
        StatMarks.add(requests)
    }

    fn remove(&mut self, _: &[FileId]) {}

    fn clear(&mut self, _: FileId) {}

    fn follows_files(&self) -> bool {
        false
    }
}

#[test]
fn directories_that_nobody_saw_are_told_before_what_is_in_them_however_deep_they_are() {
    // As small as the stack of a thread of Rust's own.
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(|| {
        let house = House::new();
        house.baseline();
        let lines = house.watch(|root| {
            let deep = (0..600).fold(root.to_owned(), |path, _| path.join("a~"));
            fs::create_dir_all(&deep).unwrap();
            fs::write(deep.join("leaf"), "").unwrap();
            vec![at(Via::Create, deep.join("leaf"))]
        });
        let told = told(&house, &lines);
        assert_eq!(told.len(), 601);
        assert!(told.iter().all(|(action, ..)| *action == Action::Created));
        assert!(told.windows(2).all(|two| two[1].1.len() > two[0].1.len()), "the outermost first");
    });
    thread.unwrap().join().unwrap();
}
