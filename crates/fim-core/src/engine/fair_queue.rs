//! Whose turn it is: what is due is served for each user in turn, so that one who makes millions of changes does not
//! keep those of the others waiting.
//!
//! Knows time only as it is told. What was put in stays in until it is due: whether it still counts is for the caller
//! to know.

use crate::event::FileEvent;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// One for root, one for those nobody knows the user of, two for what stands for no change, the others share theirs by
/// number: nobody has more users than he can make wait.
const LANES: u8 = 64;

/// Whose changes are served together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lane(u8);

impl Lane {
    /// Of files that may change without a further event, so that they are looked at from time to time: root's, and others'.
    const OPEN: [Self; 2] = [Self(LANES - 2), Self(LANES - 1)];

    /// That of such a file, behind those of changes.
    pub(crate) fn open(self) -> Self {
        let [roots, others] = Self::OPEN;
        if self == Self(0) { roots } else { others }
    }

    /// Whether it is one of these.
    pub(crate) fn is_open(self) -> bool {
        Self::OPEN.contains(&self)
    }

    /// Of who caused an event: root's before anybody's, when several did.
    pub(crate) fn of(event: &FileEvent) -> Self {
        match event.actor.as_ref().and_then(|actor| actor.uid) {
            Some(0) => Self(0),
            Some(uid) => Self(1 + u8::try_from(uid % u32::from(LANES - 4)).unwrap_or(0)),
            None => Self(LANES - 3),
        }
    }
}

/// When a path is due.
#[derive(Debug, PartialEq, Eq)]
struct Due {
    at: Instant,
    path: PathBuf,
}

impl Ord for Due {
    /// The first is the greatest. Most differ in their time, and a path need not be taken apart into its names.
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.cmp(&self.at).then_with(|| other.path.as_os_str().cmp(self.path.as_os_str()))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Asked when a path is due, with the time when its turn is.
pub(crate) type AskDue<'a> = dyn FnMut(Instant, &Path) -> Option<Instant> + 'a;

/// What is noted as due at once, after a moment or after a longer one comes in an order of its own each.
const RUNS: usize = 3;

/// What is due in one lane. Nearly all of it is due no sooner than something that was noted before it, and needs no sorting.
#[derive(Debug, Default)]
struct InOrder {
    runs: [VecDeque<Due>; RUNS],
    others: BinaryHeap<Due>,
}

impl InOrder {
    fn is_empty(&self) -> bool {
        self.others.is_empty() && self.runs.iter().all(VecDeque::is_empty)
    }

    fn clear(&mut self) {
        self.runs.iter_mut().for_each(VecDeque::clear);
        self.others.clear();
    }

    /// Puts it behind what is due shortly before it.
    fn push(&mut self, due: Due) {
        let fits = |run: &&mut VecDeque<Due>| run.back().is_none_or(|last| last.at <= due.at);
        let run = self.runs.iter_mut().filter(fits).max_by_key(|run| run.back().map(|last| last.at));
        match run {
            Some(run) => run.push_back(due),
            None => self.others.push(due),
        }
    }

    /// The run that begins with the first of all, if one does.
    fn first_run(&self) -> Option<usize> {
        let firsts = self.runs.iter().enumerate().filter_map(|(run, it)| Some((it.front()?.at, run)));
        let (at, run) = firsts.min()?;
        self.others.peek().is_none_or(|other| at <= other.at).then_some(run)
    }

    fn first(&self) -> Option<&Due> {
        let run = self.first_run().and_then(|run| self.runs.get(run));
        run.map_or_else(|| self.others.peek(), VecDeque::front)
    }

    fn pop(&mut self) -> Option<Due> {
        let run = self.first_run().and_then(|run| self.runs.get_mut(run));
        run.map_or_else(|| self.others.pop(), VecDeque::pop_front)
    }
}

/// Paths by when they are due, for each lane.
#[derive(Debug)]
pub(crate) struct FairQueue {
    lanes: Vec<InOrder>,
    /// A bit for each lane that is not empty: nearly all are, and are asked for each event and look.
    taken: u64,
    count: usize,
    /// The lane that was served last.
    last: u8,
}

const _: () = assert!(LANES as u32 == u64::BITS, "a bit for each");

impl Default for FairQueue {
    fn default() -> Self {
        Self { lanes: (0..LANES).map(|_| InOrder::default()).collect(), taken: 0, count: 0, last: 0 }
    }
}

impl FairQueue {
    /// How many are kept, those included that do not count any more.
    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    /// Forgets them all.
    pub(crate) fn clear(&mut self) {
        self.lanes.iter_mut().for_each(InOrder::clear);
        (self.taken, self.count) = (0, 0);
    }

