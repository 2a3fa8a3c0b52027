//! The table: all ways, by what the kernel calls them.

mod above;
mod aio;
mod copy;
mod elsewhere;
mod failing;
mod kernel;
mod metadata;
mod mmap;
mod mounts;
mod names;
mod nothing;
mod pipes;
mod renames;
mod size;
mod uring;
mod write;
mod xattrs;

use crate::case::Case;

/// Every case, in the order in which they are run and printed.
#[must_use]
pub fn table() -> Vec<Case> {
    [
        write::cases(),
        aio::cases(),
        uring::cases(),
        mmap::cases(),
        pipes::cases(),
        copy::cases(),
        size::cases(),
        kernel::cases(),
        elsewhere::cases(),
        names::cases(),
        renames::cases(),
        above::cases(),
        metadata::cases(),
        xattrs::cases(),
        mounts::cases(),
        nothing::cases(),
        failing::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests;
