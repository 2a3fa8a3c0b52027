//! One report at a glance, for people: when, how bad, who, what, where, and what it means; a diff below.
//! Its form is no contract.

mod fold;
mod style;

use super::names::Names;
use super::secret::Redactor;
use super::time;
use super::words;
use fim_core::{Action, Actor, Degree, Finding, Record, Report, Severity, Started};
use fold::Fold;
use std::path::Path;
use style::{Style, Styles};

pub use style::Screen;

/// In front of what goes on below the first line.
const INDENT: &str = "    ";
/// audit's "nobody logged in".
const NO_LOGIN: u32 = u32::MAX;

/// Makes lines of reports.
#[derive(Debug)]
pub struct Pretty {
    redactor: Redactor,
    names: Names,
    screen: Screen,
    fold: Fold,
}

impl Pretty {
    /// For this screen; hides in arguments what the redactor hides.
    pub fn new(redactor: Redactor, screen: Screen) -> Self {
        Self { redactor, names: Names::below(Path::new("/")), screen, fold: Fold::default() }
    }

    /// The lines for a report, without the last line break. Routine changes of which it is known what led to
    /// them wait for the [end of the turn](Self::rest), where those that belong together are one line.
    pub fn line(&mut self, report: &Report) -> String {
        self.names.refresh(report.created);
        let styles = self.screen.styles();
        match &report.record {
            Record::Change(finding) if self.fold.take(finding) => String::new(),
            Record::Change(finding) => self.change(finding, 0, styles),
            record => {
                let (style, text) = state(record);
                let at = styles.paint(Style::Dim, &time::short(report.created));
                format!("{at} {}", styles.paint(style, &words::tame(&text)))
            }
        }
    }

    /// What was put off.
    pub fn rest(&mut self) -> Vec<String> {
        let styles = self.screen.styles();
        let groups = self.fold.release();
        groups.iter().map(|group| self.change(&group.first, group.more, styles)).collect()
    }

    /// The lines for a change, and as many more like it.
    fn change(&mut self, finding: &Finding, more: u64, styles: Styles) -> String {
        let (severity, style) = severity(finding.severity);
        let who = self.who(finding);
        let mut head = vec![
            (Style::Dim, time::short(finding.at)),
            (style, format!("{severity:8}")),
            (Style::Who, who),
            (action_style(finding.action), action(finding.action).to_owned()),
            (Style::Path, words::name(&finding.path)),
        ];
        if more > 0 {
            head.push((Style::Plain, format!("and {more} more")));
        }
        if let Some(previous) = finding.previous_path.as_ref().filter(|_| more == 0) {
            head.push((Style::Plain, format!("from {}", words::name(previous))));
        }
        if let Some(to) = &finding.moved_to {
            head.push((Style::Plain, format!("to {}", words::name(to))));
        }
        let width: usize = head.iter().map(|(_, text)| style::width(text) + 1).sum();
        let head: Vec<String> = head.iter().map(|(style, text)| styles.paint(*style, text)).collect();
        let mut lines = head.join(" ");

        let meaning =
            if more > 0 { Vec::from_iter(words::explained(finding)) } else { words::changes(finding) };
        if !meaning.is_empty() {
            let meaning = meaning.join("; ");
            if self.screen.width().is_none_or(|screen| width + 1 + style::width(&meaning) <= screen) {
                lines.push_str(": ");
                lines.push_str(&meaning);
            } else {
                for part in style::wrap(&meaning, self.screen.width(), INDENT.len()) {
                    lines.push_str(&format!("\n{INDENT}{part}"));
                }
            }
        }
        for line in finding.diff.iter().filter(|_| more == 0).flat_map(|diff| diff.lines()) {
            let style = match line.as_bytes().first() {
                Some(b'+') => Style::Added,
                Some(b'-') => Style::Removed,
                Some(b'@') => Style::Who,
                _ => Style::Plain,
            };
            lines.push_str(&format!("\n{INDENT}{}", styles.paint(style, &words::tame(line))));
        }
        lines
    }

