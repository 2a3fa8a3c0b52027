//! Every kind of line, held against the schema and against what the contract says of single fields.

use super::*;
use fim_core::{
    Actor, BaselineLost, Change, Degree, Detected, Explanation, Facts, FileKind, FileTime, Gap, HashState,
    Parent, Reloaded, Severity, Started, Stopped, Tampering, Value, Via, Xattr,
};
use serde_json::Value as Json;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let text = include_str!("../../../../../docs/events.schema.json");
    jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
});

fn text(ecs: &mut Ecs, report: &Report) -> String {
    let mut line = Vec::new();
    ecs.line(report, &mut line).unwrap();
    String::from_utf8(line).unwrap()
}

fn line_of(record: Record) -> Json {
    let report =
        Report { sequence: 7, created: SystemTime::UNIX_EPOCH + Duration::new(1_709_210_097, 0), record };
    let mut ecs = Ecs::new(Path::new("/nonexistent"), Redactor::new(vec![])).unwrap();
    let line = text(&mut ecs, &report);
    assert!(!line.chars().any(char::is_control), "{line}");
    let json: Json = serde_json::from_str(&line).unwrap();
    let faults: Vec<String> = SCHEMA.iter_errors(&json).map(|e| e.to_string()).collect();
    assert!(faults.is_empty(), "{faults:#?}\n{line}");
    json
}

fn at() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::new(1_709_210_096, 6)
}

fn facts() -> Facts {
    let mut facts = Facts::new(FileKind::File);
    facts.mode = 0o644;
    facts.uid = 1000;
    facts.gid = 0;
    facts.size = 12;
    facts.inode = u64::MAX;
    facts.device = rustix::fs::makedev(8, 1);
    facts.mtime = FileTime { seconds: -1, nanos: 5 };
    facts.blake3 = Some([0xab; 32]);
    facts
}

fn finding(action: Action, path: impl Into<PathBuf>) -> Finding {
    let mut finding = Finding::new(action, "generic", path, at());
    finding.after = Some(facts());
    finding
}

fn written(finding: Finding) -> Json {
    line_of(Record::Change(Box::new(finding)))
}

fn full_actor() -> Actor {
    let mut parent = Parent::new(1);
    parent.start = Some(at());
    parent.name = Some("init".into());
    parent.executable = Some("/sbin/init".into());
    let mut actor = Actor::new(42);
    actor.start = Some(at());
    actor.uid = Some(0);
    actor.login_uid = Some(1000);
    actor.name = Some("vi\nm".into());
    actor.executable = Some("/usr/bin/vim".into());
    actor.args = vec!["vim".into(), "--password".into(), "hunter2".into()];
    let pod = "kubepods-pod8dbc6d7c_2d6a_4cc1_9b0f_3c1a2b4d5e6f.slice";
    actor.cgroup = Some(format!("/kubepods.slice/{pod}/cri-containerd-{}.scope", "0f".repeat(32)));
    actor.parent = Some(parent);
    actor
}

