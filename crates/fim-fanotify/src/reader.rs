//! The loop: read, translate, say who, send.
//!
//! Must not know flags, handles or /proc.

use crate::actor::Actors;
use crate::decode::{Subject, record};
use crate::exchange;
use crate::group::{Events, Group};
use crate::shared::Shared;
use crate::translate::Translator;
use fanotify_fid::fid::{FidEvent, Pidfd};
use fim_core::{EventSink, FileEvent, Loss, Recovery, StopToken, WatchError, WatchMessage, WatchStats};
use rustix::process::setpriority_process;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// The reader's niceness.
const PRIORITY: i32 = -10;

/// How long a rename waits for the other half of an exchange, which the kernel queues right after it.
const OTHER_HALF: Duration = Duration::from_millis(5);

/// Reads a group's events.
#[derive(Debug)]
pub(crate) struct Reader {
    pub shared: Arc<Shared>,
    pub translator: Translator,
    pub actors: Actors,
    /// Whose events are left out: our own.
    pub ignored: Option<u32>,
    pub stats: WatchStats,
    pub losses: u64,
    /// The rename that was sent last, if nothing came after it.
    last: Option<FileEvent>,
}

/// Room for what is read of a group and made of it, kept for the next.
#[derive(Debug)]
pub(crate) struct Room<'g> {
    events: Events<'g>,
    pub messages: Vec<WatchMessage>,
    /// Descriptors that came with events. They are closed once the messages are sent: to close one takes as long as to send one.
    processes: Vec<Pidfd>,
}

impl<'g> Room<'g> {
    pub(crate) fn of(group: &'g Group) -> Self {
        Self { events: group.events(), messages: Vec::new(), processes: Vec::new() }
    }
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>, translator: Translator, ignored: Option<u32>) -> Self {
        Self {
            shared,
            translator,
            actors: Actors::new(),
            ignored,
            stats: WatchStats::default(),
            losses: 0,
            last: None,
        }
    }

    /// Reads and sends until stopped; then what is still queued.
    ///
    /// # Errors
    /// When fanotify cannot be read.
    pub(crate) fn run(mut self, sink: &EventSink, stop: &StopToken) -> Result<WatchStats, WatchError> {
        hurry();
        let shared = Arc::clone(&self.shared);
        let mut room = Room::of(&shared.group);
        while !stop.is_stopped() {
            // Once: waiting tells whether there is more, and reading on would tell first that there is none.
            shared.group.wait_for_events(stop)?;
            self.next(&mut room, Some(sink))?;
            if !self.send(&mut room, sink) {
                return Ok(self.stats);
            }
        }
        shared.group.detach();
        while self.next(&mut room, None)? && self.send(&mut room, sink) {}
        Ok(self.stats)
    }

    /// Sends what was made of a read. `false` when the engine has gone.
    fn send(&mut self, room: &mut Room<'_>, sink: &EventSink) -> bool {
        let sent = room.messages.drain(..).all(|message| {
            self.stats.events += u64::from(matches!(message, WatchMessage::Event(_)));
            sink.send(message)
        });
        room.processes.clear();
        sent
    }

    /// Fills the room with the next messages; `false` when nothing was queued. They are announced where they are to go.
    pub(crate) fn next(&mut self, room: &mut Room<'_>, to: Option<&EventSink>) -> Result<bool, WatchError> {
        room.messages.clear();
        room.processes.clear();
        if !self.batch(room, to)? {
            return Ok(false);
        }
        let until = Instant::now() + OTHER_HALF;
        // Meanwhile there may be reads that bring nothing of ours.
        while exchange::may_go_on(&room.messages) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.shared.group.wait(left);
            let had = room.messages.len();
            self.batch(room, None)?;
            if room.messages.len() > had {
                break;
            }
        }
        exchange::recognise(&mut self.last, &mut room.messages);
        Ok(true)
    }

    /// Adds the messages of one read; `false` when nothing was queued.
    fn batch(&mut self, room: &mut Room<'_>, mut to: Option<&EventSink>) -> Result<bool, WatchError> {
        let shared = Arc::clone(&self.shared);
        let Room { events, messages, processes } = room;
        let (events, left) = events.read()?;
        if events.is_empty() && left == 0 {
            return Ok(false);
        }
        let mut malformed = u64::from(left > 0);
        let at = SystemTime::now();
        let mut registry = shared.registry();
        self.actors.next_batch();
        if let Some(watch) = shared.take_watch() {
            registry.hear_all(&shared.group);
            self.translator.watch(watch);
        }
        for event in events.iter() {
            let Some(record) = record(event) else {
                malformed += 1;
                continue;
            };
            if record.subject == Subject::Overflow {
                // How many there were, the kernel does not say.
                registry.hear_all(&shared.group);
                messages.push(self.lost("queue_overflow", 1));
                continue;
            }
            if Some(record.pid) == self.ignored {
                continue;
            }
            let found = self.translator.events(&mut registry, &shared.group, &record, at);
            if found.is_empty() {
                continue;
            }
            if self.actors.knows(record.pid)
                && let Some(sink) = to.take()
            {
                sink.announce();
            }
            let actor = self.actors.get(record.pid, record.process);
            messages.extend(found.into_iter().map(|mut event| {
                event.actor.clone_from(&actor);
                WatchMessage::Event(event)
            }));
        }
        if malformed > 0 {
            registry.hear_all(&shared.group);
            self.stats.malformed += malformed;
            messages.push(self.lost("malformed", malformed));
        }
        self.translator.release();
        processes.extend(events.iter_mut().map(FidEvent::take_pidfd));
        Ok(true)
    }

    /// So many events were lost, at least: only comparing everything makes up for it.
    const fn lost(&mut self, cause: &'static str, count: u64) -> WatchMessage {
        self.losses += 1;
        self.stats.lost += count;
        WatchMessage::Lost(Loss { number: self.losses, cause, count, recovery: Recovery::Rescan })
    }
}

/// Asks for this thread to be woken before others: a process that has ended is a mere number, and most end
/// within a millisecond of their last write.
fn hurry() {
    // On Linux this is the priority of the calling thread alone.
    if let Err(error) = setpriority_process(None, PRIORITY) {
        log::debug!("the reader has no higher priority than others: {error}");
    }
}
