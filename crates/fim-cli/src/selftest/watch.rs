//! The engine in this process, and its reports as the catalogue wants them.

use crate::failure::Failure;
use fim_catalogue::{Action, Observer, Seen, monotonic};
use fim_consumers::{Generic, GenericConfig};
use fim_core::{
    Detected, Engine, EngineError, Finding, Interest, MemStore, Record, Report, Sink, Started, State,
    StopToken, Stopped, Watcher,
};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

enum Message {
    Started(Started),
    Seen(Seen),
}

/// A watch under way.
pub struct Watch {
    messages: Receiver<Message>,
    engine: JoinHandle<Result<Stopped, EngineError>>,
    stop: StopToken,
}

impl Watch {
    /// Starts to watch these with the generic consumer and a state in memory.
    pub fn start(interest: Interest, watcher: Box<dyn Watcher>) -> Result<Self, Failure> {
        let (send, messages) = channel();
        let config = GenericConfig { paths: interest.paths, ..GenericConfig::default() };
        let state = State::open(Box::new(MemStore::new()))?;
        let mut engine = Engine::builder()
            .consumer(Box::new(Generic::new(config)))
            .build(state, Box::new(Reports(send)))?;
        let stop = StopToken::new();
        let until = stop.clone();
        let engine = std::thread::Builder::new()
            .name("fim-engine".to_owned())
            .spawn(move || engine.run(watcher, &until))
            .map_err(|error| Failure::new(format!("cannot start a thread: {error}")))?;
        Ok(Self { messages, engine, stop })
    }

    /// Waits until everything is watched.
    pub fn started(&mut self) -> Result<Started, Failure> {
        loop {
            match self.messages.recv() {
                Ok(Message::Started(started)) => return Ok(started),
                Ok(Message::Seen(_)) => {}
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
                Ok(Message::Started(_)) => {}
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("the watch has ended")),
            }
        }
    }
}

struct Reports(Sender<Message>);

impl Sink for Reports {
    fn write(&mut self, report: &Report) -> io::Result<()> {
        let message = match &report.record {
            Record::Change(finding) => Message::Seen(seen(finding)),
            Record::WatchStarted(started) => Message::Started(started.clone()),
            Record::CoverageGap(gap) => {
                log::warn!("{} records were lost: {}", gap.lost, gap.cause);
                return Ok(());
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
        live: finding.detected == Detected::Live,
    }
}
