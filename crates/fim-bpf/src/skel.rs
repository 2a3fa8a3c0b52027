//! The generated skeleton, and the proof that both sides agree on what crosses between them.
//!
//! Knows nothing of what the programs are for.

#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    dead_code,
    missing_docs,
    missing_debug_implementations,
    unsafe_code,
    unsafe_op_in_unsafe_fn,
    unused_qualifications
)]

include!(concat!(env!("OUT_DIR"), "/fim.skel.rs"));

/// Fields that `decode.rs` reads at these offsets.
macro_rules! lies_at {
    ($($type:ident { $($field:ident: $at:expr),* })*) => {
        $($(assert!(std::mem::offset_of!(types::$type, $field) == $at);)*)*
    };
}

const _: () = {
    use crate::layout;
    use std::mem::size_of;
    assert!(size_of::<types::fim_key>() == layout::KEY);
    assert!(size_of::<types::fim_mark>() == layout::MARK);
    assert!(size_of::<types::fim_change>() == layout::CHANGE);
    assert!(size_of::<types::fim_names>() == layout::NAMES);
    assert!(size_of::<types::fim_process>() == layout::PROCESS);
    assert!(size_of::<types::fim_filled>() == layout::FILLED);
    assert!(size_of::<types::fim_kept>() == layout::KEPT);
    assert!(size_of::<types::fim_counts>() == layout::COUNTS);
    lies_at! {
        fim_key { ino: 0, dev: 8, r#gen: 12 }
        fim_mark { dirty: layout::MARK_DIRTY, mapped: layout::MARK_MAPPED }
        fim_change { kind: 0, op: 1, flags: 2, tgid: 4, time: 8, image: 16, file: layout::CHANGE_FILE }
        fim_names {
            change: 0, dir: layout::CHANGE, from: layout::CHANGE + layout::KEY, slot: layout::NAMES_SLOT,
            name_len: layout::NAMES_SLOT + 2, from_len: layout::NAMES_SLOT + 4
        }
        fim_process {
            kind: 0, flags: 1, args_len: 2, tgid: 4, image: 8, start: 16, parent_start: 24, parent: 32, uid: 36,
            gid: 40, loginuid: 44, sessionid: 48, path_len: 52, comm: layout::PROCESS_COMM,
            parent_comm: layout::PROCESS_COMM + layout::COMM, cgroup: layout::PROCESS_COMM + 2 * layout::COMM,
            path: layout::PROCESS_PATH
        }
        fim_filled { key: 0, fd: layout::KEY, armed: layout::KEY + 4 }
        fim_counts { used: 0, lost: 8, marks_full: 16, hits: 24 }
        fim_kept { layout: 0, lost: 8, complete: 16 }
    }
};