    pub(crate) fn push(&mut self, Lane(number): Lane, due: Instant, path: PathBuf) {
        if let Some(lane) = self.lanes.get_mut(usize::from(number)) {
            lane.push(Due { at: due, path });
            self.taken |= 1 << number;
            self.count += 1;
        }
    }

    /// When the next one is due. `due` says of a path whose turn has come when it is due, and `None` if it does not count.
    pub(crate) fn next(&mut self, due: &mut AskDue<'_>) -> Option<Instant> {
        self.taken_after(0).filter_map(|number| self.next_of(number, due)).min()
    }

    /// Takes one that counts and is due: of the next lane after the last that has one.
    pub(crate) fn pop(&mut self, now: Instant, due: &mut AskDue<'_>) -> Option<PathBuf> {
        for number in self.taken_after(self.last) {
            if self.next_of(number, due).is_some_and(|due| due <= now) {
                self.last = number;
                self.count -= 1;
                return self.lanes.get_mut(usize::from(number))?.pop().map(|due| due.path);
            }
        }
        None
    }

    /// The lanes that are not empty, from the one after this on and around to it.
    fn taken_after(&self, last: u8) -> impl Iterator<Item = u8> + use<> {
        let first = (last + 1) % LANES;
        let mut rest = self.taken.rotate_right(first.into());
        std::iter::from_fn(move || {
            let step = u8::try_from(rest.trailing_zeros()).ok().filter(|step| *step < LANES)?;
            rest &= rest - 1;
            Some((first + step) % LANES)
        })
    }

    fn next_of(&mut self, number: u8, due: &mut AskDue<'_>) -> Option<Instant> {
        let lane = self.lanes.get_mut(usize::from(number))?;
        let next = next_of(lane, &mut self.count, due);
        if lane.is_empty() {
            self.taken &= !(1 << number);
        }
        next
    }
}

/// When the first of a lane is due, after those before it that do not count are gone, and those put off are put back.
fn next_of(lane: &mut InOrder, count: &mut usize, due: &mut AskDue<'_>) -> Option<Instant> {
    while let Some(first) = lane.first() {
        match due(first.at, &first.path) {
            Some(at) if at <= first.at => return Some(at),
            Some(at) => {
                if let Some(first) = lane.pop() {
                    lane.push(Due { at, ..first });
                }
            }
            None => {
                lane.pop();
                *count -= 1;
            }
        }
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
        assert!(lanes.len() == usize::from(LANES) - 4);
        assert!(
            [by(Some(0)), by(None), by(Some(0)).open(), by(Some(7)).open()]
                .iter()
                .all(|lane| !lanes.contains(lane))
        );
    }

    #[test]
    fn what_is_noted_out_of_order_is_served_in_order() {
        let (mut turns, start) = (FairQueue::default(), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        for ms in [20, 20, 30_000, 5, 21, 0, 30_001, 4] {
            turns.push(by(Some(0)), at(ms), format!("/{ms}").into());
        }
        // The first is put off once more, as one that changes all the time.
        let put_off = |due: Instant, _: &Path| Some(if due == start { at(22) } else { due });
        let mut served = Vec::new();
        while let Some(path) = turns.pop(at(40_000), &mut { put_off }) {
            served.push(path);
        }
        assert_eq!(served, ["/4", "/5", "/20", "/20", "/21", "/0", "/30000", "/30001"].map(PathBuf::from));
        assert_eq!(turns.len(), 0);
    }

    #[test]
    fn a_flood_of_one_user_is_served_in_turn_with_the_others() {
        let (mut turns, now) = (FairQueue::default(), Instant::now());
        for number in 0..1000 {
            turns.push(by(Some(1000)), now, format!("/flood/{number:04}").into());
        }
        turns.push(by(Some(0)), now + Duration::from_millis(1), "/etc/passwd".into());
        turns.push(by(None), now, "/gone".into());
        turns.push(by(Some(0)), now + Duration::from_secs(9), "/later".into());
        let mut taken = Vec::new();
        let later = now + Duration::from_millis(1);
        while let Some(path) = turns.pop(later, &mut |at, path| (!path.ends_with("gone")).then_some(at)) {
            taken.push(path);
        }
        assert_eq!(taken.len(), 1001);
        assert!(taken.iter().position(|path| path.ends_with("passwd")).unwrap() < 2, "{:?}", &taken[..3]);
        assert_eq!(turns.next(&mut |at, _| Some(at)), Some(now + Duration::from_secs(9)));
    }
}
