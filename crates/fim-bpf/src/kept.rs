//! What one start leaves to the next beside marks and records: one value in a pinned map.
//!
//! Knows nothing of pins.

use crate::{decode, layout};
use libbpf_rs::{MapCore, MapFlags, MapHandle};
use std::sync::{Mutex, PoisonError};

/// `struct fim_kept`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// Which form of all that is pinned.
    pub layout: u64,
    /// Lost records, as far as they were told.
    pub lost: u64,
    /// All that was watched was marked.
    pub complete: bool,
}

impl Values {
    /// What is in the map.
    pub fn read(map: &MapHandle) -> Self {
        let bytes = map.lookup(&0_u32.to_ne_bytes(), MapFlags::ANY).ok().flatten().unwrap_or_default();
        let word = |index: usize| decode::u64_at(&bytes, index * 8).unwrap_or_default();
        Self { layout: word(0), lost: word(1), complete: word(2) != 0 }
    }

    fn bytes(self) -> Vec<u8> {
        let words = [self.layout, self.lost, u64::from(self.complete), 0];
        words.into_iter().flat_map(u64::to_ne_bytes).collect()
    }
}

const _: () = assert!(layout::KEPT == 4 * 8);

/// The map, and what is in it. Shared by the watcher and the marks, which know different parts of it.
#[derive(Debug)]
pub struct Kept {
    map: MapHandle,
    now: Mutex<Values>,
}

impl Kept {
    /// Goes on with what is in the map, which is of our own form from now on.
    pub fn new(map: MapHandle) -> Self {
        let kept = Self { now: Mutex::new(Values::read(&map)), map };
        kept.set(|now| now.layout = layout::DIGEST);
        kept
    }

    /// Keeps something else.
    pub fn set(&self, change: impl FnOnce(&mut Values)) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *now;
        change(&mut now);
        if *now != before
            && let Err(error) = self.map.update(&0_u32.to_ne_bytes(), &now.bytes(), MapFlags::ANY)
        {
            log::warn!("cannot keep for the next start how far this one came: {error}");
        }
    }
}
