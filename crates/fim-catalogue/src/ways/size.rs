//! Sizes and holes: truncate(2), O_TRUNC and fallocate(2).

use super::copy::blocks;
use crate::case::{Case, Held, done, hold, way};
use crate::scene::Scene;
use crate::sys::{c_path, checked};
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::File;
use std::io::{self, Write};

pub(super) fn cases() -> Vec<Case> {
    let mut all = truncations();
    all.extend(allocations());
    all
}

fn truncations() -> Vec<Case> {
    let truncate = |name, says, change| way("truncate", name, says, change).updates("f");
    vec![
        truncate("truncate", "truncate(2) to less", |s, _| by_path(s, 1)),
        truncate("truncate_up", "truncate(2) to more", |s, _| by_path(s, 9000)),
        truncate("truncate_zero", "truncate(2) to nothing", |s, _| by_path(s, 0)),
        truncate("ftruncate", "ftruncate(2) to less", |s, _| {
            let file = s.writable()?;
            file.set_len(1)?;
            hold(file)
        }),
        truncate("ftruncate_up", "ftruncate(2) to more", |s, _| {
            let file = s.writable()?;
            file.set_len(9000)?;
            hold(file)
        }),
        truncate("open_trunc", "open(2) with O_TRUNC", |s, _| hold(File::create(s.f())?)),
        truncate("open_trunc_write", "open(2) with O_TRUNC, and a write", |s, _| {
            let mut file = File::create(s.f())?;
            file.write_all(b"anew")?;
            hold(file)
        }),
    ]
}

#[allow(unsafe_code)]
fn by_path(s: &Scene, length: i64) -> io::Result<Held> {
    let path = c_path(&s.f())?;
    // SAFETY: the path ends in a zero byte.
    checked(unsafe { libc::truncate(path.as_ptr(), length) })?;
    done()
}

fn allocations() -> Vec<Case> {
    let falloc = |name, says, change| way("fallocate", name, says, change).updates("f").prepared(blocks);
    vec![
        falloc("fallocate", "fallocate(2) beyond the end", |s, _| {
            allocate(s, FallocateFlags::empty(), 0, 5 * BLOCK)
        }),
        falloc("fallocate_punch", "fallocate(2) with FALLOC_FL_PUNCH_HOLE", |s, _| {
            allocate(s, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, BLOCK, BLOCK)
        }),
        falloc("fallocate_zero", "fallocate(2) with FALLOC_FL_ZERO_RANGE", |s, _| {
            allocate(s, FallocateFlags::ZERO_RANGE, BLOCK, BLOCK)
        }),
        falloc("fallocate_collapse", "fallocate(2) with FALLOC_FL_COLLAPSE_RANGE", |s, _| {
            allocate(s, FallocateFlags::COLLAPSE_RANGE, BLOCK, BLOCK)
        }),
        falloc("fallocate_insert", "fallocate(2) with FALLOC_FL_INSERT_RANGE", |s, _| {
            allocate(s, FallocateFlags::INSERT_RANGE, BLOCK, BLOCK)
        }),
    ]
}

const BLOCK: u64 = 4096;

pub(super) fn allocate(s: &Scene, flags: FallocateFlags, from: u64, length: u64) -> io::Result<Held> {
    let file = s.writable()?;
    fallocate(&file, flags, from, length)?;
    hold(file)
}
