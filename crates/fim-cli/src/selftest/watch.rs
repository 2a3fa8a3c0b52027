//! The engine in this process, and its reports as the catalogue wants them.

use crate::failure::Failure;
use fim_catalogue::{Action, Observer, Seen, monotonic};
use fim_consumers::{Generic, GenericConfig};
use fim_core::{
    Actor, Detected, Engine, EngineError, Finding, Interest, MemStore, Record, Report, Scan, Sink, Started,
    State, StopToken, Stopped, Watcher,
};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

enum Message {
    Started(Started),
    Seen(Seen),
    /// Records were lost.
    Lost,
}

/// A watch under way.
pub struct Watch {
    messages: Receiver<Message>,
    engine: JoinHandle<Result<Stopped, EngineError>>,
    stop: StopToken,
    losses: u64,
}

impl Watch {
    /// Starts to watch these with the generic consumer, a state in memory and these scans.
    pub fn start(interest: Interest, watcher: Box<dyn Watcher>, scan: Scan) -> Result<Self, Failure> {
        let (send, messages) = channel();
        let config = GenericConfig { paths: interest.paths, ..GenericConfig::default() };
        let state = State::open(Box::new(MemStore::new()))?;
        let mut engine = Engine::builder()
            .consumer(Box::new(Generic::new(config)))
            .scan(scan)
            .build(state, Box::new(Reports(send)))?;
        let stop = StopToken::new();
        let until = stop.clone();
        let engine = std::thread::Builder::new()
            .name("fim-engine".to_owned())
            .spawn(move || engine.run(watcher, &until))
            .map_err(|error| Failure::new(format!("cannot start a thread: {error}")))?;
        Ok(Self { messages, engine, stop, losses: 0 })
    }

    /// Waits until everything is watched.
    pub fn started(&mut self) -> Result<Started, Failure> {
        loop {
            match self.messages.recv() {
                Ok(Message::Started(started)) => return Ok(started),
                Ok(Message::Seen(_) | Message::Lost) => {}
                Err(_) => return Err(Failure::new("the watch ended before it had started")),
            }
        }
    }

    /// Ends the watch.
    pub fn stop(self) -> Result<(), Failure> {
        self.stop.stop();
        match self.engine.join() {
            Ok(ended) => ended.map(drop).map_err(Failure::from),
            Err(_) => Err(Failure::new("the engine panicked")),
        }
    }
}

impl Observer for Watch {
    fn next(&mut self, within: Duration) -> io::Result<Option<Seen>> {
        loop {
            match self.messages.recv_timeout(within) {
                Ok(Message::Seen(seen)) => return Ok(Some(seen)),
                Ok(Message::Lost) => self.losses += 1,
                Ok(Message::Started(_)) => {}
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("the watch has ended")),
            }
        }
    }

    fn losses(&self) -> u64 {
        self.losses
    }
}

struct Reports(Sender<Message>);

impl Sink for Reports {
    fn write(&mut self, report: &Report) -> io::Result<()> {
        let message = match &report.record {
            Record::Change(finding) => Message::Seen(seen(finding)),
            Record::WatchStarted(started) => Message::Started(started.clone()),
            Record::CoverageGap(gap) => {
                log::info!("{} records were lost: {}", gap.lost, gap.cause);
                Message::Lost
            }
            _ => return Ok(()),
        };
        // Nobody listens any more while the watch is being stopped.
        drop(self.0.send(message));
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn seen(finding: &Finding) -> Seen {
    Seen {
        at: monotonic(),
        action: match finding.action {
            fim_core::Action::Created => Action::Created,
            fim_core::Action::Updated => Action::Updated,
            fim_core::Action::Deleted => Action::Deleted,
            fim_core::Action::Moved => Action::Moved,
            fim_core::Action::AttributesModified => Action::AttributesModified,
        },
        path: finding.path.clone(),
        previous: finding.previous_path.clone(),
        changes: finding.changes.iter().map(|change| change.what.clone()).collect(),
        pids: finding.actors.iter().map(|actor| actor.pid).collect(),
        described: finding.actors.iter().filter(|actor| is_described(actor)).map(|actor| actor.pid).collect(),
        live: finding.detected == Detected::Live,
    }
}

/// Whether more than its number is known of a process.
fn is_described(actor: &Actor) -> bool {
    let known = actor.start.is_some() && actor.uid.is_some() && actor.name.is_some();
    let program = actor.executable.is_some() && !actor.args.is_empty();
    let parent = actor.parent.as_ref().is_some_and(|parent| parent.name.is_some());
    known && (program || actor.kernel) && parent
}
