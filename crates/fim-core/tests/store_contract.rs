//! What every store must keep, over every store there is.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use fim_core::{Batch, MemStore, Store, StoreErrorKind};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// A place for one store, which can be closed and opened again.
trait Home {
    fn new() -> Self;
    fn open(&self) -> Box<dyn Store>;
}

struct InMemory(MemStore);

impl Home for InMemory {
    fn new() -> Self {
        Self(MemStore::new())
    }

    fn open(&self) -> Box<dyn Store> {
        Box::new(self.0.clone())
    }
}

#[cfg(feature = "sled")]
struct OnDisk(tempfile::TempDir);

#[cfg(feature = "sled")]
impl Home for OnDisk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self) -> Box<dyn Store> {
        Box::new(fim_core::SledStore::open(&self.0.path().join("state")).unwrap())
    }
}

fn batch(writes: &[(&str, Option<&str>)]) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in writes {
        match value {
            Some(value) => batch.put(*key, *value),
            None => batch.remove(*key),
        }
    }
    batch
}

fn everything(store: &dyn Store, prefix: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    store
        .scan(prefix, &mut |key, value| {
            found.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

fn keys(store: &dyn Store, prefix: &str) -> Vec<String> {
    everything(store, prefix.as_bytes()).into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect()
}

fn an_empty_store_has_nothing<H: Home>() {
    let home = H::new();
    let store = home.open();
    assert_eq!(store.get(b"").unwrap(), None);
    assert_eq!(store.floor(b"\xff").unwrap(), None);
    assert_eq!(everything(&*store, b""), []);
}

fn the_last_write_of_a_batch_counts<H: Home>() {
    let home = H::new();
    let mut store = home.open();
    store.apply(batch(&[("a", Some("1")), ("b", Some("1")), ("a", Some("2")), ("b", None)])).unwrap();
    assert_eq!(store.get(b"a").unwrap().unwrap(), b"2");
    assert_eq!(store.get(b"b").unwrap(), None);
    store.apply(batch(&[("a", None), ("a", Some("3")), ("never", None)])).unwrap();
    assert_eq!(keys(&*store, ""), ["a"]);
}

fn empty_keys_and_values_are_kept<H: Home>() {
    let home = H::new();
    let mut store = home.open();
    store.apply(batch(&[("", Some("x")), ("a", Some(""))])).unwrap();
    assert_eq!(store.get(b"").unwrap().unwrap(), b"x");
    assert_eq!(store.get(b"a").unwrap().unwrap(), b"");
    assert_eq!(store.floor(b"").unwrap().unwrap().0, b"");
}

fn floor_is_the_greatest_key_not_above<H: Home>() {
    let home = H::new();
    let mut store = home.open();
    store.apply(batch(&[("b", Some("1")), ("d", Some("2")), ("da", Some("3"))])).unwrap();
    let table = [
        ("a", None),
        ("b", Some("b")),
        ("c", Some("b")),
        ("d", Some("d")),
        ("d\0", Some("d")),
        ("z", Some("da")),
    ];
    for (key, expected) in table {
        let found = store.floor(key.as_bytes()).unwrap().map(|(key, _)| String::from_utf8(key).unwrap());
        assert_eq!(found.as_deref(), expected, "{key:?}");
        for least in ["", "b", "c", "d", "da", "zz"] {
            let found = store.floor_from(least.as_bytes(), key.as_bytes()).unwrap();
            let expected = expected.filter(|expected| *expected >= least);
            assert_eq!(
                found.map(|(key, _)| key).as_deref(),
                expected.map(str::as_bytes),
                "{least:?} {key:?}"
            );
        }
    }
}

fn scan_keeps_to_its_prefix_and_order<H: Home>() {
    let home = H::new();
    let mut store = home.open();
    let all = ["a", "ab", "ab\0", "abc", "ac", "b"];
    store.apply(batch(&all.map(|key| (key, Some("x"))))).unwrap();
    assert_eq!(keys(&*store, ""), all);
    assert_eq!(keys(&*store, "ab"), ["ab", "ab\0", "abc"]);
    assert_eq!(keys(&*store, "c"), [""; 0]);
    let mut first = None;
    store
        .scan(b"ab", &mut |key, _| {
            assert_eq!(first.replace(key.to_vec()), None, "it went on");
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(first.unwrap(), b"ab");
}

fn generations_grow_and_outlive_the_handle<H: Home>() {
    let home = H::new();
    let mut store = home.open();
    let mut last = store.sync().unwrap();
    for round in 0..3 {
        store.apply(batch(&[("a", Some("x"))])).unwrap();
        let next = store.sync().unwrap();
        assert!(next > last, "round {round}");
        assert_eq!(store.sync().unwrap(), next);
        drop(store);
        store = home.open();
        assert_eq!(store.sync().unwrap(), next);
        last = next;
    }
}

fn large_values_and_keys_are_kept<H: Home>() {
    let home = H::new();
    let (key, value) = (vec![b'k'; 20_000], vec![7; 2_000_000]);
    let mut store = home.open();
    let mut batch = Batch::default();
    batch.put(key.clone(), value.clone());
    store.apply(batch).unwrap();
    store.sync().unwrap();
    drop(store);
    assert_eq!(home.open().get(&key).unwrap(), Some(value));
}

#[derive(Clone, Debug)]
enum Step {
    Apply(Vec<(Vec<u8>, Option<Vec<u8>>)>),
    Sync,
    Reopen,
}

fn any_step() -> impl Strategy<Value = Step> {
    let key = prop::collection::vec(prop::sample::select(&[0u8, 1, b'a', b'b', 0xff]), 0..4);
    let write = (key, prop::option::of(prop::collection::vec(any::<u8>(), 0..200)));
    prop_oneof![
        6 => prop::collection::vec(write, 0..30).prop_map(Step::Apply),
        1 => Just(Step::Sync),
        1 => Just(Step::Reopen),
    ]
}

fn it_is_a_sorted_map<H: Home>() {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) };
    proptest!(config, |(steps in prop::collection::vec(any_step(), 0..20), sought: [u8; 2])| {
        let home = H::new();
        let (mut store, mut model) = (home.open(), BTreeMap::new());
        for step in steps {
            match step {
                Step::Apply(writes) => {
                    store.apply(Batch { writes: writes.clone() }).unwrap();
                    for (key, value) in writes {
                        match value {
                            Some(value) => model.insert(key, value),
                            None => model.remove(&key),
                        };
                    }
                }
                Step::Sync => {
                    store.sync().unwrap();
                }
                Step::Reopen => {
                    store.sync().unwrap();
                    drop(store);
                    store = home.open();
                }
            }
            let expected: Vec<_> = model.clone().into_iter().collect();
            prop_assert_eq!(everything(&*store, b""), expected);
            for key in model.keys() {
                prop_assert_eq!(store.get(key).unwrap(), model.get(key).cloned());
            }
            let floor = model.range(..=sought.to_vec()).next_back().map(|(k, v)| (k.clone(), v.clone()));
            prop_assert_eq!(store.floor(&sought).unwrap(), floor);
        }
    });
}

macro_rules! contract {
    ($home:ident: $($test:ident)+) => {
        $(#[test] fn $test() { super::$test::<super::$home>() })+
    };
    ($($name:ident $home:ident),+) => {
        $(mod $name {
            contract!($home: an_empty_store_has_nothing the_last_write_of_a_batch_counts
                empty_keys_and_values_are_kept floor_is_the_greatest_key_not_above
                scan_keeps_to_its_prefix_and_order generations_grow_and_outlive_the_handle
                large_values_and_keys_are_kept it_is_a_sorted_map);
        })+
    };
}

contract!(in_memory InMemory);
#[cfg(feature = "sled")]
contract!(on_disk OnDisk);

#[test]
fn in_memory_a_failed_write_ends_the_writing() {
    let mut store = MemStore::new();
    store.apply(batch(&[("a", Some("1"))])).unwrap();
    store.sync().unwrap();
    store.fail_after(1);
    store.apply(batch(&[("a", Some("2"))])).unwrap();
    assert_eq!(store.sync().unwrap_err().kind, StoreErrorKind::Io);
    assert_eq!(store.sync().unwrap_err().kind, StoreErrorKind::Poisoned);
    assert_eq!(store.apply(batch(&[("a", Some("3"))])).unwrap_err().kind, StoreErrorKind::Poisoned);
    assert_eq!(store.get(b"a").unwrap().unwrap(), b"2");
    let mut after = store.crash();
    assert_eq!(after.get(b"a").unwrap().unwrap(), b"1");
    after.apply(batch(&[("a", Some("4"))])).unwrap();
}
