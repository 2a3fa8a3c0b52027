//! What others ask of an engine that watches: to trust what is there, and a copy of what it knows.

use crate::house::at;
use crate::reload::{house, told, watch};
use fim_core::{Action, Detected, MemStore, ReplayWatcher, State, StopToken, Via};
use std::fs;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

#[test]
fn what_is_accepted_is_told_first_and_trusted_from_then_on() {
    let house = house();
    let lines = watch(
        &house,
        vec![|hand| {
            let x = hand.root.join("one/x");
            fs::write(&x, "seen").unwrap();
            // Of this one no event tells.
            fs::write(hand.root.join("one/y"), "unseen").unwrap();
            let event = at(Via::Write, x);
            let summary = hand.control.accept(Vec::new()).unwrap().unwrap();
            assert_eq!(summary.files, 3, "the directory and what is in it: {summary:?}");
            let stranger = hand.control.accept(vec![hand.root.join("two")]).unwrap().unwrap_err();
            assert!(stranger.ends_with("two is not watched"), "{stranger}");
            vec![event]
        }],
    );
    let mut all = told(&house, &lines);
    all.sort_by(|one, other| one.2.cmp(&other.2));
    let found = |name: &str| (Action::Updated, Detected::Scan, name.to_owned());
    assert_eq!(all, [found("one/x"), found("one/y")]);
    let mut engine =
        house.engine_of(crate::reload::plain(&house.root, "one"), crate::house::Lines::default());
    assert_eq!(engine.check(&[], true).unwrap().changes, 0);
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_copy_is_of_what_was_reported_by_then() {
    watch(
        &house(),
        vec![|hand| vec![hand.write("one/x")], |hand| {
            hand.wait_for_change();
            let copy = Shared::default();
            hand.control.copy_state(Box::new(copy.clone())).unwrap().unwrap();
            let bytes = copy.0.lock().unwrap().clone();
            let state = State::open(Box::new(MemStore::from_copy(&mut &bytes[..]).unwrap())).unwrap();
            let record = state.get(&hand.root.join("one/x")).unwrap().unwrap();
            assert_eq!(record.seen.unwrap().size, "changed".len() as u64);
            Vec::new()
        }],
    );
}

#[test]
fn who_asks_after_the_end_is_answered_at_once() {
    let house = house();
    let mut engine =
        house.engine_of(crate::reload::plain(&house.root, "one"), crate::house::Lines::default());
    let control = engine.control();
    engine.run(Box::new(ReplayWatcher::new([])), &StopToken::new()).unwrap();
    assert!(control.accept(Vec::new()).is_none());
    assert!(control.copy_state(Box::new(Shared::default())).is_none());
}
