//! What was compared is clean: the kernel tells of a process's first touch of a dirty file, and of no other.

use crate::house::{House, at, event};
use fim_core::{
    Coverage, EventSink, FileId, MarkRequest, Marked, Marks, Place, Ready, StatMarks, StopToken, Via,
    WatchError, WatchMessage, WatchSet, WatchStats, Watcher, file_id,
};
use std::fs;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

/// Remembers whose marks were cleared.
#[derive(Clone, Default)]
struct Cleared(Arc<Mutex<Vec<FileId>>>);

impl Marks for Cleared {
    fn add(&mut self, requests: &[MarkRequest<'_>]) -> Result<Vec<Marked>, WatchError> {
        StatMarks.add(requests)
    }

    fn remove(&mut self, _: &[FileId]) {}

    fn clear(&mut self, id: FileId) {
        self.0.lock().unwrap().push(id);
    }
}

struct Sending {
    marks: Cleared,
    started: Receiver<()>,
    message: WatchMessage,
}

impl Watcher for Sending {
    fn name(&self) -> &'static str {
        "sending"
    }

    fn run(self: Box<Self>, _: WatchSet, sink: EventSink, _: StopToken) -> Result<WatchStats, WatchError> {
        let marks = Box::new(self.marks.clone());
        sink.ready(Ready { marks, coverage: Coverage::new(), notes: Vec::new() });
        self.started.recv().unwrap();
        self.marks.0.lock().unwrap().clear();
        assert!(sink.send(self.message));
        Ok(WatchStats::default())
    }
}

fn id(path: &Path) -> FileId {
    file_id(&rustix::fs::stat(path).unwrap())
}

fn cleared_by(house: &House, message: WatchMessage) -> Vec<FileId> {
    let marks = Cleared::default();
    let sending = marks.clone();
    house.run(vec![house.plain()], |started| Box::new(Sending { marks: sending, started, message }));
    marks.0.lock().unwrap().clone()
}

#[test]
fn a_directory_to_which_no_event_led() {
    let house = House::new();
    house.baseline();
    assert_eq!(cleared_by(&house, at(Via::Attributes, house.path("sub"))), [id(&house.path("sub"))]);
}

#[test]
fn what_is_below_a_directory_that_is_known_anew() {
    let house = House::new();
    fs::create_dir(house.path("other")).unwrap();
    house.baseline();
    // By the time of the look both were exchanged once more: nothing below is unlike what is known.
    let mut event = event(Via::Exchange);
    event.dir = Some(true);
    event.from = Some(Place::Path(house.path("other")));
    event.place = Some(Place::Path(house.path("sub")));
    let cleared = cleared_by(&house, WatchMessage::Event(event));
    assert!(cleared.contains(&id(&house.path("sub/c"))), "{cleared:?}");
}
