//! From records to events: joins a change with its process and its time, and sends it on.
//!
//! Knows nothing of libbpf.

use crate::actors::Actors;
use crate::clock::Clock;
use crate::decode::{self, Change, Names, RawRecord};
use fim_core::{EventSink, FileEvent, FileId, Place, Via, WatchMessage, WatchStats};
use std::time::SystemTime;

/// The watcher's state between ring and engine.
#[derive(Debug)]
pub struct Intake {
    sink: EventSink,
    actors: Actors,
    clock: Clock,
    /// What was counted so far.
    pub stats: WatchStats,
    /// The engine has gone: nothing more is to be sent.
    pub gone: bool,
    /// What is not sent yet, while it is held back.
    held: Option<Vec<WatchMessage>>,
    remember: Option<Remember>,
}

/// Keeps the record of a process, by its id, for whoever reads records that name it later.
pub struct Remember(pub Box<RememberOne>);

type RememberOne = dyn FnMut(u32, &[u8]);

impl std::fmt::Debug for Remember {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remember").finish_non_exhaustive()
    }
}

impl Intake {
    /// An intake that sends there.
    #[must_use]
    pub fn new(sink: EventSink) -> Self {
        Self {
            sink,
            actors: Actors::default(),
            clock: Clock::now(),
            stats: WatchStats::default(),
            gone: false,
            held: None,
            remember: None,
        }
    }

    /// Keeps processes there, too.
    #[must_use]
    pub fn remembering(mut self, remember: Option<Remember>) -> Self {
        self.remember = remember;
        self
    }

    /// Holds back what is to be sent.
    pub fn hold(&mut self) {
        self.held = Some(Vec::new());
    }

    /// Gives what was held back; the rest is sent.
    pub fn release(&mut self) -> Vec<WatchMessage> {
        self.held.take().unwrap_or_default()
    }

    /// Samples the clocks anew: the time of day may have been set, or the machine have slept.
    pub fn refresh_clock(&mut self) {
        self.clock = Clock::now();
    }

    /// Takes one record from the ring.
    pub fn take(&mut self, bytes: &[u8]) {
        match decode::decode(bytes) {
            Ok(RawRecord::Process(process)) => {
                self.actors.learn(&process, &self.clock);
                if let Some(Remember(remember)) = &mut self.remember {
                    remember(process.tgid, bytes);
                }
            }
            Ok(RawRecord::Change(change)) => {
                let event = self.event(&change);
                self.send_event(event);
            }
            Ok(RawRecord::Names(names)) => {
                let event = self.names_event(&names);
                self.send_event(event);
            }
            Err(error) => {
                self.stats.malformed += 1;
                log::warn!("{error}");
            }
        }
    }

    /// Sends the event of a dirty mark found by a sweep; `open_ended` if the file may go on changing unseen until its last close.
    pub fn found_dirty(&mut self, id: FileId, open_ended: bool) {
        let mut event = FileEvent::new(SystemTime::now(), Via::Sweep);
        event.file = Some(id);
        event.settled = !open_ended;
        self.send_event(event);
    }

    /// Sends any other message.
    pub fn send(&mut self, message: WatchMessage) {
        if let Some(held) = &mut self.held {
            held.push(message);
        } else if !self.gone && !self.sink.send(message) {
            self.gone = true;
        }
    }

    /// Where events go.
    #[must_use]
    pub const fn sink(&self) -> &EventSink {
        &self.sink
    }

    fn send_event(&mut self, event: FileEvent) {
        self.stats.events += 1;
        self.send(WatchMessage::Event(event));
    }

    fn event(&mut self, change: &Change) -> FileEvent {
        let at = self.clock.at(change.time).unwrap_or_else(SystemTime::now);
        let mut event = FileEvent::new(at, change.via);
        event.file = change.file;
        event.actor = self.actors.find(change.tgid, change.image);
        event.settled = change.settled;
        event
    }

    fn names_event(&mut self, names: &Names<'_>) -> FileEvent {
        let entry = |dir: FileId, name: &std::ffi::OsStr| Place::Entry { dir, name: name.to_owned() };
        let mut event = self.event(&names.change);
        event.place = Some(entry(names.dir, names.name));
        event.dir = names.moved_dir;
        event.from = names.from.map(|(dir, name)| entry(dir, name));
        event
    }
}
