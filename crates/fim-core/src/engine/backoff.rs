//! How often files were looked at lately: one that changes all the time is looked at ever less often.
//!
//! Knows time only as it is told, and paths by a hash alone: in a flood there are as many as looks in three seconds.
//! Two that share one would wait for each other, which is harmless, and the hash is seeded anew for each watch.

use super::pending::SETTLE;
use super::room::Room;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// The longest pause between two looks at a hot file.
const HOTTEST: Duration = Duration::from_secs(1);
/// How long a file that was hot is remembered as such.
const COOL: Duration = Duration::from_secs(3);
/// Backoff files remembered before any is forgotten.
const REMEMBERED: usize = 10_000;

#[derive(Clone, Copy, Debug)]
struct Heat {
    looked: Instant,
    pause: Duration,
}

/// The looks of the last seconds.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    files: HashMap<u64, Heat, RandomState>,
    hash: RandomState,
    room: Room,
}

impl Backoff {
    /// When a file may be looked at again.
    pub(super) fn next_look(&self, path: &Path) -> Option<Instant> {
        if self.files.is_empty() {
            return None;
        }
        self.files.get(&self.key(path)).map(|heat| heat.looked + heat.pause)
    }

    /// A file is looked at.
    pub(super) fn looked(&mut self, path: &Path, now: Instant) {
        let has_cooled = |heat: &Heat| now.saturating_duration_since(heat.looked) >= COOL;
        self.room.make(&mut self.files, REMEMBERED, |heat| !has_cooled(heat));
        let key = self.key(path);
        // Doubled at once.
        let heat = self.files.entry(key).or_insert(Heat { looked: now, pause: SETTLE / 2 });
        heat.pause = if has_cooled(heat) { SETTLE } else { (heat.pause * 2).min(HOTTEST) };
        heat.looked = now;
    }

    fn key(&self, path: &Path) -> u64 {
        self.hash.hash_one(path.as_os_str().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_it_has_cooled_down() {
        let (mut hot, path, mut now) = (Backoff::default(), Path::new("/f"), Instant::now());
        assert_eq!(hot.next_look(path), None);
        for pause in [SETTLE, SETTLE * 2, SETTLE * 4] {
            hot.looked(path, now);
            assert_eq!(hot.next_look(path), Some(now + pause));
            now += pause;
        }
        for _ in 0..9 {
            hot.looked(path, now);
        }
        assert_eq!(hot.next_look(path), Some(now + HOTTEST));
        assert_eq!(hot.next_look(Path::new("/g")), None);
        hot.looked(path, now + COOL);
        assert_eq!(hot.next_look(path), Some(now + COOL + SETTLE));
    }

    #[test]
    fn what_cooled_down_is_forgotten() {
        let (mut hot, now) = (Backoff::default(), Instant::now());
        let many = 4 * REMEMBERED;
        for number in 0..many {
            hot.looked(Path::new(&number.to_string()), now);
        }
        assert_eq!(hot.files.len(), many, "all are hot");
        for number in 0..many {
            hot.looked(Path::new(&format!("later/{number}")), now + COOL);
        }
        assert!(hot.files.len() <= many, "those of before are gone");
    }
}
