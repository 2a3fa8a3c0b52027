//! What is watched because of what a file says, or a link leads to.

use crate::house::{House, Lines, Plain, at, findings, renamed};
use fim_core::{Action, Change, Consumer, ConsumerError, Context, Finding, Interest, Snapshot, Via};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Reads a list of paths from one file, and wants those as well; says what it was told before the first look.
#[derive(Clone, Default)]
struct Follower {
    list: String,
    wanted: Vec<String>,
    recalled: Arc<Mutex<Vec<String>>>,
}

impl Follower {
    fn new(list: &Path) -> Self {
        Self { list: list.to_str().unwrap().to_owned(), ..Self::default() }
    }

    fn learn(&mut self, content: &[u8]) {
        self.wanted = String::from_utf8_lossy(content).lines().map(str::to_owned).collect();
    }
}

impl Consumer for Follower {
    fn name(&self) -> &'static str {
        "follower"
    }

    fn interest(&self) -> Interest {
        Interest::in_paths(self.wanted.iter().chain([&self.list]).cloned()).with_content(1000)
    }

    fn recall(&mut self, path: &Path, kept: &[u8]) {
        self.recalled.lock().unwrap().push(path.to_str().unwrap().to_owned());
        if path == Path::new(&self.list) {
            self.learn(kept);
        }
    }

    fn inspect(&mut self, file: &Snapshot, cx: &mut Context<'_>) -> Result<(), ConsumerError> {
        let content = file.content.clone().unwrap_or_default();
        cx.change(Change::new("named").of("name", file.name().to_str().unwrap()));
        if file.name() == Path::new(&self.list) {
            self.learn(&content);
            cx.watch_anew();
        }
        cx.keep(content);
        Ok(())
    }
}

#[test]
fn what_a_file_asks_to_be_watched_is_watched_at_once_and_told() {
    let house = House::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let there = elsewhere.path().canonicalize().unwrap();
    fs::create_dir(there.join("real")).unwrap();
    std::os::unix::fs::symlink("real", there.join("link")).unwrap();
    let (key, named) = (there.join("real/key"), there.join("link/key"));
    fs::write(&key, "k").unwrap();
    let list = house.path("list");
    fs::write(&list, "").unwrap();

    // The baseline knows no more than the list.
    let lines = Lines::default();
    let follower = Follower::new(&list);
    house.engine_of(Box::new(follower.clone()), lines.clone()).baseline(&[]).unwrap();

    // While it runs, the list names a file that lies behind a link.
    let (into, text) = (list.clone(), named.to_str().unwrap().to_owned());
    let lines = house.watch_by(Box::new(follower.clone()), move |_| {
        fs::write(&into, text).unwrap();
        vec![at(Via::Write, &into)]
    });
    let names = |lines: &Lines| -> Vec<(Action, PathBuf, String)> {
        let name = |finding: &Finding| format!("{:?}", finding.changes[0].of[0].1);
        findings(lines).iter().map(|it| (it.action, it.path.clone(), name(it))).collect()
    };
    let text = |path: &Path| format!("Text({path:?})");
    let told = names(&lines);
    assert_eq!(told[0], (Action::Updated, list.clone(), text(&list)));
    assert!(told.contains(&(Action::Created, key.clone(), text(&named))), "{told:?}");

    // At the next start it is known without a look, and a change made meanwhile is told.
    fs::write(&key, "kk").unwrap();
    let lines = house.watch_by(Box::new(follower.clone()), |_| Vec::new());
    assert_eq!(names(&lines), [(Action::Updated, key.clone(), text(&named))]);
    let recalled = follower.recalled.lock().unwrap().clone();
    assert!(recalled.contains(&named.to_str().unwrap().to_owned()), "{recalled:?}");
}

