//! A tree of files, an engine on it, and the lines that come of what happens there.

use fim_core::{
    Action, Change, Consumer, ConsumerError, Context, Engine, FileEvent, Finding, Guard, Interest, MemStore,
    Place, Record, Reloaded, ReplayWatcher, Report, Sink, Snapshot, State, StopToken, Store, Via,
    WatchMessage, Watcher,
};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// Claims a tree and says nothing of its own.
pub struct Plain(pub String);

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

#[derive(Clone, Debug, Default)]
pub struct Lines {
    pub reports: Arc<Mutex<Vec<Report>>>,
    pub started: Option<Sender<()>>,
    /// Told of each change.
    pub changed: Option<Sender<PathBuf>>,
    /// Told of each new configuration.
    pub reloaded: Option<Sender<Reloaded>>,
    pub broken_after: Option<usize>,
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
        if let (Record::Change(finding), Some(changed)) = (&report.record, &self.changed) {
            // A test that has seen enough listens no more.
            let _enough = changed.send(finding.path.clone());
        }
        if let (Record::ConfigReloaded(told), Some(reloaded)) = (&report.record, &self.reloaded) {
            let _enough = reloaded.send(told.clone());
        }
        reports.push(report.clone());
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub struct House {
    _dir: tempfile::TempDir,
    pub root: PathBuf,
    pub store: MemStore,
    pub guard: Guard,
}

impl House {
    /// A tree with `a` (old), `b` (old) and `sub/c` (old).
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("w");
        fs::create_dir_all(root.join("sub")).unwrap();
        for name in ["a", "b", "sub/c"] {
            fs::write(root.join(name), "old").unwrap();
        }
        Self { _dir: dir, root, store: MemStore::new(), guard: Guard::default() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub fn engine(&self, lines: Lines) -> Engine {
        self.engine_on(self.store.clone(), lines)
    }

    pub fn engine_on(&self, store: impl Store + 'static, lines: Lines) -> Engine {
        engine(store, vec![self.plain()], lines, self.guard.clone())
    }

    /// Claims the whole tree.
    pub fn plain(&self) -> Box<dyn Consumer> {
        Box::new(Plain(self.root.to_str().unwrap().to_owned()))
    }

    /// An engine with this consumer alone.
    pub fn engine_of(&self, consumer: Box<dyn Consumer>, lines: Lines) -> Engine {
        self.engine_with(vec![consumer], lines)
    }

    /// An engine with these consumers; the first has what several claim.
    pub fn engine_with(&self, consumers: Vec<Box<dyn Consumer>>, lines: Lines) -> Engine {
        engine(self.store.clone(), consumers, lines, self.guard.clone())
    }

    pub fn baseline(&self) {
        self.engine(Lines::default()).baseline(&[]).unwrap();
    }

    pub fn check(&self) -> Vec<Finding> {
        let lines = Lines::default();
        self.engine(lines.clone()).check(&[], false).unwrap();
        findings(&lines)
    }

    /// Watches while `act` changes files and says what a watcher would have seen of it.
    pub fn watch(&self, act: impl FnOnce(&Path) -> Vec<WatchMessage> + Send + 'static) -> Lines {
        self.watch_by(self.plain(), act)
    }

    /// As [`Self::watch`], with this consumer alone.
    pub fn watch_by(
        &self,
        consumer: Box<dyn Consumer>,
        act: impl FnOnce(&Path) -> Vec<WatchMessage> + Send + 'static,
    ) -> Lines {
        self.watch_with(vec![consumer], act)
    }

    /// As [`Self::watch`], with these consumers.
    pub fn watch_with(
        &self,
        consumers: Vec<Box<dyn Consumer>>,
        act: impl FnOnce(&Path) -> Vec<WatchMessage> + Send + 'static,
    ) -> Lines {
        let root = self.root.clone();
        self.run(consumers, |started| {
            let messages = std::iter::once_with(move || {
                started.recv().unwrap();
                act(&root)
            });
            Box::new(ReplayWatcher::new(messages.flatten()))
        })
    }

    /// Watches by a watcher that is told when the watch has started, until it ends.
    pub fn run(
        &self,
        consumers: Vec<Box<dyn Consumer>>,
        watcher: impl FnOnce(Receiver<()>) -> Box<dyn Watcher>,
    ) -> Lines {
        let (told, started) = channel();
        let lines = Lines { started: Some(told), ..Lines::default() };
        self.engine_with(consumers, lines.clone()).run(watcher(started), &StopToken::new()).unwrap();
        lines
    }
}

pub fn findings(lines: &Lines) -> Vec<Finding> {
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
pub fn told(house: &House, lines: &Lines) -> Vec<(Action, String, Option<String>)> {
    let name = |path: &Path| path.strip_prefix(&house.root).unwrap().to_str().unwrap().to_owned();
    findings(lines)
        .iter()
        .map(|finding| (finding.action, name(&finding.path), finding.previous_path.as_deref().map(name)))
        .collect()
}

pub fn event(via: Via) -> FileEvent {
    let mut event = FileEvent::new(SystemTime::now(), via);
    event.settled = via == Via::Close;
    event
}

pub fn at(via: Via, path: impl Into<PathBuf>) -> WatchMessage {
    let mut event = event(via);
    event.place = Some(Place::Path(path.into()));
    WatchMessage::Event(event)
}

pub fn renamed(from: impl Into<PathBuf>, to: impl Into<PathBuf>) -> WatchMessage {
    let mut event = event(Via::Rename);
    event.place = Some(Place::Path(to.into()));
    event.from = Some(Place::Path(from.into()));
    WatchMessage::Event(event)
}

fn engine(
    store: impl Store + 'static,
    consumers: Vec<Box<dyn Consumer>>,
    lines: Lines,
    guard: Guard,
) -> Engine {
    let state = State::open(Box::new(store)).unwrap();
    let builder = Engine::builder().guard(guard);
    let builder = consumers.into_iter().fold(builder, fim_core::EngineBuilder::consumer);
    builder.build(state, Box::new(lines)).unwrap()
}
