//! One report as one line in the Elastic Common Schema. `docs/events.schema.json` says the same in another
//! language; the tests hold the two together.

pub(super) mod actor;
pub(super) mod change;
mod file;
pub(super) mod state;
mod who;

use super::host::Host;
use super::json::{self, Written};
use super::names::Accounts;
use super::secret::{Redactor, keeps_hash};
use super::short::{Short, hex};
use super::time::{self, Moment};
use actor::User;
use change::FimChange;
use file::{Attributes, File};
use fim_core::{Action, Finding, Record, Report};
use serde::Serialize;
use state::FimState;
use std::path::Path;
use who::Known;

/// The version of the schema the lines follow.
const ECS_VERSION: &str = "9.0.0";

/// Makes lines of reports.
#[derive(Debug)]
pub struct Ecs {
    always: Always,
    /// Who did the last changes: one process does many.
    known: Known,
    /// Whose word the last line was: most are one consumer's.
    dataset: Dataset,
    accounts: Accounts,
    redactor: Redactor,
}

impl Ecs {
    /// For files below this root.
    ///
    /// # Errors
    /// When the name of this machine cannot be written as JSON.
    pub fn new(root: &Path, redactor: Redactor) -> serde_json::Result<Self> {
        let always = Always::of(&Host::this())?;
        Ok(Self {
            always,
            known: Known::default(),
            dataset: Dataset::of(AGENT)?,
            accounts: Accounts::of(root),
            redactor,
        })
    }

    /// Adds the line for a report, without its line break.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn line(&mut self, report: &Report, to: &mut Vec<u8>) -> serde_json::Result<()> {
        let consumer = if let Record::Change(finding) = &report.record { finding.consumer } else { AGENT };
        if self.dataset.consumer != consumer {
            self.dataset = Dataset::of(consumer)?;
        }
        match &report.record {
            Record::Change(finding) => self.change(report, finding, to),
            record => {
                let (word, fim) = state::of(record);
                let parts = Parts {
                    at: time::of_system(report.created),
                    event: Event {
                        kind: word.kind,
                        category: &["host"],
                        kinds: word.change,
                        action: word.action,
                        module: "fim",
                        dataset: &self.dataset.written,
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
                };
                self.always.write(parts, to)
            }
        }
    }

    fn change(&mut self, report: &Report, finding: &Finding, to: &mut Vec<u8>) -> serde_json::Result<()> {
        self.accounts.refresh(report.created);
        let last = finding.actors.last();
        let who = last.map(|actor| self.known.who(actor, &self.redactor)).transpose()?;
        let secret = keeps_hash(finding);
        let facts = File::facts(finding).map(|facts| Attributes::of(facts, secret, self.accounts.tree()));
        let attributes = facts.as_ref().map(Written::of).transpose()?;
        let parts = Parts {
            at: time::of_system(finding.at),
            event: Event {
                kind: "event",
                category: category(finding.consumer),
                kinds: kinds(finding.action),
                action: finding.action.as_str(),
                module: "fim",
                dataset: &self.dataset.written,
                id: Some(hex(&finding.id)),
                sequence: report.sequence,
                severity: finding.severity.number(),
                created: time::of_system(report.created),
            },
            file: Some(File::of(finding, attributes.as_ref())),
            process: who.map(|who| &who.process),
            user: last.and_then(|actor| User::of(actor, self.accounts.machine())),
            container: who.and_then(|who| who.container.as_ref()),
            orchestrator: who.and_then(|who| who.orchestrator.as_ref()),
            fim: Fim::Change(Box::new(FimChange::of(
                finding,
                secret,
                &self.accounts,
                &self.redactor,
                attributes.as_ref(),
            )?)),
        };
        self.always.write(parts, to)
    }
}

/// What differs from line to line.
struct Parts<'a> {
    at: Moment,
    event: Event<'a>,
    file: Option<File<'a>>,
    process: Option<&'a Written>,
    user: Option<User<'a>>,
    container: Option<&'a Written>,
    orchestrator: Option<&'a Written>,
    fim: Fim<'a>,
}

/// What every line says, written once.
#[derive(Debug)]
struct Always {
    host: Written,
    agent: Written,
    ecs: Written,
}

impl Always {
    fn of(host: &Host) -> serde_json::Result<Self> {
        let agent = Agent { kind: "fim", version: env!("CARGO_PKG_VERSION") };
        let ecs = Version { version: ECS_VERSION };
        Ok(Self { host: Written::of(host)?, agent: Written::of(&agent)?, ecs: Written::of(&ecs)? })
    }

    fn write(&self, parts: Parts<'_>, to: &mut Vec<u8>) -> serde_json::Result<()> {
        let line = Line {
            timestamp: parts.at,
            event: parts.event,
            host: &self.host,
            agent: &self.agent,
            ecs: &self.ecs,
            file: parts.file,
            process: parts.process,
            user: parts.user,
            container: parts.container,
            orchestrator: parts.orchestrator,
            fim: parts.fim,
        };
        json::put(&line, to)
    }
}

/// The order of the fields is part of the contract.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "@timestamp")]
    timestamp: Moment,
    event: Event<'a>,
    host: &'a Written,
    agent: &'a Written,
    ecs: &'a Written,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<File<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<&'a Written>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<&'a Written>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orchestrator: Option<&'a Written>,
    fim: Fim<'a>,
}

#[derive(Serialize)]
struct Event<'a> {
    kind: &'static str,
    category: &'static [&'static str],
    #[serde(rename = "type")]
    kinds: &'static [&'static str],
    action: &'static str,
    module: &'static str,
    dataset: &'a Written,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Short>,
    sequence: u64,
    severity: u8,
    created: Moment,
}

/// Who has the word where it is no consumer.
const AGENT: &str = "agent";

/// What a line is about, by who has the word.
#[derive(Debug)]
struct Dataset {
    consumer: &'static str,
    written: Written,
}

impl Dataset {
    fn of(consumer: &'static str) -> serde_json::Result<Self> {
        Ok(Self { consumer, written: Written::of(&format!("fim.{consumer}"))? })
    }
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
enum Fim<'a> {
    Change(Box<FimChange<'a>>),
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

#[cfg(test)]
mod tests;
