//! The lines that are not about one file: the agent's life, and its promise where that is at stake.

use super::super::ecs::state::{FimState, of};
use super::super::host::Host;
use super::super::json;
use super::object::Product;
use super::{Class, Head, Unmapped, head};
use fim_core::{Gap, Record, Report, Severity};
use serde::Serialize;

const LIFECYCLE: Class =
    Class { category: (6, "Application Activity"), uid: 6002, name: "Application Lifecycle" };
const FINDING: Class = Class { category: (2, "Findings"), uid: 2004, name: "Detection Finding" };

#[derive(Serialize)]
struct Lifecycle<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    status_id: u8,
    status: &'static str,
    app: Product,
    unmapped: Unmapped<FimState>,
}

#[derive(Serialize)]
struct Detection<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    status_id: u8,
    status: &'static str,
    is_alert: bool,
    finding_info: FindingInfo,
    unmapped: Unmapped<FimState>,
}

#[derive(Serialize)]
struct FindingInfo {
    uid: String,
    title: &'static str,
    types: [&'static str; 1],
}

/// The line for a record that is no change; `run` tells the gaps of this run from those of others.
pub fn line(host: &Host, run: i64, report: &Report, record: &Record) -> serde_json::Result<Vec<u8>> {
    let (word, fim) = of(record);
    let unmapped = Unmapped { fim };
    let begin = |class, activity, severity, message: String| {
        let mut head = head(class, activity, severity, report, host);
        head.message = message;
        head
    };
    match record {
        Record::WatchStarted(started) => {
            let message = format!("watching {} files by {}", started.files, started.watcher);
            let head = begin(LIFECYCLE, (3, "Start"), word.severity, message);
            json::to_line(&Lifecycle { head, status_id: 1, status: "Success", app: Product::FIM, unmapped })
        }
        Record::WatchStopped(stopped) => {
            let message =
                format!("stopped after {} findings, {} gaps open", stopped.findings, stopped.gaps_open);
            let head = begin(LIFECYCLE, (4, "Stop"), word.severity, message);
            json::to_line(&Lifecycle { head, status_id: 1, status: "Success", app: Product::FIM, unmapped })
        }
        Record::ConfigReloaded(reloaded) => {
            let (status, message) = match &reloaded.refused {
                None => ((1, "Success"), format!("watching {} files by a new configuration", reloaded.files)),
                Some(why) => ((2, "Failure"), format!("the new configuration is refused: {why}")),
            };
            let head = begin(LIFECYCLE, (8, "Update"), word.severity, message);
            let (status_id, status) = status;
            json::to_line(&Lifecycle { head, status_id, status, app: Product::FIM, unmapped })
        }
        record => {
            let closed = matches!(record, Record::GapClosed(_));
            let activity = if closed { (3, "Close") } else { (1, "Create") };
            let (status_id, status) = if closed { (4, "Resolved") } else { (1, "New") };
            let (uid, title, message) = told(run, report, record);
            json::to_line(&Detection {
                head: begin(FINDING, activity, alert(word.severity), message),
                status_id,
                status,
                is_alert: true,
                finding_info: FindingInfo { uid, title, types: [word.action] },
                unmapped,
            })
        }
    }
}

/// An alert is never less than notable.
fn alert(severity: Severity) -> Severity {
    severity.max(Severity::Notable)
}

/// The identity of a finding (a gap keeps it from its opening to its end), its title, and a message.
fn told(run: i64, report: &Report, record: &Record) -> (String, &'static str, String) {
    let gap_uid = |gap: &Gap| format!("gap-{run}-{}", gap.id);
    match record {
        Record::CoverageGap(gap) => (
            gap_uid(gap),
            "Changes may have been missed",
            format!("{}: {} records lost; {} is being compared", gap.cause, gap.lost, gap.scope),
        ),
        Record::GapClosed(gap) => (
            gap_uid(gap),
            "Changes may have been missed",
            format!("{} was compared: {} changes found", gap.scope, gap.found),
        ),
        Record::BaselineLost(lost) => (
            format!("baseline-{}", report.sequence),
            "The state before is lost",
            format!("{}: {}", lost.scope, lost.reason),
        ),
        Record::Tampering(tampering) => (
            format!("tampering-{}", report.sequence),
            "The watch itself was tampered with",
            format!("{}: {}", tampering.against, tampering.reason),
        ),
        other => (format!("record-{}", report.sequence), "The watch is at stake", format!("{other:?}")),
    }
}
