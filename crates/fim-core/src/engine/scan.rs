//! Scans: looking at everything from time to time, for what no hook can see — other machines that share a file
//! system, writes to the disk past the file system, loop devices with direct I/O, extents moved without a clock.
//!
//! A thread of low priority walks at a bounded pace and tells the engine what it sees; it knows no state,
//! compares nothing and reports nothing. So a change of the moment never waits for a scan.

mod found;
mod pace;
mod scanner;
mod schedule;

pub(super) use scanner::{Found, Scans};

use std::time::Duration;

/// When everything is looked at again while a watch runs, and how fast. An interval of zero is never, a rate
/// of zero has no bound.
///
/// ```
/// use fim_core::{Engine, Scan};
/// use std::time::Duration;
///
/// let mut scan = Scan::default();
/// scan.full_every = Duration::ZERO; // never
/// scan.metadata_every = Duration::from_secs(600);
/// let builder = Engine::builder().scan(scan);
/// # drop(builder);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scan {
    /// Between two scans of the metadata: owner, mode, size, clocks, and which names there are.
    pub metadata_every: Duration,
    /// Between two scans that read every byte, from the disk where the cache may be dropped.
    pub full_every: Duration,
    /// Between two scans of the metadata on [remote file systems](crate::remote_file_system).
    pub remote_every: Duration,
    /// Files looked at in a second, all scans together.
    pub files_per_second: u32,
    /// Bytes read in a second.
    pub bytes_per_second: u64,
}

impl Default for Scan {
    /// Metadata every hour, remote file systems every 5 minutes, content every day; 1,000 files and 16 MiB a
    /// second.
    fn default() -> Self {
        Self {
            metadata_every: Duration::from_secs(3600),
            full_every: Duration::from_secs(24 * 3600),
            remote_every: Duration::from_secs(300),
            files_per_second: 1000,
            bytes_per_second: 16 << 20,
        }
    }
}

impl Scan {
    /// No scan of any kind.
    #[must_use]
    pub const fn never() -> Self {
        Self {
            metadata_every: Duration::ZERO,
            full_every: Duration::ZERO,
            remote_every: Duration::ZERO,
            files_per_second: 0,
            bytes_per_second: 0,
        }
    }
}
