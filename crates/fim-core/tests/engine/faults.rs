//! A store that cannot be written or read for a while, through the whole engine: nothing is lost, and what
//! is wrong is said.

use crate::house::{House, Lines, Plain, at, findings, told};
use fim_core::{
    Action, Batch, Engine, EngineError, Generation, MemStore, Record, ReplayWatcher, Report, Sink, State,
    StopToken, Store, StoreError, StoreErrorKind, Via, Visit, WatchMessage,
};
use rustix::io::Errno;
use std::fs;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a disk may say.
pub const ERRORS: [Errno; 5] = [Errno::NOSPC, Errno::IO, Errno::ROFS, Errno::MFILE, Errno::NOMEM];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Write(Errno),
    Read(Errno),
}

/// A store in memory that fails as it is told to; what was not synced by then is lost.
#[derive(Clone, Default)]
struct Faulty {
    mem: MemStore,
    fault: Arc<Mutex<Option<Fault>>>,
}

impl Faulty {
    fn of(house: &House) -> Self {
        Self { mem: house.store.clone(), fault: Arc::default() }
    }

    fn set(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap() = fault;
    }

    fn may(&self, write: bool) -> Result<(), StoreError> {
        let errno = match *self.fault.lock().unwrap() {
            Some(Fault::Write(errno)) if write => errno,
            Some(Fault::Read(errno)) if !write => errno,
            _ => return Ok(()),
        };
        let mut error = StoreError::new(StoreErrorKind::Io, "the disk");
        error.source = Some(Box::new(io::Error::from(errno)));
        Err(error)
    }
}

impl Store for Faulty {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.may(false).and_then(|()| self.mem.get(key))
    }

    fn floor(&self, key: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>, StoreError> {
        self.may(false).and_then(|()| self.mem.floor(key))
    }

    fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.may(false).and_then(|()| self.mem.scan(prefix, visit))
    }

    fn apply(&mut self, batch: Batch) -> Result<(), StoreError> {
        self.may(true).and_then(|()| self.mem.apply(batch))
    }

    fn sync(&mut self) -> Result<Generation, StoreError> {
        self.may(true).and_then(|()| self.mem.sync())
    }

    fn recover(&mut self) -> Result<(), StoreError> {
        self.may(true).and_then(|()| self.mem.recover())
    }
}

/// Remembers reports, and sends a word for each.
pub struct Words(pub Lines, pub Sender<String>);

impl Sink for Words {
    fn write(&mut self, report: &Report) -> io::Result<()> {
        let word = match &report.record {
            Record::Change(finding) => finding.path.file_name().unwrap().to_str().unwrap().to_owned(),
            Record::CoverageGap(gap) => format!("gap {}", gap.cause),
            Record::GapClosed(gap) => format!("closed {}", gap.cause),
            Record::WatchStarted(_) => "started".to_owned(),
            _ => String::new(),
        };
        // Nobody listens any more at the end.
        drop(self.1.send(word));
        self.0.write(report)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits for a word.
pub fn hear(words: &Receiver<String>, word: &str) {
    let mut heard = Vec::new();
    while heard.last().is_none_or(|last| last != word) {
        match words.recv_timeout(Duration::from_secs(60)) {
            Ok(next) => heard.push(next),
            Err(_) => panic!("{word} is never told, but {heard:?}"),
        }
    }
}

/// Watches while messages come, which may wait for words.
pub fn watch<I: Iterator<Item = WatchMessage> + Send + 'static>(
    house: &House,
    store: impl Store + 'static,
    messages: impl FnOnce(Receiver<String>) -> I,
) -> (Lines, Result<(), EngineError>) {
    let (send, words) = channel();
    let lines = Lines::default();
    let state = State::open(Box::new(store)).unwrap();
    let sink = Words(lines.clone(), send);
    let consumer = Box::new(Plain(house.root.to_str().unwrap().to_owned()));
    let mut engine = Engine::builder().consumer(consumer).build(state, Box::new(sink)).unwrap();
    let watcher = Box::new(ReplayWatcher::new(messages(words)));
    let outcome = engine.run(watcher, &StopToken::new()).map(drop);
    (lines, outcome)
}

/// Changes `a`; then the disk fails, `b` and `n` change; it is mended if it is to be.
fn meanwhile(house: &House, store: Faulty, fault: Fault, mend: bool) -> (Lines, Result<(), EngineError>) {
    let root = house.root.clone();
    watch(house, store.clone(), move |words| {
        let write = move |name: &str| {
            fs::write(root.join(name), format!("new {name}")).unwrap();
            at(Via::Close, root.join(name))
        };
        let steps = 0..=3 + usize::from(mend);
        steps.filter_map(move |step| match step {
            0 => {
                hear(&words, "started");
                Some(write("a"))
            }
            1 => {
                hear(&words, "a");
                store.set(Some(fault));
                Some(write("b"))
            }
            2 => {
                hear(&words, "gap state_unwritable");
                Some(write("n"))
            }
            3 => {
                hear(&words, "n");
                None
            }
            _ => {
                store.set(None);
                hear(&words, "closed state_unwritable");
                None
            }
        })
    })
}

#[test]
fn a_disk_that_fails_for_a_while_does_not_end_the_watch() {
    std::thread::scope(|threads| {
        for errno in ERRORS {
            threads.spawn(move || {
                let house = House::new();
                house.baseline();
                let store = Faulty::of(&house);
                let (lines, outcome) = meanwhile(&house, store, Fault::Write(errno), true);
                outcome.unwrap();
                let expected = [("a", Action::Updated), ("b", Action::Updated), ("n", Action::Created)]
                    .map(|(name, action)| (action, name.to_owned(), None));
                assert_eq!(told(&house, &lines), expected, "{errno}: each once");
                // A power cut now loses nothing.
                let (again, outcome) = watch(&house, house.store.crash(), |_| std::iter::empty());
                outcome.unwrap();
                assert_eq!(told(&house, &again), [], "{errno}");
                let last = |lines: &Lines| lines.reports.lock().unwrap().last().unwrap().sequence;
                let first = again.reports.lock().unwrap()[0].sequence;
                assert_eq!(first, last(&lines) + 1, "{errno}: numbers go on");
            });
        }
    });
}

#[test]
fn what_could_not_be_kept_is_told_again_under_the_same_numbers() {
    for errno in ERRORS {
        let house = House::new();
        house.baseline();
        let (lines, outcome) = meanwhile(&house, Faulty::of(&house), Fault::Write(errno), false);
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("cannot keep the state: the disk"), "{error}");
        let (again, outcome) = watch(&house, house.store.crash(), |_| std::iter::empty());
        outcome.unwrap();
        let id = |lines: &Lines, name: &str| {
            let all = findings(lines);
            all.iter().find(|finding| finding.path.ends_with(name)).map(|finding| finding.id)
        };
        for name in ["b", "n"] {
            assert!(id(&again, name).is_some(), "{errno}: {name}");
            assert_eq!(id(&again, name), id(&lines, name), "{errno}: {name}");
        }
        let numbers: Vec<u64> = again.reports.lock().unwrap().iter().map(|report| report.sequence).collect();
        assert!(numbers[0] <= lines.reports.lock().unwrap().last().unwrap().sequence);
    }
}

