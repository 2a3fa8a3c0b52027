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

const _: () = {
    use crate::layout;
    use std::mem::{offset_of, size_of};
    assert!(size_of::<types::fim_key>() == layout::KEY);
    assert!(size_of::<types::fim_mark>() == layout::MARK);
    assert!(offset_of!(types::fim_mark, dirty) == layout::MARK_DIRTY);
    assert!(offset_of!(types::fim_mark, mapped) == layout::MARK_MAPPED);
    assert!(size_of::<types::fim_change>() == layout::CHANGE);
    assert!(offset_of!(types::fim_change, file) == layout::CHANGE_FILE);
    assert!(size_of::<types::fim_names>() == layout::NAMES);
    assert!(offset_of!(types::fim_names, slot) == layout::NAMES_SLOT);
    assert!(size_of::<types::fim_process>() == layout::PROCESS);
    assert!(offset_of!(types::fim_process, comm) == layout::PROCESS_COMM);
    assert!(offset_of!(types::fim_process, path) == layout::PROCESS_PATH);
    assert!(size_of::<types::fim_filled>() == layout::FILLED);
    assert!(size_of::<types::fim_kept>() == layout::KEPT);
    assert!(size_of::<types::fim_counts>() == layout::COUNTS);
};
