//! The consumer as the engine calls it: what it asks for, keeps, recalls, and says of looks it cannot read.

mod certificates;
mod metadata;

use super::{Users, UsersConfig};
use fim_core::{Change, Consumer, Context, Facts, FileKind, HashState, Key, Severity, Snapshot, WatchSet};
use proptest::prelude::*;
use std::path::Path;

mod broken_lines;
mod secrecy;

const PASSWD: &str = "root:x:0:0::/root:/bin/bash\nbob:x:1000:1000::/home/bob:/bin/bash\n";
const SHADOW: &str = "root:*:19000::::::\nbob:$6$abc$EXAMPLE:19000::::::\n";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHIy0GHh2/9pDRrFwS8c8d2IbiNo4sDBssnIU6Zfi8KY bob\n";

fn users() -> Users {
    Users::new(UsersConfig::new(Key::new([7; 32])))
}

fn file(content: &[u8], mode: u32) -> Facts {
    let mut facts = Facts::new(FileKind::File);
    facts.inode = 7;
    facts.mode = mode;
    facts.size = content.len() as u64;
    facts.blake3 = Some(Key::new([0; 32]).derive("content", content));
    facts
}

struct Said {
    words: Vec<String>,
    severity: Severity,
    kept: Option<Vec<u8>>,
    anew: bool,
}

