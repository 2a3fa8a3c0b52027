//! The watch itself: takes messages from the watcher, lets marks settle, looks, reports, commits.
//!
//! The order at the start is what makes it whole: events flow, then every directory is armed before it is
//! listed, then what is there is compared with what was last seen, and only then is the watch said to have
//! started.

use super::adopt::Adopt;
use super::error::EngineError;
use super::flow::Flow;
use super::gaps::Gaps;
use super::heartbeat::Heartbeat;
use super::index::Index;
use super::links::Links;
use super::mounts::Mounts;
use super::queue::Queue;
use super::reload::Learning;
use super::scan::{Found, Scans};
use super::settling::Settling;
use super::status_update::Telling;
use super::storm::Storms;
use super::unarmed::Blind;
use super::unwritable::Unwritable;
use super::walk::Anew;
use super::{Engine, ROUNDS};
use crate::event::{FileEvent, Via};
use crate::finding::{Record, Started, Stopped};
use crate::guard::Tampering;
use crate::id::FileId;
use crate::status::Phase;
use crate::stop::StopToken;
use crate::watcher::{EventSink, EventSource, Marks, Ready, WatchError, WatchMessage, WatchStats, Watcher};
use crossbeam_channel::{Receiver, never, select_biased};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// Messages waiting between the watcher and the engine; beyond it they wait in the kernel.
const QUEUE: usize = 65_536;
/// Messages taken in one go.
pub(super) const TURN: usize = 4_096;
/// What a scan saw that is compared in one go.
const SCANNED: usize = 64;
/// The longest sleep: whatever there is to do has a time of its own, but who watches over this process takes a longer
/// silence for a hang (`Now::turns`).
const IDLE: Duration = Duration::from_secs(30);

/// A watch under way.
pub(super) struct Live<'e> {
    pub engine: &'e mut Engine,
    pub marks: Box<dyn Marks>,
    pub index: Index,
    pub links: Links,
    pub queue: Queue,
    pub flow: Flow,
    pub gaps: Gaps,
    pub storms: Storms,
    pub unwritable: Option<Unwritable>,
    pub stats: Stopped,
    pub telling: Telling,
    pub follows: bool,
    pub mounts: Mounts,
    pub scans: Option<Scans>,
    pub learning: Option<Learning>,
    pub blind: Blind,
    pub heartbeat: Heartbeat,
    /// What is looked at is all there is to look at now.
    pub is_alone: bool,
    /// What is looked at happened before this watch.
    pub catching_up: bool,
    /// What directories were called that are gone, while events name them that are older than that.
    pub gone: HashMap<FileId, PathBuf>,
    /// When marks were removed last.
    pub unmarked: Option<SystemTime>,
    /// What was renamed lately.
    pub settling: Settling,
    /// No directory is followed to its new name at once before then: that takes as long as it is large.
    pub next_carry: Instant,
}

/// Runs a watch from its start to its end.
pub(super) fn run(
    engine: &mut Engine,
    watcher: Box<dyn Watcher>,
    stop: &StopToken,
) -> Result<Stopped, EngineError> {
    let name = watcher.name();
    let (sink, source) = EventSink::channel(QUEUE);
    let thread = spawn(watcher, engine, sink, stop.clone())?;
    let Some(ready) = source.wait_ready() else {
        return match join(thread) {
            Err(error) => Err(error.into()),
            Ok(_) => Err(WatchError::new(format!("the watcher {name} ended before it was ready")).into()),
        };
    };
    let Ready { marks, mut coverage, notes } = ready;
    // Before anything is looked at: what is mounted from now on is noticed.
    let mounts = Mounts::open();
    coverage.insert("mount", mounts.degree());
    let mut live = Live {
        engine,
        follows: marks.follows_files(),
        marks,
        index: Index::new(),
        links: Links::default(),
        queue: Queue::default(),
        flow: Flow::default(),
        gaps: Gaps::default(),
        storms: Storms::default(),
        unwritable: None,
        stats: Stopped::default(),
        mounts,
        blind: Blind::default(),
        telling: Telling::default(),
        scans: None,
        learning: None,
        heartbeat: Heartbeat::default(),
        is_alone: false,
        catching_up: false,
        gone: HashMap::new(),
        unmarked: None,
        settling: Settling::default(),
        next_carry: Instant::now(),
    };
    live.engine.status.set(|now| now.watcher = name);
    let started = Started { watcher: name.to_owned(), coverage, notes, ..Started::default() };
    let outcome = live.watch(started, source, stop);
    // On every way out the watcher must end, or its thread would outlive the watch.
    stop.stop();
    let watched = join(thread);
    outcome?;
    let stopped = live.finish(watched.as_ref().ok())?;
    match watched {
        Ok(_) => Ok(stopped),
        Err(error) => Err(error.into()),
    }
}

