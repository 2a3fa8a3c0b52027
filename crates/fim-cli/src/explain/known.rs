//! What the state holds of a path. Makes no state where there is none.

use crate::agent::Agent;
use fim_core::{Facts, FileRecord, SledStore, State, StoreError, StoreErrorKind, Trusted};
use std::fmt;
use std::path::Path;

/// What is known of a path.
#[derive(Debug)]
pub enum Known {
    /// There is no state.
    NoState,
    /// It cannot be asked.
    Closed(StoreError),
    /// It has no record.
    Nothing,
    /// It has one.
    Record(Box<FileRecord>),
}

impl Known {
    /// Asks the state in this folder.
    pub fn of(dir: &Path, path: &Path) -> Self {
        // Opening makes what is not there; to ask is no reason to.
        match dir.join("STATE").try_exists() {
            Ok(false) => return Self::NoState,
            Ok(true) => {}
            Err(error) => return Self::Closed(StoreError::new(StoreErrorKind::Io, error.to_string())),
        }
        let state = match Agent::find(dir).map(Agent::state) {
            Some(Ok(copy)) => State::open(Box::new(copy)),
            Some(Err(error)) => {
                return Self::Closed(StoreError::new(StoreErrorKind::Locked, error.to_string()));
            }
            None => SledStore::open(dir).and_then(|store| State::open(Box::new(store))),
        };
        let record = state.and_then(|state| state.get(path));
        match record {
            Ok(Some(record)) => Self::Record(Box::new(record)),
            Ok(None) => Self::Nothing,
            Err(error) => Self::Closed(error),
        }
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoState => f.write_str("no state yet: `fim baseline` or the first `fim run` makes it"),
            Self::Closed(error) => write!(f, "cannot be asked: {error}"),
            Self::Nothing => f.write_str("nothing is known of it"),
            Self::Record(record) => {
                let seen = short(record.seen.as_ref());
                match &record.trusted {
                    Trusted::Same => write!(f, "seen and trusted: {seen}"),
                    Trusted::Facts(facts) => {
                        write!(f, "seen: {seen}; trusted: {}", short(Some(facts)))
                    }
                    Trusted::Absent => write!(f, "seen: {seen}; trusted: that it is not there"),
                }
            }
        }
    }
}

fn short(facts: Option<&Facts>) -> String {
    facts.map_or_else(
        || "not there".to_owned(),
        |it| {
            format!(
                "{}, mode {:04o}, owner {}:{}, {} bytes",
                it.kind.as_str(),
                it.mode,
                it.uid,
                it.gid,
                it.size
            )
        },
    )
}
