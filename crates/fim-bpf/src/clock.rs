//! The kernel's clock since boot, turned into the time of day.
//!
//! Knows nothing of events.

use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime};

/// The moment of boot, as the time of day has it now.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    boot: SystemTime,
}

impl Clock {
    /// Samples both clocks.
    #[must_use]
    pub fn now() -> Self {
        Self::sampled(SystemTime::now(), since_boot())
    }

    fn sampled(now: SystemTime, since_boot: Duration) -> Self {
        Self { boot: now.checked_sub(since_boot).unwrap_or(SystemTime::UNIX_EPOCH) }
    }

    /// The time of day at this many nanoseconds since boot; `None` when no clock could show it.
    #[must_use]
    pub fn at(&self, nanos: u64) -> Option<SystemTime> {
        self.boot.checked_add(Duration::from_nanos(nanos))
    }
}

fn since_boot() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or_default(),
        u32::try_from(now.tv_nsec).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_since_boot_become_the_time_of_day() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let clock = Clock::sampled(now, Duration::from_secs(100));
        assert_eq!(clock.at(101_000_000_000), Some(now + Duration::from_secs(1)));
        assert!(clock.at(u64::MAX).is_some());
    }
}
