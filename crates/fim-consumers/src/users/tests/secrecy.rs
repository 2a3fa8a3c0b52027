//! Nothing of a password is told or kept, wherever it stands.

use super::{KEY, PASSWD, all_of, first, users};

#[test]
fn nothing_of_a_hash_is_kept() {
    let mut users = users();
    for path in ["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow"] {
        let mut content = "bob:$6$SALTSALT$HASHHASH:1000:1000::/:\nx$6$SALTSALT$HASHHASH\n".to_owned();
        if path.ends_with("shadow") {
            content += "$6$SALTSALT$HASHHASH:1:1:1\nx:*:$6$SALTSALT$HASHHASH:$6$SALTSALT$HASHHASH,bob\n";
        }
        let kept = first(&mut users, path, &content).kept.unwrap();
        for secret in [&b"SALT"[..], b"HASH"] {
            assert!(!kept.windows(4).any(|part| part == secret), "{path}");
        }
    }
    first(&mut users, "/etc/passwd", PASSWD);
    let keys = format!("environment=\"A=SECRET\" {KEY}");
    let kept = first(&mut users, "/root/.ssh/authorized_keys", &keys).kept.unwrap();
    assert!(!kept.windows(6).any(|part| part == b"SECRET"));
}

#[test]
fn a_hash_in_a_public_file_is_as_secret_as_in_the_shadow_file() {
    const DES: [&str; 2] = ["abJnggxhB/yWI", "zzQ4fC1w.8eKo"];
    const BSDI: [&str; 2] = ["_J9..CCCCXBrJUJV154M", "_J9..DDDDYYYJUJV1990"];
    const SHA512: [&str; 2] = ["$6$saltsalt$firsthashfirsthash", "$6$saltsalt$otherhashotherhash"];
    for [one, other] in [DES, BSDI, SHA512] {
        for (path, form) in [
            ("/etc/passwd", "bob:§:1000:1000::/home/bob:/bin/sh"),
            ("/etc/passwd", "bob:!§:1000:1000::/home/bob:/bin/sh"),
            ("/etc/group", "staff:§:50:bob"),
        ] {
            let with = |hash: &str| format!("{}\n", form.replace('§', hash));
            let mut users = users();
            let (said, kept) = all_of(&mut users, path, None, &with(one));
            let (then, _) = all_of(&mut users, path, Some((&with(one), &kept)), &with(other));
            for part in [one, other].iter().flat_map(|hash| hash.as_bytes().windows(6)) {
                let found = [&said, &then].iter().any(|all| all.windows(6).any(|window| window == part));
                assert!(!found || part.starts_with(b"$6$"), "{form} {}", String::from_utf8_lossy(part));
            }
            let then = String::from_utf8_lossy(&then).into_owned();
            assert!(then.contains("password_changed"), "{then}");
        }
    }
    // Where no hash should be, but one is.
    for (path, form) in [
        ("/etc/passwd", "§:x:0:0:::"),
        ("/etc/passwd", "§:19000:0:99999:7:::"),
        ("/etc/passwd", "bob:x:1000:1000:Bob, §:/home/bob:/bin/sh"),
        ("/etc/passwd", "bob:x:1000:1000:::§"),
        ("/etc/passwd", "+§::::::"),
        ("/etc/group", "§:x:50:"),
        ("/etc/group", "staff:x:50:bob,§"),
        ("/etc/shadow", "§:19000:0:99999:7:::"),
        ("/etc/gshadow", "staff:*:§:§,bob"),
    ] {
        let (said, _) = all_of(&mut users(), path, None, &format!("{}\n", form.replace('§', SHA512[0])));
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(!said.contains("saltsalt") && !said.contains("firsthash"), "{form}: {said}");
    }
}

#[test]
fn no_piece_of_a_hash_is_told_of_a_line_that_lost_something() {
    const HASHES: [&str; 4] =
        ["$6$saltsalt$firsthashfirsthash", "abJnggxhB/yWI", "abJnggxhBsyWI", "{SSHA}YWJj+ZGVmZ2hp+amtsbW5v"];
    for (path, form) in [
        ("/etc/passwd", "bob:§:1000:1000:Bob:/home/bob:/bin/sh"),
        ("/etc/passwd", "bob:§:1000:1000:42:/home/bob:/bin/sh"),
        // A line of the shadow file where all can read it.
        ("/etc/passwd", "bob:§:19000:0:99999:7:::"),
        ("/etc/shadow", "bob:§:19000:0:99999:7:::"),
        ("/etc/shadow", "bob:§:::::::"),
        ("/etc/group", "sudo:§:27:bob"),
        ("/etc/group", "sudo:§:27:12"),
        ("/etc/gshadow", "sudo:§:bob:bob,eve"),
        ("/etc/gshadow", "sudo:§::"),
    ] {
        for hash in HASHES {
            let line = form.replace('§', hash);
            let before = format!("{line}\n");
            let (_, kept) = all_of(&mut users(), path, None, &before);
            let mut broken = vec![format!("{line}{line}")];
            for (at, byte) in line.bytes().enumerate() {
                let (front, back) = line.split_at(at);
                broken.extend(["\n", "\0"].map(|end| format!("{front}{end}{back}")));
                if byte == b':' {
                    broken.extend([" ", ";", ""].map(|sign| format!("{front}{sign}{}", &back[1..])));
                }
            }
            for broken in broken {
                let mut users = users();
                if path.ends_with("shadow") {
                    first(&mut users, "/etc/passwd", PASSWD);
                    first(&mut users, "/etc/group", "root:x:0:\nsudo:x:27:\n");
                }
                let (new, _) = all_of(&mut users, path, None, &format!("{broken}\n"));
                let (then, _) = all_of(&mut users, path, Some((&before, &kept)), &format!("{broken}\n"));
                for piece in hash.as_bytes().windows(8) {
                    let told = [&new, &then].iter().any(|all| all.windows(8).any(|window| window == piece));
                    assert!(!told, "{path} {broken:?}: {}", String::from_utf8_lossy(&then));
                }
            }
        }
    }
}
