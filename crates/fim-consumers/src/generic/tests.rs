//! The consumer with made-up files: a table of what is different and what is then said.

use super::{Generic, GenericConfig};
use fim_core::{
    Change, Consumer, Context, Facts, FileKind, FileTime, HashState, Severity, Snapshot, Value, Xattr,
};
use std::path::PathBuf;

fn file() -> Facts {
    let mut facts = Facts::new(FileKind::File);
    facts.inode = 7;
    facts.mode = 0o644;
    facts.size = 10;
    facts.blake3 = Some([1; 32]);
    facts
}

fn of_kind(kind: FileKind) -> Facts {
    let mut facts = Facts::new(kind);
    facts.inode = 7;
    facts.mode = 0o755;
    facts
}

fn with(mut facts: Facts, change: impl FnOnce(&mut Facts)) -> Facts {
    change(&mut facts);
    facts
}

fn xattr(name: &str, digest: u8) -> Xattr {
    Xattr { name: name.to_owned(), digest: [digest; 16] }
}

fn inspect(path: &str, before: Option<&Facts>, after: Option<&Facts>) -> (Vec<Change>, Severity) {
    let snapshot = match after {
        Some(after) => Snapshot::new(path, after.clone(), None),
        None => Snapshot::gone(path),
    };
    let mut cx = Context::new(before, None);
    Generic::new(GenericConfig::default()).inspect(&snapshot, &mut cx).unwrap();
    let answer = cx.into_answer();
    (answer.changes, answer.severity.unwrap())
}

fn shown(changes: &[Change]) -> Vec<String> {
    let value = |value: &Option<Value>| match value {
        None => "-".to_owned(),
        Some(Value::Text(text)) if text.len() == 64 => text[..2].to_owned(),
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(other) => format!("{other:?}"),
    };
    changes
        .iter()
        .map(|change| {
            let of: String = change.of.iter().map(|(_, of)| value(&Some(of.clone()))).collect();
            format!("{} {of}[{}>{}]", change.what, value(&change.before), value(&change.after))
        })
        .collect()
}

