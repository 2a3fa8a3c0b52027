//! Names and numbers that more than one entry has.

use crate::said::{Said, text};
use fim_core::{Change, Severity, Value};
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// Who has each key, where it is more than one.
fn shared<'a, K: Ord + Hash + Copy>(
    of: impl Iterator<Item = (K, &'a [u8])> + Clone,
) -> BTreeMap<K, Vec<&'a [u8]>> {
    let mut counts: HashMap<K, u32> = HashMap::new();
    for (key, _) in of.clone() {
        *counts.entry(key).or_default() += 1;
    }
    let mut shared: BTreeMap<K, Vec<&[u8]>> = BTreeMap::new();
    for (key, name) in of {
        if counts.get(&key).is_some_and(|count| *count > 1) {
            shared.entry(key).or_default().push(name);
        }
    }
    shared
}

/// Says where sharing began, ended or concerns others now. `show` makes the change of a key, `value` what is
/// shown of those who share it.
pub(super) fn compare<'a, K: Ord + Hash + Copy>(
    old: impl Iterator<Item = (K, &'a [u8])> + Clone,
    new: impl Iterator<Item = (K, &'a [u8])> + Clone,
    said: &mut Said,
    severity: impl Fn(K) -> Severity,
    value: impl Fn(&[&[u8]]) -> Value,
    show: impl Fn(K, Value, Value) -> Change,
) {
    let (old, new) = (shared(old), shared(new));
    let ended = old.keys().filter(|key| !new.contains_key(key));
    let keys: std::collections::BTreeSet<K> = new.keys().chain(ended).copied().collect();
    for key in keys {
        let (before, after) = (old.get(&key), new.get(&key));
        if before == after {
            continue;
        }
        let severity = if after.is_some() { severity(key) } else { Severity::Notable };
        let value = |names: Option<&Vec<&[u8]>>| names.map_or(Value::Null, |names| value(names));
        said.say(severity, || show(key, value(before), value(after)));
    }
}

/// As [`compare`], for names that more than one line has: how many lines.
pub(super) fn compare_names<'a>(
    old: impl Iterator<Item = &'a [u8]> + Clone,
    new: impl Iterator<Item = &'a [u8]> + Clone,
    (what, of): (&str, &str),
    said: &mut Said,
) {
    let twice = |name: &'a [u8]| (name, name);
    compare(
        old.map(twice),
        new.map(twice),
        said,
        |_| Severity::High,
        |names| u64::try_from(names.len()).unwrap_or(u64::MAX).into(),
        |name, before, after| Change::from_to(what, before, after).of(of, text(name)),
    );
}
