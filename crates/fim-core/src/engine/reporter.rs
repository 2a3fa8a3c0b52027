//! Reports first, then commits: the one place where lines are written and the state made durable.
//!
//! A crash between the two repeats a finding with the same number; it never loses one.

use super::error::EngineError;
use super::writing::Writing;
use crate::finding::{Detected, Record, Report, Severity};
use crate::guard::Guard;
use crate::sink::Sink;
use crate::state::State;
use crate::status::Latency;
use crate::store::StoreError;
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

/// Changes are durable at most this long after their line was written.
const DURABLE: Duration = Duration::from_millis(250);
/// Commits of a flow of changes lie so far apart at least: each writes the whole blocks that one record of them changed.
/// A crash repeats what was reported since the last one, as it repeats what was not made durable.
const APART: Duration = Duration::from_millis(50);
/// What is due in a moment is done at the end of a turn, and what is due alone waits a moment for such an end: right after
/// a line nobody waits for the next one yet, while a clock may strike just when a change comes.
const LEEWAY: Duration = Duration::from_millis(25);
const SEQUENCE: &str = "sequence";
const SINK: &str = "sink";

/// Writes reports and keeps the state in step with them.
pub(crate) struct Reporter {
    lines: Writing,
    sequence: u64,
    written: u64,
    unsynced_since: Option<Instant>,
    /// No commit before then, unless somebody asks for it.
    next_commit: Option<Instant>,
    /// Something may wait for that.
    owes_commit: bool,
    /// Reports belong to the one series that goes on across restarts.
    is_series: bool,
    /// What may pass does not end the watch.
    is_patient: bool,
    /// Why the state cannot be written since.
    pub failed: Option<StoreError>,
    pub by_consumer: BTreeMap<&'static str, u64>,
    pub by_severity: BTreeMap<(&'static str, Severity), u64>,
    pub latency: Latency,
    /// The agent's own files.
    pub guard: Guard,
}

impl Reporter {
    /// Numbers from 1, and leaves no trace in the state.
    pub(crate) fn new(sink: Box<dyn Sink>, guard: Guard) -> Self {
        Self {
            lines: Writing::to(sink),
            sequence: 0,
            written: 0,
            unsynced_since: None,
            next_commit: None,
            owes_commit: false,
            is_series: false,
            is_patient: false,
            failed: None,
            by_consumer: BTreeMap::new(),
            by_severity: BTreeMap::new(),
            latency: Latency::default(),
            guard,
        }
    }

    /// Goes on from where the last watch in this state came to.
    pub(crate) fn resume(&mut self, state: &mut State) -> Result<(), EngineError> {
        if self.is_series {
            return Ok(());
        }
        self.sequence = match state.meta(SEQUENCE)? {
            Some(bytes) => bytes.try_into().map_or(0, u64::from_le_bytes),
            None => 0,
        };
        self.is_series = true;
        let kept = state.meta(SINK)?;
        let sink = self.lines.sink().map_err(EngineError::Sink)?;
        sink.resume(kept.as_deref()).map_err(EngineError::Sink)?;
        // Durable before the first line: a crash must not begin a second series.
        if kept.is_none()
            && let Some(begun) = sink.kept()
        {
            state.set_meta(SINK, &begun)?;
            state.commit()?;
            state.sync()?;
        }
        Ok(())
    }

    /// Whether the reports belong to the series of the watches of this state.
    pub(crate) const fn is_series(&self) -> bool {
        self.is_series
    }

    /// Changes reported: a line that stands for many is one.
    pub(crate) fn findings(&self) -> u64 {
        self.by_consumer.values().sum()
    }

    pub(crate) fn report(&mut self, record: Record) -> Result<(), EngineError> {
        // A check or a baseline looks at what somebody asks it to: its lines are no alarm.
        let tampering = match &record {
            Record::Change(finding) if self.is_series => self.guard.tampering(finding),
            _ => None,
        };
        self.write(record)?;
        tampering.map_or(Ok(()), |tampering| self.write(Record::Tampering(tampering)))
    }

