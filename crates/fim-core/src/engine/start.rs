//! The start of a watch: everything is armed, then compared with what was last seen, and only then the watch is said
//! to have started.

use super::adopt::is_unlike;
use super::backlog::Unlike;
use super::error::EngineError;
use super::heartbeat;
use super::judge::Cause;
use super::live::Live;
use super::look::{advance, parts};
use super::walk::{Reading, Visited, Walked};
use super::{Engine, Kept};
use crate::finding::{Detected, Record, Started};
use crate::stop::StopToken;
use std::time::Instant;

impl Live<'_> {
    /// Arms and compares everything; `false` if it was told to stop meanwhile.
    pub(super) fn start(&mut self, mut started: Started, stop: &StopToken) -> Result<bool, EngineError> {
        self.engine.reporter.resume(&mut self.engine.state)?;
        self.engine.tell_lost()?;
        self.tell_alerts()?;
        self.engine.recall(Kept::Seen)?;
        started.unwatched_since = heartbeat::last(&self.engine.state)?;
        let backlog = self.marks.backlog();
        let mut unlike: Vec<Unlike> = Vec::new();
        let mut learned = 0u64;
        let Self { engine, index, marks, .. } = self;
        let outcome = engine.healing(|engine| {
            let mut each = |engine: &mut Engine, visited: Visited| {
                if stop.is_stopped() {
                    return Err(EngineError::Interrupted);
                }
                let Some(walked) = visited else { return Ok(()) };
                if is_to_be_learned(engine, &walked) {
                    learned += 1;
                    return engine.learn(walked.owner, walked.snapshot);
                }
                if backlog.is_some() && is_unlike(&walked) {
                    // Told when it is known who did it.
                    let known = walked.record.is_some_and(|record| record.seen.is_some());
                    unlike.push((walked.snapshot.path, known));
                    return Ok(());
                }
                compare_at_start(engine, *walked)
            };
            engine.walk(&[], Reading::UnlikeSeen, index, Some(&mut **marks), &mut each)
        });
        let tally = match outcome {
            Err(EngineError::Interrupted) => return Ok(false),
            other => other?,
        };
        started.first_baseline = self.engine.covered.is_first();
        self.engine.remember_covered(&[])?;
        self.marks.all_marked();
        if let Some(backlog) = backlog {
            if backlog.is_whole {
                started.unwatched_since = None;
            }
            self.follow_backlog(backlog, unlike)?;
        }
        if learned > 0 && !started.first_baseline {
            started.notes.push(format!("{learned} files newly covered: recorded as they are, as trusted"));
        }
        (started.files, started.dirs) = (tally.files, tally.dirs);
        self.engine.status.set(|now| (now.files, now.dirs) = (tally.files, tally.dirs));
        self.engine.scan.tell(&self.engine.remote, &mut started);
        // All that is there is known: what comes from now on is new.
        self.engine.lost.forget();
        // The long walk is over.
        self.engine.progress = None;
        self.beat(Instant::now())?;
        self.engine.reporter.sync(&mut self.engine.state)?;
        self.engine.reporter.be_patient();
        self.engine.reporter.report(Record::WatchStarted(started))?;
        self.engine.reporter.commit(&mut self.engine.state)?;
        self.unarmed(tally.unarmed)?;
        self.scans = self.engine.start_scans()?;
        Ok(true)
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
fn compare_at_start(engine: &mut Engine, walked: Walked) -> Result<(), EngineError> {
    let (before, kept) = parts(walked.record.as_ref());
    let cause = Cause { newcomer: walked.handed, ..Cause::found(Detected::Startup) };
    let Some(judgement) = engine.judge(walked.owner, before, kept, &walked.snapshot, &cause) else {
        return Ok(());
    };
    if let Some(finding) = judgement.finding {
        engine.reporter.report(Record::Change(finding))?;
    }
    advance(&mut engine.state, walked.record, walked.snapshot, judgement.keep)
}
