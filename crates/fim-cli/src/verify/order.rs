//! Puts the lines of chains in the order in which they were written, by what each says of the one before. Pure.

use super::course::Place;
use crate::chain::{Digest, Id, Link};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A line of a chain.
#[derive(Clone, Debug)]
pub struct Line {
    /// Where it was found.
    pub place: Place,
    /// All of it, with its line break.
    pub bytes: Vec<u8>,
    sequence: u64,
    previous: Digest,
    digest: Digest,
}

#[derive(Deserialize)]
struct Told {
    #[serde(alias = "metadata")]
    event: Event,
}

#[derive(Deserialize)]
struct Event {
    sequence: u64,
}

/// Lines by their chains.
#[derive(Debug, Default)]
pub struct Chains {
    chains: BTreeMap<Id, Vec<Line>>,
    known: HashSet<(Id, Digest)>,
    /// Lines of none.
    pub foreign: u64,
}

impl Chains {
    /// Takes a line; one that is there already is left out.
    pub fn add(&mut self, place: &Place, bytes: &[u8]) {
        let line = bytes.trim_ascii_end();
        let told = Link::read(line).zip(serde_json::from_slice::<Told>(line).ok());
        let Some((link, told)) = told else {
            self.foreign += u64::from(!line.is_empty());
            return;
        };
        if !self.known.insert((link.id, blake3::hash(line).into())) {
            return;
        }
        self.chains.entry(link.id).or_default().push(Line {
            place: place.clone(),
            bytes: bytes.to_owned(),
            sequence: told.event.sequence,
            previous: link.previous,
            digest: link.digest,
        });
    }

    /// Each chain from its first line to its last.
    pub fn in_order(self) -> impl Iterator<Item = Vec<Line>> {
        self.chains.into_values().map(in_order)
    }
}

/// Where two lines name the same one before, because a crash repeated lines, the way that goes on for longer is the
/// later one.
fn in_order(mut lines: Vec<Line>) -> Vec<Line> {
    lines.sort_by_key(|line| line.sequence);
    let mut reach: HashMap<Digest, u64> = HashMap::new();
    for line in lines.iter().rev() {
        let own = reach.get(&line.digest).copied().unwrap_or_default().max(line.sequence);
        let before = reach.entry(line.previous).or_default();
        *before = own.max(*before);
    }
    let there: HashSet<Digest> = lines.iter().map(|line| line.digest).collect();
    let mut after: HashMap<Digest, Vec<usize>> = HashMap::new();
    let mut next = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if there.contains(&line.previous) {
            after.entry(line.previous).or_default().push(at);
        } else {
            next.push(at);
        }
    }
    let reaches =
        |at: &usize| lines.get(*at).and_then(|line| reach.get(&line.digest)).copied().unwrap_or_default();
    next.reverse();
    let mut order = Vec::with_capacity(lines.len());
    while let Some(at) = next.pop() {
        order.push(at);
        let digest = lines.get(at).map(|line| line.digest).unwrap_or_default();
        // Taken away, so that a ring, which only a forger makes, ends.
        let mut ways = after.remove(&digest).unwrap_or_default();
        ways.sort_by_key(reaches);
        next.extend(ways.into_iter().rev());
    }
    // What nothing leads to is at the end, to be found wrong.
    let reached: HashSet<usize> = order.iter().copied().collect();
    order.extend((0..lines.len()).filter(|at| !reached.contains(at)));
    let mut lines: Vec<Option<Line>> = lines.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| lines.get_mut(at).and_then(Option::take)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(sequence: u64, digest: u8, previous: u8) -> Line {
        let place = Place { file: "log".to_owned(), line: 0 };
        Line { place, bytes: vec![digest], sequence, previous: [previous; 32], digest: [digest; 32] }
    }

    fn ordered(lines: &[(u64, u8, u8)]) -> Vec<u8> {
        let lines =
            lines.iter().map(|(sequence, digest, previous)| line(*sequence, *digest, *previous)).collect();
        in_order(lines).into_iter().map(|line| line.bytes[0]).collect()
    }

    #[test]
    fn lines_are_put_where_they_belong() {
        assert_eq!(ordered(&[(3, 13, 12), (1, 11, 0), (2, 12, 11)]), [11, 12, 13]);
        // One is missing.
        assert_eq!(ordered(&[(4, 14, 13), (1, 11, 0), (2, 12, 11)]), [11, 12, 14]);
        // Two were written again after a crash, and others after them.
        let fork = [(5, 25, 24), (3, 13, 12), (3, 23, 12), (2, 12, 0), (4, 24, 23), (4, 14, 13)];
        assert_eq!(ordered(&fork), [12, 13, 14, 23, 24, 25]);
    }

    #[test]
    fn a_ring_ends_and_nothing_is_lost() {
        assert_eq!(ordered(&[(1, 1, 2), (2, 2, 1), (3, 3, 3), (4, 4, 0)]), [4, 1, 2, 3]);
    }
}
