//! What the kernel has recorded when a look is due is let in first.

use crate::house::{House, event, findings};
use fim_core::{
    Actor, Coverage, EventSink, FileId, Headway, MarkRequest, Marked, Marks, Place, Ready, StatMarks,
    StopToken, Via, WatchError, WatchMessage, WatchSet, WatchStats, Watcher,
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
        let (recorded, passed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let ((asked, asks), (done, is_done)) = (channel(), channel::<()>());
        let marks = Late { recorded: Arc::clone(&recorded), passed: Arc::clone(&passed), asked, is_done };
        sink.ready(Ready { marks: Box::new(marks), coverage: Coverage::new(), notes: Vec::new() });
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
