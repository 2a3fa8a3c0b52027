//! One report as one line in the Elastic Common Schema. `docs/events.schema.json` says the same in another
//! language; the tests hold the two together.

pub(super) mod actor;
pub(super) mod change;
mod file;
pub(super) mod state;

use super::host::Host;
use super::json;
use super::names::Names;
use super::secret::Redactor;
use super::time;
use actor::{Container, Process, User};
use change::FimChange;
use file::File;
use fim_core::{Action, Finding, Record, Report};
use serde::Serialize;
use state::FimState;
use std::path::Path;

/// The version of the schema the lines follow.
const ECS_VERSION: &str = "9.0.0";

/// Makes lines of reports.
#[derive(Debug)]
pub struct Ecs {
    host: Host,
    /// Accounts of the watched tree, for owners of files.
    file_names: Names,
    /// Accounts of this machine, for processes.
    names: Names,
    redactor: Redactor,
}

impl Ecs {
    /// For files below this root.
    pub fn new(root: &Path, redactor: Redactor) -> Self {
        Self {
            host: Host::this(),
            file_names: Names::below(root),
            names: Names::below(Path::new("/")),
            redactor,
        }
    }

    /// The line for a report, without its line break.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn line(&mut self, report: &Report) -> serde_json::Result<Vec<u8>> {
        match &report.record {
            Record::Change(finding) => self.change(report, finding),
            record => {
                let (word, fim) = state::of(record);
                self.write(Parts {
                    at: time::of_system(report.created),
                    event: Event {
                        kind: word.kind,
                        category: &["host"],
                        kinds: word.change,
                        action: word.action,
                        module: "fim",
                        dataset: "fim.agent".to_owned(),
                        id: None,
                        sequence: report.sequence,
                        severity: word.severity.number(),
                        created: time::of_system(report.created),
                    },
                    file: None,
                    process: None,
                    user: None,
                    container: None,
                    fim: Fim::State(fim),
                })
            }
        }
    }

    fn change(&mut self, report: &Report, finding: &Finding) -> serde_json::Result<Vec<u8>> {
        let last = finding.actors.last();
        let parts = Parts {
            at: time::of_system(finding.at),
            event: Event {
                kind: "event",
                category: category(finding.consumer),
                kinds: kinds(finding.action),
                action: finding.action.as_str(),
                module: "fim",
                dataset: format!("fim.{}", finding.consumer),
                id: Some(hex(&finding.id)),
                sequence: report.sequence,
                severity: finding.severity.number(),
                created: time::of_system(report.created),
            },
            file: Some(File::of(finding, &mut self.file_names)),
            process: last.map(|actor| Process::of(actor, &self.redactor)),
            user: last.and_then(|actor| User::of(actor, &mut self.names)),
            container: last.and_then(|actor| Container::of(actor)),
            fim: Fim::Change(Box::new(FimChange::of(
                finding,
                &mut self.file_names,
                &mut self.names,
                &self.redactor,
            ))),
        };
        self.write(parts)
    }

    fn write(&self, parts: Parts) -> serde_json::Result<Vec<u8>> {
        json::to_line(&Line {
            timestamp: parts.at,
            event: parts.event,
            host: &self.host,
            agent: Agent { kind: "fim", version: env!("CARGO_PKG_VERSION") },
            ecs: Version { version: ECS_VERSION },
            file: parts.file,
            process: parts.process,
            user: parts.user,
            container: parts.container,
            fim: parts.fim,
        })
    }
}

/// What differs from line to line.
struct Parts {
    at: String,
    event: Event,
    file: Option<File>,
    process: Option<Process>,
    user: Option<User>,
    container: Option<Container>,
    fim: Fim,
}

/// The order of the fields is part of the contract.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "@timestamp")]
    timestamp: String,
    event: Event,
    host: &'a Host,
    agent: Agent,
    ecs: Version,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<File>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<Process>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Container>,
    fim: Fim,
}

#[derive(Serialize)]
struct Event {
    kind: &'static str,
    category: &'static [&'static str],
    #[serde(rename = "type")]
    kinds: &'static [&'static str],
    action: &'static str,
    module: &'static str,
    dataset: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    sequence: u64,
    severity: u8,
    created: String,
}

#[derive(Serialize)]
struct Agent {
    #[serde(rename = "type")]
    kind: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Version {
    version: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Fim {
    Change(Box<FimChange>),
    State(FimState),
}

fn category(consumer: &str) -> &'static [&'static str] {
    match consumer {
        "users" => &["file", "iam"],
        "access" => &["file", "configuration"],
        _ => &["file"],
    }
}

fn kinds(action: Action) -> &'static [&'static str] {
    match action {
        Action::Created => &["creation"],
        Action::Deleted => &["deletion"],
        Action::Updated | Action::Moved | Action::AttributesModified => &["change"],
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
