//! What was marked while nothing took it.

use crate::house::{House, Lines, event, findings};
use fim_core::{
    Action, Actor, Backlog, Coverage, Detected, EventSink, FileId, Loss, MarkRequest, Marked, Marks, Place,
    Ready, Record, Recovery, StatMarks, StopToken, Via, WatchError, WatchMessage, WatchSet, WatchStats,
    Watcher, file_id,
};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// A watcher whose kernel went on marking, and that sees nothing from then on.
struct Resumed(Backlog);

struct ResumedMarks(Option<Backlog>);

impl Marks for ResumedMarks {
    fn add(&mut self, requests: &[MarkRequest<'_>]) -> Result<Vec<Marked>, WatchError> {
        StatMarks.add(requests)
    }

    fn remove(&mut self, _ids: &[FileId]) {}

    fn clear(&mut self, _id: FileId) {}

    fn backlog(&mut self) -> Option<Backlog> {
        self.0.take()
    }
}

impl Watcher for Resumed {
    fn name(&self) -> &'static str {
        "resumed"
    }

    fn run(self: Box<Self>, _: WatchSet, sink: EventSink, _: StopToken) -> Result<WatchStats, WatchError> {
        let marks = Box::new(ResumedMarks(Some(self.0)));
        sink.ready(Ready { marks, coverage: Coverage::new(), notes: Vec::new() });
        Ok(WatchStats::default())
    }
}

fn id(path: &Path) -> FileId {
    file_id(&rustix::fs::lstat(path).unwrap())
}

/// What the kernel would have sent of a call on this file.
fn touched(via: Via, file: FileId, pid: u32) -> WatchMessage {
    let mut event = event(via);
    event.file = Some(file);
    event.actor = Some(Arc::new(Actor::new(pid)));
    WatchMessage::Event(event)
}

fn named(via: Via, dir: FileId, name: &str, file: FileId, pid: u32) -> WatchMessage {
    let WatchMessage::Event(mut event) = touched(via, file, pid) else { unreachable!() };
    event.place = Some(Place::Entry { dir, name: name.into() });
    WatchMessage::Event(event)
}

fn moved(from: (FileId, &str), to: (FileId, &str), file: FileId, pid: u32) -> WatchMessage {
    let WatchMessage::Event(mut event) = named(Via::Rename, to.0, to.1, file, pid) else { unreachable!() };
    event.from = Some(Place::Entry { dir: from.0, name: from.1.into() });
    WatchMessage::Event(event)
}

fn resume(house: &House, messages: Vec<WatchMessage>, is_whole: bool) -> Lines {
    let lines = Lines::default();
    let watcher = Box::new(Resumed(Backlog { messages, is_whole }));
    house.engine(lines.clone()).run(watcher, &StopToken::new()).unwrap();
    lines
}

/// Action, name, and who did it, in the order of names.
fn told(house: &House, lines: &Lines) -> Vec<(Action, String, Vec<u32>)> {
    let mut told: Vec<_> = findings(lines)
        .into_iter()
        .map(|finding| {
            assert_eq!(finding.detected, Detected::Startup, "{finding:?}");
            let name = finding.path.strip_prefix(&house.root).unwrap().to_str().unwrap().to_owned();
            (finding.action, name, finding.actors.iter().map(|actor| actor.pid).collect())
        })
        .collect();
    told.sort_by(|one, other| one.1.cmp(&other.1));
    told
}

#[test]
fn a_change_while_nothing_ran_is_one_finding_with_its_actor() {
    let house = House::new();
    house.baseline();
    let (root, a, b) = (id(&house.root), id(&house.path("a")), id(&house.path("b")));
    let (sub, c) = (id(&house.path("sub")), id(&house.path("sub/c")));
    fs::write(house.path("a"), "other").unwrap();
    fs::remove_file(house.path("b")).unwrap();
    fs::write(house.path("new"), "new").unwrap();
    fs::rename(house.path("sub/c"), house.path("sub/d")).unwrap();
    let new = id(&house.path("new"));
    let messages = vec![
        touched(Via::Write, a, 1),
        named(Via::Unlink, root, "b", b, 2),
        named(Via::Create, root, "new", new, 3),
        moved((sub, "c"), (sub, "d"), c, 4),
        // Dirty by what was taken already and not looked at.
        touched(Via::Sweep, a, 1),
    ];
    let lines = resume(&house, messages, true);
    let expected = [
        (Action::Updated, "a", 1),
        (Action::Deleted, "b", 2),
        (Action::Created, "new", 3),
        (Action::Moved, "sub/d", 4),
    ];
    assert_eq!(
        told(&house, &lines),
        expected.map(|(action, name, pid)| (action, name.to_owned(), vec![pid]))
    );
    // All of it is told before the watch is said to have started, and there is nothing left to tell.
    let reports = lines.reports.lock().unwrap();
    assert!(matches!(&reports[4].record, Record::WatchStarted(started) if started.unwatched_since.is_none()));
    assert_eq!(reports.len(), 6);
    drop(reports);
    assert_eq!(told(&house, &resume(&house, Vec::new(), true)), []);
}

