//! The steps on the way of a change, each alone: `cargo bench -p fim-bench`.
//!
//! To see what moved when a whole-system figure did; nothing is promised of these.
#![allow(clippy::unwrap_used, missing_docs)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fim_bench::tree::Random;
use fim_consumers::{GenericDiff, GenericDiffConfig};
use fim_core::{
    Action, Actor, Change, Consumer, Context, Facts, FileKind, FileRecord, Finding, Interest, Key, Limits,
    MemStore, Need, Reader, Record, Report, Snapshot, State, WatchSet,
};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

fn decode(c: &mut Criterion) {
    let mut record = [0; 40];
    // A change, by a write, of a file that is known.
    record[..2].copy_from_slice(&[1, 1]);
    record[24..].fill(7);
    c.bench_function("decode a BPF record", |b| b.iter(|| fim_bpf::decode::decode(black_box(&record))));
}

fn route(c: &mut Criterion) {
    let tree =
        WatchSet::new(vec![Interest::in_paths(["/etc/passwd"]), Interest::in_paths(["/etc", "/usr/bin"])])
            .unwrap();
    let globs = ["/etc/**/*.conf", "/home/*/.ssh/authorized_keys", "/srv/{a,b}/**"];
    let globs = WatchSet::new(vec![Interest::in_paths(globs).excluding(["**/*.swp"])]).unwrap();
    let path = Path::new("/etc/systemd/system/multi-user.target.wants/cron.conf");
    c.bench_function("route by trees", |b| b.iter(|| tree.owner(black_box(path))));
    c.bench_function("route by globs", |b| b.iter(|| globs.owner(black_box(path))));
}

fn snapshot(c: &mut Criterion) {
    let dir = std::env::temp_dir().join(format!("fim-inside.{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let mut reader = Reader::new(Limits::default()).unwrap();
    let mut group = c.benchmark_group("look");
    for size in [4096, 1 << 20] {
        let file = dir.join(size.to_string());
        let mut content = vec![0; size];
        Random(1).fill(&mut content);
        std::fs::write(&file, content).unwrap();
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("{size} bytes"), |b| {
            b.iter(|| reader.look(black_box(&file), Need::default()))
        });
    }
    group.finish();
    std::fs::remove_dir_all(dir).unwrap();
}

fn record(number: u64) -> FileRecord {
    let mut facts = Facts::new(FileKind::File);
    (facts.mode, facts.size, facts.inode) = (0o644, number % 5000, number);
    facts.blake3 = Some(*blake3::hash(&number.to_le_bytes()).as_bytes());
    FileRecord::new(facts, None)
}

fn store(c: &mut Criterion) {
    let path = |number: u64| PathBuf::from(format!("/srv/{}/file-{number:06}", number / 100));
    let filled = || {
        let mut state = State::open(Box::new(MemStore::default())).unwrap();
        for number in 0..10_000 {
            state.put(&path(number), record(number)).unwrap();
        }
        state.commit().unwrap();
        state.sync().unwrap();
        state
    };
    c.bench_function("load the state of 10,000 files", |b| b.iter(filled));
    let state = filled();
    c.bench_function("get a record", |b| b.iter(|| state.get(black_box(&path(5050)))));
    c.bench_function("put a record and commit", |b| {
        b.iter_batched_ref(
            filled,
            |state| {
                state.put(&path(5050), record(1)).unwrap();
                state.commit().unwrap();
            },
            BatchSize::LargeInput,
        );
    });
}

fn diff(c: &mut Criterion) {
    let text = |changed: usize| {
        let lines = (0..10_000)
            .map(|line| format!("option_{line} = {}\n", if line == changed { 0 } else { line * 7 }));
        lines.collect::<String>().into_bytes()
    };
    let look = |text: Vec<u8>| {
        let mut facts = Facts::new(FileKind::File);
        facts.size = text.len() as u64;
        Snapshot::new("/etc/config", facts, Some(text))
    };
    let mut consumer = GenericDiff::new(GenericDiffConfig::new(vec!["/etc".to_owned()], Key::new([1; 32])));
    let (before, after) = (look(text(1)), look(text(5000)));
    let mut first = Context::new(None, None);
    consumer.inspect(&before, &mut first).unwrap();
    let kept = first.into_answer().keep.unwrap();
    c.bench_function("diff of 10,000 lines, two changed", |b| {
        b.iter(|| {
            let mut context = Context::new(before.facts.as_ref(), Some(&kept));
            consumer.inspect(&after, &mut context).unwrap();
            context.into_answer()
        });
    });
}

fn lines(c: &mut Criterion) {
    let now = SystemTime::UNIX_EPOCH;
    let mut finding = Finding::new(Action::Updated, "generic", "/etc/ssh/sshd_config", now);
    (finding.before, finding.after) = (record(1).seen, record(2).seen);
    let mut actor = Actor::new(4711);
    (actor.start, actor.uid, actor.name) = (Some(now), Some(0), Some("sed".into()));
    actor.executable = Some("/usr/bin/sed".into());
    actor.args = ["sed", "-i", "s/yes/no/", "/etc/ssh/sshd_config"].map(Into::into).to_vec();
    actor.cgroup = Some("/system.slice/ssh.service".to_owned());
    finding.actors = vec![Arc::new(actor)];
    finding.changes = vec![Change::from_to("target", "/a", "/b")];
    let report = Report { sequence: 1, created: now, record: Record::Change(Box::new(finding)) };
    c.bench_function("a report in its four forms, each read again", |b| {
        b.iter(|| fim_cli::fuzz::lines(black_box(&report)))
    });
    let mut lines = fim_cli::fuzz::JsonLines::new().unwrap();
    c.bench_function("a report as a line of JSON", |b| b.iter(|| lines.line(black_box(&report)).len()));
}

criterion_group!(inside, decode, route, snapshot, store, diff, lines);
criterion_main!(inside);
