//! The table: all ways, by what the kernel calls them.

mod names;
mod nothing;
mod write;

use crate::case::Case;

/// Every case, in the order in which they are run and printed.
#[must_use]
pub fn table() -> Vec<Case> {
    [write::cases(), names::cases(), nothing::cases()].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests;
