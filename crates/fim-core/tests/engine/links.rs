//! A second name made while the watch runs, by a watcher that knows names alone.

use crate::house::{House, Lines, event, findings};
use fim_core::{
    Action, Actor, Coverage, EventSink, FileId, MarkRequest, Marked, Marks, Place, Ready, StatMarks,
    StopToken, Via, WatchError, WatchMessage, WatchSet, WatchStats, Watcher, file_id,
};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

#[test]
fn what_is_written_through_a_new_name_is_told_of_the_old_one_too() {
    let house = House::new();
    house.baseline();
    let ((started, has_started), (changed, heard)) = (channel(), channel());
    let (old, new) = (house.path("sub/c"), house.path("new"));
    let lines = Lines { started: Some(started), changed: Some(changed), ..Lines::default() };
    let watcher = Box::new(Linking { started: has_started, heard, old, new });
    house.engine(lines.clone()).run(watcher, &StopToken::new()).unwrap();
    let mut told: Vec<_> = findings(&lines)
        .into_iter()
        .map(|it| (it.action, it.path, it.actors.iter().map(|actor| actor.pid).collect::<Vec<_>>()))
        .collect();
    told[1..].sort_by(|one, other| one.1.cmp(&other.1));
    assert_eq!(
        told,
        [
            (Action::Created, house.path("new"), vec![1]),
            (Action::Updated, house.path("new"), vec![2]),
            (Action::Updated, house.path("sub/c"), vec![2]),
        ]
    );
}

/// Makes a second name, and writes to it once that was told.
struct Linking {
    started: Receiver<()>,
    heard: Receiver<PathBuf>,
    old: PathBuf,
    new: PathBuf,
}

impl Watcher for Linking {
    fn name(&self) -> &'static str {
        "linking"
    }

    fn run(self: Box<Self>, _: WatchSet, sink: EventSink, _: StopToken) -> Result<WatchStats, WatchError> {
        sink.ready(Ready { marks: Box::new(ByName), coverage: Coverage::new(), notes: Vec::new() });
        self.started.recv().unwrap();
        let send = |via: Via, pid: u32| {
            let mut event = event(via);
            event.file = Some(file_id(&rustix::fs::lstat(&self.new).unwrap()));
            event.place = Some(Place::Path(self.new.clone()));
            event.actor = Some(Arc::new(Actor::new(pid)));
            assert!(sink.send(WatchMessage::Event(event)));
        };
        fs::hard_link(&self.old, &self.new).unwrap();
        send(Via::Link, 1);
        assert_eq!(self.heard.recv_timeout(Duration::from_secs(60)).unwrap(), self.new);
        fs::write(&self.new, "by the other name").unwrap();
        send(Via::Write, 2);
        Ok(WatchStats::default())
    }
}

/// Marks directories, and knows what is in them by name.
struct ByName;

impl Marks for ByName {
    fn add(&mut self, requests: &[MarkRequest<'_>]) -> Result<Vec<Marked>, WatchError> {
        StatMarks.add(requests)
    }

    fn remove(&mut self, _: &[FileId]) {}

    fn clear(&mut self, _: FileId) {}

    fn follows_files(&self) -> bool {
        false
    }
}
