//! What three clocks say of a sleep: whether this process was kept from running, or the time of day was set.
//!
//! Pure but for [`Clocks::now`].

use fim_core::{Severity, Tampering};
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A sleep that is so much longer was no sleep: nobody waits that long for a processor, but for what is counted.
const STOPPED: Duration = Duration::from_secs(3);
/// The same where a signal to go on says that there was one to stop.
pub const STOPPED_BY_SIGNAL: Duration = Duration::from_millis(200);
/// The time of day may be off so much from a clock that is never set.
const SET: Duration = Duration::from_secs(2);

/// All at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clocks {
    /// Since boot, while the machine was awake.
    awake: Duration,
    /// Since boot.
    boot: Duration,
    /// The time of day.
    day: Duration,
    /// How long this thread waited for a processor.
    waited: Duration,
}

impl Clocks {
    pub fn now() -> Self {
        // Of all tasks the kernel tells this one; without CONFIG_SCHED_INFO there is no such file.
        let waited = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        Self {
            awake: read(ClockId::Monotonic),
            boot: read(ClockId::Boottime),
            day: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            waited: waiting(&waited),
        }
    }
}

fn read(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

/// The second number in /proc/PID/schedstat, nanoseconds: Documentation/scheduler/sched-stats.rst.
fn waiting(schedstat: &str) -> Duration {
    let second = schedstat.split_ascii_whitespace().nth(1).and_then(|number| number.parse().ok());
    Duration::from_nanos(second.unwrap_or(0))
}

/// How much longer than this a sleep between two moments was, without what was waited for a processor.
pub fn stood(before: &Clocks, after: &Clocks, sleep: Duration) -> Duration {
    let waited = after.waited.saturating_sub(before.waited);
    after.awake.saturating_sub(before.awake).saturating_sub(sleep).saturating_sub(waited)
}

/// What is to be said of a sleep of this length between two moments; `signal`: SIGCONT came meanwhile.
pub fn noticed(before: &Clocks, after: &Clocks, sleep: Duration, signal: bool) -> Vec<Tampering> {
    let mut noticed = Vec::new();
    let stood = stood(before, after, sleep);
    if signal && stood >= STOPPED_BY_SIGNAL {
        let mut stopped = Tampering::new("process", "a signal stopped this process (SIGSTOP, SIGTSTP)");
        stopped.lasted = Some(stood);
        noticed.push(stopped);
    } else if stood >= STOPPED {
        let what = "this process could not run: it was frozen or traced, or the machine stood still";
        let mut stopped = Tampering::new("process", what);
        (stopped.lasted, stopped.severity) = (Some(stood), Severity::High);
        noticed.push(stopped);
    }
    // The machine may have slept: since boot, awake or not.
    let passed = after.boot.saturating_sub(before.boot);
    let (ahead, behind) = (before.day + passed, after.day);
    let moved = ahead.abs_diff(behind);
    if moved >= SET {
        let way = if behind > ahead { "forward" } else { "back" };
        let what =
            format!("the time of day was set {way}: times before and after do not compare, numbers do");
        let mut set = Tampering::new("clock", what);
        // Whoever keeps the time does so as well.
        (set.lasted, set.severity) = (Some(moved), Severity::Notable);
        noticed.push(set);
    }
    noticed
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn table() {
        let start = Clocks { awake: s(100), boot: s(200), day: s(1_000_000), waited: s(5) };
        for (awake, boot, day, waited, signal, said) in [
            (1, 1, 1, 0, false, &[][..]),
            // A signal to go on alone is nothing.
            (1, 1, 1, 0, true, &[]),
            (8, 8, 8, 0, true, &[("process", Severity::Critical, 7)]),
            (8, 8, 8, 0, false, &[("process", Severity::High, 7)]),
            // Busy: it waited for a processor.
            (8, 8, 8, 7, false, &[]),
            // Asleep.
            (1, 900, 900, 0, false, &[]),
            (1, 1, 3601, 0, false, &[("clock", Severity::Notable, 3600)]),
            (8, 8, 1, 0, true, &[("process", Severity::Critical, 7), ("clock", Severity::Notable, 7)]),
        ] {
            let after = Clocks {
                awake: start.awake + s(awake),
                boot: start.boot + s(boot),
                day: start.day + s(day),
                waited: start.waited + s(waited),
            };
            let told = noticed(&start, &after, s(1), signal);
            let told: Vec<_> = told
                .iter()
                .map(|it| (it.against.as_str(), it.severity, it.lasted.unwrap().as_secs()))
                .collect();
            assert_eq!(told, said, "{after:?}");
        }
        let mut back = start;
        (back.awake, back.boot, back.day) = (s(101), s(201), s(999_001));
        assert!(noticed(&start, &back, s(1), false)[0].reason.contains("back"));
    }

    #[test]
    fn waiting_is_read() {
        assert_eq!(waiting("12 3000000000 7\n"), s(3));
        assert_eq!(waiting(""), s(0));
        assert!(Clocks::now().awake > s(0));
    }
}
