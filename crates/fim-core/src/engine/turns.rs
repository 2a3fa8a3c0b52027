//! Whose turn it is: what is due is served for each user in turn, so that one who makes millions of changes does not
//! keep those of the others waiting.
//!
//! Knows time only as it is told. What was put in stays in until it is due: whether it still counts is for the caller
//! to know.

use crate::event::FileEvent;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::PathBuf;
use std::time::Instant;

/// One for root, one for those nobody knows the user of, the others share theirs by number: nobody has more users than
/// he can make wait.
const LANES: u8 = 64;

/// Whose changes are served together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lane(u8);

impl Lane {
    /// Of who caused an event: root's before anybody's, when several did.
    pub(crate) fn of(event: &FileEvent) -> Self {
        match event.actor.as_ref().and_then(|actor| actor.uid) {
            Some(0) => Self(0),
            Some(uid) => Self(1 + u8::try_from(uid % u32::from(LANES - 2)).unwrap_or(0)),
            None => Self(LANES - 1),
        }
    }
}

/// Paths by when they are due, for each lane.
#[derive(Debug)]
pub(crate) struct Turns {
    lanes: Vec<BinaryHeap<Reverse<(Instant, PathBuf)>>>,
    /// The lane that was served last.
    last: usize,
}

impl Default for Turns {
    fn default() -> Self {
        Self { lanes: (0..LANES).map(|_| BinaryHeap::new()).collect(), last: 0 }
    }
}

impl Turns {
    /// How many are kept, those included that do not count any more.
    pub(crate) fn len(&self) -> usize {
        self.lanes.iter().map(BinaryHeap::len).sum()
    }

    /// Forgets them all.
    pub(crate) fn clear(&mut self) {
        self.lanes.iter_mut().for_each(BinaryHeap::clear);
    }

    pub(crate) fn push(&mut self, lane: Lane, due: Instant, path: PathBuf) {
        if let Some(lane) = self.lanes.get_mut(usize::from(lane.0)) {
            lane.push(Reverse((due, path)));
        }
    }

    /// When the next one is due, of those that count.
    pub(crate) fn next(&mut self, counts: impl Fn(Instant, &PathBuf) -> bool) -> Option<Instant> {
        self.lanes.iter_mut().filter_map(|lane| next_of(lane, &counts)).min()
    }

    /// Takes one that counts and whose time has come: of the next lane after the last that has one.
    pub(crate) fn pop(
        &mut self,
        now: Instant,
        counts: impl Fn(Instant, &PathBuf) -> bool,
    ) -> Option<PathBuf> {
        let lanes = self.lanes.len();
        for step in 1..=lanes {
            let number = (self.last + step) % lanes;
            let Some(lane) = self.lanes.get_mut(number) else { continue };
            if next_of(lane, &counts).is_some_and(|due| due <= now) {
                self.last = number;
                return lane.pop().map(|Reverse((_, path))| path);
            }
        }
        None
    }
}

/// When the first of a lane is due, after those before it that do not count are gone.
fn next_of(
    lane: &mut BinaryHeap<Reverse<(Instant, PathBuf)>>,
    counts: &impl Fn(Instant, &PathBuf) -> bool,
) -> Option<Instant> {
    while let Some(Reverse((due, path))) = lane.peek() {
        if counts(*due, path) {
            return Some(*due);
        }
        lane.pop();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Actor, Via};
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    fn by(uid: Option<u32>) -> Lane {
        let mut event = FileEvent::new(SystemTime::UNIX_EPOCH, Via::Write);
        let mut actor = Actor::new(1);
        actor.uid = uid;
        event.actor = Some(Arc::new(actor));
        Lane::of(&event)
    }

    #[test]
    fn root_and_the_unknown_share_with_nobody() {
        let lanes: std::collections::BTreeSet<_> = (1..100_000).map(|uid| by(Some(uid))).collect();
        assert!(lanes.len() == usize::from(LANES) - 2);
        assert!(!lanes.contains(&by(Some(0))) && !lanes.contains(&by(None)));
    }

    #[test]
    fn a_flood_of_one_user_is_served_in_turn_with_the_others() {
        let (mut turns, now) = (Turns::default(), Instant::now());
        for number in 0..1000 {
            turns.push(by(Some(1000)), now, format!("/flood/{number:04}").into());
        }
        turns.push(by(Some(0)), now + Duration::from_millis(1), "/etc/passwd".into());
        turns.push(by(None), now, "/gone".into());
        turns.push(by(Some(0)), now + Duration::from_secs(9), "/later".into());
        let mut taken = Vec::new();
        let later = now + Duration::from_millis(1);
        while let Some(path) = turns.pop(later, |_, path| !path.ends_with("gone")) {
            taken.push(path);
        }
        assert_eq!(taken.len(), 1001);
        assert!(taken.iter().position(|path| path.ends_with("passwd")).unwrap() < 2, "{:?}", &taken[..3]);
        assert_eq!(turns.next(|_, _| true), Some(now + Duration::from_secs(9)));
    }
}
