//! Whether messages come in a flow. Then the engine rests a moment between two turns: to be woken for each of thousands
//! a second costs more than what there is to do, and what gathers meanwhile is of fewer files than it is messages.
//!
//! Knows time only as it is told, and no messages.

use std::time::{Duration, Instant};

/// So long is counted before it is judged.
const WINDOW: Duration = Duration::from_millis(16);
/// As many in a window are a flow: 2,000 a second.
const MANY: usize = 32;
/// Between two turns of a flow. A change waits that much longer for its look, a twentieth of what a new name waits.
const REST: Duration = Duration::from_millis(1);

/// What came lately.
#[derive(Debug, Default)]
pub(super) struct Flow {
    since: Option<Instant>,
    count: usize,
    is_on: bool,
}

impl Flow {
    /// So many messages came; how long to rest before the next are taken.
    pub(super) fn rest(&mut self, messages: usize, now: Instant) -> Option<Duration> {
        let since = *self.since.get_or_insert(now);
        let passed = now.saturating_duration_since(since);
        self.count += messages;
        if passed >= WINDOW {
            // A pause that was longer than a window ends it, however many came after it.
            self.is_on = self.count >= MANY && passed < 2 * WINDOW;
            (self.since, self.count) = (Some(now), 0);
        }
        self.is_on.then_some(REST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_now_and_then_waits_for_nothing_and_a_flow_rests() {
        let (mut flow, mut now) = (Flow::default(), Instant::now());
        let mut at_pace = |flow: &mut Flow, pause: Duration, messages: usize| {
            let mut rests = 0;
            for _ in 0..100 {
                now += pause;
                rests += usize::from(flow.rest(messages, now).is_some());
            }
            rests
        };
        let ms = Duration::from_millis;
        assert_eq!(at_pace(&mut flow, ms(4), 3), 0);
        assert_eq!(at_pace(&mut flow, ms(100), 500), 0, "many at once, and then none");
        assert!(at_pace(&mut flow, Duration::from_micros(200), 1) > 10, "5,000 a second");
        assert!(at_pace(&mut flow, ms(1), 5) > 90, "the same with rests");
        assert!(at_pace(&mut flow, ms(4), 3) < 10, "it has ended");
    }
}