#[test]
fn who_removed_what_was_in_a_directory_that_is_gone_is_known() {
    let house = House::new();
    fs::create_dir_all(house.path("t/u")).unwrap();
    fs::write(house.path("t/u/f"), "old").unwrap();
    house.baseline();
    let (root, t, u) = (id(&house.root), id(&house.path("t")), id(&house.path("t/u")));
    let f = id(&house.path("t/u/f"));
    fs::remove_dir_all(house.path("t")).unwrap();
    // The name is another directory by now, of the same number perhaps.
    fs::create_dir(house.path("t")).unwrap();
    let messages = vec![
        named(Via::Unlink, u, "f", f, 1),
        named(Via::Rmdir, FileId { generation: 9, ..t }, "u", u, 1),
        named(Via::Rmdir, root, "t", FileId { generation: 9, ..t }, 1),
        named(Via::Mkdir, root, "t", id(&house.path("t")), 2),
    ];
    let told = told(&house, &resume(&house, messages, true));
    let of = |name: &str| told.iter().find(|told| told.1 == name).cloned();
    assert_eq!(of("t/u/f"), Some((Action::Deleted, "t/u/f".to_owned(), vec![1])));
    assert_eq!(of("t/u").map(|told| (told.0, told.2)), Some((Action::Deleted, vec![1])));
}

#[test]
fn what_came_and_went_meanwhile_is_told_and_what_is_as_it_was_is_not() {
    let house = House::new();
    house.baseline();
    let (root, a) = (id(&house.root), id(&house.path("a")));
    let gone = FileId { inode: u64::MAX, ..a };
    let messages = vec![
        named(Via::Create, root, "x", gone, 1),
        named(Via::Unlink, root, "x", gone, 1),
        touched(Via::Write, a, 2),
        touched(Via::Close, a, 2),
    ];
    let told = told(&house, &resume(&house, messages, true));
    assert_eq!(told, [(Action::Deleted, "x".to_owned(), vec![1])]);
}

#[test]
fn since_when_nothing_watched_is_said_unless_the_kernel_went_on() {
    let house = House::new();
    let since = |lines: &Lines| {
        let reports = lines.reports.lock().unwrap();
        reports.iter().find_map(|report| match &report.record {
            Record::WatchStarted(started) => Some(started.unwatched_since),
            _ => None,
        })
    };
    let before = std::time::SystemTime::now() - std::time::Duration::from_secs(1);
    assert_eq!(since(&resume(&house, Vec::new(), false)), Some(None), "nothing ever watched");
    let told = since(&resume(&house, Vec::new(), false)).unwrap().unwrap();
    assert!(told >= before && told <= std::time::SystemTime::now());
    assert_eq!(since(&resume(&house, Vec::new(), true)), Some(None), "the kernel went on");
}

#[test]
fn records_lost_meanwhile_are_a_gap_that_is_closed_before_the_watch_starts() {
    let house = House::new();
    house.baseline();
    fs::write(house.path("a"), "other").unwrap();
    fs::write(house.path("b"), "other").unwrap();
    let (a, b) = (id(&house.path("a")), id(&house.path("b")));
    let messages = vec![
        WatchMessage::Lost(Loss { number: 1, cause: "ring_full", count: 1, recovery: Recovery::Sweep }),
        touched(Via::Write, a, 1),
        WatchMessage::Event({
            let mut swept = event(Via::Sweep);
            swept.file = Some(b);
            swept
        }),
        WatchMessage::Recovered(1),
    ];
    let lines = resume(&house, messages, true);
    let expected = [(Action::Updated, "a".to_owned(), vec![1]), (Action::Updated, "b".to_owned(), vec![])];
    assert_eq!(told(&house, &lines), expected);
    let reports = lines.reports.lock().unwrap();
    let at = |is: fn(&Record) -> bool| reports.iter().position(|report| is(&report.record)).unwrap();
    let opened = at(|record| matches!(record, Record::CoverageGap(gap) if gap.lost == 1));
    let closed = at(|record| matches!(record, Record::GapClosed(gap) if gap.found == 1));
    assert!(opened < closed && closed < at(|record| matches!(record, Record::WatchStarted(_))));
}

#[test]
fn what_was_held_back_is_told_before_the_watch_starts() {
    let house = House::new();
    let names: Vec<String> = (0..10).map(|number| format!("sub/{number}")).collect();
    names.iter().for_each(|name| fs::write(house.path(name), "").unwrap());
    house.baseline();
    let ids: Vec<FileId> = names.iter().map(|name| id(&house.path(name))).collect();
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    for name in &names {
        fs::File::open(house.path(name)).unwrap().set_modified(long_ago).unwrap();
    }
    let lines = resume(&house, ids.into_iter().map(|id| touched(Via::Attributes, id, 7)).collect(), true);
    let reports = lines.reports.lock().unwrap();
    let started = reports.iter().position(|report| matches!(report.record, Record::WatchStarted(_))).unwrap();
    let is_change = |report: &fim_core::Report| matches!(report.record, Record::Change(_));
    assert!(reports[..started].iter().any(is_change) && !reports[started..].iter().any(is_change));
}
