//! The lines that are not about one file: that the watch started, stopped, or missed something.

use super::super::short::{Short, hex};
use super::super::time::{self, Moment};
use fim_core::{BaselineLost, Gap, Record, Reloaded, Severity, Started, Stopped, Tampering};
use serde::Serialize;
use std::collections::BTreeMap;

/// What kind of line a record makes.
pub struct Word {
    /// `event.kind`.
    pub kind: &'static str,
    /// `event.action`.
    pub action: &'static str,
    /// `event.type`.
    pub change: &'static [&'static str],
    /// `event.severity`.
    pub severity: Severity,
}

/// `fim` of such a line.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FimState {
    Counts(Counts),
    Gap(GapFields),
    Baseline(BaselineFields),
    Reload(ReloadFields),
    Tampering(TamperingFields),
    #[serde(untagged)]
    Started(StartedFields),
}

#[derive(Serialize)]
pub struct StartedFields {
    watcher: String,
    coverage: BTreeMap<&'static str, &'static str>,
    notes: Vec<String>,
    files: u64,
    dirs: u64,
    first_baseline: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    unwatched_since: Option<Moment>,
}

#[derive(Serialize)]
pub struct Counts {
    events: u64,
    looks: u64,
    findings: u64,
    by_consumer: BTreeMap<&'static str, u64>,
    lost: u64,
    gaps: u64,
    gaps_open: u64,
}

#[derive(Serialize)]
pub struct GapFields {
    id: u64,
    cause: String,
    scope: String,
    lost: u64,
    /// Absent while the gap is open: nobody has looked yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<u64>,
}

#[derive(Serialize)]
pub struct BaselineFields {
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    set_aside: Option<String>,
    scope: String,
}

#[derive(Serialize)]
pub struct TamperingFields {
    against: String,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// In milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    lasted: Option<u64>,
    /// `event.id` of the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<Short>,
}

/// A refused configuration has its reason alone.
#[derive(Serialize)]
pub struct ReloadFields {
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten)]
    applied: Option<AppliedFields>,
}

#[derive(Serialize)]
struct AppliedFields {
    gained: Vec<String>,
    gained_count: u64,
    lost: Vec<String>,
    lost_count: u64,
    files: u64,
    dirs: u64,
    learned: u64,
    notes: Vec<String>,
}

/// The kind of line and its fields.
pub fn of(record: &Record) -> (Word, FimState) {
    let word = |kind, action, change, severity| Word { kind, action, change, severity };
    match record {
        Record::WatchStarted(started) => (
            word("state", "watch_started", &["start"], Severity::Routine),
            FimState::Started(started_fields(started)),
        ),
        Record::WatchStopped(stopped) => {
            (word("state", "watch_stopped", &["end"], Severity::Routine), FimState::Counts(counts(stopped)))
        }
        Record::ConfigReloaded(reloaded) => {
            let severity = if reloaded.refused.is_some() { Severity::Notable } else { Severity::Routine };
            let word = word("state", "config_reloaded", &["change"], severity);
            (word, FimState::Reload(reload_fields(reloaded)))
        }
        Record::CoverageGap(gap) => {
            (word("alert", "coverage_gap", &["info"], Severity::High), FimState::Gap(gap_fields(gap, None)))
        }
        Record::GapClosed(gap) => (
            word("alert", "gap_closed", &["info"], Severity::Notable),
            FimState::Gap(gap_fields(gap, Some(gap.found))),
        ),
        Record::BaselineLost(lost) => (
            word("alert", "baseline_lost", &["info"], Severity::Critical),
            FimState::Baseline(baseline_fields(lost)),
        ),
        Record::Tampering(tampering) => (
            word("alert", "tampering", &["info"], tampering.severity),
            FimState::Tampering(tampering_fields(tampering)),
        ),
        // A kind of record this version has no word for would be a fault of ours: say so, drop nothing.
        other => (
            word("alert", "coverage_gap", &["info"], Severity::High),
            FimState::Gap(GapFields {
                id: 0,
                cause: "unknown_record".to_owned(),
                scope: format!("{other:?}"),
                lost: 0,
                found: None,
            }),
        ),
    }
}

fn started_fields(started: &Started) -> StartedFields {
    StartedFields {
        watcher: started.watcher.clone(),
        coverage: started.coverage.iter().map(|(class, degree)| (*class, degree.as_str())).collect(),
        notes: started.notes.clone(),
        files: started.files,
        dirs: started.dirs,
        first_baseline: started.first_baseline,
        unwatched_since: started.unwatched_since.map(time::of_system),
    }
}

fn reload_fields(reloaded: &Reloaded) -> ReloadFields {
    if let Some(reason) = &reloaded.refused {
        return ReloadFields { result: "refused", reason: Some(reason.clone()), applied: None };
    }
    let applied = AppliedFields {
        gained: reloaded.gained.clone(),
        gained_count: reloaded.gained_count,
        lost: reloaded.lost.clone(),
        lost_count: reloaded.lost_count,
        files: reloaded.files,
        dirs: reloaded.dirs,
        learned: reloaded.learned,
        notes: reloaded.notes.clone(),
    };
    ReloadFields { result: "applied", reason: None, applied: Some(applied) }
}

fn counts(stopped: &Stopped) -> Counts {
    Counts {
        events: stopped.events,
        looks: stopped.looks,
        findings: stopped.findings,
        by_consumer: stopped.by_consumer.clone(),
        lost: stopped.lost,
        gaps: stopped.gaps,
        gaps_open: stopped.gaps_open,
    }
}

fn gap_fields(gap: &Gap, found: Option<u64>) -> GapFields {
    GapFields { id: gap.id, cause: gap.cause.clone(), scope: gap.scope.clone(), lost: gap.lost, found }
}

fn tampering_fields(tampering: &Tampering) -> TamperingFields {
    TamperingFields {
        against: tampering.against.clone(),
        reason: tampering.reason.clone(),
        path: tampering.path.as_ref().map(|path| path.to_string_lossy().into_owned()),
        lasted: tampering.lasted.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
        change: tampering.change.map(|id| hex(&id)),
    }
}

fn baseline_fields(lost: &BaselineLost) -> BaselineFields {
    BaselineFields {
        reason: lost.reason.clone(),
        set_aside: lost.set_aside.as_ref().map(|path| path.to_string_lossy().into_owned()),
        scope: lost.scope.clone(),
    }
}
