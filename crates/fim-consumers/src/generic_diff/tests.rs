//! The consumer with made-up files.

use super::{DiffLimits, GenericDiff, GenericDiffConfig};
use crate::redact::{HIDDEN, Redactor};
use fim_core::{
    Answer, Change, Consumer, Context, Facts, FileKind, HashState, Key, Severity, Snapshot, Value,
};

mod apply;
mod canary;
mod golden;

pub(super) const PATH: &str = "/srv/app.conf";

pub(super) fn config() -> GenericDiffConfig {
    GenericDiffConfig::new(vec!["/srv".to_owned()], Key::new([7; 32]))
}

pub(super) fn facts(content: &[u8]) -> Facts {
    let mut facts = Facts::new(FileKind::File);
    facts.inode = 7;
    facts.mode = 0o644;
    facts.size = content.len() as u64;
    let key = Key::new([1; 32]);
    facts.blake3 = Some(key.derive("made up", content));
    facts
}

/// A file of a path, looked at again and again.
pub(super) struct File {
    pub consumer: GenericDiff,
    pub path: &'static str,
    pub before: Option<Facts>,
    pub kept: Option<Vec<u8>>,
}

impl File {
    pub fn new(config: GenericDiffConfig) -> Self {
        Self { consumer: GenericDiff::new(config), path: PATH, before: None, kept: None }
    }

    pub fn at(path: &'static str, config: GenericDiffConfig) -> Self {
        Self { path, ..Self::new(config) }
    }

    /// Looks, and goes on from there, as the engine does.
    pub fn look(&mut self, now: Snapshot) -> Answer {
        let mut cx = Context::new(self.before.as_ref(), self.kept.as_deref());
        self.consumer.inspect(&now, &mut cx).unwrap();
        let answer = cx.into_answer();
        self.kept = now.facts.as_ref().and_then(|_| answer.keep.clone().or(self.kept.take()));
        self.before = now.facts;
        answer
    }

    pub fn is(&mut self, content: &[u8]) -> Answer {
        self.look(Snapshot::new(self.path, facts(content), Some(content.to_vec())))
    }

    pub fn is_unread(&mut self, change: impl FnOnce(&mut Facts)) -> Answer {
        let mut facts = facts(b"");
        change(&mut facts);
        self.look(Snapshot::new(self.path, facts, None))
    }

    pub fn is_gone(&mut self) -> Answer {
        self.look(Snapshot::gone(self.path))
    }

    /// From now on looked at by another.
    pub fn with(mut self, config: GenericDiffConfig) -> Self {
        self.consumer = GenericDiff::new(config);
        self
    }
}

/// Changes in short, without sizes and hashes.
pub(super) fn said(answer: &Answer) -> Vec<String> {
    let value = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let said = |change: &Change| {
        let of: String = change.of.iter().map(|(name, of)| format!(" {name}={}", value(of))).collect();
        format!("{}{of}", change.what)
    };
    let is_own = |change: &&Change| !matches!(change.what.as_str(), "size" | "content");
    answer.changes.iter().filter(is_own).map(said).collect()
}

fn diff(answer: &Answer) -> &str {
    answer.diff.as_deref().unwrap_or_default()
}

#[test]
fn a_life() {
    let mut file = File::new(config());
    let created = file.is(b"a\nb\n");
    assert_eq!(said(&created), ["lines added=2 removed=0"]);
    assert_eq!(diff(&created), "@@ -0,0 +1,2 @@\n+a\n+b\n");
    let changed = file.is(b"a\nc\nc");
    assert_eq!(said(&changed), ["lines added=2 removed=1"]);
    assert_eq!(diff(&changed), "@@ -1,2 +1,3 @@\n a\n-b\n+c\n+c\n\\ No newline at end of file\n");
    assert_eq!(changed.severity, Some(Severity::Routine));
    let mut mode = facts(b"a\nc\nc");
    mode.mode = 0o4755;
    let answer = file.look(Snapshot::new(PATH, mode, Some(b"a\nc\nc".to_vec())));
    assert_eq!((said(&answer), diff(&answer)), (vec!["mode".to_owned()], ""));
    assert_eq!(answer.severity, Some(Severity::High));
    let deleted = file.is_gone();
    assert_eq!(said(&deleted), ["lines added=0 removed=3"]);
    assert_eq!(diff(&deleted), "@@ -1,3 +0,0 @@\n-a\n-c\n-c\n\\ No newline at end of file\n");
    assert_eq!(
        deleted.keep,
        Some(file.consumer.rules.kept(super::Held::Nothing(super::kept::Why::NoFile)).encode())
    );
}

