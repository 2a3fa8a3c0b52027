//! What the kernel does not tell a watcher, way by way: known, written down, and no fault of the machine.
//!
//! Knows watchers by their names alone.

use crate::case::Case;
use crate::runner::{Outcome, Verdict};

/// Ways of which a watcher cannot tell all.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Its name.
    pub watcher: &'static str,
    /// The names of the ways.
    pub ways: &'static [&'static str],
    /// What is still promised: [`Verdict::Late`] or [`Verdict::NoActor`].
    pub promised: Verdict,
    /// Whether it takes a scan to find it.
    pub by_scan: bool,
    /// Why, in a sentence for people.
    pub why: &'static str,
}

/// All of them.
pub const LIMITS: &[Limit] = &[
    Limit {
        watcher: "bpf",
        ways: &["above_made"],
        promised: Verdict::Late,
        by_scan: false,
        why: "a directory above a watched path has no mark until it was seen: what is made in it before is found \
              by listing it",
    },
    Limit {
        watcher: "bpf",
        ways: &["write_by_two"],
        promised: Verdict::NoActor,
        by_scan: false,
        why: "where a look reads what a second process wrote before its record was taken, only the first is named",
    },
    Limit {
        watcher: "fanotify",
        ways: &["new_hard_link"],
        promised: Verdict::Late,
        by_scan: true,
        why: "a file is known by its name, and a link made elsewhere is another: the next scan finds what is \
              written through it, and marks the file itself",
    },
    Limit {
        watcher: "fanotify",
        ways: &["overlay_upper"],
        promised: Verdict::Late,
        by_scan: true,
        why: "before Linux 6.6 a write through an overlay is told of the overlay's file alone: the next scan \
              finds it in the layer below",
    },
    Limit {
        watcher: "fanotify",
        ways: &["write_brief"],
        promised: Verdict::NoActor,
        by_scan: false,
        why: "only the number of a process is certain: who has ended before it was looked at has nothing else",
    },
    Limit {
        watcher: "fanotify",
        ways: &["write_by_two"],
        promised: Verdict::NoActor,
        by_scan: false,
        why: "where a look reads what a second process wrote before its event was taken, only the first is named",
    },
    Limit {
        watcher: "fanotify",
        ways: &["write_hidden"],
        promised: Verdict::NoActor,
        by_scan: false,
        why: "a file that a mount hides has no path: what is written to it is told when it is revealed",
    },
    Limit {
        watcher: "fanotify",
        ways: &["tmpfile_later"],
        promised: Verdict::Late,
        by_scan: false,
        why: "the kernel calls a file that was opened without a name by none, even once it has one: what is \
              written by that descriptor is told of when it is closed",
    },
    Limit {
        watcher: "fanotify",
        ways: &[
            "mount_tmpfs",
            "mount_bind",
            "mount_bind_file",
            "mount_bind_watched",
            "move_mount",
            "mount_moved",
            "umount",
        ],
        promised: Verdict::NoActor,
        by_scan: false,
        why: "the mount table says what was mounted, not by whom",
    },
];

/// The limit of a watcher that a way runs into.
#[must_use]
pub fn limit(watcher: &str, case: &Case) -> Option<&'static Limit> {
    LIMITS.iter().find(|limit| limit.watcher == watcher && limit.ways.contains(&case.name))
}

impl Limit {
    /// Whether a case went no worse than is promised all the same.
    #[must_use]
    pub fn allows(&self, outcome: &Outcome) -> bool {
        outcome.verdict == self.promised || outcome.verdict >= Verdict::Late
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ways::table;

    #[test]
    fn every_limit_is_of_a_way_there_is() {
        let names: Vec<&str> = table().iter().map(|case| case.name).collect();
        for limit in LIMITS {
            for way in limit.ways {
                assert!(names.contains(way), "{way}");
                let of = LIMITS.iter().filter(|it| it.watcher == limit.watcher && it.ways.contains(way));
                assert_eq!(of.count(), 1, "{way}");
            }
            assert!(matches!(limit.promised, Verdict::Late | Verdict::NoActor), "{:?}", limit.ways);
            assert!(!limit.why.contains('|') && !limit.why.is_empty());
        }
    }
}
