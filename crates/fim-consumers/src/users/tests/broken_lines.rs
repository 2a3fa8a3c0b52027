//! Lines as the system reads them, not as they look.

use super::{PASSWD, SHADOW, all_of, first, owned, then, users};
use fim_core::Severity;

#[test]
fn a_carriage_return_is_part_of_the_last_field() {
    const GROUP: &str = "sudo:x:27:eve,bob\n";
    const GSHADOW: &str = "sudo:*::bob\n";
    for (path, before, words, severity) in [
        ("/etc/passwd", PASSWD, &["shell", "shell"][..], Severity::High),
        ("/etc/group", GROUP, &["member_added", "member_removed"], Severity::High),
        ("/etc/gshadow", GSHADOW, &["member_added", "member_removed"], Severity::High),
        // The last number is none: glibc has no such entry.
        ("/etc/shadow", SHADOW, &["broken_line", "broken_line"], Severity::Notable),
    ] {
        let mut users = users();
        first(&mut users, "/etc/passwd", PASSWD);
        let kept = first(&mut users, path, before).kept;
        let said = then(&mut users, path, kept.as_deref(), before, &before.replace('\n', "\r\n"));
        assert_eq!((said.words, said.severity), (owned(words), severity), "{path}");
    }
}

#[test]
fn a_zero_byte_ends_a_line_and_is_told() {
    const DAEMON: &str = "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n";
    const GROUP: &str = "sudo:x:27:bob\n";
    for (path, before, after, words) in [
        (
            "/etc/passwd",
            DAEMON,
            "daemon:x:1:1:daemon:/usr/sbin\0:/usr/sbin/nologin\n",
            &["shell", "broken_line"][..],
        ),
        ("/etc/passwd", DAEMON, "daemon:x:1:1:daemon:/usr/sbin:\0\n", &["shell", "broken_line"]),
        ("/etc/group", GROUP, "sudo:x:27:bob,eve\0zz\n", &["member_added", "broken_line"]),
        ("/etc/group", GROUP, "sudo:x:27:bob\n\0root::0:\n", &["broken_line"]),
        ("/etc/gshadow", "sudo:*::\n", "sudo:*:\0:\n", &["group_password_entry_removed", "broken_line"]),
        (
            "/etc/shadow",
            SHADOW,
            &SHADOW.replace("root:*:", "root::0\0"),
            &["password_emptied", "broken_line"],
        ),
    ] {
        let mut users = users();
        let kept = first(&mut users, path, before).kept.unwrap();
        let (all, _) = all_of(&mut users, path, Some((before, &kept)), after);
        let shown = String::from_utf8_lossy(&all).into_owned();
        assert!(!shown.contains("zz") && !shown.contains("nologin\\0"), "{shown}");
        assert!(words[0] != "shell" || shown.contains("(\"login\", Bool(true))"), "{shown}");
        let said = then(&mut users, path, Some(&kept), before, after);
        assert!(words.iter().all(|word| said.words.contains(&(*word).to_owned())), "{:?}", said.words);
        assert!(said.severity >= Severity::High, "{after:?}");
    }
}