#[test]
fn a_file_of_which_nothing_was_kept() {
    let mut file = File::new(config());
    file.before = Some(facts(b"a\n"));
    let answer = file.is(b"b\n");
    assert_eq!((said(&answer), diff(&answer)), (vec![], ""));
    assert_eq!(said(&file.is(b"c\n")), ["lines added=1 removed=1"]);
}

#[test]
fn what_was_kept_is_damaged() {
    let mut file = File::new(config());
    file.is(b"a\n");
    let before = facts(b"a\n");
    let mut cx = Context::new(Some(&before), Some(b"\xd1\x01"));
    let now = Snapshot::new(PATH, facts(b"b\n"), Some(b"b\n".to_vec()));
    assert!(file.consumer.inspect(&now, &mut cx).unwrap_err().0.contains("damaged"));
    let answer = cx.into_answer();
    assert!(answer.keep.is_some() && answer.diff.is_none());
}

#[test]
fn what_is_no_text() {
    let mut file = File::new(config());
    file.is(b"a\n");
    let answer = file.is(b"\x7fELF\0\0");
    assert_eq!((said(&answer), diff(&answer)), (vec!["binary".to_owned()], ""));
    assert_eq!(answer.severity, Some(Severity::High));
    let answer = file.is(b"\0another\n");
    assert_eq!((said(&answer), answer.severity), (vec!["binary".to_owned()], Some(Severity::Routine)));
    assert!(answer.changes.iter().any(|change| change.what == "content" && change.after.is_some()));
    assert_eq!(said(&file.is(b"b\n")), ["no_diff why=was_binary"]);
    let big = |facts: &mut Facts| facts.size = 9 << 20;
    assert_eq!(said(&file.is_unread(big)), [format!("too_big_for_diff size={} limit={}", 9 << 20, 1 << 20)]);
    // Only its mode: nothing is said of its size again.
    assert_eq!(said(&file.is_unread(|facts| (facts.size, facts.mode) = (9 << 20, 0o600))), ["mode"]);
    let answer = file.is(b"c\n");
    assert_eq!(said(&answer), ["mode", "lines added=1 removed=1", "diff_since_earlier"]);
    assert_eq!(diff(&answer), "@@ -1 +1 @@\n-b\n+c\n");
    assert_eq!(said(&file.is(b"d\n")), ["lines added=1 removed=1"]);
    let answer = file.is_unread(|facts| (facts.blake3, facts.hash_state) = (None, HashState::Unreadable));
    assert_eq!(said(&answer), ["no_diff why=unreadable"]);
    let answer = file.is_unread(|facts| facts.hash_state = HashState::Unstable);
    assert_eq!(said(&answer), ["no_diff why=unstable"]);
}

#[test]
fn what_is_no_file() {
    let mut file = File::new(config());
    let mut link = Facts::new(FileKind::Symlink);
    (link.inode, link.target) = (8, Some("/x".into()));
    assert_eq!(said(&file.look(Snapshot::new(PATH, link.clone(), None))), Vec::<String>::new());
    let answer = file.is(b"a\n");
    assert_eq!(said(&answer), ["type", "target", "mode", "lines added=1 removed=0"]);
    let answer = file.look(Snapshot::new(PATH, link, None));
    assert_eq!(said(&answer), ["type", "target", "mode", "lines added=0 removed=1"]);
    assert_eq!(said(&file.is_gone()), Vec::<String>::new());
}