#[test]
fn what_is_said_of_differences() {
    use Severity::{High, Notable, Routine};
    let same = file;
    let cases: Vec<(Facts, Facts, &[&str], Severity)> = vec![
        (same(), same(), &[], Routine),
        (same(), with(file(), |f| f.mtime = FileTime { seconds: 9, nanos: 0 }), &[], Routine),
        (same(), with(file(), |f| f.blake3 = Some([2; 32])), &["content [01>02]"], Routine),
        (
            same(),
            with(file(), |f| (f.blake3, f.size) = (Some([2; 32]), 12)),
            &["content [01>02]", "size [10>12]"],
            Routine,
        ),
        (
            with(file(), |f| f.sha256 = Some([3; 32])),
            with(file(), |f| (f.blake3, f.sha256) = (Some([2; 32]), Some([4; 32]))),
            &["content [01>02]", "sha256 [03>04]"],
            Routine,
        ),
        (same(), with(file(), |f| f.sha256 = Some([4; 32])), &[], Routine),
        (
            same(),
            with(file(), |f| (f.blake3, f.hash_state) = (None, HashState::TooBig)),
            &["content [01>Null]"],
            Routine,
        ),
        (
            with(file(), |f| f.blake3 = None),
            with(file(), |f| (f.blake3, f.mtime.seconds) = (None, 5)),
            &["content [Null>Null]"],
            Routine,
        ),
        (same(), with(file(), |f| f.mode = 0o600), &["mode [0644>0600]"], Notable),
        (same(), with(file(), |f| f.mode = 0o4755), &["mode [0644>4755]"], High),
        (same(), with(file(), |f| f.mode = 0o2755), &["mode [0644>2755]"], High),
        (same(), with(file(), |f| f.mode = 0o666), &["mode [0644>0666]"], High),
        (with(file(), |f| f.mode = 0o4755), with(file(), |f| f.mode = 0o755), &["mode [4755>0755]"], Notable),
        (
            with(file(), |f| f.mode = 0o4755),
            with(file(), |f| (f.mode, f.blake3) = (0o4755, Some([2; 32]))),
            &["content [01>02]", "privileged 4755[->-]"],
            High,
        ),
        (
            with(file(), |f| f.mode = 0o755),
            with(file(), |f| (f.mode, f.blake3) = (0o755, Some([2; 32]))),
            &["content [01>02]"],
            Notable,
        ),
        (same(), with(file(), |f| (f.uid, f.gid) = (1, 2)), &["uid [0>1]", "gid [0>2]"], Notable),
        (with(file(), |f| f.flags = 0x10), same(), &["flags [i>]"], High),
        (same(), with(file(), |f| f.flags = 0x90), &["flags [>iA]"], Notable),
        (
            same(),
            with(file(), |f| f.xattrs = vec![xattr("security.capability", 1)]),
            &["xattr_added security.capability[->-]"],
            High,
        ),
        (
            with(file(), |f| f.xattrs = vec![xattr("security.capability", 1)]),
            same(),
            &["xattr_removed security.capability[->-]"],
            Notable,
        ),
        (
            with(file(), |f| f.xattrs = vec![xattr("system.posix_acl_access", 1), xattr("user.a", 1)]),
            with(file(), |f| f.xattrs = vec![xattr("system.posix_acl_access", 2), xattr("user.b", 1)]),
            &[
                "acl_changed system.posix_acl_access[->-]",
                "xattr_removed user.a[->-]",
                "xattr_added user.b[->-]",
            ],
            Notable,
        ),
        (
            same(),
            with(file(), |f| f.xattrs = vec![xattr("user.a", 1)]),
            &["xattr_added user.a[->-]"],
            Routine,
        ),
        (
            same(),
            with(of_kind(FileKind::Symlink), |f| (f.target, f.mode) = (Some("/x".into()), 0o777)),
            &["content [01>Null]", "type [file>symlink]", "target [Null>/x]", "mode [0644>0777]"],
            Notable,
        ),
        (
            with(of_kind(FileKind::Symlink), |f| f.target = Some("/x".into())),
            with(of_kind(FileKind::Symlink), |f| f.target = Some("/y".into())),
            &["target [/x>/y]"],
            Routine,
        ),
        (
            with(of_kind(FileKind::CharDevice), |f| f.rdev = 0x105),
            with(of_kind(FileKind::CharDevice), |f| f.rdev = 0x101),
            &["device [1:5>1:1]"],
            Notable,
        ),
        (
            of_kind(FileKind::Dir),
            with(of_kind(FileKind::Dir), |f| f.mode = 0o1777),
            &["mode [0755>1777]"],
            Notable,
        ),
        (
            of_kind(FileKind::Dir),
            with(of_kind(FileKind::Dir), |f| f.mode = 0o777),
            &["mode [0755>0777]"],
            High,
        ),
        (
            same(),
            with(Facts::new(FileKind::File), |f| f.hash_state = HashState::Unreadable),
            &["unreadable [->-]"],
            Notable,
        ),
        (
            with(Facts::new(FileKind::File), |f| f.hash_state = HashState::Unreadable),
            same(),
            &["readable [->-]"],
            Notable,
        ),
        (
            same(),
            with(file(), |f| (f.hash_state, f.blake3) = (HashState::Unreadable, None)),
            &["content [01>Null]"],
            Notable,
        ),
        (
            with(of_kind(FileKind::Symlink), |f| f.target = Some("/x".into())),
            with(of_kind(FileKind::Symlink), |f| {
                (f.hash_state, f.target) = (HashState::Unreadable, Some("/x".into()));
            }),
            &["unreadable [->-]"],
            Notable,
        ),
    ];
    for (before, after, expected, severity) in cases {
        let (changes, judged) = inspect("/srv/data", Some(&before), Some(&after));
        assert_eq!(shown(&changes), expected);
        assert_eq!(judged, severity, "{expected:?}");
    }
}

