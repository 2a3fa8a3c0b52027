//! The consumer with made-up files: `tests/access/NAME.{before,after}` and what is said of them in
//! `NAME.said`, and what does not depend on rules.

use super::*;
use std::fmt::Write;
use std::path::PathBuf;

const PATH: &str = "/etc/security/access.conf";

fn file(content: &str) -> Facts {
    let mut facts = Facts::new(FileKind::File);
    facts.inode = 7;
    facts.mode = 0o644;
    facts.size = content.len() as u64;
    // Any digest will do that is another for another content.
    let mut hash = [0_u8; 32];
    for (at, byte) in content.bytes().enumerate() {
        hash[at % 32] = hash[at % 32].wrapping_mul(31) ^ byte;
    }
    facts.blake3 = Some(hash);
    facts
}

fn snapshot(path: &str, content: Option<&str>) -> Snapshot {
    match content {
        Some(content) => Snapshot::new(path, file(content), Some(content.as_bytes().to_vec())),
        None => Snapshot::gone(path),
    }
}

/// What is kept of a file with this content.
fn kept(content: &[u8]) -> Vec<u8> {
    kept::encode(&parse(content, &Separators::default()), &Separators::default())
}

/// A first look at a file, and what is kept of it.
fn learn(access: &mut Access, path: &str, content: &str) -> Vec<u8> {
    let mut cx = Context::new(None, None);
    access.inspect(&snapshot(path, Some(content)), &mut cx).unwrap();
    cx.into_answer().keep.unwrap()
}

fn look(
    access: &mut Access,
    path: &str,
    before: Option<&str>,
    after: Option<&str>,
) -> (Vec<Change>, Severity) {
    let facts = before.map(file);
    let kept = before.map(|content| kept(content.as_bytes()));
    let mut cx = Context::new(facts.as_ref(), kept.as_deref());
    access.inspect(&snapshot(path, after), &mut cx).unwrap();
    let answer = cx.into_answer();
    assert_eq!(answer.keep.is_some(), after.is_some());
    (answer.changes, answer.severity.unwrap())
}

fn said(before: Option<&str>, after: Option<&str>) -> String {
    shown(&look(&mut Access::new(AccessConfig::default()), PATH, before, after))
}

/// The severity, then one line for each change.
fn shown((changes, severity): &(Vec<Change>, Severity)) -> String {
    let mut text = format!("{severity:?}\n").to_lowercase();
    for change in changes {
        text += &change.what;
        for (name, value) in &change.of {
            write!(text, " {name}={}", value_text(value)).unwrap();
        }
        if let (Some(before), Some(after)) = (&change.before, &change.after) {
            write!(text, " {} > {}", value_text(before), value_text(after)).unwrap();
        }
        text.push('\n');
    }
    text
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::List(values) => {
            format!("[{}]", values.iter().map(value_text).collect::<Vec<_>>().join(", "))
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn golden_files() {
    let dir = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/access"));
    let mut names: Vec<PathBuf> =
        std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|it| it == "said"));
    names.sort();
    assert!(names.len() >= 12, "{names:?}");
    for path in names {
        let read = |what: &str| std::fs::read_to_string(path.with_extension(what)).ok();
        let said = said(read("before").as_deref(), read("after").as_deref());
        assert_eq!(said, read("said").unwrap(), "{}:\n{said}", path.display());
    }
}
#[test]
fn rules_of_files_that_are_read_earlier_or_later_count() {
    let mut access = Access::new(AccessConfig::default());
    let dropped = "/etc/security/access.d/50.conf";
    learn(&mut access, PATH, "+:root:ALL\n");
    learn(&mut access, dropped, "-:ALL:ALL\n");
    let said = shown(&look(&mut access, PATH, Some("+:root:ALL\n"), Some("+:root bob:ALL\n")));
    assert!(said.contains("access_granted who=[bob] from=[ALL] rule=+:root bob:ALL line=1\n"), "{said}");
    let said = shown(&look(&mut access, PATH, Some("+:root bob:ALL\n"), Some("+:root:ALL\n")));
    let by_other =
        "access_revoked who=[bob] from=[ALL] rule=-:ALL:ALL line=1 file=/etc/security/access.d/50.conf\n";
    assert!(said.contains(by_other), "{said}");

    // Another agent's start: what it kept is recalled.
    let mut access = Access::new(AccessConfig::default());
    access.recall(Path::new(dropped), &kept(b"-:ALL:ALL\n"));
    let said = shown(&look(&mut access, PATH, None, Some("+:root:ALL\n")));
    assert_eq!(said.matches("access_").count(), 1, "{said}");
    assert!(said.contains("access_granted who=[root] from=[ALL]"), "{said}");

    // A file that is gone has no rules any more.
    look(&mut access, dropped, Some("-:ALL:ALL\n"), None);
    let said = shown(&look(&mut access, PATH, Some("+:root:ALL\n"), Some("")));
    assert!(!said.contains("access_"), "{said}");
}

#[test]
fn what_was_kept_by_another_hand_is_no_ground_for_words() {
    for kept in [None, Some(&b"foreign"[..])] {
        let before = file("+:a:b\n");
        let mut cx = Context::new(Some(&before), kept);
        let mut access = Access::new(AccessConfig::default());
        access.inspect(&snapshot(PATH, Some("-:ALL:ALL\n")), &mut cx).unwrap();
        let answer = cx.into_answer();
        let what: Vec<_> = answer.changes.iter().map(|change| change.what.as_str()).collect();
        assert_eq!(what, ["content", "size"]);
        assert_eq!(
            kept::decode(&answer.keep.unwrap(), &Separators::default()).unwrap().rules[0].to_string(),
            "-:ALL:ALL"
        );
    }
}