#[test]
fn a_new_password_is_seen_and_not_shown() {
    let mut file = File::new(config());
    file.is(b"user = u\npassword = one\n");
    let answer = file.is(b"user = u\npassword = two\n");
    assert_eq!(said(&answer), ["lines added=1 removed=1", "redacted_changed lines=1"]);
    assert_eq!(diff(&answer), "@@ -1,2 +1,2 @@\n user = u\n-password = [redacted]\n+password = [redacted]\n");
    assert!(answer.changes.contains(&Change::new("content")), "no hashes: {:?}", answer.changes);
    let answer = file.is(b"user = v\npassword = two\n");
    assert_eq!(diff(&answer), "@@ -1,2 +1,2 @@\n-user = u\n+user = v\n password = [redacted]\n");
    assert_eq!(said(&answer), ["lines added=1 removed=1"]);
}

#[test]
fn another_key_is_no_alarm() {
    let mut other = config();
    other.key = Key::new([8; 32]);
    let mut file = File::new(config());
    file.is(b"user = u\npassword = one\n");
    let mut file = file.with(other.clone());
    let answer = file.is(b"user = v\npassword = two\n");
    assert_eq!(said(&answer), ["lines added=1 removed=1", "secrets_not_compared"]);
    assert_eq!(diff(&answer), "@@ -1,2 +1,2 @@\n-user = u\n+user = v\n password = [redacted]\n");
    // Kept anew, under the new key.
    assert_eq!(said(&file.is(b"user = v\npassword = three\n")).len(), 2);

    let mut without = config();
    without.keep_text = false;
    let mut file = File::new(without.clone());
    file.is(b"a\n");
    without.key = other.key;
    let mut file = file.with(without);
    assert_eq!(said(&file.is(b"b\n")), ["no_diff why=key_lost"]);
    assert_eq!(said(&file.is(b"c\n")), ["lines added=1 removed=1"]);
}

#[test]
fn without_text() {
    let mut without = config();
    without.keep_text = false;
    let mut file = File::new(without);
    file.is(b"a canary\nb\nc\n");
    let kept = file.kept.clone().unwrap();
    assert!(!kept.windows(6).any(|part| part == b"canary"));
    let answer = file.is(b"a canary\nd\nc\n");
    assert_eq!(said(&answer), ["lines added=1 removed=1"]);
    assert_eq!(diff(&answer), "@@ -1,3 +1,3 @@\n a canary\n-[not kept]\n+d\n c\n");
    let answer = file.is_gone();
    assert_eq!(diff(&answer), "@@ -1,3 +0,0 @@\n-[not kept]\n-[not kept]\n-[not kept]\n");
}

#[test]
fn what_is_kept_by_other_rules_is_hidden_by_these() {
    let mut file = File::new(config());
    file.is(b"pin 1234\nother\n");
    let mut stricter = config();
    stricter.redact = Redactor::parse(&["pin (.*)"]).unwrap();
    let mut file = file.with(stricter);
    let answer = file.is(b"pin 1234\nanother\n");
    assert_eq!(diff(&answer), "@@ -1,2 +1,2 @@\n pin [redacted]\n-other\n+another\n");
    let answer = file.is(b"pin 5678\nanother\n");
    assert_eq!(said(&answer), ["lines added=1 removed=1", "redacted_changed lines=1"]);
}

