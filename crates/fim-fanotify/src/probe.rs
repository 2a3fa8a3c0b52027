//! Whether fanotify can be used here, and what it sees: for `fim doctor`.
//!
//! Must not know what is to be watched.

use crate::group::Group;
use crate::prove::{coverage, nothing};
use crate::watcher::FanotifyConfig;
use fim_core::{Coverage, WatchError};
use std::path::Path;

/// What fanotify can do on this machine, for this user.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Probe {
    /// What is seen, as proved in a scratch directory; nothing, if nothing could be proved.
    pub coverage: Coverage,
    /// Facts for people: flags, limits, and why something is missing.
    pub notes: Vec<String>,
}

/// Whether files in this directory can be watched, and what is seen of them: makes a scratch directory there
/// for as long as it takes to find out.
///
/// # Errors
/// Why not.
pub fn probe_at(dir: &Path) -> Result<Coverage, WatchError> {
    coverage(Group::new(true)?, dir)
}

/// Tries fanotify.
///
/// # Errors
/// Why it cannot be used, and what to do about it.
pub fn probe(config: &FanotifyConfig) -> Result<Probe, WatchError> {
    let group = Group::new(config.unlimited_queue)?;
    let mut notes = vec![format!("fanotify with {}", group.abilities.describe())];
    if !group.abilities.privileged {
        notes.push(
            "without CAP_SYS_ADMIN: directories are marked one by one, and processes of others have no number"
                .to_owned(),
        );
    }
    if !group.abilities.rename {
        notes.push("before Linux 5.17: the two names of a rename come apart".to_owned());
    }
    notes.push(
        "of a process only the number is certain: what has ended before it was looked at has no name"
            .to_owned(),
    );
    notes.push("a write through a hard link that was made outside the watched directories since the last scan is found by the next one".to_owned());
    let coverage = first_proof(config, &mut notes).unwrap_or_else(nothing);
    Ok(Probe { coverage, notes })
}

fn first_proof(config: &FanotifyConfig, notes: &mut Vec<String>) -> Option<Coverage> {
    let mut failures = Vec::new();
    for scratch in &config.scratch {
        match probe_at(scratch) {
            Ok(coverage) => return Some(coverage),
            Err(error) => failures.push(error.to_string()),
        }
    }
    notes.extend(failures);
    None
}
