//! A report with hostile names in it, printed in every form.
#![no_main]
use fim_core::{
    Action, Actor, BaselineLost, Change, Facts, FileKind, FileTime, Finding, Gap, HashState, Parent, Record, Report,
    Severity, Started, Value, Xattr,
};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

type Bytes = Vec<u8>;

#[derive(Arbitrary, Debug)]
struct Looked {
    kind: u8,
    mode: u32,
    ids: (u32, u32),
    size: u64,
    device: u64,
    flags: u32,
    time: (i64, u32),
    target: Option<Bytes>,
    hash: Option<[u8; 32]>,
    keyed: Option<u32>,
    xattr: Option<String>,
}

#[derive(Arbitrary, Debug)]
struct Who {
    pid: u32,
    uid: Option<u32>,
    name: Option<Bytes>,
    executable: Option<Bytes>,
    args: Vec<Bytes>,
    cgroup: Option<String>,
    parent: Option<Bytes>,
}

#[derive(Arbitrary, Debug)]
enum What {
    Change {
        action: u8,
        consumer: u8,
        severity: u8,
        path: Bytes,
        previous: Option<Bytes>,
        moved_to: Option<Bytes>,
        before: Option<Looked>,
        after: Option<Looked>,
        changes: Vec<(String, Option<(String, i64)>, Option<Vec<String>>, Option<bool>)>,
        diff: Option<String>,
        actors: Vec<Who>,
        at: u64,
    },
    Started(Vec<String>),
    Gap(String, String, bool),
    Lost(String, Option<Bytes>),
}

fuzz_target!(|input: (u64, What)| {
    let (sequence, what) = input;
    let created = SystemTime::UNIX_EPOCH + Duration::from_millis(sequence >> 20);
    fim_cli::fuzz::lines(&Report { sequence, created, record: record(what) });
});

fn record(what: What) -> Record {
    match what {
        What::Started(notes) => {
            let mut started = Started::default();
            started.notes = notes;
            Record::WatchStarted(started)
        }
        What::Gap(cause, scope, closed) => {
            let mut gap = Gap::default();
            (gap.cause, gap.scope) = (cause, scope);
            if closed { Record::GapClosed(gap) } else { Record::CoverageGap(gap) }
        }
        What::Lost(reason, aside) => {
            let mut lost = BaselineLost::default();
            (lost.reason, lost.set_aside) = (reason, aside.map(path));
            Record::BaselineLost(lost)
        }
        What::Change {
            action, consumer, severity, path: at_path, previous, moved_to, before, after, changes, diff, actors, at
        } => {
            use Action::{AttributesModified, Created, Deleted, Moved, Updated};
            let action = [Created, Updated, Deleted, Moved, AttributesModified][usize::from(action) % 5];
            let consumer = ["generic", "generic_diff", "users", "access"][usize::from(consumer) % 4];
            let at = SystemTime::UNIX_EPOCH + Duration::from_millis(at >> 20);
            let mut finding = Finding::new(action, consumer, path(at_path), at);
            finding.severity =
                [Severity::Routine, Severity::Notable, Severity::High, Severity::Critical][usize::from(severity) % 4];
            finding.previous_path = previous.map(path);
            finding.moved_to = moved_to.map(path);
            (finding.before, finding.after) = (before.map(facts), after.map(facts));
            finding.changes = changes.into_iter().map(change).collect();
            finding.diff = diff;
            finding.actors = actors.into_iter().map(|who| Arc::new(actor(who))).collect();
            Record::Change(Box::new(finding))
        }
    }
}

fn change((what, of, before, after): (String, Option<(String, i64)>, Option<Vec<String>>, Option<bool>)) -> Change {
    let mut change = Change::new(what);
    change.before = before.map(|all| Value::List(all.into_iter().map(Value::Text).collect()));
    change.after = after.map(Value::Bool);
    of.map_or(change.clone(), |(name, number)| change.of(name, Value::Number(number)))
}

fn facts(looked: Looked) -> Facts {
    use FileKind::{BlockDevice, CharDevice, Dir, Fifo, File, Socket, Symlink};
    let kind = [File, Dir, Symlink, Fifo, Socket, CharDevice, BlockDevice][usize::from(looked.kind) % 7];
    let mut facts = Facts::new(kind);
    facts.mode = looked.mode;
    (facts.uid, facts.gid) = looked.ids;
    (facts.size, facts.device, facts.rdev) = (looked.size, looked.device, looked.device);
    facts.flags = looked.flags;
    facts.mtime = FileTime { seconds: looked.time.0, nanos: looked.time.1 % 1_000_000_000 };
    facts.target = looked.target.map(path);
    (facts.blake3, facts.keyed) = (looked.hash, looked.keyed);
    facts.hash_state = HashState::Stable;
    facts.xattrs = looked.xattr.into_iter().map(|name| Xattr { name, digest: [1; 16] }).collect();
    facts
}

fn actor(who: Who) -> Actor {
    let mut actor = Actor::new(who.pid);
    actor.uid = who.uid;
    actor.name = who.name.map(OsString::from_vec);
    actor.executable = who.executable.map(path);
    actor.args = who.args.into_iter().map(OsString::from_vec).collect();
    actor.cgroup = who.cgroup;
    actor.parent = who.parent.map(|name| {
        let mut parent = Parent::new(1);
        parent.name = Some(OsString::from_vec(name));
        parent
    });
    actor
}

fn path(bytes: Bytes) -> PathBuf {
    OsString::from_vec(bytes).into()
}