#[test]
fn password_databases_have_no_diff() {
    let shadow = b"root:$y$j9T$salt$qSGcgQdcCBsw7E3xTG8E04JDVqIe2O2OeFo4:19000:0:99999:7:::\nbin:*:19000:0:99999:7:::\n";
    // By content, whatever it is called.
    let mut file = File::new(config());
    file.is(b"a\n");
    let answer = file.is(shadow);
    assert_eq!((said(&answer), diff(&answer)), (vec!["no_diff why=secret".to_owned()], ""));
    assert_eq!(answer.severity, Some(Severity::High));
    assert!(answer.changes.contains(&Change::new("content")));
    let answer = file.is(b"b\n");
    assert_eq!(said(&answer), ["no_diff why=was_secret"]);
    assert!(answer.changes.contains(&Change::new("content")));
    // By name, whatever is in it.
    let mut file = File::at("/srv/shadow-", config());
    assert_eq!(said(&file.is(b"a\n")), ["no_diff why=secret"]);
    let answer = file.is(b"b\n");
    assert_eq!((said(&answer), diff(&answer)), (vec!["no_diff why=secret".to_owned()], ""));
    assert_eq!(answer.severity, Some(Severity::Routine));
    // A line of one in another file.
    let mut file = File::new(config());
    let answer = file.is(b"a\nb\nroot:!:19000:0:99999:7:::\n");
    assert_eq!(diff(&answer), "@@ -0,0 +1,3 @@\n+a\n+b\n+[redacted]\n");
}

#[test]
fn comments_and_blank_lines() {
    let mut quiet = config();
    (quiet.ignore_comments, quiet.ignore_blank) = (true, true);
    let mut file = File::at("/etc/sudoers", quiet.clone());
    file.is(b"# one\nroot ALL=(ALL) ALL\n");
    let answer = file.is(b"# two\n\nroot ALL=(ALL) ALL\n");
    assert_eq!((said(&answer), diff(&answer)), (vec!["lines_ignored added=2 removed=1".to_owned()], ""));
    assert_eq!(answer.severity, Some(Severity::Routine));
    let answer = file.is(b"# two\n\nroot ALL=(ALL) ALL\n#includedir /tmp/x\n");
    assert_eq!(said(&answer), ["lines added=1 removed=0"]);
    assert_eq!(answer.severity, Some(Severity::High));
    let answer = file.is(b"# 3\n\nroot ALL=(ALL) ALL\n#0 ALL=ALL\n");
    assert_eq!(said(&answer), ["lines added=2 removed=2"]);
}

#[test]
fn long_diffs_are_cut_and_it_is_said() {
    let mut short = config();
    short.limits = DiffLimits { lines: 3, line_bytes: 5, ..DiffLimits::default() };
    let mut file = File::new(short.clone());
    let answer = file.is(b"1\n2\n3\n4\n5\n");
    assert_eq!(diff(&answer), "@@ -0,0 +1,5 @@\n+1\n+2\n+3\n\\ Cut: 2 more lines\n");
    assert_eq!(said(&answer), ["lines added=5 removed=0", "diff_cut lines=5 limit=3"]);
    let answer = file.is(b"1234567\n2\n3\n4\n5\n");
    assert_eq!(
        diff(&answer),
        "@@ -1,4 +1,4 @@\n-1\n+12345\n\\ Cut: 5 of 7 bytes\n 2\n\\ Cut: 2 more lines\n"
    );
    short.limits = DiffLimits { bytes: 20, ..DiffLimits::default() };
    let mut file = File::new(short);
    let answer = file.is(b"1\n2\n3\n4\n5\n");
    assert_eq!(said(&answer), ["lines added=5 removed=0", "diff_cut lines=5 limit_bytes=20"]);
}

#[test]
fn how_much_it_matters() {
    for (path, severity) in [
        ("/mnt/etc/sudoers.d/x", Severity::High),
        ("/mnt/usr/share/doc/sudoers", Severity::Notable),
        ("/mnt/etc/ssh/sshd_config", Severity::Notable),
        ("/mnt/etc/pam.d/su", Severity::High),
        ("/mnt/var/spool/cron/crontabs/root", Severity::Notable),
        ("/mnt/etc/motd", Severity::Routine),
    ] {
        let mut file = File::at(path, config());
        assert_eq!(file.is(b"a\n").severity, Some(severity), "{path}");
        assert_eq!(file.is(b"b\n").severity, Some(severity), "{path}");
        assert_eq!(file.is_gone().severity, Some(severity), "{path}");
    }
}