fn look(users: &mut Users, before: Option<(&Facts, Option<&[u8]>)>, snapshot: &Snapshot) -> Said {
    let mut cx = Context::new(before.map(|(facts, _)| facts), before.and_then(|(_, kept)| kept));
    users.inspect(snapshot, &mut cx).unwrap();
    let answer = cx.into_answer();
    let words = answer.changes.iter().map(|change: &Change| change.what.clone()).collect();
    Said { words, severity: answer.severity.unwrap(), kept: answer.keep, anew: answer.watch_anew }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A file as it is seen for the first time.
fn first(users: &mut Users, path: &str, content: &str) -> Said {
    let facts = file(content.as_bytes(), 0o600);
    look(users, None, &Snapshot::new(path, facts, Some(content.as_bytes().to_vec())))
}

/// From one content to another.
fn then(users: &mut Users, path: &str, kept: Option<&[u8]>, before: &str, after: &str) -> Said {
    let facts = file(after.as_bytes(), 0o600);
    let snapshot = Snapshot::new(path, facts, Some(after.as_bytes().to_vec()));
    look(users, Some((&file(before.as_bytes(), 0o600), kept)), &snapshot)
}

/// What is said of a file and kept of it, in clear.
fn all_of(users: &mut Users, path: &str, before: Option<(&str, &[u8])>, after: &str) -> (Vec<u8>, Vec<u8>) {
    let known = before.map(|(content, kept)| (file(content.as_bytes(), 0o600), kept));
    let mut cx = Context::new(known.as_ref().map(|(facts, _)| facts), known.as_ref().map(|(_, kept)| *kept));
    let snapshot = Snapshot::new(path, file(after.as_bytes(), 0o600), Some(after.as_bytes().to_vec()));
    users.inspect(&snapshot, &mut cx).unwrap();
    let answer = cx.into_answer();
    let kept = answer.keep.clone().unwrap();
    ([format!("{:?}", answer.changes).into_bytes(), kept.clone()].concat(), kept)
}

fn claims(users: &Users, path: &str) -> bool {
    WatchSet::new(vec![users.interest()]).unwrap().owner(Path::new(path)).is_some()
}

#[test]
fn homes_are_watched_once_accounts_are_known_and_for_good() {
    let mut users = users();
    assert!(claims(&users, "/etc/gshadow") && claims(&users, "/etc/ssh/sshd_config"));
    assert!(!claims(&users, "/home/bob/.ssh/authorized_keys"));
    let said = first(&mut users, "/etc/passwd", PASSWD);
    assert!(said.anew);
    assert_eq!(said.words, ["account_created", "account_created"]);
    for path in ["/home/bob/.ssh/authorized_keys", "/root/.ssh/authorized_keys2"] {
        assert!(claims(&users, path), "{path}");
    }
    assert!(!claims(&users, "/home/bob/.ssh/known_hosts"));
    let kept = said.kept.unwrap();
    let said = then(&mut users, "/etc/passwd", Some(&kept), PASSWD, "root:x:0:0::/root:/bin/bash\n");
    assert_eq!((said.words, said.anew), (owned(&["account_removed"]), false));
    assert!(claims(&users, "/home/bob/.ssh/authorized_keys"));
    let said = first(&mut users, "/home/bob/.ssh/authorized_keys", KEY);
    assert_eq!((said.words, said.severity), (owned(&["key_added"]), Severity::High));
}

#[test]
fn what_is_recalled_is_watched_without_a_look() {
    let mut before = users();
    let passwd = first(&mut before, "/etc/passwd", PASSWD).kept.unwrap();
    let main = first(&mut before, "/etc/ssh/sshd_config", "Include sshd_config.d/*.conf\n").kept.unwrap();
    let part =
        first(&mut before, "/etc/ssh/sshd_config.d/a.conf", "AuthorizedKeysFile /keys/%u\n").kept.unwrap();
    let mut users = users();
    users.recall(Path::new("/etc/ssh/sshd_config.d/a.conf"), &part);
    users.recall(Path::new("/etc/ssh/sshd_config"), &main);
    users.recall(Path::new("/etc/passwd"), &passwd);
    assert_eq!(users.interest(), before.interest());
    assert!(claims(&users, "/keys/bob"));
    // And it is known whose password it is.
    let said = first(&mut users, "/etc/shadow", "bob::19000::::::\n");
    assert_eq!(said.severity, Severity::Critical);
}

#[test]
fn a_file_that_was_another_consumers_holds_new_keys() {
    let mut users = users();
    first(&mut users, "/etc/passwd", PASSWD);
    first(&mut users, "/etc/ssh/sshd_config", "AuthorizedKeysFile /etc/keys/%u\n");
    let said = then(&mut users, "/etc/keys/bob", None, KEY, &format!("{KEY}# more\n"));
    assert_eq!((said.words, said.severity), (owned(&["key_added"]), Severity::High));
}

#[test]
fn what_sshd_includes_is_read_too() {
    let mut users = users();
    first(&mut users, "/etc/passwd", PASSWD);
    let said = first(
        &mut users,
        "/etc/ssh/sshd_config",
        "Include /etc/ssh/sshd_config.d/*.conf /srv/{a}/[[:alpha:]]/x\nMatch User b*\nAuthorizedKeysFile none /k/%u .keys\n",
    );
    assert!(said.anew);
    for (path, claimed) in [
        ("/etc/ssh/sshd_config.d/x.conf", true),
        ("/etc/ssh/sshd_config.d/x.bak", false),
        ("/srv/{a}/b/x", true),
        ("/srv/{a}/b/y", false),
        ("/srv/a/b/x", false),
        ("/k/bob", true),
        ("/k/root", false),
        ("/home/bob/.keys", true),
        ("/root/.keys", false),
        ("/root/.ssh/authorized_keys", true),
    ] {
        assert_eq!(claims(&users, path), claimed, "{path}");
    }
    let said = first(&mut users, "/etc/ssh/sshd_config.d/x.conf", "AuthorizedKeysFile /all/keys\n");
    assert_eq!((said.words, said.anew), (owned(&["sshd_option"]), true));
    let said = first(&mut users, "/all/keys", KEY);
    assert_eq!(said.severity, Severity::Critical);
    let gone = look(&mut users, Some((&file(b"", 0), None)), &Snapshot::gone("/etc/ssh/sshd_config"));
    assert_eq!((gone.words, gone.severity), (vec![], Severity::Notable));
}

#[test]
fn what_is_overheard_of_sshd_tells_where_keys_are() {
    let mut config = UsersConfig::new(Key::new([7; 32]));
    config.overhear_sshd = true;
    let mut users = Users::new(config);
    first(&mut users, "/etc/passwd", PASSWD);
    let mut overhear = |path: &str, content: &str| {
        let snapshot = Snapshot::new(path, file(content.as_bytes(), 0o600), Some(content.into()));
        let mut cx = Context::new(None, None);
        users.overhear(&snapshot, &mut cx);
        (cx.into_answer().watch_anew, users.interest())
    };
    let (anew, interest) = overhear("/etc/ssh/sshd_config", "Include x.conf\nAuthorizedKeysFile /k/%u\n");
    assert!(anew && interest.paths.contains(&"/k/bob".to_owned()));
    assert_eq!(interest.overhears, ["/etc/ssh/sshd_config", "/etc/ssh/x.conf"]);
    assert!(overhear("/etc/ssh/x.conf", "AuthorizedKeysFile /l/%u\n").0);
    assert!(!overhear("/etc/other", "AuthorizedKeysFile /m/%u\n").0);
}

#[test]
fn every_path_is_below_the_root() {
    let mut config = UsersConfig::new(Key::new([7; 32]));
    config.root = "/mnt/[1]".into();
    config.gshadow = String::new();
    let mut users = Users::new(config);
    first(&mut users, "/mnt/[1]/etc/passwd", "bob:x:1:1::/../../home/b*b:/bin/sh\n");
    first(&mut users, "/mnt/[1]/etc/ssh/sshd_config", "Include x/*\nAuthorizedKeysFile /k/%u\n");
    for (path, claimed) in [
        ("/mnt/[1]/etc/shadow", true),
        ("/mnt/[1]/etc/gshadow", false),
        ("/etc/shadow", false),
        ("/mnt/[1]/home/b*b/.ssh/authorized_keys", true),
        ("/mnt/[1]/home/bxb/.ssh/authorized_keys", false),
        ("/mnt/[1]/k/bob", true),
        ("/mnt/[1]/etc/ssh/x/y", true),
    ] {
        assert_eq!(claims(&users, path), claimed, "{path}");
    }
}

#[test]
fn a_home_that_is_not_utf8_is_watched() {
    use std::os::unix::ffi::OsStrExt;
    let mut users = users();
    let content = b"bob:x:1:1::/home/\xff\xfe:/bin/sh\n";
    let facts = file(content, 0o644);
    look(&mut users, None, &Snapshot::new("/etc/passwd", facts, Some(content.to_vec())));
    let home = std::ffi::OsStr::from_bytes(b"/home/\xff\xfe/.ssh/authorized_keys");
    let set = WatchSet::new(vec![users.interest()]).unwrap();
    assert!(set.owner(Path::new(home)).is_some());
    let snapshot = Snapshot::new(home, file(KEY.as_bytes(), 0o600), Some(KEY.as_bytes().to_vec()));
    assert_eq!(look(&mut users, None, &snapshot).words, ["key_added"]);
}

#[test]
fn a_file_that_could_not_be_read_is_said_to_be_so() {
    for (state, word) in [
        (HashState::TooBig, "too_big"),
        (HashState::Stable, "too_big"),
        (HashState::Unreadable, "unreadable"),
        (HashState::Unstable, "unstable"),
    ] {
        let mut users = users();
        let kept = first(&mut users, "/etc/passwd", PASSWD).kept.unwrap();
        let mut facts = file(b"?", 0o600);
        facts.hash_state = state;
        let before = file(PASSWD.as_bytes(), 0o600);
        let said = look(&mut users, Some((&before, Some(&kept))), &Snapshot::new("/etc/passwd", facts, None));
        assert_eq!((said.words, said.severity), (owned(&[word]), Severity::High));
        assert!(said.kept.is_none() && !said.anew);
        assert!(claims(&users, "/home/bob/.ssh/authorized_keys"));
    }
}

#[test]
fn a_link_is_told_by_itself() {
    let mut users = users();
    first(&mut users, "/etc/passwd", PASSWD);
    let mut facts = Facts::new(FileKind::Symlink);
    (facts.inode, facts.target) = (8, Some("/tmp/x".into()));
    let path = "/home/bob/.ssh/authorized_keys";
    let said = look(&mut users, Some((&file(b"", 0o600), None)), &Snapshot::new(path, facts, None));
    assert!(said.words.contains(&"type".to_owned()) && said.words.contains(&"target".to_owned()));
    assert_eq!(said.severity, Severity::High);
}

#[test]
fn what_cannot_be_compared_is_kept_and_only_said_to_be_other() {
    for kept in [None, Some(&b""[..]), Some(b"foreign"), Some(&[0xf5, b'u', 1, 1, 0, 0, 0, 0, 9, 9])] {
        let mut users = users();
        let said = then(&mut users, "/etc/passwd", kept, "", PASSWD);
        assert_eq!(said.words, ["content"], "{kept:?}");
        let again = then(&mut users, "/etc/passwd", said.kept.as_deref(), PASSWD, PASSWD);
        assert_eq!((again.words, again.severity), (vec![], Severity::Routine));
    }
}

#[test]
fn another_key_is_no_alarm_but_said() {
    let kept = first(&mut users(), "/etc/shadow", SHADOW).kept.unwrap();
    let mut other = Users::new(UsersConfig::new(Key::new([8; 32])));
    let after = SHADOW.replace("EXAMPLE", "OTHER") + "eve:!:19000::::::\n";
    let said = then(&mut other, "/etc/shadow", Some(&kept), SHADOW, &after);
    assert_eq!(said.words, ["password_entry_added", "secrets_not_compared"]);
    let unchanged = then(&mut other, "/etc/shadow", Some(&kept), SHADOW, SHADOW);
    assert!(unchanged.words.is_empty());
    let emptied = SHADOW.replace("$6$abc$EXAMPLE", "");
    let said = then(&mut other, "/etc/shadow", Some(&kept), SHADOW, &emptied);
    assert_eq!(said.words, ["password_emptied", "secrets_not_compared"]);
}

#[test]
fn a_file_that_comes_back_is_compared_with_the_one_that_went() {
    let mut users = users();
    let kept = first(&mut users, "/etc/passwd", PASSWD).kept.unwrap();
    let before = file(PASSWD.as_bytes(), 0o600);
    let said = look(&mut users, Some((&before, Some(&kept))), &Snapshot::gone("/etc/passwd"));
    assert_eq!((said.words.len(), said.severity), (0, Severity::High));
    let after = PASSWD.replace("1000:1000", "0:1000");
    let said = first(&mut users, "/etc/passwd", &after);
    assert_eq!(said.words, ["uid", "duplicate_uid"]);
}

#[test]
fn blank_lines_and_a_missing_end_are_no_change_of_accounts() {
    let mut users = users();
    let kept = first(&mut users, "/etc/passwd", PASSWD).kept;
    for after in [PASSWD.trim_end().to_owned(), PASSWD.replace('\n', "\n\n")] {
        assert_eq!(then(&mut users, "/etc/passwd", kept.as_deref(), PASSWD, &after).words, ["content"]);
    }
}

#[test]
fn what_matters_is_listed_however_much_else_there_is() {
    let mut users = users();
    let kept = first(&mut users, "/etc/passwd", PASSWD).kept;
    let mut after = PASSWD.to_owned();
    for uid in 2000..12000 {
        after += &format!("u{uid}:x:{uid}:1::/home/u{uid}:/bin/sh\n");
    }
    after += "toor:x:0:0::/:/bin/sh\n";
    let said = then(&mut users, "/etc/passwd", kept.as_deref(), PASSWD, &after);
    assert_eq!(said.severity, Severity::Critical);
    assert_eq!(said.words.len(), 1000 + 2 + 1);
    assert_eq!(said.words.last().unwrap(), "more_changes");
}

proptest! {
    #[test]
    fn any_bytes_do_in_any_file_before_and_after(
        before in prop::collection::vec(any::<u8>(), 0..200),
        after in r"[rob\-+:0-9/*{\[\\%,$! \n\r=#'\x00\xff]{0,200}",
        path in prop::sample::select(vec![
            "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/ssh/sshd_config", "/r/.ssh/authorized_keys",
            "/r",
        ]),
    ) {
        let mut users = users();
        first(&mut users, "/etc/passwd", "r:x:0:0::/r:/bin/sh\n");
        first(&mut users, "/etc/ssh/sshd_config", "AuthorizedPrincipalsFile /%u\n");
        users.recall(Path::new(path), &before);
        let text = String::from_utf8_lossy(&before).into_owned();
        let kept = first(&mut users, path, &text).kept;
        then(&mut users, path, kept.as_deref(), &text, &after);
        then(&mut users, path, Some(&before), &text, &after);
        prop_assert!(WatchSet::new(vec![users.interest()]).is_ok());
    }

    #[test]
    fn whatever_was_kept_is_understood_or_taken_for_nothing(
        cut in 0_usize..200, at in 0_usize..200, byte: u8,
        path in prop::sample::select(vec!["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow"]),
    ) {
        let mut users = users();
        let mut kept = first(&mut users, path, &format!("{PASSWD}+x\n{SHADOW}")).kept.unwrap();
        kept.truncate(cut.max(4));
        if let Some(old) = kept.get_mut(at) {
            *old = byte;
        }
        users.recall(Path::new(path), &kept);
        then(&mut users, path, Some(&kept), PASSWD, SHADOW);
    }
}
