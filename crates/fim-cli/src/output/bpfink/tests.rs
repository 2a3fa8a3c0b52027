//! The lines as text: order of fields, messages and masks are what readers of bpfink's lines hold on to.

use super::users::MASK;
use super::*;
use fim_core::{BaselineLost, Change, Facts, Gap, HashState, Started, Stopped};
use std::sync::Arc;
use std::time::SystemTime;

fn lines(record: Record) -> Vec<String> {
    let report = Report { sequence: 1, created: SystemTime::UNIX_EPOCH, record };
    let text = Bpfink::new(Redactor::new(vec![])).line(&report).unwrap();
    let text = String::from_utf8(text).unwrap();
    text.lines().map(|line| line.replace(VERSION, "VERSION")).collect()
}

fn finding(action: Action, consumer: &'static str, path: &str) -> Finding {
    let mut actor = Actor::new(7);
    (actor.uid, actor.args) = (Some(u32::MAX - 1), vec!["sh".into(), "-c".into(), "echo password=x".into()]);
    let mut finding = Finding::new(action, consumer, path, SystemTime::UNIX_EPOCH);
    finding.actors = vec![Arc::new(Actor::new(1)), Arc::new(actor)];
    if action != Action::Created {
        finding.before = Some(facts(1));
    }
    if action != Action::Deleted {
        finding.after = Some(facts(2));
    }
    finding
}

fn facts(content: u8) -> Facts {
    let mut facts = Facts::new(FileKind::File);
    facts.blake3 = Some([content; 32]);
    facts
}

fn changed(finding: Finding) -> Vec<String> {
    lines(Record::Change(Box::new(finding)))
}

const TAIL: &str =
    r#""processName":"sh -c echo password=[redacted] ","user":"4294967294","version":"VERSION""#;