#[test]
fn a_change_with_everything_known() {
    let mut before = facts();
    before.mode = 0o4755;
    before.flags = 0x10 | 0x8_0000;
    before.rdev = rustix::fs::makedev(1, 3);
    before.target = Some(OsString::from_vec(b"t\xff".to_vec()).into());
    before.sha256 = Some([1; 32]);
    before.xattrs = vec![Xattr { name: "security.capability".into(), digest: [2; 16] }];
    let mut finding = finding(Action::Updated, "/etc/fim/fim.toml");
    finding.severity = Severity::High;
    finding.detected = Detected::Scan;
    finding.via = Some(Via::IoUring);
    finding.before = Some(before);
    finding.previous_path = Some("/etc/old".into());
    finding.moved_to = Some("/tmp/new".into());
    finding.hash_state = HashState::Unstable;
    finding.changes = vec![
        Change::from_to("uid", 1000_u32, 0_u32).of("user", "bob").of("what", true),
        Change::from_to("keys", Value::List(vec!["a".into()]), Value::Null),
        Change::new("touched"),
    ];
    finding.diff = Some("-a\n+b\n".into());
    finding.actors = vec![Arc::new(Actor::new(9)), Arc::new(full_actor())];
    finding.writes = 3;
    let of =
        vec![("manager", "dpkg".to_owned()), ("package", "fim".to_owned()), ("version", "1-2".to_owned())];
    finding.explained_by = Some(Explanation { by: "package", of, lowers: true });
    finding.id = [0xcd; 16];
    let line = written(finding);

    for (pointer, expected) in [
        ("/@timestamp", "2024-02-29T12:34:56.000000006Z".into()),
        ("/event/kind", "event".into()),
        ("/event/action", "updated".into()),
        ("/event/type", vec!["change"].into()),
        ("/event/dataset", "fim.generic".into()),
        ("/event/module", "fim".into()),
        ("/event/severity", 70.into()),
        ("/event/sequence", 7.into()),
        ("/event/id", "cd".repeat(16).into()),
        ("/event/created", "2024-02-29T12:34:57.000000000Z".into()),
        ("/agent/type", "fim".into()),
        ("/file/path", "/etc/fim/fim.toml".into()),
        ("/file/name", "fim.toml".into()),
        ("/file/directory", "/etc/fim".into()),
        ("/file/extension", "toml".into()),
        ("/file/type", "file".into()),
        ("/file/inode", u64::MAX.to_string().into()),
        ("/file/device", "8:1".into()),
        ("/file/uid", "1000".into()),
        ("/file/mode", "0644".into()),
        ("/file/size", 12.into()),
        ("/file/mtime", "1969-12-31T23:59:59.000000005Z".into()),
        ("/file/hash/blake3", "ab".repeat(32).into()),
        ("/process/pid", 42.into()),
        ("/process/name", "vi\nm".into()),
        ("/process/args/2", "[redacted]".into()),
        ("/process/parent/pid", 1.into()),
        ("/user/id", "0".into()),
        ("/container/id", "0f".repeat(32).into()),
        ("/container/runtime", "containerd".into()),
        ("/orchestrator/type", "kubernetes".into()),
        ("/orchestrator/resource/type", "pod".into()),
        ("/orchestrator/resource/id", "8dbc6d7c-2d6a-4cc1-9b0f-3c1a2b4d5e6f".into()),
        ("/fim/detected", "scan".into()),
        ("/fim/via", "io_uring".into()),
        ("/fim/hash_state", "unstable".into()),
        ("/fim/login_uid", 1000.into()),
        ("/fim/writes", 3.into()),
        ("/fim/explained_by/by", "package".into()),
        ("/fim/explained_by/version", "1-2".into()),
        ("/fim/previous/path", "/etc/old".into()),
        ("/fim/moved_to", "/tmp/new".into()),
        ("/fim/before/mode", "4755".into()),
        ("/fim/before/attributes", vec!["immutable"].into()),
        ("/fim/before/hash/sha256", "01".repeat(32).into()),
        ("/fim/before/target_path_raw", "dP8=".into()),
        ("/fim/before/xattrs/security.capability", "02".repeat(16).into()),
        ("/fim/after/mode", "0644".into()),
        ("/fim/changes/0/what", "uid".into()),
        ("/fim/changes/0/user", "bob".into()),
        ("/fim/changes/0/of_what", true.into()),
        ("/fim/changes/0/before", 1000.into()),
        ("/fim/changes/0/after", 0.into()),
        ("/fim/changes/1/after", Json::Null),
        ("/fim/actors/0/process/pid", 9.into()),
        ("/fim/actors/1/login_uid", 1000.into()),
    ] {
        assert_eq!(line.pointer(pointer), Some(&expected), "{pointer}");
    }
}

#[test]
fn what_is_unknown_is_absent() {
    let line = written(Finding::new(Action::Deleted, "users", "/x/y", at()));
    assert_eq!(line["event"]["type"][0], "deletion");
    assert_eq!(line["event"]["category"], serde_json::json!(["file", "iam"]));
    assert_eq!(line["file"].as_object().unwrap().len(), 3, "path, name, directory");
    for absent in ["process", "user", "container", "orchestrator"] {
        assert_eq!(line.get(absent), None);
    }
    for absent in ["via", "before", "after", "diff", "previous", "moved_to", "login_uid", "writes", "actors"]
    {
        assert_eq!(line["fim"].get(absent), None, "{absent}");
    }
    let mut actor = Actor::new(3);
    actor.login_uid = Some(u32::MAX);
    let mut finding = finding(Action::Created, "/x");
    finding.actors.push(Arc::new(actor));
    let line = written(finding);
    assert_eq!(line["process"], serde_json::json!({"pid": 3}));
    assert_eq!(line["fim"].get("login_uid"), None);
    assert_eq!(line["fim"].get("actors"), None, "one writer is the process itself");
}