    /// The user and the process; the user who logged in where that is another.
    fn who(&mut self, finding: &Finding) -> String {
        let Some(actor) = finding.actors.last() else {
            return "somebody".to_owned();
        };
        let mut who = String::new();
        if let Some(uid) = actor.uid {
            who = self.user(uid);
            if let Some(login) = actor.login_uid.filter(|login| *login != NO_LOGIN && *login != uid) {
                who = format!("{who} ({})", self.user(login));
            }
            who.push(' ');
        }
        who.push_str(&format!("{}[{}]", self.process(actor), actor.pid));
        match finding.actors.len() {
            0 | 1 => who,
            several => format!("{who} and {} more", several - 1),
        }
    }

    fn user(&mut self, uid: u32) -> String {
        self.names.user(uid).map_or_else(|| uid.to_string(), words::tame)
    }

    /// The command line, cut where it would push the rest out of sight; else the name.
    fn process(&self, actor: &Actor) -> String {
        const LONGEST: usize = 40;
        let name = actor.name.as_ref().map(words::name).unwrap_or_default();
        let args = self.redactor.args(&actor.args);
        if args.is_empty() {
            return name;
        }
        let line = words::tame(&words::command_line(&args));
        if line.chars().count() <= LONGEST {
            return line;
        }
        line.chars().take(LONGEST - 1).chain(['…']).collect()
    }
}

fn state(record: &Record) -> (Style, String) {
    match record {
        Record::WatchStarted(started) => {
            let (late, none) = (seen(started, Degree::Late), seen(started, Degree::None));
            let mut text = format!(
                "watch started by {}: {} files, {} folders",
                started.watcher, started.files, started.dirs
            );
            for (word, classes) in [("seen late", &late), ("not seen", &none)] {
                if !classes.is_empty() {
                    text.push_str(&format!("; {word}: {}", classes.join(", ")));
                }
            }
            (if none.is_empty() { Style::Plain } else { Style::Notable }, text)
        }
        Record::WatchStopped(stopped) => (
            if stopped.gaps_open > 0 { Style::High } else { Style::Plain },
            format!(
                "watch stopped: {} findings, {} events, {} looks, {} records lost, {} gaps open",
                stopped.findings, stopped.events, stopped.looks, stopped.lost, stopped.gaps_open
            ),
        ),
        Record::ConfigReloaded(reloaded) => match &reloaded.refused {
            Some(why) => (Style::Notable, format!("new configuration refused, the old one holds: {why}")),
            None => (
                Style::Plain,
                format!(
                    "new configuration: {} files watched, {} of them new; {} patterns more, {} less",
                    reloaded.files, reloaded.learned, reloaded.gained_count, reloaded.lost_count
                ),
            ),
        },
        Record::CoverageGap(gap) => (
            Style::High,
            format!("GAP {}: {} ({} records lost), comparing {}", gap.id, gap.cause, gap.lost, gap.scope),
        ),
        Record::GapClosed(gap) => {
            (Style::Notable, format!("gap {} closed: {} changes found in {}", gap.id, gap.found, gap.scope))
        }
        Record::BaselineLost(lost) => {
            (Style::Critical, format!("BASELINE LOST of {}: {}", lost.scope, lost.reason))
        }
        Record::Tampering(tampering) => {
            let of =
                tampering.path.as_ref().map(|path| format!(" ({})", words::tame(&path.to_string_lossy())));
            let text = format!(
                "TAMPERING with {}: {}{}",
                tampering.against,
                tampering.reason,
                of.unwrap_or_default()
            );
            (severity(tampering.severity).1, text)
        }
        other => (Style::High, format!("{other:?}")),
    }
}

/// The classes of changes that are seen so well and no better.
fn seen(started: &Started, degree: Degree) -> Vec<&'static str> {
    started.coverage.iter().filter(|(_, seen)| **seen == degree).map(|(class, _)| *class).collect()
}

const fn severity(severity: Severity) -> (&'static str, Style) {
    match severity {
        Severity::Routine => ("routine", Style::Dim),
        Severity::Notable => ("notable", Style::Notable),
        Severity::High => ("HIGH", Style::High),
        Severity::Critical => ("CRITICAL", Style::Critical),
    }
}

const fn action(action: Action) -> &'static str {
    match action {
        Action::AttributesModified => "changed attributes of",
        action => action.as_str(),
    }
}

const fn action_style(action: Action) -> Style {
    match action {
        Action::Created => Style::Added,
        Action::Deleted => Style::Removed,
        Action::Updated | Action::Moved | Action::AttributesModified => Style::Plain,
    }
}

#[cfg(test)]
mod tests;
