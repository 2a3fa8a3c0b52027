//! Reports as bpfink prints them, for programs that read its lines: its fields, their order, its messages.
//!
//! | `message` | consumer | fields |
//! |---|---|---|
//! | `Users Modified` | users | `users`, `add`, `del` |
//! | `access entries` | access | `access`, `add`, `del` |
//! | `Critical Generic file created`, `… modified`, `… deleted` | `generic_diff` | `add`, `del`, `file` |
//! | `generic file created`, `… Modified`, `… deleted` | all others, and what has no words of its own | `generic`, `file` |
//!
//! bpfink prints its whole state where this knows the change: `users` and `access` have the entries that
//! changed. Nothing derived from a password is shown. A directory has no line when it comes or goes. Of
//! the records that are no changes the start has bpfink's line, and what may be missing is an error.

mod access;
mod generic;
mod generic_diff;
mod users;

use super::json;
use super::names::Names;
use super::secret::Redactor;
use fim_core::{Action, Actor, FileKind, Finding, Record, Report, Value};
use serde::Serialize;
use std::path::Path;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Makes lines of reports.
#[derive(Debug)]
pub struct Bpfink {
    /// Accounts of this machine, for processes.
    names: Names,
    redactor: Redactor,
}

impl Bpfink {
    /// With secrets in arguments hidden by this.
    pub fn new(redactor: Redactor) -> Self {
        Self { names: Names::below(Path::new("/")), redactor }
    }

    /// The lines for a report with a break between them, none after the last. Often one, at times none.
    ///
    /// # Errors
    /// When they cannot be written as JSON.
    pub fn line(&mut self, report: &Report) -> serde_json::Result<Vec<u8>> {
        self.names.refresh(report.created);
        match &report.record {
            Record::Change(finding) => self.change(finding),
            record => state(record).map_or_else(|| Ok(Vec::new()), |line| json::to_line(&line)),
        }
    }

    fn change(&mut self, finding: &Finding) -> serde_json::Result<Vec<u8>> {
        let mut text = Vec::new();
        for (fields, message) in entries(finding) {
            if !text.is_empty() {
                text.push(b'\n');
            }
            let actor = finding.actors.last().map(|actor| &**actor);
            text.extend(json::to_line(&Line {
                level: "warn",
                fields,
                process: actor.map(|actor| self.process(actor)).unwrap_or_default(),
                user: actor.and_then(|actor| self.user(actor)).unwrap_or_default(),
                version: VERSION,
                message,
            })?);
        }
        Ok(text)
    }

    /// Its command line with a blank behind each argument, as bpfink makes it of `/proc/PID/cmdline`; else
    /// its command name.
    fn process(&self, actor: &Actor) -> String {
        if actor.args.is_empty() {
            let name = actor.name.as_ref();
            return name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        }
        self.redactor.args(&actor.args).into_iter().map(|arg| arg + " ").collect()
    }

    fn user(&mut self, actor: &Actor) -> Option<String> {
        let uid = actor.uid?;
        Some(self.names.user(uid).map_or_else(|| uid.to_string(), str::to_owned))
    }
}

/// The order of the fields is bpfink's.
#[derive(Serialize)]
struct Line {
    level: &'static str,
    #[serde(flatten)]
    fields: Fields,
    #[serde(rename = "processName")]
    process: String,
    user: String,
    version: &'static str,
    message: String,
}

/// What each consumer adds.
#[derive(Serialize)]
#[serde(untagged)]
enum Fields {
    Users(users::Fields),
    Access(access::Fields),
    GenericDiff(generic_diff::Fields),
    Generic(generic::Fields),
}

/// What there is to say of a finding.
fn entries(finding: &Finding) -> Vec<(Fields, String)> {
    let own = match finding.consumer {
        "users" => users::fields(&finding.changes).map(|fields| (Fields::Users(fields), "Users Modified")),
        "access" => access::fields(&finding.changes).map(|fields| (Fields::Access(fields), "access entries")),
        _ => None,
    };
    if let Some((fields, message)) = own {
        return vec![(fields, message.to_owned())];
    }
    let events = events(finding);
    let entry = |(path, action)| match finding.consumer {
        "generic_diff" => (
            Fields::GenericDiff(generic_diff::fields(finding, path)),
            format!("Critical Generic file {}", word(action, "modified")),
        ),
        _ => (
            Fields::Generic(generic::fields(finding, path, action)),
            format!("generic file {}", word(action, "Modified")),
        ),
    };
    events.into_iter().map(entry).collect()
}

/// What happened to which path, in bpfink's three words. It knows no renames: the old name is gone, the new
/// one has come. It has no lines for directories; here those are left out whose files have lines of their own.
fn events(finding: &Finding) -> Vec<(&Path, Action)> {
    let path = finding.path.as_path();
    let facts = finding.after.as_ref().or(finding.before.as_ref());
    let is_dir = facts.is_some_and(|facts| facts.kind == FileKind::Dir);
    match (finding.action, &finding.previous_path) {
        (Action::Created | Action::Deleted, _) if is_dir => Vec::new(),
        (Action::Moved, Some(old)) => vec![(old, Action::Deleted), (path, Action::Created)],
        (Action::Moved, None) => vec![(path, Action::Created)],
        (action, _) => vec![(path, action)],
    }
}

const fn word(action: Action, modified: &'static str) -> &'static str {
    match action {
        Action::Created => "created",
        Action::Deleted => "deleted",
        Action::Updated | Action::Moved | Action::AttributesModified => modified,
    }
}

/// A line that is no detection.
#[derive(Serialize)]
struct StateLine {
    level: &'static str,
    version: &'static str,
    message: String,
}

fn state(record: &Record) -> Option<StateLine> {
    let (level, message) = match record {
        // To bpfink every file and directory is a consumer.
        Record::WatchStarted(started) => {
            let count = started.files.saturating_add(started.dirs);
            ("info", format!("bpfink initialized: version {VERSION}, consumers count: {count}"))
        }
        Record::CoverageGap(gap) => (
            "error",
            format!("coverage gap: {} in {}, log message count: {}", gap.cause, gap.scope, gap.lost),
        ),
        Record::ConfigReloaded(reloaded) => match &reloaded.refused {
            None => ("info", "configuration reloaded".to_owned()),
            Some(why) => ("error", format!("configuration refused: {why}")),
        },
        Record::BaselineLost(lost) => ("error", format!("baseline lost: {}", lost.reason)),
        Record::Tampering(tampering) => {
            ("error", format!("tampering with {}: {}", tampering.against, tampering.reason))
        }
        Record::WatchStopped(_) | Record::GapClosed(_) => return None,
        other => ("error", format!("{other:?}")),
    };
    Some(StateLine { level, version: VERSION, message })
}

/// A value of a change by its name, as text.
fn named<'a>(of: &'a [(String, Value)], wanted: &str) -> Option<&'a str> {
    of.iter().find(|(name, _)| name == wanted).and_then(|(_, value)| text(value))
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
