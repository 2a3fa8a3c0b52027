//! Mode, owner and access control lists of the files themselves.

use super::*;

#[test]
fn mode_and_owner_of_the_files() {
    use Severity::{High, Notable, Routine};
    let content = |path: &str| if path.ends_with("passwd") { PASSWD } else { SHADOW };
    for (path, before, after, words, severity) in [
        ("/etc/shadow", 0o640, 0o644, &["mode"][..], High),
        ("/etc/shadow", 0o600, 0o640, &["mode"], Notable),
        ("/etc/shadow", 0o640, 0o600, &["mode"], Notable),
        ("/etc/passwd", 0o644, 0o600, &["mode"], Notable),
        ("/etc/passwd", 0o644, 0o664, &["mode"], High),
        ("/etc/passwd", 0o644, 0o644, &[], Routine),
    ] {
        let mut users = users();
        let bytes = content(path).as_bytes();
        let kept = first(&mut users, path, content(path)).kept.unwrap();
        let snapshot = Snapshot::new(path, file(bytes, after), Some(bytes.to_vec()));
        let said = look(&mut users, Some((&file(bytes, before), Some(&kept))), &snapshot);
        assert_eq!((said.words, said.severity), (owned(words), severity), "{path}");
    }
    let mut users = users();
    let snapshot = Snapshot::new("/etc/shadow", file(SHADOW.as_bytes(), 0o644), Some(SHADOW.into()));
    assert!(look(&mut users, None, &snapshot).words.contains(&"exposed".to_owned()));
}

#[test]
fn an_access_control_list_may_let_in_anybody() {
    for path in ["/etc/shadow", "/etc/passwd", "/root/.ssh/authorized_keys"] {
        let mut users = users();
        first(&mut users, "/etc/passwd", PASSWD);
        let kept = first(&mut users, path, "").kept.unwrap();
        let mut with = file(b"", 0o600);
        with.xattrs.push(fim_core::Xattr { name: "system.posix_acl_access".to_owned(), digest: [1; 16] });
        let without = file(b"", 0o600);
        for (before, after, word, severity) in [
            (&without, &with, "acl_added", Severity::High),
            (&with, &without, "acl_removed", Severity::Notable),
        ] {
            let snapshot = Snapshot::new(path, after.clone(), Some(Vec::new()));
            let said = look(&mut users, Some((before, Some(&kept))), &snapshot);
            assert_eq!((said.words, said.severity), (owned(&[word]), severity), "{path}");
        }
    }
}

#[test]
fn metadata_counts_below_the_root() {
    let mut config = UsersConfig::new(Key::new([7; 32]));
    config.root = "/host".into();
    let mut users = Users::new(config);
    let kept = first(&mut users, "/host/etc/passwd", PASSWD).kept.unwrap();
    let mut after = file(PASSWD.as_bytes(), 0o600);
    after.xattrs.push(fim_core::Xattr { name: "user.a".to_owned(), digest: [1; 16] });
    let snapshot = Snapshot::new("/host/etc/passwd", after, Some(PASSWD.into()));
    let said = look(&mut users, Some((&file(PASSWD.as_bytes(), 0o600), Some(&kept))), &snapshot);
    assert_eq!(said.severity, Severity::Notable);
}