#[test]
fn files_that_come_and_go() {
    use Severity::{High, Notable, Routine};
    let cases: [(_, _, &[&str], _, _); 16] = [
        ("/srv/a", file(), &[], Routine, Routine),
        ("/etc/a", file(), &[], Notable, Notable),
        ("/etcetera/a", file(), &[], Routine, Routine),
        ("/etc/sudoers", file(), &[], High, High),
        ("/srv/image/etc/sudoers.d/a", file(), &[], High, High),
        ("/etc/ld.so.preload", file(), &[], High, High),
        ("/usr/share/doc/sudo/sudoers", file(), &[], Notable, Notable),
        ("/var/spool/cron/crontabs/a", file(), &[], Notable, Notable),
        ("/srv/a", with(file(), |f| f.mode = 0o755), &[], Notable, Notable),
        ("/srv/a", with(file(), |f| f.mode = 0o4755), &["privileged 4755[->-]"], High, Notable),
        ("/srv/a", with(file(), |f| f.mode = 0o666), &["open_to_all 0666[->-]"], High, Routine),
        (
            "/srv/a",
            with(file(), |f| f.xattrs = vec![xattr("security.capability", 1)]),
            &["privileged 0644security.capability[->-]"],
            High,
            Routine,
        ),
        ("/srv/a", with(of_kind(FileKind::Symlink), |f| f.mode = 0o777), &[], Routine, Routine),
        ("/srv/a", with(of_kind(FileKind::Dir), |f| f.mode = 0o1777), &[], Routine, Routine),
        ("/srv/a", with(of_kind(FileKind::Dir), |f| f.mode = 0o2775), &[], Routine, Routine),
        ("/srv/a", of_kind(FileKind::BlockDevice), &[], Notable, Routine),
    ];
    for (path, facts, said, created, deleted) in cases {
        let (changes, severity) = inspect(path, None, Some(&facts));
        assert_eq!(
            (shown(&changes).as_slice(), severity),
            (&said.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()[..], created),
            "{path} {:o}",
            facts.mode
        );
        assert_eq!(inspect(path, Some(&facts), None), (vec![], deleted), "{path} {:o}", facts.mode);
    }
    assert_eq!(inspect("/srv/a", None, None), (vec![], Routine));
}

#[test]
fn what_gives_power_and_what_is_edited_in_the_course_of_things() {
    use Severity::{High, Notable, Routine};
    for (path, severity) in [
        ("/etc/doas.conf", High),
        ("/usr/local/etc/doas.conf", High),
        ("/etc/sudo.conf", High),
        ("/etc/pam.d/su", High),
        ("/etc/pam.conf", High),
        ("/etc/security/pam_env.conf", High),
        ("/etc/environment", High),
        ("/etc/polkit-1/rules.d/50.rules", High),
        ("/var/lib/polkit-1/localauthority/50-local.d/a.pkla", High),
        ("/etc/ssh/sshrc", High),
        ("/home/bob/.ssh/rc", High),
        ("/srv/image/etc/pam.d/su", High),
        // What packages put there.
        ("/usr/share/polkit-1/rules.d/50.rules", Notable),
        ("/usr/lib/pam.d/su", Notable),
        ("/etc/cron.d/a", Notable),
        ("/etc/systemd/system/a.service", Notable),
        ("/etc/ld.so.conf.d/a.conf", Notable),
        ("/var/spool/cron/root", Notable),
        ("/srv/image/etc/ld.so.conf", Notable),
        ("/srv/environment", Routine),
        ("/srv/cron/a", Routine),
    ] {
        let after = with(file(), |f| f.blake3 = Some([2; 32]));
        assert_eq!(inspect(path, Some(&file()), Some(&after)).1, severity, "{path}");
    }
}

#[test]
fn who_may_write_where_power_comes_from() {
    use Severity::{High, Notable};
    let acl = |digest| with(file(), |f| f.xattrs = vec![xattr("system.posix_acl_access", digest)]);
    let other = |mode, uid, gid| with(file(), |f| (f.mode, f.uid, f.gid) = (mode, uid, gid));
    let dir = |mode, uid| with(of_kind(FileKind::Dir), |f| (f.mode, f.uid) = (mode, uid));
    for (path, before, after, severity) in [
        ("/etc/ld.so.preload", file(), other(0o644, 1001, 0), High),
        ("/etc/ld.so.preload", other(0o644, 1001, 0), file(), Notable),
        ("/etc/sudoers", file(), other(0o664, 0, 0), High),
        ("/etc/sudoers", other(0o664, 0, 0), other(0o664, 0, 9), High),
        ("/etc/sudoers", file(), other(0o644, 0, 9), Notable),
        ("/etc/sudoers", file(), other(0o600, 0, 0), Notable),
        ("/etc/shadow", file(), acl(1), High),
        ("/etc/shadow", acl(1), acl(2), High),
        ("/etc/shadow", acl(1), file(), Notable),
        ("/etc/security/access.conf", file(), acl(1), High),
        ("/etc/ssh/sshd_config", file(), acl(1), High),
        ("/etc/motd", file(), acl(1), Notable),
        ("/srv/passwd", file(), acl(1), Notable),
        ("/etc/sudoers.d", dir(0o750, 0), dir(0o770, 0), High),
        ("/etc/sudoers.d", dir(0o750, 0), dir(0o750, 1001), High),
        ("/etc/cron.d", dir(0o755, 0), dir(0o755, 1001), High),
        ("/etc/pam.d/su", file(), other(0o644, 1001, 0), High),
        ("/etc", dir(0o755, 0), dir(0o755, 1001), High),
        ("/srv/image/etc/cron.d", dir(0o755, 0), dir(0o755, 1001), Notable),
        // crontab(1) gives a table to whom it is of.
        ("/var/spool/cron/crontabs/bob", file(), other(0o600, 1000, 0), Notable),
    ] {
        assert_eq!(inspect(path, Some(&before), Some(&after)).1, severity, "{path} {after:?}");
    }
    assert_eq!(inspect("/etc/cron.d/a", None, Some(&other(0o644, 1001, 0))).1, High);
    assert_eq!(inspect("/etc/cron.d/a", None, Some(&file())).1, Notable);
    let link = with(of_kind(FileKind::Symlink), |f| f.mode = 0o777);
    assert_eq!(inspect("/etc/cron.d/a", None, Some(&link)).1, Notable);
}

