//! Which entry before is which entry now.

use std::collections::HashMap;
use std::hash::Hash;

/// Two entries that are the same, or one that is new or gone.
pub(super) type Pair<'a, T> = (Option<&'a T>, Option<&'a T>);

/// Pairs in the order of the new file, then those that are gone.
pub(super) struct Pairs<'a, T> {
    pub all: Vec<Pair<'a, T>>,
    /// Those in both are in another order.
    pub reordered: bool,
}

/// Pairs by identity; entries with the same identity in the order they come. What is then new and what is
/// gone are the same where `other` says the same of both: a new name.
pub(super) fn pairs<'a, T, I: Hash + Eq, O: Hash + Eq>(
    old: &'a [T],
    new: &'a [T],
    identity: impl Fn(&'a T) -> I,
    other: impl Fn(&'a T) -> Option<O>,
) -> Pairs<'a, T> {
    let mut by_identity = places(old.iter().map(&identity));
    let mut taken = vec![false; old.len()];
    let mut reordered = false;
    let mut last = None;
    let mut found: Vec<Option<usize>> = Vec::with_capacity(new.len());
    for item in new {
        let place = take(&mut by_identity, &identity(item));
        if let Some(place) = place {
            mark(&mut taken, place);
            reordered |= last > Some(place);
            last = Some(place);
        }
        found.push(place);
    }
    let gone = |taken: &[bool]| -> Vec<usize> {
        taken.iter().enumerate().filter(|(_, taken)| !**taken).map(|(place, _)| place).collect()
    };
    let left = gone(&taken);
    let mut by_other: HashMap<O, Queue> = HashMap::new();
    for place in left.iter().rev() {
        if let Some(key) = old.get(*place).and_then(&other) {
            by_other.entry(key).or_default().push(*place);
        }
    }
    let mut all = Vec::with_capacity(new.len());
    for (item, place) in new.iter().zip(found) {
        let place = place.or_else(|| {
            let place = take(&mut by_other, &other(item)?)?;
            mark(&mut taken, place);
            Some(place)
        });
        all.push((place.and_then(|place| old.get(place)), Some(item)));
    }
    all.extend(gone(&taken).into_iter().map(|place| (old.get(place), None)));
    Pairs { all, reordered }
}

/// Places of what has the same key, the first one last.
type Queue = Vec<usize>;

fn places<K: Hash + Eq>(keys: impl DoubleEndedIterator<Item = K> + ExactSizeIterator) -> HashMap<K, Queue> {
    let mut places: HashMap<K, Queue> = HashMap::with_capacity(keys.len());
    for (place, key) in keys.enumerate().rev() {
        places.entry(key).or_default().push(place);
    }
    places
}

fn take<K: Hash + Eq>(places: &mut HashMap<K, Queue>, key: &K) -> Option<usize> {
    places.get_mut(key)?.pop()
}

fn mark(taken: &mut [bool], place: usize) {
    if let Some(taken) = taken.get_mut(place) {
        *taken = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a1`: identity `a`, other identity `1`.
    fn shown(old: &str, new: &str) -> (String, bool) {
        let old: Vec<&str> = old.split_whitespace().collect();
        let new: Vec<&str> = new.split_whitespace().collect();
        let pairs = pairs(&old, &new, |text| &text[..1], |text| text.get(1..2));
        let side = |item: Option<&&str>| item.map_or("-", |text| *text).to_owned();
        let all: Vec<_> =
            pairs.all.iter().map(|(old, new)| format!("{}>{}", side(*old), side(*new))).collect();
        (all.join(" "), pairs.reordered)
    }

    #[test]
    fn who_is_who() {
        for (old, new, expected, reordered) in [
            ("a b", "a b", "a>a b>b", false),
            ("a b", "b a", "b>b a>a", true),
            ("a b c", "a d c", "a>a ->d c>c b>-", false),
            ("a1 b2", "c2 a1", "b2>c2 a1>a1", false),
            ("a1", "a1 b1", "a1>a1 ->b1", false),
            ("ax ay", "ay", "ax>ay ay>-", false),
            ("a1 b1", "c1 d1", "a1>c1 b1>d1", false),
            ("", "", "", false),
        ] {
            assert_eq!(shown(old, new), (expected.to_owned(), reordered), "{old} > {new}");
        }
    }
}
