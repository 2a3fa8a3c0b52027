//! One report as one line in the Open Cybersecurity Schema Framework (schema.ocsf.io): a change is File System
//! Activity, a start or stop Application Lifecycle, a broken promise a Detection Finding. What OCSF has no
//! name for is in `unmapped.fim`, in the words of the ECS lines. The tests hold every line to what the
//! schema requires.

mod object;
mod state;

use super::ecs::change::FimChange;
use super::host::Host;
use super::json;
use super::names::Accounts;
use super::secret::{Redactor, keeps_hash};
use super::short::hex;
use super::time;
use super::words;
use fim_core::{Action, Finding, Record, Report, Severity};
use object::{Actor, Device, File, Metadata};
use serde::Serialize;
use std::path::Path;
use std::time::SystemTime;

/// The version of the schema the lines follow.
const VERSION: &str = "1.8.0";

/// Makes lines of reports.
#[derive(Debug)]
pub struct Ocsf {
    host: Host,
    accounts: Accounts,
    redactor: Redactor,
    /// When it was made: gaps are numbered anew at each start.
    run: i64,
}

/// A class of events.
#[derive(Clone, Copy)]
struct Class {
    category: (u32, &'static str),
    uid: u32,
    name: &'static str,
}

const FILE_ACTIVITY: Class =
    Class { category: (1, "System Activity"), uid: 1001, name: "File System Activity" };

/// What every line begins with. The order of the fields is part of the contract.
#[derive(Serialize)]
struct Head<'a> {
    time: i64,
    category_uid: u32,
    category_name: &'static str,
    class_uid: u32,
    class_name: &'static str,
    activity_id: u32,
    activity_name: &'static str,
    type_uid: u32,
    type_name: String,
    severity_id: u8,
    severity: &'static str,
    message: String,
    metadata: Metadata,
    device: Device<'a>,
}

#[derive(Serialize)]
struct Change<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    status_id: u8,
    status: &'static str,
    actor: Actor,
    file: File,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_result: Option<File>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_diff: Option<&'a str>,
    unmapped: Unmapped<FimChange<'a>>,
}

#[derive(Serialize)]
struct Unmapped<T> {
    fim: T,
}

impl Ocsf {
    /// For files below this root.
    pub fn new(root: &Path, redactor: Redactor) -> Self {
        Self {
            host: Host::this(),
            accounts: Accounts::of(root),
            redactor,
            run: time::milliseconds(SystemTime::now()),
        }
    }

    /// The line for a report, without its line break.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn line(&mut self, report: &Report) -> serde_json::Result<Vec<u8>> {
        self.accounts.refresh(report.created);
        match &report.record {
            Record::Change(finding) => self.change(report, finding),
            record => state::line(&self.host, self.run, report, record),
        }
    }

    fn change(&mut self, report: &Report, finding: &Finding) -> serde_json::Result<Vec<u8>> {
        let mut head = head(FILE_ACTIVITY, activity(finding), finding.severity, report, &self.host);
        head.time = time::milliseconds(finding.at);
        head.message = message(finding);
        head.metadata.uid = Some(hex(&finding.id).as_str().to_owned());
        head.metadata.log_name = format!("fim.{}", finding.consumer);
        let hidden = keeps_hash(finding);
        let (before, after) = (finding.before.as_ref(), finding.after.as_ref());
        let old_path = finding.previous_path.as_ref().filter(|_| finding.action == Action::Moved);
        let old_path = old_path.unwrap_or(&finding.path);
        let mut file = File::of(old_path, before.or(after), hidden, self.accounts.tree());
        file.is_deleted = finding.action == Action::Deleted;
        let file_result = (before.is_some() && after.is_some())
            .then(|| File::of(&finding.path, after, hidden, self.accounts.tree()));
        let actor = finding.actors.last().map(|actor| &**actor);
        json::to_line(&Change {
            head,
            status_id: 1,
            status: "Success",
            actor: Actor::of(actor, self.accounts.machine(), &self.redactor),
            file,
            file_result,
            file_diff: finding.diff.as_deref(),
            unmapped: Unmapped { fim: FimChange::of(finding, hidden, &self.accounts, &self.redactor, None)? },
        })
    }
}

fn head<'a>(
    class: Class,
    (activity_id, activity_name): (u32, &'static str),
    severity: Severity,
    report: &Report,
    host: &'a Host,
) -> Head<'a> {
    let (severity_id, severity) = severity_words(severity);
    let created = time::milliseconds(report.created);
    Head {
        time: created,
        category_uid: class.category.0,
        category_name: class.category.1,
        class_uid: class.uid,
        class_name: class.name,
        activity_id,
        activity_name,
        type_uid: class.uid * 100 + activity_id,
        type_name: format!("{}: {activity_name}", class.name),
        severity_id,
        severity,
        message: String::new(),
        metadata: Metadata::new(report.sequence, created),
        device: Device::of(host),
    }
}

/// Ours are 10, 40, 70 and 90; OCSF's "Low" is left out, "Fatal" is for what has broken.
const fn severity_words(severity: Severity) -> (u8, &'static str) {
    match severity {
        Severity::Routine => (1, "Informational"),
        Severity::Notable => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

fn activity(finding: &Finding) -> (u32, &'static str) {
    match finding.action {
        Action::Created => (1, "Create"),
        Action::Updated => (3, "Update"),
        Action::Deleted => (4, "Delete"),
        Action::Moved => (5, "Rename"),
        Action::AttributesModified if is_security(finding) => (7, "Set Security"),
        Action::AttributesModified => (6, "Set Attributes"),
    }
}

/// Whether what changed decides who may do what: mode, owner, access control lists, capabilities, labels.
fn is_security(finding: &Finding) -> bool {
    let (Some(before), Some(after)) = (&finding.before, &finding.after) else {
        return false;
    };
    let guards = |facts: &fim_core::Facts| {
        let guards = |name: &str| name.starts_with("security.") || name.starts_with("system.posix_acl_");
        facts.xattrs.iter().filter(|xattr| guards(&xattr.name)).cloned().collect::<Vec<_>>()
    };
    (before.mode, before.uid, before.gid) != (after.mode, after.uid, after.gid)
        || guards(before) != guards(after)
}

fn message(finding: &Finding) -> String {
    let mut message = format!("{} {}", finding.action.as_str(), words::name(&finding.path));
    let changes = words::changes(finding);
    if !changes.is_empty() {
        message.push_str(": ");
        message.push_str(&changes.join("; "));
    }
    message
}

#[cfg(test)]
mod tests;
