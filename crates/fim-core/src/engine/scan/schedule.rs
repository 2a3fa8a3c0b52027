//! Which scan is due when. Pure: knows time only as it is told.

use super::Scan;
use std::time::{Duration, Instant};

/// What a scan looks at. The lighter comes first, and a heavier one lets it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Metadata, on remote file systems alone.
    Remote,
    /// Metadata of everything.
    Metadata,
    /// Every byte of everything.
    Full,
}

const KINDS: [Kind; 3] = [Kind::Remote, Kind::Metadata, Kind::Full];

/// The next time of each kind.
#[derive(Debug)]
pub(super) struct Schedule {
    times: [Time; 3],
}

#[derive(Clone, Copy, Debug)]
struct Time {
    kind: Kind,
    every: Duration,
    /// `None`: never.
    next: Option<Instant>,
}

impl Schedule {
    /// From now on, when all metadata has just been compared, and every byte was this long ago.
    pub(super) fn new(scan: &Scan, full_ago: Duration, now: Instant) -> Self {
        let times = KINDS.map(|kind| {
            let (every, ago) = match kind {
                Kind::Remote => (scan.remote_every, Duration::ZERO),
                Kind::Metadata => (scan.metadata_every, Duration::ZERO),
                Kind::Full => (scan.full_every, full_ago),
            };
            let next = (!every.is_zero()).then(|| now + every.saturating_sub(ago));
            Time { kind, every, next }
        });
        Self { times }
    }

    /// The lightest kind that is due, of those lighter than this one.
    pub(super) fn due(&self, lighter_than: Option<Kind>, now: Instant) -> Option<Kind> {
        let mut due = self.times.iter().filter(|time| time.next.is_some_and(|next| next <= now));
        due.find(|time| lighter_than.is_none_or(|than| time.kind < than)).map(|time| time.kind)
    }

    /// When the next one is due; `None`: never.
    pub(super) fn next(&self) -> Option<Instant> {
        self.times.iter().filter_map(|time| time.next).min()
    }

    /// One begins: the next of its kind is counted from here.
    pub(super) fn begin(&mut self, kind: Kind, now: Instant) {
        for time in self.times.iter_mut().filter(|time| time.kind == kind) {
            time.next = (!time.every.is_zero()).then(|| now + time.every);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn each_in_its_time_and_the_lightest_first() {
        let start = Instant::now();
        let mut schedule = Schedule::new(&Scan::default(), Duration::ZERO, start);
        assert_eq!(schedule.due(None, start), None);
        assert_eq!(schedule.next(), Some(start + HOUR / 12));
        assert_eq!(schedule.due(None, start + HOUR / 12), Some(Kind::Remote));
        let now = start + HOUR * 24;
        for kind in KINDS {
            assert_eq!(schedule.due(None, now), Some(kind));
            schedule.begin(kind, now);
        }
        assert_eq!(schedule.due(None, now), None);
    }

    #[test]
    fn a_heavy_one_lets_the_lighter_in() {
        let start = Instant::now();
        let mut schedule = Schedule::new(&Scan::default(), HOUR * 30, start);
        assert_eq!(schedule.due(None, start), Some(Kind::Full), "it was missed while nothing ran");
        schedule.begin(Kind::Full, start);
        assert_eq!(schedule.due(Some(Kind::Full), start + HOUR), Some(Kind::Remote));
        assert_eq!(schedule.due(Some(Kind::Remote), start + HOUR), None);
        schedule.begin(Kind::Remote, start + HOUR);
        assert_eq!(schedule.due(Some(Kind::Full), start + HOUR), Some(Kind::Metadata));
        assert_eq!(schedule.due(Some(Kind::Metadata), start + HOUR), None);
    }

    #[test]
    fn zero_is_never() {
        let now = Instant::now();
        let schedule = Schedule::new(&Scan::never(), HOUR, now);
        assert_eq!((schedule.next(), schedule.due(None, now + HOUR * 1000)), (None, None));
    }
}
