//! Files that cannot be read for a while, whatever the disk says and whichever call fails, through the whole engine:
//! it is told, with what was last known; nothing is taken for gone or for as it was; and what changed meanwhile is
//! told when it can be read again.

use crate::disk::{Call, Disk};
use crate::faults::{ERRORS, hear, watch};
use crate::house::{House, Lines, at, findings, told};
use fim_core::{Action, Engine, Facts, Finding, HashState, NullWatcher, Record, Scan, State, StopToken, Via};
use rustix::fs::XattrFlags;
use rustix::io::Errno;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

/// The ways in which reading a file fails: a call, and how often it goes well before.
const WAYS: [(Call, u32); 7] = [
    (Call::Lookup, 0),
    (Call::Stat, 0),
    (Call::Stat, 1),
    (Call::Stat, 2),
    (Call::Open, 0),
    (Call::Read, 0),
    (Call::Read, 1),
];

/// Takes more than one read(2).
fn long(word: &str) -> String {
    word.repeat(100_000)
}

/// The findings of one name.
fn of(house: &House, lines: &Lines, name: &str) -> Vec<Finding> {
    findings(lines).into_iter().filter(|finding| finding.path == house.path(name)).collect()
}

fn hash(facts: Option<&Facts>) -> Option<[u8; 32]> {
    facts.and_then(|facts| facts.blake3)
}

fn hash_of(text: &str) -> Option<[u8; 32]> {
    Some(*blake3::hash(text.as_bytes()).as_bytes())
}

fn updated(names: &[&str]) -> Vec<(Action, String, Option<String>)> {
    names.iter().map(|name| (Action::Updated, (*name).to_owned(), None)).collect()
}

