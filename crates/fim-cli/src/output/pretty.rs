//! One report as one line for people: when, how bad, what, where, who. Its form is no contract.

use super::json::is_tricky;
use super::secret::{HIDDEN, Redactor, is_digest, keeps_hash};
use super::time;
use fim_core::{Change, Finding, Record, Report, Severity, Value};
use std::fmt::Write;

/// Makes lines of reports.
#[derive(Debug)]
pub struct Pretty {
    redactor: Redactor,
}

impl Pretty {
    /// Hides in arguments what the redactor hides.
    pub const fn new(redactor: Redactor) -> Self {
        Self { redactor }
    }

    /// The line for a report, without its line break.
    pub fn line(&self, report: &Report) -> String {
        let text = match &report.record {
            Record::Change(finding) => self.change(finding),
            record => format!("{} {}", time::of_system(report.created), state(record)),
        };
        tame(&text)
    }

    fn change(&self, finding: &Finding) -> String {
        let mut line = format!(
            "{} {:8} {} {}",
            time::of_system(finding.at),
            word(finding.severity),
            finding.action.as_str(),
            finding.path.display(),
        );
        let secret = keeps_hash(finding);
        // Writing to a string cannot fail.
        if let Some(previous) = &finding.previous_path {
            let _ = write!(line, " from {}", previous.display());
        }
        if let Some(to) = &finding.moved_to {
            let _ = write!(line, " to {}", to.display());
        }
        let changes: Vec<String> = finding.changes.iter().map(|of| change(of, secret)).collect();
        if !changes.is_empty() {
            let _ = write!(line, " ({})", changes.join("; "));
        }
        if let Some(actor) = finding.actors.last() {
            let args = self.redactor.args(&actor.args);
            let name = actor.name.as_ref().map(|name| name.to_string_lossy());
            let shown = if args.is_empty() { name.unwrap_or_default().into_owned() } else { args.join(" ") };
            let _ = write!(line, " by {shown}[{}]", actor.pid);
            if let Some(uid) = actor.uid {
                let _ = write!(line, " uid {uid}");
            }
        }
        line
    }
}

fn state(record: &Record) -> String {
    match record {
        Record::WatchStarted(started) => {
            format!("watch started by {}: {} files, {} folders", started.watcher, started.files, started.dirs)
        }
        Record::WatchStopped(stopped) => format!(
            "watch stopped: {} findings, {} events, {} looks, {} records lost, {} gaps open",
            stopped.findings, stopped.events, stopped.looks, stopped.lost, stopped.gaps_open
        ),
        Record::CoverageGap(gap) => {
            format!("GAP {}: {} ({} records lost), comparing {}", gap.id, gap.cause, gap.lost, gap.scope)
        }
        Record::GapClosed(gap) => {
            format!("gap {} closed: {} changes found in {}", gap.id, gap.found, gap.scope)
        }
        Record::BaselineLost(lost) => format!("BASELINE LOST of {}: {}", lost.scope, lost.reason),
        other => format!("{other:?}"),
    }
}

const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Routine => "routine",
        Severity::Notable => "notable",
        Severity::High => "HIGH",
        Severity::Critical => "CRITICAL",
    }
}

fn change(change: &Change, secret: bool) -> String {
    let value = |of: &Value| value(of, secret);
    let mut text = change.what.clone();
    for (name, of) in &change.of {
        let _ = write!(text, " {name} {}", value(of));
    }
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => {
            let _ = write!(text, " {} -> {}", value(before), value(after));
        }
        (Some(one), None) | (None, Some(one)) => {
            let _ = write!(text, " {}", value(one));
        }
        (None, None) => {}
    }
    text
}

fn value(value: &Value, secret: bool) -> String {
    match value {
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) if secret && is_digest(text) => HIDDEN.to_owned(),
        Value::Text(text) => text.clone(),
        Value::List(values) => {
            let shown: Vec<String> = values.iter().map(|one| self::value(one, secret)).collect();
            shown.join(",")
        }
        _ => "nothing".to_owned(),
    }
}

/// A terminal must not obey what stands in the name of a file.
pub fn tame(text: &str) -> String {
    let mut tamed = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_tricky(c) {
            tamed.extend(c.escape_default());
        } else {
            tamed.push(c);
        }
    }
    tamed
}

#[cfg(test)]
mod tests {
    use super::*;
    use fim_core::{Action, Actor};
    use std::sync::Arc;
    use std::time::SystemTime;

    fn line(finding: Finding) -> String {
        let record = Record::Change(Box::new(finding));
        Pretty::new(Redactor::new(vec![])).line(&Report {
            sequence: 1,
            created: SystemTime::UNIX_EPOCH,
            record,
        })
    }

    #[test]
    fn says_what_where_and_who() {
        let mut finding = Finding::new(Action::Moved, "generic", "/w/b", SystemTime::UNIX_EPOCH);
        finding.severity = Severity::High;
        finding.previous_path = Some("/w/a".into());
        finding.changes = vec![Change::from_to("mode", "0644", "4755"), Change::new("touched")];
        let mut actor = Actor::new(7);
        actor.uid = Some(0);
        actor.args = vec!["mv".into(), "--token".into(), "abc".into()];
        finding.actors = vec![Arc::new(actor)];
        let expected = "1970-01-01T00:00:00.000000000Z HIGH     moved /w/b from /w/a \
            (mode 0644 -> 4755; touched) by mv --token [redacted][7] uid 0";
        assert_eq!(line(finding), expected);
    }

    #[test]
    fn a_name_cannot_command_the_terminal_nor_a_hash_of_a_secret_leave() {
        let at = SystemTime::UNIX_EPOCH;
        let text = line(Finding::new(Action::Created, "generic", "/w/\x1b[2J\n\u{9b}\u{202e}", at));
        assert!(!text.chars().any(|c| c.is_control() || is_tricky(c)), "{text}");
        let mut finding = Finding::new(Action::Updated, "generic", "/etc/shadow", at);
        finding.changes = vec![Change::from_to("content", "ab".repeat(32), "cd".repeat(32))];
        assert!(line(finding).contains("content [redacted] -> [redacted]"));
    }
}
