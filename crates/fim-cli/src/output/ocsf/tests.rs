//! Every kind of line, held against what OCSF requires and against what single fields mean.

use super::*;
use fim_core::{
    BaselineLost, Degree, Facts, FileKind, FileTime, Gap, HashState, Parent, Reloaded, Started, Stopped,
    Tampering, Xattr,
};
use serde_json::Value as Json;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let text = include_str!("../../../tests/ocsf.schema.json");
    jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
});

fn line_of(record: Record) -> Json {
    let created = SystemTime::UNIX_EPOCH + Duration::from_millis(1_709_210_097_000);
    let mut ocsf = Ocsf::new(Path::new("/nonexistent"), Redactor::new(vec![]));
    ocsf.run = 1;
    let line = String::from_utf8(ocsf.line(&Report { sequence: 7, created, record }).unwrap()).unwrap();
    assert!(!line.chars().any(char::is_control), "{line}");
    let json: Json = serde_json::from_str(&line).unwrap();
    let class = json["class_uid"].as_u64().unwrap();
    let activity = json["activity_id"].as_u64().unwrap();
    assert_eq!(json["type_uid"].as_u64().unwrap(), class * 100 + activity);
    let faults: Vec<String> = SCHEMA.iter_errors(&json).map(|e| e.to_string()).collect();
    assert!(faults.is_empty(), "{faults:#?}\n{line}");
    json
}

fn facts() -> Facts {
    let mut facts = Facts::new(FileKind::File);
    (facts.mode, facts.size, facts.inode) = (0o644, 12, 99);
    facts.mtime = FileTime { seconds: -1, nanos: 5_000_000 };
    (facts.blake3, facts.sha256) = (Some([0xab; 32]), Some([0xcd; 32]));
    facts
}

fn finding(action: Action, path: &str) -> Finding {
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_709_210_096_007);
    let mut finding = Finding::new(action, "generic", path, at);
    finding.before = Some(facts());
    finding.after = Some(facts());
    finding
}

fn written(finding: Finding) -> Json {
    line_of(Record::Change(Box::new(finding)))
}

#[test]
fn a_change_with_everything_known() {
    let mut finding = finding(Action::Moved, "/etc/new.conf");
    finding.severity = Severity::Critical;
    finding.previous_path = Some("/etc/old.conf".into());
    finding.changes = vec![fim_core::Change::new("touched")];
    finding.diff = Some("-a\n+b\n".into());
    finding.id = [0xef; 16];
    let mut parent = Parent::new(1);
    parent.executable = Some("/sbin/init".into());
    let mut actor = fim_core::Actor::new(42);
    actor.start = Some(finding.at);
    (actor.uid, actor.gid, actor.login_uid, actor.session) = (Some(0), Some(0), Some(1000), Some(3));
    (actor.name, actor.executable) = (Some("mv".into()), Some("/bin/mv".into()));
    actor.args = vec!["mv".into(), "--password".into(), "hunter2".into(), "a b".into()];
    let pod = "pod8dbc6d7c-2d6a-4cc1-9b0f-3c1a2b4d5e6f";
    actor.cgroup = Some(format!("/kubepods/{pod}/crio-{}", "0f".repeat(32)));
    actor.parent = Some(parent);
    finding.actors = vec![Arc::new(actor)];
    let line = written(finding);
    for (pointer, expected) in [
        ("/class_uid", 1001.into()),
        ("/type_uid", 100_105.into()),
        ("/type_name", "File System Activity: Rename".into()),
        ("/time", 1_709_210_096_007_u64.into()),
        ("/severity_id", 5.into()),
        ("/message", "moved /etc/new.conf: touched: nothing moved but its times".into()),
        ("/metadata/uid", "ef".repeat(16).into()),
        ("/metadata/sequence", 7.into()),
        ("/metadata/log_name", "fim.generic".into()),
        ("/metadata/logged_time", 1_709_210_097_000_u64.into()),
        ("/file/path", "/etc/old.conf".into()),
        ("/file_result/path", "/etc/new.conf".into()),
        ("/file_result/name", "new.conf".into()),
        ("/file_result/ext", "conf".into()),
        ("/file_result/parent_folder", "/etc".into()),
        ("/file_result/uid", "99".into()),
        ("/file_result/modified_time", (-995).into()),
        ("/file_result/hashes/0/algorithm_id", 99.into()),
        ("/file_result/hashes/0/value", "ab".repeat(32).into()),
        ("/file_result/hashes/1/algorithm_id", 3.into()),
        ("/file_diff", "-a\n+b\n".into()),
        ("/actor/process/pid", 42.into()),
        ("/actor/process/cmd_line", "mv --password [redacted] 'a b'".into()),
        ("/actor/process/file/path", "/bin/mv".into()),
        ("/actor/process/auid", 1000.into()),
        ("/actor/process/container/uid", "0f".repeat(32).into()),
        ("/actor/process/container/runtime", "cri-o".into()),
        ("/actor/process/container/orchestrator", "kubernetes".into()),
        ("/actor/process/container/pod_uuid", "8dbc6d7c-2d6a-4cc1-9b0f-3c1a2b4d5e6f".into()),
        ("/actor/process/parent_process/file/name", "init".into()),
        ("/actor/user/uid", "0".into()),
        ("/actor/session/uid", "3".into()),
        ("/unmapped/fim/previous/path", "/etc/old.conf".into()),
        ("/unmapped/fim/changes/0/what", "touched".into()),
    ] {
        assert_eq!(line.pointer(pointer), Some(&expected), "{pointer} {line}");
    }
}