#[test]
fn every_action_kind_and_state() {
    for action in
        [Action::Created, Action::Updated, Action::Deleted, Action::Moved, Action::AttributesModified]
    {
        for kind in [
            FileKind::File,
            FileKind::Dir,
            FileKind::Symlink,
            FileKind::Fifo,
            FileKind::Socket,
            FileKind::CharDevice,
            FileKind::BlockDevice,
        ] {
            for state in [HashState::Stable, HashState::TooBig, HashState::Unreadable, HashState::Gone] {
                let mut finding = Finding::new(action, "access", "/a.b", at());
                finding.before = Some(Facts::new(kind));
                finding.hash_state = state;
                finding.detected = Detected::Startup;
                let line = written(finding);
                assert_eq!(line["event"]["action"], action.as_str());
                assert_eq!(line["file"]["type"], kind.as_str());
                assert_eq!(line["file"].get("size").is_none(), kind == FileKind::Dir);
                assert_eq!(line["file"].get("hash"), None);
            }
        }
    }
}

#[test]
fn hostile_names_round_trip() {
    for name in [
        "a\nb",
        "\"quoted\\",
        "\u{2028}\u{2029}\u{85}",
        "\u{1b}[2J\u{9b}31m\u{7f}",
        "\u{202e}cod.exe",
        "\r\0\u{1}",
        " ",
        "é🦀",
    ] {
        let path = format!("/w/{name}");
        let line = written(finding(Action::Created, &path));
        assert_eq!(line["file"]["path"], path);
        assert_eq!(line["fim"].get("raw_path"), None);
    }
    let raw = |bytes: &[u8]| PathBuf::from(OsString::from_vec(bytes.to_vec()));
    let mut finding = finding(Action::Moved, raw(b"/w/\xff\xfe"));
    finding.previous_path = Some(raw(b"/w/\xfd"));
    finding.moved_to = Some(raw(b"/w/\xfc"));
    let line = written(finding);
    assert_eq!(line["file"]["path"], "/w/\u{fffd}\u{fffd}");
    assert_eq!(line["fim"]["raw_path"], "L3cv//4=");
    assert_eq!(line["fim"]["previous"]["path_raw"], "L3cv/Q==");
    assert_eq!(line["fim"]["moved_to_raw"], "L3cv/A==");
}

#[test]
fn hashes_of_secret_files_stay_in() {
    let digest = "ab".repeat(32);
    for (path, previous) in [("/etc/shadow", None), ("/tmp/x", Some("/etc/shadow"))] {
        let mut finding = finding(Action::Updated, path);
        finding.previous_path = previous.map(PathBuf::from);
        finding.before = Some(facts());
        finding.changes = vec![
            Change::from_to("content", digest.as_str(), format!("blake3:{digest}")),
            Change::from_to("hashes", Value::List(vec![digest.as_str().into()]), Value::Null),
        ];
        let line = written(finding);
        assert!(!line.to_string().contains(&digest), "{line}");
        assert_eq!(line["fim"]["changes"][0]["before"], "[redacted]");
    }
}

