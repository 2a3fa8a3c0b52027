//! What the consumer says of each change, against files: `golden/users`.

#![cfg(feature = "users")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use fim_consumers::{Users, UsersConfig};
use fim_core::{Change, Consumer, Context, Facts, FileKind, Key, Severity, Snapshot, Value};
use std::fmt::Write;
use std::path::{Path, PathBuf};

struct Case {
    title: String,
    path: String,
    before: Option<String>,
    after: Option<String>,
    expected: Option<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/users")
}

/// Texts behind lines that start with a mark.
fn parts<'a>(text: &'a str, mark: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let text = text.strip_prefix(mark).unwrap_or_default();
    let between = format!("\n{mark}");
    let parts: Vec<&str> = text.split(&between).collect();
    parts.into_iter().map(|part| part.split_once('\n').unwrap_or((part, "")))
}

fn cases(name: &str, text: &str) -> Vec<Case> {
    let case = |(header, body): (&str, &str)| {
        let (title, path) = header
            .split_once(" @ ")
            .map_or((header, format!("/etc/{name}")), |(title, path)| (title, path.to_owned()));
        let section = |wanted: &str| {
            let found = parts(body, "-- ").find(|(section, _)| *section == wanted)?;
            Some(found.1.trim_end_matches('\n').to_owned() + "\n")
        };
        Case {
            title: title.to_owned(),
            path,
            before: section("before"),
            after: section("after"),
            expected: section("expected"),
        }
    };
    parts(text, "== ").map(case).collect()
}

fn look(path: &str, content: Option<&str>) -> Snapshot {
    match content {
        None => Snapshot::gone(path),
        Some(content) => {
            let mut facts = Facts::new(FileKind::File);
            facts.inode = 7;
            facts.size = content.len() as u64;
            facts.blake3 = Some(Key::new([0; 32]).derive("content", content.as_bytes()));
            Snapshot::new(path, facts, Some(content.as_bytes().to_vec()))
        }
    }
}

fn said(case: &Case, base: &str) -> (Severity, Vec<Change>) {
    let mut users = Users::new(UsersConfig::new(Key::new([7; 32])));
    for (name, content) in parts(base, "-- ") {
        let path = format!("/etc/{name}");
        if path != case.path {
            users.inspect(&look(&path, Some(content)), &mut Context::new(None, None)).unwrap();
        }
    }
    let before = look(&case.path, case.before.as_deref());
    let mut kept = None;
    if before.facts.is_some() {
        let mut cx = Context::new(None, None);
        users.inspect(&before, &mut cx).unwrap();
        kept = cx.into_answer().keep;
    }
    let mut cx = Context::new(before.facts.as_ref(), kept.as_deref());
    users.inspect(&look(&case.path, case.after.as_deref()), &mut cx).unwrap();
    let answer = cx.into_answer();
    (answer.severity.unwrap(), answer.changes)
}

fn json(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::List(values) => format!("[{}]", values.iter().map(json).collect::<Vec<_>>().join(",")),
        other => panic!("{other:?}"),
    }
}

fn shown((severity, changes): &(Severity, Vec<Change>)) -> String {
    let mut text = format!("{severity:?}\n").to_lowercase();
    for change in changes {
        write!(text, "{{\"what\":{:?}", change.what).unwrap();
        for (name, value) in &change.of {
            write!(text, ",{name:?}:{}", json(value)).unwrap();
        }
        for (name, value) in [("before", &change.before), ("after", &change.after)] {
            if let Some(value) = value {
                write!(text, ",{name:?}:{}", json(value)).unwrap();
            }
        }
        text.push_str("}\n");
    }
    text
}

fn check(name: &str) {
    let file = folder().join(format!("{name}.txt"));
    let base = std::fs::read_to_string(folder().join("base.txt")).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let mut written = String::new();
    let mut wrong = Vec::new();
    for case in cases(name, &text) {
        let found = shown(&said(&case, &base));
        let at =
            if case.path == format!("/etc/{name}") { String::new() } else { format!(" @ {}", case.path) };
        writeln!(written, "== {}{at}", case.title).unwrap();
        for (section, content) in [("before", &case.before), ("after", &case.after)] {
            if let Some(content) = content {
                write!(written, "-- {section}\n{content}").unwrap();
            }
        }
        write!(written, "-- expected\n{found}").unwrap();
        if case.expected.as_ref() != Some(&found) {
            wrong.push(format!(
                "{}\nexpected {}found {found}",
                case.title,
                case.expected.unwrap_or_default()
            ));
        }
        // Nothing of a hash in the samples is ever said, nor what stands in broken lines or variables.
        for secret in ["EXAMPLE", "abc$", "secret", "BEGIN", "TOKEN=one"] {
            assert!(!found.contains(secret), "{found}");
        }
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(file, written).unwrap();
    } else {
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn passwd() {
    check("passwd");
}

#[test]
fn shadow() {
    check("shadow");
}

#[test]
fn group() {
    check("group");
}

#[test]
fn gshadow() {
    check("gshadow");
}

#[test]
fn authorized_keys() {
    check("authorized_keys");
}

#[test]
fn authorized_principals() {
    check("authorized_principals");
}

#[test]
fn sshd_config() {
    check("sshd_config");
}
