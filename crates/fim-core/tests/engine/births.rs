//! Which files the engine has marked itself, where the kernel marks what is made in a tree and nothing else.

use crate::house::{House, Lines, Plain, renamed};
use fim_core::{
    Coverage, EventSink, FileId, MarkRequest, Marked, Marks, Ready, StopToken, WatchError, WatchMessage,
    WatchSet, WatchStats, Watcher, file_id,
};
use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

/// Remembers which paths were marked.
#[derive(Clone, Default)]
struct Noted(Arc<Mutex<Vec<PathBuf>>>);

impl Marks for Noted {
    fn add(&mut self, requests: &[MarkRequest<'_>]) -> Result<Vec<Marked>, WatchError> {
        let mut paths = self.0.lock().unwrap();
        let mark = |request: &MarkRequest<'_>| {
            paths.push(request.path.to_owned());
            Marked { id: file_id(&rustix::fs::fstat(request.file).unwrap()), armed: true }
        };
        Ok(requests.iter().map(mark).collect())
    }

    fn remove(&mut self, _: &[FileId]) {}

    fn clear(&mut self, _: FileId) {}
}

/// Replaces a file when the watch has started, and sends one event of it that carries its identity.
struct Replacing {
    marks: Noted,
    started: Receiver<()>,
    file: PathBuf,
}

impl Watcher for Replacing {
    fn name(&self) -> &'static str {
        "replacing"
    }

    fn run(self: Box<Self>, _: WatchSet, sink: EventSink, _: StopToken) -> Result<WatchStats, WatchError> {
        let marks = Box::new(self.marks.clone());
        sink.ready(Ready { marks, coverage: Coverage::new(), notes: Vec::new() });
        self.started.recv().unwrap();
        self.marks.0.lock().unwrap().clear();
        let new = self.file.with_extension("new");
        fs::write(&new, "another").unwrap();
        let id = file_id(&rustix::fs::stat(&new).unwrap());
        fs::rename(&new, &self.file).unwrap();
        let WatchMessage::Event(mut event) = renamed(new, self.file) else { unreachable!() };
        event.file = Some(id);
        assert!(sink.event(event));
        Ok(WatchStats::default())
    }
}

fn marked_when_replaced(watched: &str) -> Vec<PathBuf> {
    let house = House::new();
    let (started, wait) = channel();
    let lines = Lines { started: Some(started), ..Lines::default() };
    let marks = Noted::default();
    let watcher = Replacing { marks: marks.clone(), started: wait, file: house.path("a") };
    let plain = Plain(house.path(watched).to_str().unwrap().to_owned());
    house.engine_of(Box::new(plain), lines).run(Box::new(watcher), &StopToken::new()).unwrap();
    let marked = marks.0.lock().unwrap();
    marked.iter().map(|path| path.strip_prefix(&house.root).unwrap().to_owned()).collect()
}

#[test]
fn what_takes_the_place_of_a_file_watched_alone_is_marked() {
    assert_eq!(marked_when_replaced("a"), [PathBuf::from("a")]);
}

#[test]
fn in_a_tree_the_kernel_marks_it() {
    assert!(marked_when_replaced("").is_empty());
}

/// A directory leaves with a file in it; the file has come back before anybody hears that the directory left.
struct Returning {
    marks: Noted,
    started: Receiver<()>,
    root: PathBuf,
}

impl Watcher for Returning {
    fn name(&self) -> &'static str {
        "returning"
    }

    fn run(self: Box<Self>, _: WatchSet, sink: EventSink, _: StopToken) -> Result<WatchStats, WatchError> {
        let marks = Box::new(self.marks.clone());
        sink.ready(Ready { marks, coverage: Coverage::new(), notes: Vec::new() });
        self.started.recv().unwrap();
        self.marks.0.lock().unwrap().clear();
        let (sub, out, back) =
            (self.root.join("sub"), self.root.with_file_name("out"), self.root.join("back"));
        let moved = |from: &PathBuf, to: &PathBuf, dir| {
            fs::rename(from, to).unwrap();
            let id = file_id(&rustix::fs::stat(to).unwrap());
            let WatchMessage::Event(mut event) = renamed(from, to) else { unreachable!() };
            (event.file, event.dir) = (Some(id), Some(dir));
            event
        };
        let left = moved(&sub, &out, true);
        let came = moved(&out.join("c"), &back, false);
        assert!(sink.event(left) && sink.event(came));
        Ok(WatchStats::default())
    }
}

#[test]
fn what_came_back_before_its_mark_was_removed_is_marked_again() {
    let house = House::new();
    let (started, wait) = channel();
    let lines = Lines { started: Some(started), ..Lines::default() };
    let marks = Noted::default();
    let watcher = Returning { marks: marks.clone(), started: wait, root: house.root.clone() };
    let plain = Plain(house.path("").to_str().unwrap().to_owned());
    house.engine_of(Box::new(plain), lines).run(Box::new(watcher), &StopToken::new()).unwrap();
    assert_eq!(*marks.0.lock().unwrap(), [house.path("back")]);
}
