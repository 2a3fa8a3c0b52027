//! What the kernel has recorded when a look is due is let in first.

use crate::house::{House, event, findings};
use fim_core::{
    Actor, Coverage, EventSink, FileId, Headway, Loss, MarkRequest, Marked, Marks, Place, Ready, Record,
    Recovery, StatMarks, StopToken, Via, WatchError, WatchMessage, WatchSet, WatchStats, Watcher,
};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

#[test]
fn a_look_waits_for_the_record_of_the_second_writer() {
    let house = House::new();
    house.baseline();
    let lines = house.run(vec![house.plain()], |started| Box::new(Slow { started, path: house.path("a") }));
    let findings = findings(&lines);
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    let writers: Vec<u32> = finding.actors.iter().map(|actor| actor.pid).collect();
    assert_eq!(writers, [1, 2]);
}

#[test]
fn an_event_is_told_whether_it_was_announced_or_not_and_nothing_waits_for_one_that_was() {
    let house = House::new();
    house.baseline();
    let paths = [house.path("a"), house.path("b")];
    let lines = house.run(vec![house.plain()], |started| Box::new(Announcing { started, paths }));
    let mut paths: Vec<PathBuf> = findings(&lines).into_iter().map(|finding| finding.path).collect();
    paths.sort();
    assert_eq!(paths, [house.path("a"), house.path("b")]);
}

#[test]
fn what_comparing_for_a_loss_found_is_told_with_who_made_it_once_the_record_is_in() {
    let house = House::new();
    house.baseline();
    let paths = [house.path("a"), house.path("b")];
    let lines = house.run(vec![house.plain()], |started| Box::new(Losing { started, paths }));
    let told: Vec<(PathBuf, Vec<u32>)> = findings(&lines)
        .into_iter()
        .map(|it| (it.path.clone(), it.actors.iter().map(|actor| actor.pid).collect()))
        .collect();
    assert_eq!(told, [(house.path("a"), vec![1]), (house.path("b"), vec![])]);
    let reports = lines.reports.lock().unwrap();
    let closed = reports.iter().filter_map(|report| match &report.record {
        Record::GapClosed(gap) => Some(gap.found),
        _ => None,
    });
    assert_eq!(closed.collect::<Vec<_>>(), [1], "of the other there is a record");
}

/// Tells of a loss while the record of one of two changes is yet to be passed on: that comes only when the engine has asked
/// how far it is.
struct Losing {
    started: Receiver<()>,
    paths: [PathBuf; 2],
}

impl Watcher for Losing {
    fn name(&self) -> &'static str {
        "losing"
    }

    fn run(self: Box<Self>, _: WatchSet, sink: EventSink, _: StopToken) -> Result<WatchStats, WatchError> {
        let (late, asks, done) = Late::new();
        let (recorded, passed) = (Arc::clone(&late.recorded), Arc::clone(&late.passed));
        sink.ready(Ready { marks: Box::new(late), coverage: Coverage::new(), notes: Vec::new() });
        self.started.recv().unwrap();
        for path in &self.paths {
            fs::write(path, "meanwhile").unwrap();
        }
        recorded.store(2, Ordering::SeqCst);
        let loss = Loss { number: 1, cause: "missed_runs", count: 1, recovery: Recovery::Rescan };
        assert!(sink.send(WatchMessage::Lost(loss)));
        asks.recv_timeout(Duration::from_secs(60)).unwrap();
        let mut event = event(Via::Close);
        event.place = Some(Place::Path(self.paths[0].clone()));
        event.actor = Some(Arc::new(Actor::new(1)));
        assert!(sink.send(WatchMessage::Event(event)));
        passed.store(2, Ordering::SeqCst);
        drop(done);
        Ok(WatchStats::default())
    }
}

/// Announces events, of which only the last come.
struct Announcing {
    started: Receiver<()>,
    paths: [PathBuf; 2],
}

impl Watcher for Announcing {
    fn name(&self) -> &'static str {
        "announcing"
    }

    fn run(self: Box<Self>, _: WatchSet, sink: EventSink, _: StopToken) -> Result<WatchStats, WatchError> {
        sink.ready(Ready { marks: Box::new(StatMarks), coverage: Coverage::new(), notes: Vec::new() });
        self.started.recv().unwrap();
        for _ in 0..3 {
            sink.announce();
        }
        for (path, is_announced) in self.paths.iter().zip([true, false]) {
            fs::write(path, "announced").unwrap();
            if is_announced {
                sink.announce();
            }
            let mut event = event(Via::Close);
            event.place = Some(Place::Path(path.clone()));
            assert!(sink.send(WatchMessage::Event(event)));
        }
        Ok(WatchStats::default())
    }
}

/// Passes on the second of two records only when the engine has asked how far it is.
struct Slow {
    started: Receiver<()>,
    path: PathBuf,
}

impl Watcher for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn run(self: Box<Self>, _: WatchSet, sink: EventSink, _: StopToken) -> Result<WatchStats, WatchError> {
        let (late, asks, done) = Late::new();
        let (recorded, passed) = (Arc::clone(&late.recorded), Arc::clone(&late.passed));
        sink.ready(Ready { marks: Box::new(late), coverage: Coverage::new(), notes: Vec::new() });
        self.started.recv().unwrap();
        fs::write(&self.path, "by two").unwrap();
        recorded.store(2, Ordering::SeqCst);
        for pid in 1..=2 {
            if pid == 2 {
                asks.recv_timeout(Duration::from_secs(60)).unwrap();
            }
            let mut event = event(Via::Close);
            event.place = Some(Place::Path(self.path.clone()));
            event.actor = Some(Arc::new(Actor::new(pid)));
            assert!(sink.send(WatchMessage::Event(event)));
            passed.store(u64::from(pid), Ordering::SeqCst);
        }
        drop(done);
        Ok(WatchStats::default())
    }
}

struct Late {
    recorded: Arc<AtomicU64>,
    passed: Arc<AtomicU64>,
    asked: Sender<()>,
    is_done: Receiver<()>,
}

impl Late {
    /// Also what hears of a question, and what answers it when it is dropped.
    fn new() -> (Self, Receiver<()>, Sender<()>) {
        let ((asked, asks), (done, is_done)) = (channel(), channel());
        let (recorded, passed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        (Self { recorded, passed, asked, is_done }, asks, done)
    }
}

impl Marks for Late {
    fn add(&mut self, requests: &[MarkRequest<'_>]) -> Result<Vec<Marked>, WatchError> {
        StatMarks.add(requests)
    }

    fn remove(&mut self, _: &[FileId]) {}

    fn clear(&mut self, _: FileId) {}

    fn headway(&self) -> Option<Headway> {
        let now = |count: &AtomicU64| count.load(Ordering::SeqCst);
        let headway = Headway { passed: now(&self.passed), recorded: now(&self.recorded) };
        if headway.recorded == 2 {
            // Both fail once the watcher is done, which is what is waited for.
            let _ = self.asked.send(());
            let _ = self.is_done.recv();
        }
        Some(headway)
    }
}