#[test]
fn a_state_that_cannot_be_read_is_an_error_and_no_change() {
    for errno in ERRORS {
        let house = House::new();
        house.baseline();
        let store = Faulty::of(&house);
        let (failing, root) = (store.clone(), house.root.clone());
        let (lines, outcome) = watch(&house, store, move |words| {
            std::iter::once_with(move || {
                hear(&words, "started");
                failing.set(Some(Fault::Read(errno)));
                fs::write(root.join("a"), "changed").unwrap();
                at(Via::Close, root.join("a"))
            })
        });
        assert!(outcome.unwrap_err().to_string().contains("cannot keep the state: the disk"));
        assert_eq!(told(&house, &lines), [], "{errno}");
        let (again, outcome) = watch(&house, house.store.crash(), |_| std::iter::empty());
        outcome.unwrap();
        assert_eq!(told(&house, &again), [(Action::Updated, "a".into(), None)], "{errno}");
    }
}

/// Whichever write of the start fails: it is said, and the next start tells all.
#[test]
fn a_disk_that_fails_at_the_start_loses_nothing() {
    for writes in 0..20 {
        let house = House::new();
        house.baseline();
        fs::write(house.path("a"), "changed").unwrap();
        fs::remove_file(house.path("b")).unwrap();
        house.store.fail_after(writes);
        let (lines, outcome) = watch(&house, house.store.clone(), |_| std::iter::empty());
        let mut all = told(&house, &lines);
        if outcome.is_ok() {
            assert!(writes > 2);
        }
        let (again, outcome) = watch(&house, house.store.crash(), |_| std::iter::empty());
        outcome.unwrap();
        all.extend(told(&house, &again));
        all.sort();
        all.dedup();
        let expected = [(Action::Updated, "a".into(), None), (Action::Deleted, "b".into(), None)];
        assert_eq!(all, expected, "after {writes} writes");
    }
}

#[test]
fn a_baseline_that_cannot_be_kept_is_none() {
    for writes in 0..3 {
        let house = House::new();
        house.store.fail_after(writes);
        let mut engine = house.engine(Lines::default());
        let outcome = engine.baseline(&[]);
        drop(engine);
        let store = house.store.crash();
        let mut engine = house.engine_on(store, Lines::default());
        match outcome {
            Ok(_) => assert_eq!(engine.check(&[], true).unwrap().changes, 0),
            Err(_) => assert!(!engine.has_baseline().unwrap(), "after {writes} writes"),
        }
    }
}

/// Whoever asks an agent that cannot write its state is not told that all is well.
#[test]
fn nothing_is_said_to_be_recorded_while_the_state_cannot_be_written() {
    let house = House::new();
    house.baseline();
    let store = Faulty::of(&house);
    let (send, words) = channel();
    let sink = Words(Lines::default(), send);
    let mut engine = Engine::builder()
        .consumer(house.plain())
        .build(State::open(Box::new(store.clone())).unwrap(), Box::new(sink))
        .unwrap();
    let (control, root) = (engine.control(), house.root.clone());
    let messages = std::iter::once_with(move || {
        hear(&words, "started");
        store.set(Some(Fault::Write(Errno::NOSPC)));
        fs::write(root.join("a"), "changed").unwrap();
        let refused = control.accept(Vec::new()).unwrap().unwrap_err();
        assert!(refused.starts_with("the state cannot be written: the disk: "), "{refused}");
        let refused = control.copy_state(Box::new(io::sink())).unwrap().unwrap_err().to_string();
        assert!(refused.contains("the disk: "), "{refused}");
        store.set(None);
        hear(&words, "closed state_unwritable");
        control.accept(Vec::new()).unwrap().unwrap();
        control.copy_state(Box::new(io::sink())).unwrap().unwrap();
        at(Via::Write, root.join("a"))
    });
    engine.run(Box::new(ReplayWatcher::new(messages)), &StopToken::new()).unwrap();
}
