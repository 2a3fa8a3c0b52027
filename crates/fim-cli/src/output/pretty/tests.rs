//! The lines against a golden file, and against names that would command a terminal.

use super::super::json::is_tricky;
use super::*;
use fim_core::{BaselineLost, Change, Explanation, Gap, Parent, Stopped};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

fn at() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::new(1_709_210_096, 120_000_000)
}

fn shown(record: Record, screen: Screen) -> String {
    let mut pretty = Pretty::new(Redactor::new(vec![]), screen);
    // Accounts of the machine the tests run on are none of their business.
    pretty.names = Names::below(Path::new("/nonexistent"));
    pretty.line(&Report { sequence: 1, created: at(), record })
}

fn actor(args: &[&str]) -> Arc<Actor> {
    let mut actor = Actor::new(4711);
    actor.uid = Some(0);
    actor.login_uid = Some(1000);
    actor.name = args.first().map(Into::into);
    actor.args = args.iter().map(Into::into).collect();
    actor.parent = Some(Parent::new(1));
    Arc::new(actor)
}

fn finding(action: Action, path: &str, severity: Severity) -> Finding {
    let mut finding = Finding::new(action, "generic", path, at());
    finding.severity = severity;
    finding
}

/// One of each kind.
fn records() -> Vec<Record> {
    let mut updated = finding(Action::Updated, "/etc/motd", Severity::Notable);
    updated.changes = vec![
        Change::from_to("content", "ab".repeat(32), "cd".repeat(32)),
        Change::from_to("size", 12_u32, 31_u32),
    ];
    updated.diff = Some("@@ -1 +1 @@\n-old\n+new\n same\n".to_owned());
    updated.actors = vec![Arc::new(Actor::new(9)), actor(&["vim", "/etc/motd"])];
    let mut setuid = finding(Action::AttributesModified, "/usr/local/bin/tool", Severity::Critical);
    setuid.changes = vec![Change::from_to("mode", "0755", "4755")];
    setuid.actors =
        vec![actor(&["chmod", "--token", "hunter2", "u+s", "/usr/local/bin/a name that goes on"])];
    let mut moved = finding(Action::Moved, "/w/b", Severity::Routine);
    moved.previous_path = Some("/w/a".into());
    let mut nobody = Actor::new(7);
    nobody.login_uid = Some(u32::MAX);
    nobody.uid = Some(65_534);
    nobody.name = Some("mv".into());
    moved.actors = vec![Arc::new(nobody)];
    let mut created = finding(Action::Created, "/etc/cron.d/x", Severity::High);
    created.changes = vec![Change::new("job_added").of("user", "root").of("command", "/bin/true")];
    let mut gap = Gap::default();
    (gap.id, gap.cause, gap.scope, gap.lost, gap.found) = (1, "ring_full".into(), "all".into(), 17, 3);
    let mut lost = BaselineLost::default();
    (lost.reason, lost.scope) = ("damaged".into(), "all".into());
    let mut started = Started::default();
    (started.watcher, started.files, started.dirs) = ("bpf".into(), 1204, 98);
    started.coverage = [("aio", Degree::Late), ("mount", Degree::None), ("write", Degree::Full)].into();
    vec![
        Record::WatchStarted(started),
        Record::Change(Box::new(updated)),
        Record::Change(Box::new(setuid)),
        Record::Change(Box::new(moved)),
        Record::Change(Box::new(created)),
        Record::Change(Box::new(finding(Action::Deleted, "/w/gone", Severity::Notable))),
        Record::CoverageGap(gap.clone()),
        Record::GapClosed(gap),
        Record::BaselineLost(lost),
        Record::WatchStopped(Stopped::default()),
    ]
}

#[test]
fn golden() {
    let mut all = String::new();
    for (title, screen) in [
        ("a pipe", Screen::Fixed(None, false)),
        ("80 columns", Screen::Fixed(Some(80), false)),
        ("colours", Screen::Fixed(None, true)),
    ] {
        all.push_str(&format!("== {title}\n"));
        for record in records() {
            all.push_str(&shown(record, screen).replace('\x1b', "ESC"));
            all.push('\n');
        }
    }
    assert_eq!(all, include_str!("golden.txt"), "{all}");
}

#[test]
fn a_name_cannot_command_the_terminal_nor_a_hash_of_a_secret_leave() {
    let mut hostile = finding(Action::Created, "/w/\x1b[2J\n\u{9b}\u{202e}", Severity::Notable);
    hostile.previous_path = Some(OsString::from_vec(b"/w/\xff\x07".to_vec()).into());
    hostile.changes = vec![Change::new("name").of("x\x1b", "\u{2028}")];
    hostile.actors = vec![actor(&["a\nb\x1b[31m"])];
    hostile.diff = Some("+\x1b]0;title\x07\n".to_owned());
    let text = shown(Record::Change(Box::new(hostile)), Screen::Fixed(Some(40), false));
    assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || is_tricky(c)), "{text}");
    assert!(text.contains("\\xff\\u{7}"), "{text}");
    assert!(text.lines().skip(1).all(|line| line.starts_with(INDENT)), "{text}");

    let mut secret = finding(Action::Updated, "/etc/shadow", Severity::Notable);
    secret.changes = vec![Change::from_to("digest", "ab".repeat(32), "cd".repeat(32))];
    let text = shown(Record::Change(Box::new(secret)), Screen::Fixed(None, false));
    assert!(text.contains("digest [redacted] -> [redacted]"), "{text}");
}

#[test]
fn routine_changes_with_one_reason_are_one_line_at_the_end_of_a_turn() {
    let mut pretty = Pretty::new(Redactor::new(vec![]), Screen::Fixed(None, false));
    pretty.names = Names::below(Path::new("/nonexistent"));
    let mut said = Vec::new();
    let mut tell = |path: &str, severity, version: &str| {
        let mut finding = finding(Action::Updated, path, severity);
        finding.actors = vec![actor(&["dpkg"])];
        finding.changes = vec![Change::new("content")];
        let of = vec![
            ("manager", "dpkg".to_owned()),
            ("package", "p".to_owned()),
            ("version", version.to_owned()),
        ];
        finding.explained_by = Some(Explanation { by: "package", of, lowers: true });
        said.push(pretty.line(&Report {
            sequence: 1,
            created: at(),
            record: Record::Change(Box::new(finding)),
        }));
    };
    tell("/a", Severity::Routine, "1");
    tell("/b", Severity::High, "1");
    tell("/c", Severity::Routine, "1");
    tell("/d", Severity::Routine, "2");
    assert_eq!(said.iter().map(String::is_empty).collect::<Vec<_>>(), [true, false, true, true]);
    assert!(said[1].ends_with("updated /b: content changed; by package p 1"), "{said:?}");
    let rest = pretty.rest();
    assert_eq!(rest.len(), 2, "{rest:?}");
    assert!(rest[0].ends_with("dpkg[4711] updated /a and 1 more: by package p 1"), "{rest:?}");
    assert!(rest[1].ends_with("updated /d: content changed; by package p 2"), "{rest:?}");
    assert!(pretty.rest().is_empty());
}