fn generic(path: &str, current: &str, next: &str, message: &str) -> String {
    let generic = format!(r#""generic":{{"current":"{current}","next":"{next}"}},"file":"{path}""#);
    format!(r#"{{"level":"warn",{generic},{TAIL},"message":"generic file {message}"}}"#)
}

#[test]
fn files() {
    let (one, two) = ("01".repeat(32), "02".repeat(32));
    for (action, current, next, message) in [
        (Action::Created, "", two.as_str(), "created"),
        (Action::Updated, &one, &two, "Modified"),
        (Action::AttributesModified, &one, &two, "Modified"),
        (Action::Deleted, &one, "", "deleted"),
    ] {
        for consumer in ["generic", "somebody_else_s"] {
            assert_eq!(
                changed(finding(action, consumer, "/etc/x")),
                [generic("/etc/x", current, next, message)]
            );
        }
    }
}

#[test]
fn a_rename_is_two_lines() {
    let mut moved = finding(Action::Moved, "generic", "/etc/new");
    moved.previous_path = Some("/etc/old".into());
    (moved.before, moved.after) = (Some(facts(3)), Some(facts(3)));
    let hash = "03".repeat(32);
    let expected = [generic("/etc/old", &hash, "", "deleted"), generic("/etc/new", "", &hash, "created")];
    assert_eq!(changed(moved), expected);
}

#[test]
fn directories_have_lines_for_their_attributes_only() {
    for (action, count) in
        [(Action::Created, 0), (Action::Deleted, 0), (Action::AttributesModified, 1), (Action::Moved, 1)]
    {
        let mut finding = finding(action, "generic", "/etc/d");
        for facts in [&mut finding.before, &mut finding.after].into_iter().flatten() {
            (facts.kind, facts.blake3) = (FileKind::Dir, None);
        }
        assert_eq!(changed(finding).len(), count, "{action:?}");
    }
}

#[test]
fn no_hash_of_a_secret_leaves() {
    let by_name = finding(Action::Updated, "generic", "/etc/shadow");
    assert_eq!(changed(by_name), [generic("/etc/shadow", "[redacted]", "[redacted]", "Modified")]);
    let mut by_key = finding(Action::Created, "users", "/x");
    if let Some(facts) = &mut by_key.after {
        facts.keyed = Some(9);
    }
    assert_eq!(changed(by_key), [generic("/x", "", "[redacted]", "created")]);
    let mut unread = finding(Action::Updated, "generic", "/etc/shadow");
    if let Some(facts) = &mut unread.after {
        (facts.blake3, facts.hash_state) = (None, HashState::Unreadable);
    }
    assert_eq!(changed(unread), [generic("/etc/shadow", "[redacted]", "", "Modified")]);
}

#[test]
fn who_did_it_is_not_invented() {
    let mut nobody = finding(Action::Created, "generic", "/x");
    nobody.actors.clear();
    assert!(changed(nobody)[0].contains(r#""processName":"","user":"","#));
    let mut by_name = Actor::new(5);
    by_name.name = Some("puppet".into());
    let mut named = finding(Action::Created, "generic", "/x");
    named.actors = vec![Arc::new(by_name)];
    assert!(changed(named)[0].contains(r#""processName":"puppet","user":"","#));
}

#[test]
fn diffs() {
    for (diff, add, del) in [
        ("-old\n+new\n kept\n", r#"["new"]"#, r#"["old"]"#),
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n--- x\n+++ y\n", r#"["++ y"]"#, r#"["-- x"]"#),
        ("+\n+# comment\n-#x\n+#includedir /x\n", r##"["#includedir /x"]"##, "[]"),
        ("", "[]", "[]"),
    ] {
        let mut finding = finding(Action::Updated, "generic_diff", "/etc/sudoers");
        finding.diff = Some(diff.to_owned());
        let fields = format!(r#""add":{{"Content":{add}}},"del":{{"Content":{del}}},"file":"/etc/sudoers""#);
        let expected =
            format!(r#"{{"level":"warn",{fields},{TAIL},"message":"Critical Generic file modified"}}"#);
        assert_eq!(changed(finding), [expected]);
    }
    for (action, message) in [(Action::Created, "created"), (Action::Deleted, "deleted")] {
        let line = changed(finding(action, "generic_diff", "/x")).remove(0);
        assert!(line.ends_with(&format!(r#""message":"Critical Generic file {message}"}}"#)), "{line}");
    }
}

fn rule(what: &str, permission: &str, users: &[&str]) -> Change {
    let users = users.iter().map(|user| (*user).into()).collect();
    Change::new(what).of("permission", permission).of("users", Value::List(users))
}

#[test]
fn access_rules() {
    let mut turned = rule("rule_changed", "deny", &["(wheel)"]);
    (turned.before, turned.after) = (Some("+:(wheel):ALL".into()), Some("-:(wheel):ALL".into()));
    for (changes, add, del) in [
        (
            vec![rule("rule_added", "grant", &["nobody"])],
            r#""grant":["nobody"],"deny":[]"#,
            r#""grant":[],"deny":[]"#,
        ),
        (
            vec![rule("rule_removed", "deny", &["ALL"])],
            r#""grant":[],"deny":[]"#,
            r#""grant":[],"deny":["ALL"]"#,
        ),
        (
            vec![rule("rule_moved", "grant", &["a", "b"])],
            r#""grant":["a b"],"deny":[]"#,
            r#""grant":["a b"],"deny":[]"#,
        ),
        (vec![turned], r#""grant":[],"deny":["(wheel)"]"#, r#""grant":["(wheel)"],"deny":[]"#),
    ] {
        let mut finding = finding(Action::Updated, "access", "/etc/security/access.conf");
        finding.changes = changes;
        finding.changes.push(Change::new("access_granted").of("who", "ALL"));
        let expected = format!(
            r#"{{"level":"warn","access":{{{add}}},"add":{{{add}}},"del":{{{del}}},{TAIL},"message":"access entries"}}"#
        );
        assert_eq!(changed(finding), [expected]);
    }
    let mut comments = finding(Action::Updated, "access", "/etc/security/access.conf");
    comments.changes = vec![Change::new("comments")];
    let line = changed(comments).remove(0);
    assert!(line.contains(r#""file":"/etc/security/access.conf""#) && line.contains("generic file Modified"));
}

#[test]
fn accounts() {
    let of = |what: &str, user: &str| Change::new(what).of("user", user);
    let key = |what: &str, comment: &str| {
        of(what, "bob").of("type", "ssh-ed25519").of("fingerprint", "SHA256:abc").of("comment", comment)
    };
    let account = |user: &str, passwd: &str, keys: &str| {
        format!(r#"{{"user":"{user}","passwd":"{passwd}","keys":[{keys}]}}"#)
    };
    let bob = account("bob", "", "");
    let long = format!("SHA256:abc {}", "é".repeat(69));
    for (changes, add, del) in [
        (vec![of("account_created", "bob")], bob.clone(), String::new()),
        (vec![of("account_removed", "bob")], String::new(), bob.clone()),
        (
            vec![Change::from_to("account_renamed", "bob", "eve"), of("uid", "eve")],
            account("eve", "", ""),
            bob.clone(),
        ),
        (vec![Change::from_to("uid", 5_u32, 0_u32).of("user", "bob")], bob.clone(), bob.clone()),
        (vec![of("password_changed", "bob")], account("bob", MASK, ""), account("bob", MASK, "")),
        (vec![of("password_set", "bob")], account("bob", MASK, ""), bob.clone()),
        (vec![of("password_removed", "bob")], bob.clone(), account("bob", MASK, "")),
        (
            vec![key("key_added", "me"), key("key_removed", "")],
            account("bob", "", r#""ssh-ed25519 SHA256:abc me""#),
            account("bob", "", r#""ssh-ed25519 SHA256:abc""#),
        ),
        (vec![key("key_added", &"é".repeat(69))], account("bob", "", &format!("\"{long}\"")), bob.clone()),
        (
            vec![of("account_created", "bob"), of("account_created", "eve")],
            format!("{bob},{}", account("eve", "", "")),
            String::new(),
        ),
    ] {
        let mut finding = finding(Action::Updated, "users", "/etc/passwd");
        finding.changes = changes;
        let expected = format!(
            r#"{{"level":"warn","users":[{add}],"add":[{add}],"del":[{del}],{TAIL},"message":"Users Modified"}}"#
        );
        assert_eq!(changed(finding), [expected]);
    }
    let mut group = finding(Action::Updated, "users", "/etc/group");
    group.changes = vec![Change::new("group_created").of("group", "g")];
    assert!(changed(group)[0].contains("generic file Modified"));
}

#[test]
fn state() {
    let mut started = Started::default();
    (started.files, started.dirs) = (40, 2);
    let ready = "bpfink initialized: version VERSION, consumers count: 42";
    let line = format!(r#"{{"level":"info","version":"VERSION","message":"{ready}"}}"#);
    assert_eq!(lines(Record::WatchStarted(started)), [line]);
    let mut gap = Gap::default();
    (gap.cause, gap.scope, gap.lost) = ("ring_full".to_owned(), "all".to_owned(), 3);
    let line = lines(Record::CoverageGap(gap.clone())).remove(0);
    assert!(line.starts_with(r#"{"level":"error","#) && line.contains("log message count: 3"), "{line}");
    assert!(lines(Record::BaselineLost(BaselineLost::default()))[0].starts_with(r#"{"level":"error","#));
    assert_eq!(lines(Record::GapClosed(gap)), [""; 0]);
    assert_eq!(lines(Record::WatchStopped(Stopped::default())), [""; 0]);
}
