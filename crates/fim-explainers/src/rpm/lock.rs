//! Whether rpm is at work: it holds a lock as long as a transaction is under way.

use super::pages::open;
use fim_core::{Detected, Reader, Sight};
use rustix::process::{Flock, FlockType, fcntl_getlk};
use std::path::Path;

/// The initial PID namespace, by the number that the kernel gives it (`PROC_PID_INIT_INO`).
const INITIAL: &str = "pid:[4026531836]";

/// A transaction that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The process whose it is, by the number that actors have; `None` if that is not to be known.
    pub process: Option<u32>,
}

impl Transaction {
    /// Whether others made a change, and all of them are known. It is the process with the lock itself that unpacks
    /// and removes files, not one that it starts.
    pub fn has_no_hand_in(&self, change: &Sight<'_>) -> bool {
        let Some(process) = self.process else { return false };
        let is_other = |pid: u32| pid != 0 && pid != process;
        change.detected == Detected::Live
            && !change.actors.is_empty()
            && change.actors.iter().all(|actor| is_other(actor.pid))
    }
}

/// The lock of one database.
#[derive(Debug)]
pub struct Lock {
    /// Processes have the same numbers here as actors have: those of the initial namespace.
    is_initial: bool,
}

impl Lock {
    pub fn new() -> Self {
        let namespace = std::fs::read_link("/proc/self/ns/pid");
        Self { is_initial: namespace.is_ok_and(|it| it.as_os_str() == INITIAL) }
    }

    /// Whose transaction is under way, if one is: who holds the lock in the folder of a database for writing.
    ///
    /// The kernel is asked whether a lock for reading could be had, and none is taken: of `/proc/locks` there is less to
    /// be known, which names other devices than stat(2) does on btrfs, and leaves out locks of other PID namespaces.
    pub fn holder(&self, reader: &Reader, dir: &Path) -> Option<Transaction> {
        let file = open(reader, &dir.join(".rpm.lock")).ok()?;
        let held = fcntl_getlk(&file, &Flock::from(FlockType::ReadLock)).ok()??;
        let process = held.pid.and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok());
        Some(Transaction { process: process.filter(|_| self.is_initial) })
    }
}