#[test]
fn activities() {
    let security = |change: fn(&mut Facts)| {
        let mut finding = finding(Action::AttributesModified, "/w/a");
        change(finding.after.as_mut().unwrap());
        finding
    };
    let xattr = |name: &str| vec![Xattr { name: name.to_owned(), digest: [1; 16] }];
    let acl = xattr("system.posix_acl_access");
    let mut with_acl = finding(Action::AttributesModified, "/w/a");
    with_acl.after.as_mut().unwrap().xattrs = acl;
    let mut with_note = finding(Action::AttributesModified, "/w/a");
    with_note.after.as_mut().unwrap().xattrs = xattr("user.note");
    for (finding, activity) in [
        (finding(Action::Created, "/w/a"), 1),
        (finding(Action::Updated, "/w/a"), 3),
        (finding(Action::Deleted, "/w/a"), 4),
        (finding(Action::Moved, "/w/a"), 5),
        (security(|after| after.flags = 0x10), 6),
        (security(|after| after.mode = 0o4755), 7),
        (security(|after| after.uid = 7), 7),
        (with_acl, 7),
        (with_note, 6),
    ] {
        assert_eq!(written(finding)["activity_id"], activity);
    }
}

#[test]
fn little_is_known_and_nothing_is_invented() {
    let mut gone = finding(Action::Deleted, "/");
    (gone.before, gone.after, gone.hash_state) = (None, None, HashState::Gone);
    let line = written(gone);
    assert_eq!(line["file"]["is_deleted"], true);
    assert_eq!(line["file"]["type_id"], 0);
    assert_eq!(line["actor"]["user"]["type_id"], 0);
    assert!(line["actor"].get("process").is_none() && line.get("file_result").is_none(), "{line}");
    let secret = written(finding(Action::Updated, "/etc/shadow"));
    assert!(!secret.to_string().contains(&"ab".repeat(32)), "{secret}");
    for kind in [FileKind::Dir, FileKind::Symlink, FileKind::Fifo, FileKind::Socket, FileKind::CharDevice] {
        let mut special = finding(Action::Created, "/w/\u{2028}\n");
        special.after.as_mut().unwrap().kind = kind;
        written(special);
    }
}

#[test]
fn the_life_of_the_agent_and_its_alerts() {
    let mut started = Started::default();
    started.coverage = [("write", Degree::Full)].into();
    let mut gap = Gap::default();
    (gap.id, gap.cause, gap.scope, gap.lost, gap.found) = (3, "ring_full".into(), "all".into(), 17, 2);
    let mut lost = BaselineLost::default();
    (lost.reason, lost.scope) = ("damaged".into(), "all".into());
    for (record, class, activity, severity) in [
        (Record::WatchStarted(started), 6002, 3, 1),
        (Record::WatchStopped(Stopped::default()), 6002, 4, 1),
        (Record::ConfigReloaded(Reloaded::default()), 6002, 8, 1),
        (Record::CoverageGap(gap.clone()), 2004, 1, 4),
        (Record::GapClosed(gap), 2004, 3, 3),
        (Record::BaselineLost(lost), 2004, 1, 5),
        (Record::Tampering(Tampering::new("process", "stopped")), 2004, 1, 5),
    ] {
        let line = line_of(record);
        assert_eq!((line["class_uid"].as_u64(), line["activity_id"].as_u64()), (Some(class), Some(activity)));
        assert_eq!(line["severity_id"], severity);
        if class == 2004 && activity != 1 || severity == 4 {
            assert_eq!(line["finding_info"]["uid"], "gap-1-3");
            assert_eq!(line["unmapped"]["fim"]["gap"]["lost"], 17);
        }
    }
}
