//! Small findings in great numbers: names that came and went, files of which nothing but the times moved.
//!
//! The first few in a directory are told at once. What follows within a second is held, and is one line for
//! the directory and for what led to them, with exact counts and everybody who had a hand in it. Knows no file system and no store:
//! who holds findings back must hold back the state that speaks of them too.

use super::room::Room;
use crate::explain::Explanation;
use crate::finding::{Action, Change, Finding};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long small findings are held, and a directory is remembered for them.
const HELD: Duration = Duration::from_secs(1);
/// As many in one directory are told at once.
const FEW: u32 = 4;
/// Directories remembered before any is forgotten.
const MOST_DIRS: usize = 1_000;
/// Processes named for a storm.
const MOST_ACTORS: usize = 16;

/// Why a finding is a small one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Small {
    /// The name came and went between two looks.
    Transient,
    /// Nothing but the times moved.
    Touched,
}

impl Small {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Touched => "touched",
        }
    }
}

/// Small findings of the last moment.
#[derive(Debug, Default)]
pub(super) struct Storms {
    /// Since when anything is held.
    since: Option<Instant>,
    dirs: HashMap<PathBuf, Calm>,
    room: Room,
    held: BTreeMap<(PathBuf, Option<Explanation>), Storm>,
}

/// What was told of a directory.
#[derive(Debug)]
struct Calm {
    since: Instant,
    told: u32,
}

#[derive(Debug)]
struct Storm {
    first: Finding,
    transient: u64,
    touched: u64,
}

impl Storms {
    /// Gives a finding back if it is to be told at once, else holds it.
    pub(super) fn take(&mut self, finding: Finding, small: Small, now: Instant) -> Option<Finding> {
        let dir = finding.path.parent().unwrap_or(Path::new("/"));
        let key = (dir.to_owned(), finding.explained_by.clone());
        if let Some(storm) = self.held.get_mut(&key) {
            storm.join(finding, small);
            return None;
        }
        self.room.make(&mut self.dirs, MOST_DIRS, |calm| calm.since + HELD > now);
        let calm = self.dirs.entry(dir.to_owned()).or_insert(Calm { since: now, told: 0 });
        if calm.since + HELD <= now {
            *calm = Calm { since: now, told: 0 };
        }
        if calm.told < FEW {
            calm.told += 1;
            return Some(finding);
        }
        self.since.get_or_insert(now);
        self.held.insert(key, Storm::new(finding, small));
        None
    }

    /// When what is held must be told; `None` if nothing is.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + HELD)
    }

    /// Gives all that is held, as it is to be told. Where it stormed, nothing is told at once for the next
    /// moment either.
    pub(super) fn release(&mut self, now: Instant) -> Vec<Finding> {
        self.since = None;
        let held = std::mem::take(&mut self.held);
        held.into_iter()
            .map(|((dir, _), storm)| {
                self.dirs.insert(dir.clone(), Calm { since: now, told: FEW });
                storm.told(&dir)
            })
            .collect()
    }
}

impl Storm {
    fn new(first: Finding, small: Small) -> Self {
        let mut storm = Self { first, transient: 0, touched: 0 };
        storm.count(small);
        storm
    }

    fn count(&mut self, small: Small) {
        match small {
            Small::Transient => self.transient += 1,
            Small::Touched => self.touched += 1,
        }
    }

    fn join(&mut self, finding: Finding, small: Small) {
        self.count(small);
        self.first.writes += finding.writes;
        for actor in finding.actors {
            if self.first.actors.len() < MOST_ACTORS && !self.first.actors.contains(&actor) {
                self.first.actors.push(actor);
            }
        }
    }

    fn told(self, dir: &Path) -> Finding {
        let Self { first, transient, touched } = self;
        let mut whole = Finding::new(Action::Updated, first.consumer, dir, first.at);
        (whole.severity, whole.detected, whole.via) = (first.severity, first.detected, first.via);
        (whole.actors, whole.writes) = (first.actors, first.writes);
        whole.explained_by = first.explained_by;
        let mut id = blake3::Hasher::new();
        id.update(&first.id);
        for (small, count) in [(Small::Transient, transient), (Small::Touched, touched)] {
            id.update(&count.to_le_bytes());
            if count > 0 {
                whole.changes.push(Change::new(small.word()).of("count", count));
            }
        }
        id.finalize_xof().fill(&mut whole.id);
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Actor;
    use std::sync::Arc;
    use std::time::SystemTime;

    fn finding(path: &str, pid: u32) -> Finding {
        let mut finding = Finding::new(Action::Deleted, "generic", path, SystemTime::UNIX_EPOCH);
        finding.actors.push(Arc::new(Actor::new(pid)));
        finding
    }

    #[test]
    fn a_few_are_told_at_once() {
        let mut storms = Storms::default();
        let now = Instant::now();
        for number in 0..FEW {
            let told = storms.take(finding(&format!("/a/{number}"), 1), Small::Transient, now);
            assert!(told.is_some());
        }
        assert!(storms.take(finding("/b/x", 1), Small::Touched, now).is_some());
        assert_eq!((storms.due(), storms.release(now).len()), (None, 0));
        // A moment later they are few again.
        assert!(storms.take(finding("/a/x", 1), Small::Transient, now + HELD).is_some());
    }

    #[test]
    fn many_are_one_with_exact_counts() {
        let mut storms = Storms::default();
        let now = Instant::now();
        let transient = (0..100).map(|number| (number, Small::Transient));
        let touched = (0..7).map(|number| (number + 200, Small::Touched));
        let at_once = transient
            .chain(touched)
            .filter_map(|(number, small)| storms.take(finding(&format!("/a/{number}"), number), small, now))
            .count();
        assert_eq!((at_once, storms.due()), (FEW as usize, Some(now + HELD)));
        let told = storms.release(now + HELD);
        let [one] = &told[..] else { panic!("{told:?}") };
        assert_eq!((one.action, one.path.as_path()), (Action::Updated, Path::new("/a")));
        let counts = [Change::new("transient").of("count", 96u64), Change::new("touched").of("count", 7u64)];
        assert_eq!(one.changes, counts);
        assert_eq!(one.actors.len(), MOST_ACTORS);
        // It goes on: all of it is held.
        assert!(storms.take(finding("/a/more", 1), Small::Touched, now + HELD).is_none());
    }
}