#[test]
fn owner_and_mode_are_told_with_the_rules_or_without() {
    let content = "+:a:b\n";
    let before = file(content);
    let kept = kept(content.as_bytes());
    let mut access = Access::new(AccessConfig::default());
    let mut looks = |after: Facts, content: &str| {
        let mut cx = Context::new(Some(&before), Some(&kept));
        access.inspect(&Snapshot::new(PATH, after, Some(content.as_bytes().to_vec())), &mut cx).unwrap();
        let answer = cx.into_answer();
        shown(&(answer.changes, answer.severity.unwrap_or_default()))
    };
    let mut open = file(content);
    open.mode = 0o666;
    assert_eq!(looks(open, content), "high\nmode 0644 > 0666\n");
    let mut other = file("#\n+:a:b\n");
    other.uid = 5;
    assert_eq!(looks(other, "#\n+:a:b\n"), "high\ncomments\nuid 0 > 5\n");
}

#[test]
fn a_file_that_cannot_be_read_keeps_what_was_kept() {
    let content = "+:a:b\n";
    let kept = kept(content.as_bytes());
    let unread = |change: fn(&mut Facts)| {
        let mut facts = file("another");
        change(&mut facts);
        facts
    };
    for (after, expected) in [
        (unread(|it| it.hash_state = HashState::TooBig), "too_big"),
        (unread(|it| it.size = 2 << 20), "too_big"),
        (unread(|it| (it.hash_state, it.blake3) = (HashState::Unreadable, None)), "unreadable"),
        (unread(|it| (it.hash_state, it.blake3, it.inode) = (HashState::Unreadable, None, 0)), "unreadable"),
        (unread(|it| it.hash_state = HashState::Unstable), "unstable"),
        (unread(|it| it.kind = FileKind::Symlink), "type"),
        (unread(|it| it.kind = FileKind::Dir), "type"),
    ] {
        let before = file(content);
        let mut cx = Context::new(Some(&before), Some(&kept));
        Access::new(AccessConfig::default())
            .inspect(&Snapshot::new(PATH, after.clone(), None), &mut cx)
            .unwrap();
        let answer = cx.into_answer();
        assert_eq!(answer.keep, None);
        let said = answer.changes.iter().filter(|change| change.what == expected).count();
        assert_eq!(said, 1, "{expected}: {:?}", answer.changes);
        assert!(answer.severity >= Some(Severity::Notable));
        // Said once: another look at the same is no news.
        let mut cx = Context::new(Some(&after), Some(&kept));
        Access::new(AccessConfig::default())
            .inspect(&Snapshot::new(PATH, after.clone(), None), &mut cx)
            .unwrap();
        assert_eq!(cx.into_answer().changes, []);
    }
}

#[test]
fn too_many_rules_to_try_are_said_to_be() {
    let many: String = (0..3000).map(|n| format!("+:u{n}:h{n}\n")).collect();
    let (changes, severity) = look(&mut Access::new(AccessConfig::default()), PATH, None, Some(&many));
    assert_eq!(changes.len(), 3001);
    assert_eq!(changes.last().unwrap().what, "effect_unknown");
    assert_eq!(severity, Severity::High);
}

#[test]
fn interest_is_what_was_configured() {
    let config = AccessConfig { paths: vec!["/a".to_owned()], ..AccessConfig::default() };
    let interest = Access::new(config).interest();
    assert_eq!((interest.paths, interest.need.content), (vec!["/a".to_owned()], Some(1 << 20)));
}

#[test]
fn options_of_the_module_decide_how_a_file_is_read() {
    let separators = Separators { fields: "|".to_owned(), lists: ",".to_owned() };
    let mut access = Access::new(AccessConfig { separators, ..AccessConfig::default() });
    let first = "+|my admins,root|2001:db8::1\n-|ALL|ALL\n";
    let kept = learn(&mut access, PATH, first);
    let second = "+|my admins|2001:db8::1\n-|ALL|ALL\n";
    let facts = file(first);
    let mut cx = Context::new(Some(&facts), Some(&kept));
    access.inspect(&snapshot(PATH, Some(second)), &mut cx).unwrap();
    let answer = cx.into_answer();
    let said = shown(&(answer.changes, answer.severity.unwrap()));
    assert!(said.contains("access_revoked who=[root] from=[2001:db8::1]"), "{said}");
    assert!(!said.contains("broken_line") && !said.contains("who=[my admins]"), "{said}");

    // Without `nodefgroup` a name stands for the group of that name too.
    for (nodefgroup, expected) in [(false, false), (true, true)] {
        let mut access = Access::new(AccessConfig { nodefgroup, ..AccessConfig::default() });
        let before = "-:wheel:ALL\n";
        let kept = learn(&mut access, PATH, before);
        let facts = file(before);
        let mut cx = Context::new(Some(&facts), Some(&kept));
        access.inspect(&snapshot(PATH, Some("-:wheel:ALL\n-:(wheel):ALL\n")), &mut cx).unwrap();
        let answer = cx.into_answer();
        let said = shown(&(answer.changes, answer.severity.unwrap()));
        assert_eq!(said.contains("access_revoked who=[(wheel)]"), expected, "{said}");
    }
}

#[test]
fn the_system_may_lie_below_another_root() {
    for root in ["", "/host"] {
        let mut access = Access::new(AccessConfig { root: root.into(), ..AccessConfig::default() });
        let path = format!("{root}{PATH}");
        for (before, after) in [(None, Some("")), (Some(""), None)] {
            assert_eq!(look(&mut access, &path, before, after), (vec![], Severity::Notable), "{path}");
        }
    }
}