fn spawn(
    watcher: Box<dyn Watcher>,
    engine: &Engine,
    sink: EventSink,
    stop: StopToken,
) -> Result<JoinHandle<Result<WatchStats, WatchError>>, EngineError> {
    let watch = engine.watch.clone();
    std::thread::Builder::new()
        .name(format!("fim-{}", watcher.name()))
        .spawn(move || watcher.run(watch, sink, stop))
        .map_err(|source| EngineError::System {
            what: "cannot start the watcher's thread".to_owned(),
            source,
        })
}

fn join(thread: JoinHandle<Result<WatchStats, WatchError>>) -> Result<WatchStats, WatchError> {
    thread.join().unwrap_or_else(|_| Err(WatchError::new("the watcher panicked")))
}

impl Live<'_> {
    /// At its end nobody listens any more: a watcher that waits for room, as after a start that was cut short, goes on.
    fn watch(&mut self, started: Started, source: EventSource, stop: &StopToken) -> Result<(), EngineError> {
        if self.start(started, stop)? {
            self.turn_until_end(&source)?;
        }
        Ok(())
    }

    fn turn_until_end(&mut self, source: &EventSource) -> Result<(), EngineError> {
        loop {
            self.tell(Phase::Watching, source.messages.len());
            // One configuration after the other.
            let orders = if self.learning.is_none() { self.engine.orders.1.clone() } else { never() };
            let scanned = self.scanned_next();
            let mounts = self.mounts.changes.clone();
            let alerts = self.engine.alerts.1.clone();
            // The first that is ready, in this order: an alert waits for nothing, and what changes now goes before
            // what a scan found.
            let turn = select_biased! {
                recv(alerts) -> alert => alert.map_or(Ok(()), |alert| self.tell_alert(alert)),
                recv(orders) -> order => order.map_or(Ok(()), |order| self.obey(order, source)),
                recv(source.messages) -> message => match message {
                    Ok(message) => self.turn(&message, source),
                    Err(_) => return Ok(()),
                },
                recv(source.announced) -> _ => self.await_announced(source),
                recv(scanned) -> found => self.turn_of_scan(found.ok(), source),
                recv(mounts) -> word => {
                    if word.is_err() {
                        // Nobody listens any more; a channel without an end that speaks is always ready.
                        self.mounts.changes = never();
                    }
                    self.look_at_what_is_due(source)
                },
                default(self.pause()) => self.look_at_what_is_due(source),
            };
            let turn = turn
                .and_then(|()| self.learn_some())
                .and_then(|()| self.look_for_other_names())
                .and_then(|()| self.see_to_unarmed(Some(source)))
                .and_then(|()| self.compare_if_due())
                .and_then(|()| self.settle_renames(false));
            if let Err(error) = turn.and_then(|()| self.follow_interests()) {
                self.heal(error)?;
            }
            self.end_turn()?;
        }
    }

    /// What others noticed.
    pub(super) fn tell_alerts(&mut self) -> Result<(), EngineError> {
        while let Ok(tampering) = self.engine.alerts.1.try_recv() {
            self.tell_alert(tampering)?;
        }
        Ok(())
    }

    pub(super) fn tell_alert(&mut self, tampering: Tampering) -> Result<(), EngineError> {
        self.engine.reporter.report(Record::Tampering(tampering))
    }

    /// Gives up what is damaged of the state. What was being done when the damage showed is half done, and may have been about
    /// anything: everything is compared.
    pub(super) fn heal(&mut self, error: EngineError) -> Result<(), EngineError> {
        self.engine.reporter.behind(false);
        let mut damage = Some(error);
        while let Some(error) = damage {
            self.engine.heal(error)?;
            self.gaps.hurry();
            damage = self.compare_if_due().and_then(|()| self.drain(false)).err();
        }
        // What comes from now on is new.
        self.engine.lost.forget();
        self.blind.hurry();
        Ok(())
    }

    /// The end of a turn: lines leave, then the state that speaks of them is committed.
    fn end_turn(&mut self) -> Result<(), EngineError> {
        let now = Instant::now();
        match self.storms.due() {
            // The state knows of what is not told yet.
            Some(due) if due > now => return self.engine.reporter.flush(),
            Some(_) => self.tell_storms()?,
            None => {}
        }
        self.commit(now)
    }

    pub(super) fn tell_storms(&mut self) -> Result<(), EngineError> {
        let told = self.storms.release(Instant::now());
        told.into_iter()
            .try_for_each(|finding| self.engine.reporter.report(Record::Change(Box::new(finding))))
    }

    /// Watches at once what the last looks brought into the interest of a consumer.
    fn follow_interests(&mut self) -> Result<(), EngineError> {
        if !self.engine.interests.is_stale() {
            return Ok(());
        }
        let was = self.engine.watch.clone();
        let by = self.engine.interests.changed_by();
        if let Some(new) = self.engine.rewatch()? {
            self.engine.reporter.catch_up()?;
            let mut event = FileEvent::new(SystemTime::now(), Via::Scan);
            event.actor = by;
            let learn = self.learning.is_some();
            let anew = Some(Anew { only: &new, was: &was });
            let how = Adopt { anew, learn, ..Adopt::default() };
            self.watch_changed();
            self.adopt_part(Path::new("/"), &event, &how)?;
        }
        Ok(())
    }

    pub(super) fn turn(&mut self, first: &WatchMessage, source: &EventSource) -> Result<(), EngineError> {
        self.take(first)?;
        let mut taken = 1;
        for message in source.messages.try_iter().take(TURN) {
            self.take(&message)?;
            taken += 1;
        }
        // Of what was announced, this was it.
        let _heard = source.announced.try_recv();
        self.look_at_what_is_due(source)?;
        let now = Instant::now();
        // Not while something waits for its look.
        if let Some(rest) = self.flow.rest(taken, now)
            && !self.queue.has_due(now)
        {
            std::thread::sleep(rest);
        }
        Ok(())
    }

    fn scanned_next(&self) -> Receiver<Found> {
        self.scans.as_ref().map_or_else(never, |scans| scans.found.clone())
    }

    /// Compares some of what a scan saw.
    fn turn_of_scan(&mut self, first: Option<Found>, source: &EventSource) -> Result<(), EngineError> {
        let Some(first) = first else {
            log::error!("scans have ended");
            self.scans = None;
            return Ok(());
        };
        self.scanned(first)?;
        let next = self.scanned_next();
        for found in next.try_iter().take(SCANNED) {
            self.scanned(found)?;
            if !source.messages.is_empty() {
                break;
            }
        }
        self.look_at_what_is_due(source)
    }

    /// How long to wait for a message.
    fn pause(&mut self) -> Duration {
        if self.learning.is_some() {
            return Duration::ZERO;
        }
        let now = Instant::now();
        let settle = self.storms.due().or_else(|| self.commit_due());
        let compare = self.gaps.due();
        [self.queue.next_due(), settle, self.blind.due, compare, self.settling.due(), self.links.due(now)]
            .into_iter()
            .flatten()
            .map(|due| due.saturating_duration_since(now))
            .min()
            .map_or(IDLE, |pause| pause.min(IDLE))
    }

    /// The end: everything marked is looked at, every gap closed, all made durable.
    fn finish(mut self, watched: Option<&WatchStats>) -> Result<Stopped, EngineError> {
        self.follow_mounts()?;
        self.see_to_unarmed(None)?;
        self.tell(Phase::Stopping, 0);
        self.scans = None;
        self.queue.finish(Instant::now());
        for _ in 0..ROUNDS {
            self.drain(true)?;
            self.settle_renames(true)?;
            self.links.hurry();
            self.look_for_other_names()?;
            self.drain(true)?;
            if !self.engine.interests.is_stale() && self.settling.is_at_rest() {
                break;
            }
            self.follow_interests()?;
        }
        self.close_gaps()?;
        self.tell_storms()?;
        self.tell_alerts()?;
        // A start that was cut short leaves the span before it as it was.
        if self.heartbeat.due().is_some() {
            self.beat(Instant::now())?;
        }
        self.commit_at_last()?;
        let mut stopped = std::mem::take(&mut self.stats);
        stopped.findings = self.engine.reporter.findings();
        stopped.by_consumer = std::mem::take(&mut self.engine.reporter.by_consumer);
        stopped.lost = watched.map_or(0, |stats| stats.lost);
        (stopped.gaps, stopped.gaps_open) = self.gaps.count();
        self.engine.reporter.report(Record::WatchStopped(stopped.clone()))?;
        self.engine.reporter.sync(&mut self.engine.state)?;
        self.engine.reporter.failed.take().map_or(Ok(stopped), |error| Err(error.into()))
    }
}
