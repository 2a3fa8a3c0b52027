//! Going on with another configuration, without losing a change.
//!
//! First what is waiting is taken under the old one; what will not be watched any more is looked at for the last
//! time. Then the new consumers take over: everything is marked as they want it, what differs from what was
//! last seen is looked at, ground that was never covered is learned, a slice at a time, and marks that nobody
//! wants are dropped.

use super::adopt::Adopt;
use super::error::EngineError;
use super::interests::Interests;
use super::live::Live;
use super::look;
use super::{Engine, Kept};
use crate::control::{Order, Reload};
use crate::event::{FileEvent, Via};
use crate::finding::{Record, Reloaded};
use crate::watch_set::WatchSet;
use crate::watcher::EventSource;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// How long new ground is learned before it is the turn of what changes.
const SLICE: Duration = Duration::from_millis(20);
/// Patterns named; the rest is counted.
const NAMED: usize = 100;

/// New ground that is marked, but not read yet.
#[derive(Debug)]
pub(super) struct Learning {
    paths: BTreeSet<PathBuf>,
    /// What is to be told when all is read.
    reloaded: Reloaded,
}

impl Live<'_> {
    /// Takes an order.
    pub(super) fn obey(&mut self, order: Order, source: &EventSource) -> Result<(), EngineError> {
        self.engine.reporter.catch_up()?;
        match order {
            Order::Refused(why) => self.refuse(why),
            Order::Reload(new) => self.reload(*new, source),
            // Whoever asked may have gone meanwhile.
            Order::Copy(mut out, answer) => {
                let _gone = answer.send(self.copy_state(&mut *out)?);
                Ok(())
            }
            Order::Accept(paths, answer) => {
                let _gone = answer.send(self.accept(&paths, source)?);
                Ok(())
            }
        }
    }

    fn refuse(&mut self, why: String) -> Result<(), EngineError> {
        log::error!("the new configuration is refused, the old one holds: {why}");
        self.engine.status.set(|now| now.refused = Some(why.clone()));
        let refused = Reloaded { refused: Some(why), ..Reloaded::default() };
        self.engine.reporter.report(Record::ConfigReloaded(refused))
    }

    fn reload(&mut self, new: Reload, source: &EventSource) -> Result<(), EngineError> {
        // It is told by those who watched then.
        self.take_sent(source)?;
        let Reload { consumers, limits, scan, secrecy, explainer, guard, notes } = new;
        let (interests, watch) = match Interests::ask(&consumers, self.engine.interests.root()) {
            Ok(asked) => asked,
            Err(error) => return self.refuse(error.to_string()),
        };
        if let Err(error) = self.look_at_what_leaves(&watch) {
            self.heal(error)?;
        }

        let engine = &mut *self.engine;
        let before = engine.interests.patterns();
        (engine.limits, engine.explainer) = (limits, explainer);
        engine.reporter.guard = guard;
        engine.reader = engine.new_reader().with_secrecy(secrecy);
        (engine.consumers, engine.interests, engine.watch) = (consumers, interests, watch);
        engine.covered.claim(engine.claims());
        engine.recall(Kept::Seen)?;
        let after = engine.interests.patterns();
        let rescheduled = std::mem::replace(&mut engine.scan, scan) != scan;
        let mut reloaded = Reloaded { notes, ..Reloaded::default() };
        (reloaded.gained_count, reloaded.gained) = missing(&after, &before);
        (reloaded.lost_count, reloaded.lost) = missing(&before, &after);

        self.learning = Some(Learning { paths: BTreeSet::new(), reloaded });
        self.watch_changed();
        let how = Adopt { scanned: true, learn: true, ..Adopt::default() };
        let event = FileEvent::new(SystemTime::now(), Via::Scan);
        let tally = loop {
            match self.adopt_part(Path::new("/"), &event, &how) {
                Err(error) => self.heal(error)?,
                Ok(tally) => break tally,
            }
        };
        let Self { engine, index, .. } = self;
        let unwanted = index.retain(|path| engine.is_watched(path));
        self.unmark(&unwanted);
        self.engine.status.set(|now| (now.files, now.dirs, now.refused) = (tally.files, tally.dirs, None));
        if let Some(learning) = &mut self.learning {
            (learning.reloaded.files, learning.reloaded.dirs) = (tally.files, tally.dirs);
        }
        if rescheduled {
            self.scans = self.engine.start_scans()?;
        }
        Ok(())
    }

    /// Takes what was sent before the order.
    pub(super) fn take_sent(&mut self, source: &EventSource) -> Result<(), EngineError> {
        for message in source.messages.try_iter().take(source.messages.len()) {
            if let Err(error) = self.take(&message) {
                self.heal(error)?;
            }
        }
        Ok(())
    }

    fn look_at_what_leaves(&mut self, watch: &WatchSet) -> Result<(), EngineError> {
        for path in self.queue.paths() {
            if watch.owner(&path).is_none()
                && let Some(item) = self.queue.take(&path)
            {
                look::look(self, path, item)?;
            }
        }
        self.tell_storms()
    }

    /// Tells those who sort out what is of interest that it is something else now.
    pub(super) fn watch_changed(&mut self) {
        self.marks.watch(&self.engine.watch);
        if let Some(scans) = &self.scans {
            scans.watch(self.engine.watch.clone(), self.engine.scan_reader());
        }
    }

    /// Notes new ground to learn.
    pub(super) fn add_new_ground(&mut self, paths: Vec<PathBuf>) {
        if let Some(learning) = &mut self.learning {
            learning.paths.extend(paths);
        }
    }

    /// Whether a path is new ground that was not read yet; it is not to be read again.
    pub(super) fn is_learned_now(&mut self, path: &Path) -> bool {
        self.learning.as_mut().is_some_and(|learning| {
            let is_new = learning.paths.remove(path);
            learning.reloaded.learned += u64::from(is_new);
            is_new
        })
    }

    /// Learns some of the new ground; tells of the reload when that was all.
    pub(super) fn learn_some(&mut self) -> Result<(), EngineError> {
        let until = Instant::now() + SLICE;
        while Instant::now() < until {
            let Some(learning) = &mut self.learning else { return Ok(()) };
            let Some(path) = learning.paths.pop_first() else {
                return self.all_learned();
            };
            let engine = &mut *self.engine;
            let Some(owner) = engine.watch.owner(&path) else { continue };
            learning.reloaded.learned += 1;
            let need = engine.watch.need_of(owner, &path);
            let now = engine.reader.look(&path, need);
            engine.learn(owner, now)?;
        }
        Ok(())
    }

    fn all_learned(&mut self) -> Result<(), EngineError> {
        let Some(Learning { reloaded, .. }) = self.learning.take() else { return Ok(()) };
        self.engine.remember_covered(&[])?;
        log::info!("going on with the new configuration");
        self.engine.reporter.report(Record::ConfigReloaded(reloaded))
    }
}

impl Engine {
    /// What each consumer wants, by its name.
    pub(super) fn claims(&self) -> Vec<(String, crate::watch_set::Interest)> {
        self.consumers.iter().map(|it| it.name().to_owned()).zip(self.interests.each().cloned()).collect()
    }
}

/// How many of these are not among the others, and the first of them.
fn missing(these: &BTreeSet<String>, others: &BTreeSet<String>) -> (u64, Vec<String>) {
    let all: Vec<&String> = these.difference(others).collect();
    (all.len() as u64, all.into_iter().take(NAMED).cloned().collect())
}