#[test]
fn a_link_that_leads_elsewhere_is_followed_there() {
    let house = House::new();
    for name in ["one", "two"] {
        fs::write(house.root.join(name), name).unwrap();
    }
    let link = house.root.join("link");
    std::os::unix::fs::symlink("one", &link).unwrap();
    let consumer = || Box::new(Plain(link.to_str().unwrap().to_owned()));
    house.engine_of(consumer(), Lines::default()).baseline(&[]).unwrap();
    let swapped = link.clone();
    let lines = house.watch_by(consumer(), move |_| {
        fs::remove_file(&swapped).unwrap();
        std::os::unix::fs::symlink("two", &swapped).unwrap();
        vec![at(Via::Symlink, &swapped)]
    });
    let told: Vec<_> = findings(&lines).iter().map(|it| (it.action, it.path.clone())).collect();
    assert_eq!(told, [(Action::Updated, link.clone()), (Action::Created, house.root.join("two"))]);
}

#[test]
fn ground_never_covered_is_learned_without_a_word() {
    let house = House::new();
    for dir in ["one", "two"] {
        fs::create_dir(house.root.join(dir)).unwrap();
        fs::write(house.root.join(dir).join("file"), "x").unwrap();
    }
    let consumer = |dirs: &str| Box::new(Plain(format!("{}/{dirs}", house.root.display())));
    house.engine_of(consumer("one"), Lines::default()).baseline(&[]).unwrap();
    fs::write(house.root.join("one/new"), "x").unwrap();
    let check = house.engine_of(consumer("{one,two}"), Lines::default()).check(&[], false).unwrap();
    assert_eq!((check.changes, check.never_covered), (1, 2));
    let lines = house.watch_by(consumer("{one,two}"), |_| Vec::new());
    let told: Vec<_> = findings(&lines).iter().map(|it| (it.action, it.path.clone())).collect();
    assert_eq!(told, [(Action::Created, house.root.join("one/new"))]);
    // From now on it is covered.
    fs::write(house.root.join("two/new"), "x").unwrap();
    let lines = house.watch_by(consumer("{one,two}"), |_| Vec::new());
    let told: Vec<_> = findings(&lines).iter().map(|it| (it.action, it.path.clone())).collect();
    assert_eq!(told, [(Action::Created, house.root.join("two/new"))]);
}

/// A follower of this list, before one that claims the whole tree.
fn both(house: &House, list: &Path) -> Vec<Box<dyn Consumer>> {
    vec![Box::new(Follower::new(list)), house.plain()]
}

#[test]
fn a_file_that_moves_from_one_consumer_to_another_means_something_to_both() {
    let house = House::new();
    let (list, elsewhere) = (house.path("list"), house.path("elsewhere"));
    fs::write(&list, "").unwrap();
    house.engine_with(both(&house, &list), Lines::default()).baseline(&[]).unwrap();
    for (from, to) in [(&list, &elsewhere), (&elsewhere, &list)] {
        let (old, new) = (from.clone(), to.clone());
        let lines = house.watch_with(both(&house, &list), move |_| {
            fs::rename(&old, &new).unwrap();
            vec![renamed(&old, &new)]
        });
        let told = findings(&lines);
        let [moved] = &told[..] else { panic!("{told:?}") };
        assert_eq!(
            (moved.action, &moved.path, moved.previous_path.as_ref()),
            (Action::Moved, to, Some(from))
        );
        let named = Change::new("named").of("name", list.to_str().unwrap());
        assert_eq!(moved.changes, [named]);
    }
}

/// The one finding of a file that came to mean something to the follower.
fn assert_is_named(told: &[Finding], path: &Path) {
    let of_path: Vec<_> = told.iter().filter(|it| it.path == path).collect();
    let [one] = &of_path[..] else { panic!("{told:?}") };
    assert_eq!((one.action, one.consumer), (Action::Updated, "follower"));
    assert_eq!(one.changes, [Change::new("named").of("name", path.to_str().unwrap())]);
}

