//! Room for what was lately, which is tidied when it is full: not again with the next one, if most of it is of this moment.
//!
//! Must not know what is kept, nor what time it is.

use std::collections::HashMap;

/// As many as there may be before any is forgotten; no less than is said.
#[derive(Debug, Default)]
pub(super) struct Room(usize);

impl Room {
    /// Forgets what is not of this moment, if there is no room for more.
    pub(super) fn make<K, V, S>(
        &mut self,
        kept: &mut HashMap<K, V, S>,
        least: usize,
        is_of_now: impl Fn(&V) -> bool,
    ) {
        if kept.len() >= self.0.max(least) {
            kept.retain(|_, value| is_of_now(value));
            self.0 = kept.len() * 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_now_stays_and_is_not_gone_over_again_at_once() {
        let mut kept: HashMap<usize, bool> = (0..10).map(|number| (number, number < 8)).collect();
        let mut room = Room::default();
        room.make(&mut kept, 11, |_| false);
        assert_eq!(kept.len(), 10, "there is room");
        room.make(&mut kept, 10, |is_of_now| *is_of_now);
        assert_eq!(kept.len(), 8);
        kept.extend((10..17).map(|number| (number, false)));
        room.make(&mut kept, 10, |is_of_now| *is_of_now);
        assert_eq!(kept.len(), 15, "twice as many as were left");
        kept.insert(17, false);
        room.make(&mut kept, 10, |is_of_now| *is_of_now);
        assert_eq!(kept.len(), 8);
    }
}
