//! Whether rpm is at work: it holds a lock as long as a transaction is under way.

use super::pages::open;
use fim_core::Reader;
use rustix::process::{Flock, FlockType, fcntl_getlk};
use std::path::Path;

/// Whether somebody holds the lock in the folder of a database for writing.
///
/// The kernel is asked whether a lock for reading could be had, and none is taken: of `/proc/locks` there is less to be
/// known, which names other devices than stat(2) does on btrfs, and leaves out locks of other PID namespaces.
pub fn is_held(reader: &Reader, dir: &Path) -> bool {
    let lock = open(reader, &dir.join(".rpm.lock"));
    lock.is_ok_and(|file| matches!(fcntl_getlk(&file, &Flock::from(FlockType::ReadLock)), Ok(Some(_))))
}
