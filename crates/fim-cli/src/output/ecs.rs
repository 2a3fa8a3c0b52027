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
use actor::{Container, Orchestrator, Process, User};
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
                    orchestrator: None,
                    fim: Fim::State(fim),
                })
            }
        }
    }

    fn change(&mut self, report: &Report, finding: &Finding) -> serde_json::Result<Vec<u8>> {
        self.file_names.refresh(report.created);
        self.names.refresh(report.created);
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
            file: Some(File::of(finding, &self.file_names)),
            process: last.map(|actor| Process::of(actor, &self.redactor)),
            user: last.and_then(|actor| User::of(actor, &self.names)),
            container: last.and_then(|actor| Container::of(actor)),
            orchestrator: last.and_then(|actor| Orchestrator::of(actor)),
            fim: Fim::Change(Box::new(FimChange::of(finding, &self.file_names, &self.names, &self.redactor))),
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
            orchestrator: parts.orchestrator,
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
    orchestrator: Option<Orchestrator>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    orchestrator: Option<Orchestrator>,
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
    let digit = |number: u8| char::from_digit(u32::from(number), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests;