#[test]
fn the_lines_about_the_watch_itself() {
    let mut started = Started::default();
    started.watcher = "bpf".into();
    started.coverage = [("write", Degree::Full), ("mmap", Degree::Late), ("mount", Degree::None)].into();
    started.notes = vec!["fentry".into()];
    let line = line_of(Record::WatchStarted(started));
    assert_eq!(line["event"]["action"], "watch_started");
    assert_eq!(line["event"]["kind"], "state");
    assert_eq!(
        line["fim"]["coverage"],
        serde_json::json!({"mmap": "late", "mount": "none", "write": "full"})
    );

    let mut stopped = Stopped::default();
    stopped.by_consumer = [("generic", 2)].into();
    let line = line_of(Record::WatchStopped(stopped));
    assert_eq!(line["event"]["action"], "watch_stopped");
    assert_eq!(line["fim"]["counts"]["by_consumer"]["generic"], 2);

    let mut reloaded = Reloaded::default();
    (reloaded.gained, reloaded.gained_count, reloaded.learned) = (vec!["/srv".into()], 1, 17);
    let line = line_of(Record::ConfigReloaded(reloaded.clone()));
    assert_eq!(
        (&line["event"]["action"], &line["event"]["kind"]),
        (&"config_reloaded".into(), &"state".into())
    );
    assert_eq!(line["fim"]["reload"]["gained"], serde_json::json!(["/srv"]));
    assert_eq!(
        (&line["fim"]["reload"]["result"], &line["fim"]["reload"]["learned"]),
        (&"applied".into(), &17.into())
    );
    reloaded.refused = Some("fim.toml:3: no".into());
    let line = line_of(Record::ConfigReloaded(reloaded));
    assert_eq!(line["fim"]["reload"], serde_json::json!({"result": "refused", "reason": "fim.toml:3: no"}));
    assert_eq!(line["event"]["severity"], 40);

    let mut gap = Gap::default();
    gap.id = 3;
    gap.cause = "ring_full".into();
    gap.scope = "all".into();
    gap.found = 5;
    let line = line_of(Record::CoverageGap(gap.clone()));
    assert_eq!(line["event"]["kind"], "alert");
    assert_eq!(line["event"]["action"], "coverage_gap");
    assert_eq!(line["fim"]["gap"].get("found"), None, "nobody has looked yet");
    let line = line_of(Record::GapClosed(gap));
    assert_eq!(line["event"]["action"], "gap_closed");
    assert_eq!(line["fim"]["gap"]["found"], 5);

    let mut lost = BaselineLost::default();
    lost.set_aside = Some("/var/lib/fim.damaged".into());
    let line = line_of(Record::BaselineLost(lost));
    assert_eq!(line["event"]["action"], "baseline_lost");
    assert_eq!(line["event"]["severity"], 90);
    assert_eq!(line["fim"]["baseline"]["set_aside"], "/var/lib/fim.damaged");

    let mut tampering = Tampering::new("process", "it was stopped");
    tampering.lasted = Some(Duration::from_secs(7));
    let line = line_of(Record::Tampering(tampering.clone()));
    assert_eq!((&line["event"]["action"], &line["event"]["kind"]), (&"tampering".into(), &"alert".into()));
    assert_eq!(
        line["fim"]["tampering"],
        serde_json::json!({"against": "process", "reason": "it was stopped", "lasted": 7000})
    );
    (tampering.path, tampering.change) = (Some("/usr/bin/fim".into()), Some([0xab; 16]));
    let line = line_of(Record::Tampering(tampering));
    assert_eq!(line["fim"]["tampering"]["change"], "ab".repeat(16));
}

#[test]
fn the_schema_refuses_what_is_no_line() {
    let good = written(finding(Action::Created, "/a"));
    type Spoil = fn(&mut Json);
    let spoil: [Spoil; 6] = [
        |line| line["event"]["action"] = "renamed".into(),
        |line| line["extra"] = 1.into(),
        |line| line["file"]["inode"] = 5.into(),
        |line| line["file"]["mode"] = "644".into(),
        |line| line["event"]["action"] = "watch_stopped".into(),
        |line| line["fim"]["hash_state"] = "fine".into(),
    ];
    for spoil in spoil {
        let mut line = good.clone();
        spoil(&mut line);
        assert!(!SCHEMA.is_valid(&line), "{line}");
    }
    assert!(!SCHEMA.is_valid(&serde_json::json!({})));
}

#[test]
fn the_order_of_fields_is_stable() {
    let report = Report {
        sequence: 1,
        created: at(),
        record: Record::Change(Box::new(finding(Action::Created, "/a"))),
    };
    let mut ecs = Ecs::new(Path::new("/"), Redactor::new(vec![])).unwrap();
    let line = text(&mut ecs, &report);
    let order =
        ["{\"@timestamp\":", "\"event\":", "\"host\":", "\"agent\":", "\"ecs\":", "\"file\":", "\"fim\":"];
    let places: Vec<usize> = order.iter().map(|key| line.find(key).unwrap()).collect();
    assert!(places.is_sorted(), "{line}");
    assert_eq!(line, text(&mut ecs, &report));
}

#[test]
fn each_line_names_its_own_process() {
    let mut ecs = Ecs::new(Path::new("/nonexistent"), Redactor::new(vec![])).unwrap();
    let [one, other] = [Actor::new(1), full_actor()].map(Arc::new);
    for actors in [vec![Arc::clone(&one)], vec![Arc::clone(&one)], vec![one, other], vec![]] {
        let mut finding = finding(Action::Updated, "/a");
        finding.actors.clone_from(&actors);
        let record = Record::Change(Box::new(finding));
        let line = text(&mut ecs, &Report { sequence: 1, created: at(), record });
        let line: Json = serde_json::from_str(&line).unwrap();
        let last = actors.last().map(|actor| actor.pid);
        assert_eq!(line.pointer("/process/pid").and_then(Json::as_u64), last.map(u64::from));
        assert_eq!(line.get("container").is_some(), last == Some(42), "{line}");
    }
}
