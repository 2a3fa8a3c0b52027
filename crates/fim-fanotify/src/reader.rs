//! The loop: read, translate, say who, send.
//!
//! Must not know flags, handles or /proc.

use crate::actor::Actors;
use crate::decode::{Subject, record};
use crate::exchange;
use crate::shared::Shared;
use crate::translate::Translator;
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
    buffer: Vec<u8>,
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
            buffer: Vec::new(),
        }
    }

    /// Reads and sends until stopped; then what is still queued.
    ///
    /// # Errors
    /// When fanotify cannot be read.
    pub(crate) fn run(mut self, sink: &EventSink, stop: &StopToken) -> Result<WatchStats, WatchError> {
        hurry();
        while !stop.is_stopped() {
            self.shared.group.wait_for_events(stop)?;
            if !self.drain(sink, Some(stop))? {
                return Ok(self.stats);
            }
        }
        self.shared.group.detach();
        self.drain(sink, None)?;
        Ok(self.stats)
    }

    /// Sends what is queued. `false` when the engine has gone.
    fn drain(&mut self, sink: &EventSink, stop: Option<&StopToken>) -> Result<bool, WatchError> {
        loop {
            let Some(messages) = self.next()? else { return Ok(true) };
            for message in messages {
                if matches!(message, WatchMessage::Event(_)) {
                    self.stats.events += 1;
                }
                if !sink.send(message) {
                    return Ok(false);
                }
            }
            if stop.is_some_and(StopToken::is_stopped) {
                return Ok(true);
            }
        }
    }

    /// The next messages; `None` when nothing was queued.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<WatchMessage>>, WatchError> {
        let Some(mut messages) = self.batch()? else { return Ok(None) };
        let until = Instant::now() + OTHER_HALF;
        // Meanwhile there may be reads that bring nothing of ours.
        while exchange::may_go_on(&messages) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.shared.group.wait(left);
            if let Some(more) = self.batch()?.filter(|more| !more.is_empty()) {
                messages.extend(more);
                break;
            }
        }
        exchange::recognise(&mut self.last, &mut messages);
        Ok(Some(messages))
    }

    /// The messages of one read; `None` when nothing was queued.
    fn batch(&mut self) -> Result<Option<Vec<WatchMessage>>, WatchError> {
        let shared = Arc::clone(&self.shared);
        let (events, left) = shared.group.read(&mut self.buffer)?;
        if events.is_empty() && left == 0 {
            return Ok(None);
        }
        if left > 0 {
            self.stats.malformed += 1;
        }
        let at = SystemTime::now();
        let mut messages = Vec::new();
        let mut registry = shared.registry();
        self.actors.next_batch();
        if let Some(watch) = shared.take_watch() {
            self.translator.watch(watch);
        }
        for event in &events {
            let Some(record) = record(event) else {
                self.stats.malformed += 1;
                continue;
            };
            if record.subject == Subject::Overflow {
                self.losses += 1;
                self.stats.lost += 1;
                messages.push(WatchMessage::Lost(Loss {
                    number: self.losses,
                    cause: "queue_overflow",
                    count: 0,
                    recovery: Recovery::Rescan,
                }));
                continue;
            }
            if Some(record.pid) == self.ignored {
                continue;
            }
            let found = self.translator.events(&mut registry, &shared.group, &record, at);
            if found.is_empty() {
                continue;
            }
            let actor = self.actors.get(record.pid, record.process);
            messages.extend(found.into_iter().map(|mut event| {
                event.actor.clone_from(&actor);
                WatchMessage::Event(event)
            }));
        }
        self.translator.release();
        Ok(Some(messages))
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