#[test]
fn a_file_that_comes_to_mean_something_is_told_though_it_is_as_it_was() {
    let house = House::new();
    let (list, known) = (house.path("list"), house.path("a"));
    fs::write(&list, "").unwrap();
    house.engine_with(both(&house, &list), Lines::default()).baseline(&[]).unwrap();
    let (into, text) = (list.clone(), known.to_str().unwrap().to_owned());
    let lines = house.watch_with(both(&house, &list), move |_| {
        fs::write(&into, text).unwrap();
        vec![at(Via::Write, &into)]
    });
    assert_is_named(&findings(&lines), &known);
}

#[test]
fn a_file_that_came_to_mean_something_while_nothing_ran_is_told_once() {
    let house = House::new();
    let (list, known) = (house.path("list"), house.path("a"));
    fs::write(&list, "").unwrap();
    house.engine_with(both(&house, &list), Lines::default()).baseline(&[]).unwrap();
    fs::write(&list, known.to_str().unwrap()).unwrap();
    // A check says so until it is accepted, a watch once.
    for _ in 0..2 {
        let lines = Lines::default();
        house.engine_with(both(&house, &list), lines.clone()).check(&[], false).unwrap();
        assert_is_named(&findings(&lines), &known);
    }
    let lines = house.watch_with(both(&house, &list), |_| Vec::new());
    assert_is_named(&findings(&lines), &known);
    let lines = house.watch_with(both(&house, &list), |_| Vec::new());
    assert_eq!(findings(&lines).len(), 0);
}

#[test]
fn a_file_that_was_compared_by_another_consumer_is_handed_on_as_new() {
    let house = House::new();
    let (list, other, known) = (house.path("list"), house.path("other"), house.path("a"));
    let consumers = || -> Vec<Box<dyn Consumer>> {
        vec![Box::new(Follower::new(&list)), Box::new(Follower::new(&other)), house.plain()]
    };
    fs::write(&list, "").unwrap();
    fs::write(&other, known.to_str().unwrap()).unwrap();
    house.engine_with(consumers(), Lines::default()).baseline(&[]).unwrap();
    // What the other one kept of it is nothing to compare with.
    fs::write(&list, known.to_str().unwrap()).unwrap();
    let lines = house.watch_with(consumers(), |_| Vec::new());
    assert_is_named(&findings(&lines), &known);
}

/// Notes what it is asked of; nothing is kept.
#[derive(Clone)]
struct Asked {
    tree: String,
    keeps: bool,
    of: Arc<Mutex<Vec<PathBuf>>>,
}

impl Consumer for Asked {
    fn name(&self) -> &'static str {
        "asked"
    }

    fn interest(&self) -> Interest {
        Interest::in_paths([self.tree.clone()])
    }

    fn keeps(&self) -> bool {
        self.keeps
    }

    fn inspect(&mut self, file: &Snapshot, _: &mut Context<'_>) -> Result<(), ConsumerError> {
        self.of.lock().unwrap().push(file.path.clone());
        Ok(())
    }
}

#[test]
fn who_keeps_nothing_is_not_asked_of_files_that_are_as_they_were() {
    for keeps in [true, false] {
        let house = House::new();
        let tree = house.root.to_str().unwrap().to_owned();
        let asked = Asked { tree, keeps, of: Arc::default() };
        let engine = |lines| house.engine_of(Box::new(asked.clone()), lines);
        let recorded = engine(Lines::default()).baseline(&[]).unwrap();
        fs::write(house.path("b"), "another").unwrap();
        asked.of.lock().unwrap().clear();

        let lines = Lines::default();
        let compared = engine(lines.clone()).check(&[], false).unwrap();
        assert_eq!((compared.files, compared.changes), (recorded.files, 1), "all are counted");
        assert_eq!(findings(&lines)[0].path, house.path("b"));
        let of = asked.of.lock().unwrap();
        assert!(of.contains(&house.path("b")));
        assert_eq!(of.contains(&house.path("a")), keeps, "it may have something to keep");
    }
}