/// Something happens to the disk, then something to a file on it, and is heard of.
type Step = (Box<dyn Fn(&Disk) + Send>, &'static str);

fn step(name: &'static str, act: impl Fn(&Disk) + Send + 'static) -> Step {
    (Box::new(act), name)
}

/// Watches these steps, each told before the next begins.
fn steps(house: &House, disk: &Arc<Disk>, steps: Vec<Step>) -> Lines {
    let (root, disk) = (house.root.clone(), Arc::clone(disk));
    let (lines, outcome) = watch(house, house.store.clone(), move |words| {
        let mut before = "started";
        let mut steps = steps.into_iter();
        std::iter::from_fn(move || {
            hear(&words, before.rsplit('/').next()?);
            let (act, name) = steps.next()?;
            act(&disk);
            before = name;
            Some(at(Via::Close, root.join(name)))
        })
    });
    outcome.unwrap();
    lines
}

fn put(name: &'static str, text: &str) -> impl Fn(&Disk) + Send + 'static {
    let text = text.to_owned();
    move |disk| fs::write(disk.below(name), &text).unwrap()
}

#[test]
fn a_file_that_cannot_be_read_is_told_and_told_again_when_it_can() {
    for (call, times) in WAYS {
        for errno in ERRORS {
            let house = House::new();
            let Some(disk) = Disk::over(&house.root).map(Arc::new) else { return };
            house.baseline();
            let break_a = move |disk: &Disk| {
                put("a", &long("new"))(disk);
                disk.fail_after(times, call, "a", errno);
            };
            let lines = steps(
                &house,
                &disk,
                vec![step("a", break_a), step("b", put("b", "new")), step("a", Disk::mend)],
            );
            let what = format!("{call:?} after {times}: {errno}");
            assert_eq!(told(&house, &lines), updated(&["a", "b", "a"]), "{what}");
            let a = of(&house, &lines, "a");
            assert_eq!(a[0].hash_state, HashState::Unreadable, "{what}");
            let (before, after) = (a[0].before.as_ref().unwrap(), a[0].after.as_ref().unwrap());
            assert_eq!((before.blake3, after.blake3), (hash_of("old"), None), "{what}");
            assert!(before.same_metadata(after) && before.inode == after.inode, "{what}: {after:?}");
            assert_eq!(a[1].hash_state, HashState::Stable, "{what}");
            assert_eq!(hash(a[1].after.as_ref()), hash_of(&long("new")), "{what}");
        }
    }
}

/// What has no hash to lose is told all the same, and what is in a directory stays what it was.
#[test]
fn links_and_directories_that_cannot_be_read_are_told_and_not_taken_for_gone() {
    for (name, call, times) in [
        ("link", Call::Lookup, 0),
        ("link", Call::Stat, 0),
        ("link", Call::Stat, 1),
        ("link", Call::Target, 0),
        ("sub", Call::Lookup, 0),
        ("sub", Call::Stat, 0),
        ("sub", Call::Stat, 1),
    ] {
        let house = House::new();
        symlink("a", house.path("link")).unwrap();
        let Some(disk) = Disk::over(&house.root).map(Arc::new) else { return };
        house.baseline();
        let lines = steps(
            &house,
            &disk,
            vec![
                step(name, move |disk| disk.fail_after(times, call, name, Errno::IO)),
                step("b", put("b", "new")),
                step(name, Disk::mend),
                step("sub/c", put("sub/c", "new")),
            ],
        );
        let what = format!("{name}: {call:?} after {times}");
        assert_eq!(told(&house, &lines), updated(&[name, "b", name, "sub/c"]), "{what}");
        let all = of(&house, &lines, name);
        assert_eq!(all[0].hash_state, HashState::Unreadable, "{what}");
        let (before, after) = (all[0].before.as_ref().unwrap(), all[0].after.as_ref().unwrap());
        assert_eq!((before.kind, before.inode), (after.kind, after.inode), "{what}");
        assert_eq!(before.target, after.target, "{what}");
        assert_eq!(all[1].hash_state, HashState::Stable, "{what}");
        assert_eq!(all[1].after.as_ref().unwrap().target, before.target, "{what}");
    }
}

/// That attributes cannot be read does not say that they were taken away.
#[test]
fn attributes_that_cannot_be_read_are_the_last_known_ones() {
    for errno in ERRORS {
        let house = House::new();
        let set = rustix::fs::setxattr(house.path("a"), "user.x", b"value", XattrFlags::empty());
        if set.is_err() {
            println!("skipped: no attributes here");
            return;
        }
        let Some(disk) = Disk::over(&house.root).map(Arc::new) else { return };
        house.baseline();
        for call in [Call::Attributes, Call::Attribute] {
            let break_a = move |disk: &Disk| {
                put("a", &format!("{call:?}"))(disk);
                disk.fail(call, "a", errno);
            };
            let lines = steps(&house, &disk, vec![step("a", break_a)]);
            disk.mend();
            let all = findings(&lines);
            let (before, after) = (all[0].before.as_ref().unwrap(), all[0].after.as_ref().unwrap());
            assert_eq!(before.xattrs.len(), 1, "{call:?} {errno}");
            assert_eq!(before.xattrs, after.xattrs, "{call:?} {errno}");
            assert_eq!(hash(Some(after)), hash_of(&format!("{call:?}")), "{call:?} {errno}");
        }
        assert_eq!(house.check().len(), 1);
    }
}

/// While nothing ran, at the start, and in a comparison: a file that cannot be read is one that is not as it was.
#[test]
fn what_cannot_be_read_at_the_start_is_told_then_or_a_gap_until_it_can() {
    for (call, times) in WAYS {
        let house = House::new();
        let Some(disk) = Disk::over(&house.root).map(Arc::new) else { return };
        house.baseline();
        put("a", &long("new"))(&disk);
        let what = format!("{call:?} after {times}");
        disk.fail_after(times, call, "a", Errno::IO);
        let checked = house.check();
        assert_eq!(checked.len(), 1, "{what}: {checked:?}");
        assert_eq!(checked[0].hash_state, HashState::Unreadable, "{what}");
        assert!(checked[0].path.ends_with("a") && checked[0].after.is_some(), "{what}");

        disk.fail_after(times, call, "a", Errno::IO);
        let lines = steps(&house, &disk, vec![step("b", put("b", "new"))]);
        let is_gap = |lines: &Lines| {
            let reports = lines.reports.lock().unwrap();
            reports
                .iter()
                .any(|report| matches!(&report.record, Record::CoverageGap(gap) if gap.cause == "unreadable"))
        };
        let is_told = of(&house, &lines, "a").iter().any(|it| it.hash_state == HashState::Unreadable);
        assert!(is_told || is_gap(&lines), "{what}: {lines:?}");
        assert!(findings(&lines).iter().all(|finding| finding.action == Action::Updated), "{what}");

        // It is told by the next start at the latest that it can be read again, though nothing moved.
        disk.mend();
        let lines = steps(&house, &disk, vec![]);
        let a = of(&house, &lines, "a");
        assert_eq!(a.len(), 1, "{what}");
        assert_eq!(hash(a[0].after.as_ref()), hash_of(&long("new")), "{what}");
    }
}

/// A scan finds what cannot be read any more, and what can be again, though no event tells and nothing moved.
#[test]
fn scans_find_what_cannot_be_read_and_what_can_be_again() {
    for (call, times) in WAYS {
        let house = House::new();
        let Some(disk) = Disk::over(&house.root).map(Arc::new) else { return };
        fs::write(disk.below("a"), long("old")).unwrap();
        house.baseline();
        let mut scan = Scan::never();
        scan.full_every = Duration::from_millis(10);
        let lines = scanned(&house, scan, || disk.fail_after(times, call, "a", Errno::IO));
        let what = format!("{call:?} after {times}");
        assert_eq!(told(&house, &lines), updated(&["a"]), "{what}");
        assert_eq!(findings(&lines)[0].hash_state, HashState::Unreadable, "{what}");

        let mut scan = Scan::never();
        scan.metadata_every = Duration::from_millis(10);
        // The start reads it again as well.
        disk.fail(Call::Read, "a", Errno::IO);
        let lines = scanned(&house, scan, || disk.mend());
        assert_eq!(told(&house, &lines), updated(&["a"]), "{what}");
        let a = findings(&lines).remove(0);
        assert_eq!(
            (a.hash_state, hash(a.after.as_ref())),
            (HashState::Stable, hash_of(&long("old"))),
            "{what}"
        );
    }
}

/// Watches without events until one change is told; something happens to the disk at the start.
fn scanned(house: &House, scan: Scan, act: impl FnOnce()) -> Lines {
    let (started, wait) = channel();
    let (changed, heard) = channel();
    let lines = Lines { started: Some(started), changed: Some(changed), ..Lines::default() };
    let state = State::open(Box::new(house.store.clone())).unwrap();
    let builder = Engine::builder().consumer(house.plain()).scan(scan);
    let mut engine = builder.build(state, Box::new(lines.clone())).unwrap();
    let stop = StopToken::new();
    std::thread::scope(|threads| {
        let watch = threads.spawn(|| engine.run(Box::new(NullWatcher), &stop));
        wait.recv().unwrap();
        act();
        let told = heard.recv_timeout(Duration::from_secs(60));
        stop.stop();
        watch.join().unwrap().unwrap();
        told.unwrap();
    });
    lines
}

/// A directory that cannot be listed says nothing of what is in it.
#[test]
fn a_directory_that_cannot_be_listed_is_a_gap_and_not_empty() {
    for errno in ERRORS {
        let house = House::new();
        let Some(disk) = Disk::over(&house.root).map(Arc::new) else { return };
        house.baseline();
        put("sub/c", "new")(&disk);
        disk.fail(Call::List, "sub", errno);
        let lines = steps(&house, &disk, vec![step("b", put("b", "new"))]);
        assert_eq!(told(&house, &lines), updated(&["b"]), "{errno}");
        let reports = lines.reports.lock().unwrap();
        let gap = reports.iter().find_map(|report| match &report.record {
            Record::CoverageGap(gap) => Some(gap.clone()),
            _ => None,
        });
        let gap = gap.unwrap();
        assert_eq!((gap.cause.as_str(), gap.scope), ("unreadable", house.path("sub").display().to_string()));
        disk.mend();
        let lines = steps(&house, &disk, vec![]);
        assert_eq!(told(&house, &lines), updated(&["sub/c"]), "{errno}");
    }
}