#[test]
#[cfg(feature = "users")]
fn options_of_sshd_are_told_by_name() {
    for path in ["/etc/ssh/sshd_config", "/r/etc/ssh/sshd_config.d/a.conf"] {
        let mut file = File::at(path, config());
        let answer = file.is(b"Port 22\nPermitRootLogin no\n");
        assert_eq!(answer.severity, Some(Severity::High));
        let answer = file.is(b"Port 22\n# not so\nPermitRootLogin yes\n");
        assert_eq!(said(&answer), ["lines added=2 removed=1", "sshd_option option=permitrootlogin"]);
        let option = answer.changes.last().unwrap();
        assert_eq!((option.before.clone(), option.after.clone()), (Some("no".into()), Some("yes".into())));
        assert_eq!(answer.severity, Some(Severity::High));
        let answer = file.is(b"Port 23\n# not so\nPermitRootLogin yes\n");
        assert_eq!(said(&answer), ["lines added=1 removed=1", "sshd_option option=port"]);
        assert_eq!(answer.severity, Some(Severity::Notable));
        assert_eq!(said(&file.is(b"Port 23\nPermitRootLogin yes\n")), ["lines added=0 removed=1"]);
        assert_eq!(file.is_gone().severity, Some(Severity::High));
    }
    // What comes first wins, so an order may be all that is told otherwise.
    let mut file = File::at("/etc/ssh/sshd_config", config());
    file.is(b"PermitRootLogin no\nInclude x\n");
    let answer = file.is(b"Include x\nPermitRootLogin no\n");
    assert_eq!(
        (said(&answer), answer.severity),
        (vec!["lines added=1 removed=1".to_owned(), "order".to_owned()], Some(Severity::High))
    );
    // A name that sshd does not read.
    let dir = std::path::Path::new("/etc/ssh/sshd_config.d");
    let mut file = File::at("/etc/ssh/sshd_config.d/a.off", config());
    assert_eq!(said(&file.is(b"PermitRootLogin yes\n")), ["lines added=1 removed=0"]);
    let kept = file.kept.clone();
    for (from, to) in [("a.off", "a.conf"), ("a.conf", "a.off")] {
        let (from, to) = (dir.join(from), dir.join(to));
        let now = facts(b"PermitRootLogin yes\n");
        let mut cx = Context::new(Some(&now), kept.as_deref()).renamed(&from);
        let snapshot = Snapshot::new(&*to, now.clone(), Some(b"PermitRootLogin yes\n".to_vec()));
        file.consumer.inspect(&snapshot, &mut cx).unwrap();
        let answer = cx.into_answer();
        assert_eq!(
            (said(&answer), answer.severity),
            (vec!["sshd_option option=permitrootlogin".to_owned()], Some(Severity::High))
        );
    }
    // Of digests nobody can tell options.
    let mut file = File::at("/etc/ssh/sshd_config", GenericDiffConfig { keep_text: false, ..config() });
    file.is(b"PermitRootLogin no\n");
    assert_eq!(said(&file.is(b"PermitRootLogin yes\n")), ["lines added=1 removed=1"]);
}

#[test]
fn interest_is_what_was_configured() {
    let mut given = config();
    given.exclude = vec!["**/*.swp".into()];
    given.exclude_regex = vec!["tmp".into()];
    given.limits.file_bytes = u64::MAX;
    let interest = GenericDiff::new(given).interest();
    assert_eq!(interest.paths, ["/srv"]);
    assert_eq!(
        (interest.exclude.as_slice(), interest.exclude_regex.as_slice()),
        (&["**/*.swp".to_owned()][..], &["tmp".to_owned()][..])
    );
    assert_eq!(interest.need.content, Some(DiffLimits::MOST_FILE_BYTES));
    assert!(HIDDEN.len() < 12, "the bound of what is kept counts on it");
}
