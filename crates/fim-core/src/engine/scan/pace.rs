//! How long to rest after so much work. Pure: knows time only as it is told.

use std::time::{Duration, Instant};

/// Shorter rests are saved up: a sleep is not exact, and waking costs.
const SHORTEST: Duration = Duration::from_millis(20);

/// A bound on work, as the moment at which what was done so far would be done at the allowed rate.
#[derive(Debug)]
pub(super) struct Pace {
    files_per_second: u32,
    bytes_per_second: u64,
    paid: Option<Instant>,
}

impl Pace {
    pub(super) const fn new(files_per_second: u32, bytes_per_second: u64) -> Self {
        Self { files_per_second, bytes_per_second, paid: None }
    }

    /// How long to rest after this work. What was not used before is not saved.
    pub(super) fn after(&mut self, files: u32, bytes: u64, now: Instant) -> Duration {
        let of = |count: f64, rate: f64| if rate > 0.0 { count / rate } else { 0.0 };
        #[allow(clippy::cast_precision_loss)] // a rate need not be exact to the byte
        let seconds = of(f64::from(files), f64::from(self.files_per_second))
            .max(of(bytes as f64, self.bytes_per_second as f64));
        let from = self.paid.map_or(now, |paid| paid.max(now));
        let paid = from + Duration::from_secs_f64(seconds.min(3600.0));
        self.paid = Some(paid);
        let rest = paid.saturating_duration_since(now);
        if rest < SHORTEST { Duration::ZERO } else { rest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long this much work takes, if the work itself takes no time.
    fn takes(pace: &mut Pace, rounds: u32, files: u32, bytes: u64) -> Duration {
        let start = Instant::now();
        let mut now = start;
        for _ in 0..rounds {
            now += pace.after(files, bytes, now);
        }
        now - start
    }

    #[test]
    fn the_slower_of_the_two_rates_holds() {
        let near = |took: Duration, ms: u64| {
            let wanted = Duration::from_millis(ms);
            assert!(took <= wanted && took + SHORTEST > wanted, "{took:?} for {wanted:?}");
        };
        near(takes(&mut Pace::new(1000, 0), 2000, 1, 1 << 30), 2000);
        near(takes(&mut Pace::new(0, 1 << 20), 32, 1, 128 << 10), 4000);
        near(takes(&mut Pace::new(10, 1 << 20), 20, 1, 1), 2000);
        assert_eq!(takes(&mut Pace::new(0, 0), 1000, 1, 1 << 20), Duration::ZERO);
    }

    #[test]
    fn idle_time_is_not_saved() {
        let mut pace = Pace::new(100, 0);
        let now = Instant::now();
        assert_eq!(pace.after(10, 0, now), Duration::from_millis(100));
        assert_eq!(pace.after(10, 0, now + Duration::from_secs(60)), Duration::from_millis(100));
    }
}
