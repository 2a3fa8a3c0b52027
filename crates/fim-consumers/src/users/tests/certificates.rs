//! Who is let in by a certificate: authorities, principals, and keys that are revoked.

use super::*;

#[test]
fn who_may_log_in_by_certificate() {
    use Severity::{Critical, High, Notable};
    const CONFIG: &str =
        "TrustedUserCAKeys /etc/ca.pub\nAuthorizedPrincipalsFile .ssh/principals\nRevokedKeys /etc/revoked\n";
    let mut users = users();
    first(&mut users, "/etc/passwd", PASSWD);
    assert!(!claims(&users, "/root/.ssh/principals"));
    assert!(first(&mut users, "/etc/ssh/sshd_config", CONFIG).anew);
    for path in ["/root/.ssh/principals", "/home/bob/.ssh/principals", "/etc/ca.pub", "/etc/revoked"] {
        assert!(claims(&users, path), "{path}");
    }
    for (path, before, after, words, severity) in [
        ("/root/.ssh/principals", None, "root\n", &["principal_added"][..], Critical),
        ("/home/bob/.ssh/principals", None, "bob\n", &["principal_added"], High),
        ("/home/bob/.ssh/principals", Some("bob\n"), "", &["principal_removed"], Notable),
        ("/home/bob/.ssh/principals", Some("bob\neve\n"), "eve\nbob\n", &["order"], Notable),
        ("/home/bob/.ssh/principals", Some("no-pty bob\n"), "bob\n", &["principal_options"], High),
        ("/home/bob/.ssh/principals", Some("bob\n"), "no-pty bob\n", &["principal_options"], Notable),
        ("/etc/ca.pub", None, KEY, &["key_added"], Critical),
        ("/etc/revoked", Some(KEY), "", &["content"], High),
        ("/etc/revoked", Some(""), "\0KRL", &["content"], High),
    ] {
        let said = match before {
            None => first(&mut users, path, after),
            Some(before) => {
                let kept = first(&mut users, path, before).kept;
                then(&mut users, path, kept.as_deref(), before, after)
            }
        };
        assert_eq!((said.words, said.severity), (owned(words), severity), "{path} {after}");
    }
    let gone = look(&mut users, Some((&file(b"", 0o600), None)), &Snapshot::gone("/etc/revoked"));
    assert_eq!(gone.severity, High);
}

#[test]
fn a_key_of_an_authority_is_told_as_one() {
    for (option, authority) in [("TrustedUserCAKeys", true), ("AuthorizedKeysFile", false)] {
        let mut users = users();
        first(&mut users, "/etc/ssh/sshd_config", &format!("{option} /etc/keys\n"));
        let mut cx = Context::new(None, None);
        let snapshot = Snapshot::new("/etc/keys", file(KEY.as_bytes(), 0o600), Some(KEY.into()));
        users.inspect(&snapshot, &mut cx).unwrap();
        let changes = cx.into_answer().changes;
        assert_eq!(changes[0].of.contains(&("authority".to_owned(), true.into())), authority, "{option}");
    }
}