#[test]
fn the_system_may_lie_below_another_root() {
    let config = GenericConfig { root: "/host".into(), ..GenericConfig::default() };
    for (path, severity) in [
        ("/host/etc/motd", Severity::Notable),
        ("/host/etc/sudoers", Severity::High),
        ("/host/srv/a", Severity::Routine),
        ("/host/home/etc/a", Severity::Routine),
    ] {
        let mut cx = Context::new(None, None);
        Generic::new(config.clone()).inspect(&Snapshot::new(path, file(), None), &mut cx).unwrap();
        assert_eq!(cx.into_answer().severity, Some(severity), "{path}");
    }
}

#[test]
fn what_is_renamed_counts_by_its_new_name() {
    let privileged = with(file(), |f| f.mode = 0o4755);
    for (from, path, facts, severity) in [
        ("/etc/a", "/etc/sudoers.d/a", file(), Severity::High),
        ("/etc/sudoers.d/a", "/srv/a", file(), Severity::High),
        ("/etc/a", "/srv/a", file(), Severity::Routine),
        ("/etc/a", "/srv/a", privileged, Severity::Notable),
    ] {
        let mut cx = Context::new(Some(&facts), None).renamed(from.as_ref());
        Generic::new(GenericConfig::default())
            .inspect(&Snapshot::new(path, facts.clone(), None), &mut cx)
            .unwrap();
        let answer = cx.into_answer();
        assert_eq!(answer.severity, Some(severity), "{path}");
        assert_eq!(answer.changes.len(), usize::from(severity == Severity::Notable), "{path}");
    }
}

#[test]
fn hashes_of_secrets_stay_in() {
    let after = with(file(), |f| (f.blake3, f.sha256) = (Some([2; 32]), Some([3; 32])));
    let (changes, severity) = inspect("/etc/shadow-", Some(&file()), Some(&after));
    assert_eq!(changes, [Change::new("content")]);
    assert_eq!(severity, Severity::Notable);
}

#[test]
fn hashes_are_whole_and_in_hex() {
    let after = with(file(), |f| f.blake3 = Some([0xab; 32]));
    let (changes, _) = inspect("/srv/a", Some(&file()), Some(&after));
    assert_eq!(changes[0].before, Some("01".repeat(32).into()));
    assert_eq!(changes[0].after, Some("ab".repeat(32).into()));
}

#[test]
fn interest_is_what_was_configured() {
    let config = GenericConfig {
        paths: vec!["/etc".into()],
        exclude: vec!["**/*.swp".into()],
        exclude_regex: vec!["tmp".into()],
        sha256: true,
        ..GenericConfig::default()
    };
    let interest = Generic::new(config.clone()).interest();
    assert_eq!(interest.paths, config.paths);
    assert_eq!(interest.exclude, config.exclude);
    assert_eq!(interest.exclude_regex, config.exclude_regex);
    assert!(interest.need.sha256 && interest.need.content.is_none());
}

#[test]
fn targets_that_are_not_utf8_are_escaped() {
    use std::os::unix::ffi::OsStringExt;
    let raw = PathBuf::from(std::ffi::OsString::from_vec(b"/\xff".to_vec()));
    let after = with(of_kind(FileKind::Symlink), |f| f.target = Some(raw));
    let (changes, _) = inspect("/srv/a", Some(&of_kind(FileKind::Symlink)), Some(&after));
    assert_eq!(changes, [Change::from_to("target", Value::Null, r"/\xff")]);
}
