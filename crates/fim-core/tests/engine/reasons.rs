//! What explainers say, and what a look that waits for them leaves alone.

use crate::house::{House, Lines, Plain, at, findings, renamed, told};
use fim_core::{
    Action, Change, Checksum, Checksums, Engine, Explainer, Explanation, MemStore, Reason, ReplayWatcher,
    Severity, Sight, State, StopToken, Via, WatchMessage,
};
use std::fs;
use std::path::Path;
use std::sync::mpsc::channel;

/// Says each of these in turn, the last one for ever, and notes the MD5 it was given.
struct Says {
    reasons: Vec<Reason>,
    asked: std::sync::mpsc::Sender<Option<Vec<u8>>>,
}

impl Explainer for Says {
    fn explain(&mut self, change: &Sight<'_>, checksums: &mut dyn Checksums) -> Reason {
        let md5 = change.after.and_then(|_| checksums.of_content(Checksum::Md5));
        // A test that has seen enough listens no more.
        let _enough = self.asked.send(md5);
        if self.reasons.len() > 1 { self.reasons.remove(0) } else { self.reasons[0].clone() }
    }
}

fn known(lowers: bool) -> Reason {
    Reason::known(Explanation { by: "package", of: vec![("package", "p".to_owned())], lowers })
}

fn open() -> Reason {
    Reason::default().open()
}

/// Watches with this explainer until a change was told; then ends.
fn watch(house: &House, says: Says, act: impl FnOnce(&Path) -> Vec<WatchMessage> + Send + 'static) -> Lines {
    watch_in(house, says, true, act)
}

fn watch_in(
    house: &House,
    says: Says,
    waits: bool,
    act: impl FnOnce(&Path) -> Vec<WatchMessage> + Send + 'static,
) -> Lines {
    let (started, wait) = channel();
    let (changed, was_told) = channel();
    let lines = Lines { started: Some(started), changed: Some(changed), ..Lines::default() };
    let root = house.root.clone();
    let messages = std::iter::once_with(move || {
        wait.recv().unwrap();
        act(&root)
    })
    .chain(std::iter::once_with(move || {
        if waits {
            was_told.recv().unwrap();
        }
        Vec::new()
    }))
    .flatten();
    let consumer = Box::new(Plain(house.root.to_str().unwrap().to_owned()));
    let state = State::open(Box::new(MemStore::clone(&house.store))).unwrap();
    let builder = Engine::builder().consumer(consumer).explainer(Box::new(says));
    let mut engine = builder.build(state, Box::new(lines.clone())).unwrap();
    engine.run(Box::new(ReplayWatcher::new(messages)), &StopToken::new()).unwrap();
    lines
}

fn write(root: &Path) -> Vec<WatchMessage> {
    fs::write(root.join("a"), "new!").unwrap();
    vec![at(Via::Write, root.join("a")), at(Via::Close, root.join("a"))]
}

#[test]
fn a_reason_is_told_and_lowers_what_is_notable() {
    for (reason, severity) in [(known(false), Severity::Notable), (known(true), Severity::Routine)] {
        let house = House::new();
        let (asked, checksums) = channel();
        let lines = watch(&house, Says { reasons: vec![reason.clone()], asked }, write);
        let findings = findings(&lines);
        assert_eq!((findings.len(), findings[0].severity), (1, severity));
        assert_eq!(findings[0].explained_by, reason.explanation);
        // printf 'new!' | md5sum
        let md5 = "e79176ee652b9cda9eca2ff82606cf78";
        let given = checksums.recv().unwrap().unwrap();
        assert_eq!(given.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), md5);
    }
}

#[test]
fn what_is_odd_is_told_and_raises() {
    let house = House::new();
    let (asked, _checksums) = channel();
    let odd = Reason::odd(Change::new("package_mismatch"), Severity::High);
    let findings = findings(&watch(&house, Says { reasons: vec![odd], asked }, write));
    assert_eq!((findings.len(), findings[0].severity), (1, Severity::High));
    assert!(findings[0].changes.contains(&Change::new("package_mismatch")));
}

#[test]
fn a_look_waits_until_the_reason_is_known() {
    let house = House::new();
    let (asked, checksums) = channel();
    let says = Says { reasons: vec![open(), open(), known(true)], asked };
    let lines = watch(&house, says, |root| {
        fs::write(root.join("a.dpkg-new"), "new!").unwrap();
        fs::rename(root.join("a.dpkg-new"), root.join("a")).unwrap();
        vec![at(Via::Create, root.join("a.dpkg-new")), renamed(root.join("a.dpkg-new"), root.join("a"))]
    });
    let name = Some("a.dpkg-new".to_owned());
    assert_eq!(told(&house, &lines), [(Action::Updated, "a".to_owned(), name)]);
    assert!(findings(&lines)[0].explained_by.is_some());
    assert_eq!(checksums.iter().count(), 3);
    assert_eq!(house.check().len(), 1, "it is not trusted for it");
}

#[test]
fn it_does_not_wait_for_ever() {
    let house = House::new();
    let (asked, _checksums) = channel();
    let lines = watch(&house, Says { reasons: vec![open()], asked }, write);
    assert_eq!(told(&house, &lines), [(Action::Updated, "a".to_owned(), None)]);
    assert_eq!(findings(&lines)[0].severity, Severity::Notable);
}

#[test]
fn the_end_waits_for_nothing() {
    let house = House::new();
    let (asked, checksums) = channel();
    let lines = watch_in(&house, Says { reasons: vec![open()], asked }, false, write);
    assert_eq!(told(&house, &lines), [(Action::Updated, "a".to_owned(), None)]);
    assert!(checksums.iter().count() <= 2, "at most once before the end, and once at it");
}

#[test]
fn touched_files_are_counted_for_each_reason() {
    let house = House::new();
    let (asked, _checksums) = channel();
    let other = Reason::known(Explanation { by: "window", of: Vec::new(), lowers: false });
    // The first four are told at once.
    let reasons = vec![known(true), known(true), known(true), known(true), known(true), known(true), other];
    for name in 0..8 {
        fs::write(house.path(&format!("f{name}")), "x").unwrap();
    }
    house.baseline();
    let lines = watch_in(&house, Says { reasons, asked }, false, |root| {
        let touch = |name| {
            let file = root.join(format!("f{name}"));
            let file = fs::File::options().write(true).open(file).unwrap();
            file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
            at(Via::Attributes, root.join(format!("f{name}")))
        };
        (0..8).map(touch).collect()
    });
    let counts: Vec<_> = findings(&lines)
        .into_iter()
        .filter(|finding| finding.path == house.root)
        .map(|finding| (finding.explained_by.unwrap().by, finding.changes))
        .collect();
    let two = [Change::new("touched").of("count", 2u64)];
    assert_eq!(counts, [("package", two.to_vec()), ("window", two.to_vec())]);
}