    fn write(&mut self, record: Record) -> Result<(), EngineError> {
        if let Record::Change(finding) = &record {
            *self.by_consumer.entry(finding.consumer).or_default() += 1;
            *self.by_severity.entry((finding.consumer, finding.severity)).or_default() += 1;
        }
        let report = Report { sequence: self.sequence + 1, created: SystemTime::now(), record };
        if let Record::Change(finding) = &report.record
            && finding.detected == Detected::Live
        {
            self.latency.note(report.created.duration_since(finding.at).unwrap_or_default());
        }
        self.lines.write(report).map_err(EngineError::Sink)?;
        self.sequence += 1;
        self.written += 1;
        Ok(())
    }

    /// Whether more waits than is looked at.
    pub(crate) fn behind(&mut self, is_behind: bool) {
        self.lines.behind(is_behind);
    }

    /// Writes all that was gathered and lets it go: it does not wait for a walk.
    pub(crate) fn catch_up(&mut self) -> Result<(), EngineError> {
        self.behind(false);
        self.flush()
    }

    /// Lets the lines go.
    pub(crate) fn flush(&mut self) -> Result<(), EngineError> {
        self.lines.let_go().map_err(EngineError::Sink)
    }

    /// Lets the lines go; the state they speak of follows at once, or in a moment if it did so a moment ago.
    pub(crate) fn commit_in_time(&mut self, state: &mut State, now: Instant) -> Result<(), EngineError> {
        if self.next_commit.is_none_or(|due| due <= now) || self.is_sync_due(now) {
            return self.commit(state);
        }
        self.owes_commit = true;
        self.flush()
    }

    /// When what waits is committed at last, if anything does.
    pub(crate) fn commit_due(&self) -> Option<Instant> {
        self.next_commit.filter(|_| self.owes_commit).map(|due| due + LEEWAY)
    }

    /// Lets the lines go, then makes the state they speak of visible to the next start.
    pub(crate) fn commit(&mut self, state: &mut State) -> Result<(), EngineError> {
        self.note(state)?;
        self.owes_commit = false;
        if self.failed.is_some() {
            return Ok(());
        }
        match state.commit() {
            Ok(true) => {
                let now = Instant::now();
                self.unsynced_since.get_or_insert(now);
                self.next_commit = Some(now + APART);
            }
            Ok(false) => {}
            Err(error) => self.fail(error)?,
        }
        Ok(())
    }

    /// From now on what may pass, such as a full disk, is kept in [`Self::failed`] instead of returned.
    pub(crate) fn be_patient(&mut self) {
        self.is_patient = true;
    }

    fn fail(&mut self, error: StoreError) -> Result<(), EngineError> {
        if self.is_patient && error.may_pass() {
            self.failed = Some(error);
            return Ok(());
        }
        Err(error.into())
    }

    /// Lets the lines go, and notes in the state how far they have come.
    fn note(&mut self, state: &mut State) -> Result<(), EngineError> {
        self.lines.flush().map_err(EngineError::Sink)?;
        if self.written > 0 && self.is_series {
            state.set_meta(SEQUENCE, &self.sequence.to_le_bytes())?;
            if let Some(kept) = self.lines.sink().map_err(EngineError::Sink)?.kept() {
                state.set_meta(SINK, &kept)?;
            }
        }
        self.written = 0;
        Ok(())
    }

    /// Commits and makes durable, after a write failed, all that was not.
    pub(crate) fn recover(&mut self, state: &mut State) -> Result<(), EngineError> {
        self.note(state)?;
        state.recover()?;
        (self.unsynced_since, self.failed) = (None, None);
        Ok(())
    }

    /// When the state must be made durable.
    pub(crate) fn sync_due(&self) -> Option<Instant> {
        self.unsynced_since.map(|since| since + DURABLE)
    }

    /// Whether it is to be made durable at the end of a turn.
    pub(crate) fn is_sync_due(&self, now: Instant) -> bool {
        self.sync_due().is_some_and(|due| due <= now + LEEWAY)
    }

    /// Makes the state durable.
    pub(crate) fn sync(&mut self, state: &mut State) -> Result<(), EngineError> {
        self.commit(state)?;
        if self.failed.is_none()
            && self.unsynced_since.take().is_some()
            && let Err(error) = state.sync()
        {
            self.fail(error)?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}
