//! The watch itself: takes messages from the watcher, lets marks settle, looks, reports, commits.
//!
//! The order at the start is what makes it whole: events flow, then every directory is armed before it is
//! listed, then what is there is compared with what was last seen, and only then is the watch said to have
//! started.

use super::error::EngineError;
use super::gaps::Gaps;
use super::index::Index;
use super::judge::Cause;
use super::look::Adopt;
use super::mounts::{self, Mounts};
use super::queue::Queue;
use super::reload::Learning;
use super::scan::{Found, Scans};
use super::storm::Storms;
use super::telling::Telling;
use super::unarmed::Blind;
use super::unwritable::Unwritable;
use super::walk::{Reading, Walked};
use super::{Engine, Kept, ROUNDS, look};
use crate::event::{FileEvent, Place, Via};
use crate::finding::{Detected, Record, Started, Stopped};
use crate::status::Phase;
use crate::watcher::{
    EventSink, EventSource, Marks, Ready, StopToken, WatchError, WatchMessage, WatchStats, Watcher,
};
use crossbeam_channel::{Receiver, never, select_biased};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// Messages waiting between the watcher and the engine; beyond it they wait in the kernel.
const QUEUE: usize = 65_536;
/// Messages taken in one go.
const TURN: usize = 4_096;
/// Looks between two goes: few, since what came meanwhile may tell what a name was for.
const LOOKS: usize = 64;
/// Paths that may wait for their look, as a rule.
const CROWDED: usize = 65_536;
/// What a scan saw that is compared in one go.
const SCANNED: usize = 64;
/// A watch under way.
pub(super) struct Live<'e> {
    pub engine: &'e mut Engine,
    pub marks: Box<dyn Marks>,
    pub index: Index,
    pub queue: Queue,
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
        queue: Queue::default(),
        gaps: Gaps::default(),
        storms: Storms::default(),
        unwritable: None,
        stats: Stopped::default(),
        mounts,
        blind: Blind::default(),
        telling: Telling::default(),
        scans: None,
        learning: None,
    };
    live.engine.status.set(|now| now.watcher = name);
    let started = Started { watcher: name.to_owned(), coverage, notes, ..Started::default() };
    let outcome = live.watch(started, &source, stop);
    // On every way out the watcher must end, or its thread would outlive the watch.
    stop.stop();
    if outcome.is_err() {
        drop(source);
        let _ended = join(thread);
        return outcome.map(|()| Stopped::default());
    }
    let watched = join(thread);
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
    fn watch(&mut self, started: Started, source: &EventSource, stop: &StopToken) -> Result<(), EngineError> {
        if self.start(started, stop)? {
            self.turn_until_end(source)?;
        }
        Ok(())
    }

    /// Arms and compares everything; `false` if it was told to stop meanwhile.
    fn start(&mut self, mut started: Started, stop: &StopToken) -> Result<bool, EngineError> {
        self.engine.reporter.resume(&mut self.engine.state)?;
        self.engine.tell_lost()?;
        self.engine.recall(Kept::Seen)?;
        let (mut found, mut learned) = (0, 0u64);
        let Self { engine, index, marks, .. } = self;
        let outcome = engine.healing(|engine| {
            let mut each = |engine: &mut Engine, walked: Walked| {
                if stop.is_stopped() {
                    return Err(EngineError::Interrupted);
                }
                if is_to_be_learned(engine, &walked) {
                    learned += 1;
                    return engine.learn(walked.owner, walked.snapshot);
                }
                compare_at_start(engine, walked, &mut found)
            };
            engine.walk(&[], Reading::UnlikeSeen, index, Some(&mut **marks), &mut each)
        });
        let tally = match outcome {
            Err(EngineError::Interrupted) => return Ok(false),
            other => other?,
        };
        started.first_baseline = self.engine.covered.is_first();
        self.engine.remember_covered(&[])?;
        self.stats.findings += found;
        if learned > 0 && !started.first_baseline {
            started.notes.push(format!("{learned} files newly covered: recorded as they are, as trusted"));
        }
        (started.files, started.dirs) = (tally.files, tally.dirs);
        self.engine.status.set(|now| (now.files, now.dirs) = (tally.files, tally.dirs));
        self.engine.scan.tell(&self.engine.remote, &mut started);
        // The long walk is over.
        self.engine.progress = None;
        self.engine.reporter.sync(&mut self.engine.state)?;
        self.engine.reporter.be_patient();
        self.engine.reporter.report(Record::WatchStarted(started))?;
        self.engine.reporter.commit(&mut self.engine.state)?;
        self.unarmed(tally.unarmed)?;
        self.scans = self.engine.start_scans()?;
        Ok(true)
    }

    fn turn_until_end(&mut self, source: &EventSource) -> Result<(), EngineError> {
        loop {
            self.tell(Phase::Watching, source.messages.len());
            // One configuration after the other.
            let orders = if self.learning.is_none() { self.engine.orders.1.clone() } else { never() };
            let scanned = self.scanned_next();
            // The first that is ready, in this order: what changes now goes before what a scan found.
            let turn = select_biased! {
                recv(orders) -> order => order.map_or(Ok(()), |order| self.obey(order, source)),
                recv(source.messages) -> message => match message {
                    Ok(message) => self.turn(message, source),
                    Err(_) => return Ok(()),
                },
                recv(scanned) -> found => self.turn_of_scan(found.ok(), source),
                default(self.pause()) => self.look_at_what_is_due(source),
            };
            let turn = turn.and_then(|()| self.learn_some()).and_then(|()| self.see_to_unarmed(false));
            if let Err(error) = turn.and_then(|()| self.follow_interests()) {
                self.heal(error)?;
            }
            self.settle()?;
        }
    }

    /// Gives up what is damaged of the state; what was about it may be half done, and is looked at again.
    pub(super) fn heal(&mut self, error: EngineError) -> Result<(), EngineError> {
        let dir = self.engine.heal(error)?;
        self.adopt(&dir, &FileEvent::new(SystemTime::now(), Via::Sweep), None)?;
        self.drain(false)?;
        // What comes from now on is new.
        self.engine.lost.forget(&dir);
        Ok(())
    }

    /// The end of a turn: lines leave, then the state that speaks of them is committed.
    fn settle(&mut self) -> Result<(), EngineError> {
        let now = Instant::now();
        match self.storms.due() {
            // The state knows of what is not told yet.
            Some(due) if due > now => return self.engine.reporter.flush(),
            Some(_) => self.tell_storms()?,
            None => {}
        }
        self.keep(now)
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
        if let Some(new) = self.engine.rewatch()? {
            let event = FileEvent::new(SystemTime::now(), Via::Scan);
            let learn = self.learning.is_some();
            let how = Adopt { only: Some(&new), was: Some(&was), learn, ..Adopt::default() };
            self.watch_changed();
            self.adopt_part(Path::new("/"), &event, &how)?;
        }
        Ok(())
    }

    fn turn(&mut self, first: WatchMessage, source: &EventSource) -> Result<(), EngineError> {
        self.take(first)?;
        for message in source.messages.try_iter().take(TURN) {
            self.take(message)?;
        }
        self.look_at_what_is_due(source)
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
        let settle = self.storms.due().or_else(|| self.keep_due());
        [self.queue.next_due(), settle]
            .into_iter()
            .flatten()
            .map(|due| due.saturating_duration_since(now))
            .min()
            .unwrap_or(mounts::PAUSE)
            .min(mounts::PAUSE)
    }

    /// How many looks to take in one go. Whoever makes names faster than they are looked at, or names that wait,
    /// would fill the memory: beyond a bound as many are looked at as were taken, due or not.
    fn looks(&mut self) -> usize {
        if self.queue.len() < CROWDED {
            return LOOKS;
        }
        self.queue.hasten(true, Instant::now());
        TURN
    }

    fn look_at_what_is_due(&mut self, source: &EventSource) -> Result<(), EngineError> {
        // First: a look would take what is mounted there for what was there.
        self.follow_mounts()?;
        for _ in 0..self.looks() {
            let now = Instant::now();
            let Some((path, mut item)) = self.queue.pop(now) else {
                break;
            };
            // Who made the change that a scan found may be among the events that nobody has looked at yet.
            if item.is_by_scan() && !source.messages.is_empty() {
                match self.queue.postpone(&path, item, now) {
                    Some(back) => item = back,
                    None => continue,
                }
            }
            look::look(self, path, item)?;
        }
        Ok(())
    }

    /// Looks at what stands for lost records, or at everything marked, due or not.
    pub(super) fn drain(&mut self, everything: bool) -> Result<(), EngineError> {
        loop {
            let now = Instant::now();
            self.queue.hasten(everything, now);
            // A look may mark more: the children of a directory that is gone.
            let Some((path, item)) = self.queue.pop(now) else { return Ok(()) };
            look::look(self, path, item)?;
            while let Some((path, item)) = self.queue.pop(now) {
                look::look(self, path, item)?;
            }
        }
    }

    pub(super) fn take(&mut self, message: WatchMessage) -> Result<(), EngineError> {
        match message {
            WatchMessage::Event(event) => self.event(&event),
            WatchMessage::Lost(loss) => self.lost(&loss),
            WatchMessage::Recovered(number) => self.recovered(number),
        }
    }

    fn event(&mut self, event: &FileEvent) -> Result<(), EngineError> {
        self.stats.events += 1;
        match event.via {
            Via::Rename | Via::Exchange => return self.renamed(event),
            Via::Mount => {
                self.mounts.about_to(event);
                return Ok(());
            }
            Via::Evict => {
                if let Some(id) = event.file {
                    for path in self.index.paths(id) {
                        self.mark(&path, event)?;
                    }
                    self.index.remove(id);
                }
                return Ok(());
            }
            _ => {}
        }
        match event.place.as_ref().map(|place| self.resolve(place)) {
            Some(Some(path)) => self.at_path(&path, event),
            // A name in a directory that is not watched any more; the file may have a watched one besides.
            Some(None) if event.via.is_namespace() => Ok(()),
            Some(None) | None => self.mark_names(event, None),
        }
    }

    /// Joins an event to the names by which its file is known, without the one where it was seen.
    fn mark_names(&mut self, event: &FileEvent, seen: Option<&Path>) -> Result<(), EngineError> {
        let paths = event.file.map(|id| self.index.paths(id)).unwrap_or_default();
        let mut others = paths.iter().filter(|path| Some(path.as_path()) != seen);
        others.try_for_each(|path| self.mark(path, event))
    }

    fn at_path(&mut self, path: &Path, event: &FileEvent) -> Result<(), EngineError> {
        if !self.is_watched(path) {
            if !event.via.is_namespace() {
                // Reached by a name nobody watches: a hard link beside the watched tree, or an excluded one.
                return self.mark_names(event, Some(path));
            }
            if let Some(id) = event.file {
                self.unmark_stranger(id);
            }
            return Ok(());
        }
        if self.follows
            && let Some(id) = event.file
        {
            match event.via {
                Via::Unlink => self.index.remove_name(id, path),
                Via::Rmdir => {}
                // What has no mark yet stays unknown, so that its look sets one.
                _ if !self.is_marked_at_birth(path) && self.index.paths(id).is_empty() => {}
                Via::Mkdir => self.index.add_dir(path, id),
                _ => self.index.add_file(path, id),
            }
        }
        self.mark(path, event)?;
        if !event.via.is_namespace() {
            self.mark_names(event, Some(path))?;
        }
        // One that is known was armed and listed with what it is in: else a deep tree is walked once for each level.
        let is_known = event.file.is_some() && self.index.dir_id(path) == event.file;
        if event.via == Via::Mkdir && !self.follows && !is_known {
            // Who made the directory is not known to have made what is in it.
            self.adopt(path, &FileEvent::new(event.at, Via::Scan), None)?;
        }
        Ok(())
    }

    /// A file the kernel marked with its directory, but which is excluded.
    fn unmark_stranger(&mut self, id: crate::id::FileId) {
        if self.index.paths(id).is_empty() {
            self.marks.remove(&[id]);
        }
    }

    /// Whether the kernel marks what gets this name by itself: in a directory that is watched as a whole.
    pub(super) fn is_marked_at_birth(&self, path: &Path) -> bool {
        use crate::watch_set::Cover;
        self.follows && path.parent().is_some_and(|dir| self.engine.watch.cover(dir) == Cover::All)
    }

    pub(super) fn is_watched(&self, path: &Path) -> bool {
        self.engine.is_watched(path)
    }

    pub(super) fn resolve(&self, place: &Place) -> Option<PathBuf> {
        match place {
            Place::Entry { dir, name } => self.index.entry(*dir, name),
            Place::Path(path) => Some(path.clone()),
        }
    }

    /// The end: everything marked is looked at, every gap closed, all made durable.
    fn finish(mut self, watched: Option<&WatchStats>) -> Result<Stopped, EngineError> {
        self.follow_mounts()?;
        self.see_to_unarmed(true)?;
        self.tell(Phase::Stopping, 0);
        self.scans = None;
        self.queue.finish(Instant::now());
        for _ in 0..ROUNDS {
            self.drain(true)?;
            if !self.engine.interests.is_stale() {
                break;
            }
            self.follow_interests()?;
        }
        self.close_gaps()?;
        self.tell_storms()?;
        self.keep_at_last()?;
        let mut stopped = std::mem::take(&mut self.stats);
        stopped.by_consumer = std::mem::take(&mut self.engine.reporter.by_consumer);
        stopped.lost = watched.map_or(0, |stats| stats.lost);
        (stopped.gaps, stopped.gaps_open) = self.gaps.count();
        stopped.gaps_open += self.blind.open();
        self.engine.reporter.report(Record::WatchStopped(stopped.clone()))?;
        self.engine.reporter.sync(&mut self.engine.state)?;
        self.engine.reporter.failed.take().map_or(Ok(stopped), |error| Err(error.into()))
    }
}

/// Whether a file is taken as it is: nobody looked there before, or what was known of it is lost.
fn is_to_be_learned(engine: &Engine, walked: &Walked) -> bool {
    engine.covered.is_first()
        || (walked.record.is_none()
            && (engine.lost.concerns(&walked.snapshot.path)
                || engine.is_new_ground(walked.owner, &walked.snapshot.path)))
}

/// What happened while nothing ran.
fn compare_at_start(engine: &mut Engine, walked: Walked, found: &mut u64) -> Result<(), EngineError> {
    let (before, kept) = look::parts(walked.record.as_ref());
    let cause = Cause::found(Detected::Startup);
    let Some(judgement) = engine.judge(walked.owner, before, kept, &walked.snapshot, &cause) else {
        return Ok(());
    };
    if let Some(finding) = judgement.finding {
        *found += 1;
        engine.reporter.report(Record::Change(finding))?;
    }
    look::advance(&mut engine.state, walked.record, walked.snapshot, judgement.keep)
}
