//! Paths with nothing to look at: those that are in the state alone, and those of which no more can be learned than that
//! something is there.

use super::names::Listed;
use super::{Each, Entry, Visited, Walked};
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::snapshot::Snapshot;
use crate::state::FileRecord;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Hands on a path that is in the state alone, with all that was below it.
pub(super) fn missing(entry: Entry, engine: &mut Engine, each: Each<'_>) -> Result<(), EngineError> {
    below(&entry.path, entry.owner, engine, each)?;
    match (entry.owner, entry.record) {
        (Some(owner), Some(record)) => each(engine, gone(entry.path, owner, record)),
        _ => Ok(()),
    }
}

/// Hands on a path of which no more can be learned than that something is there.
pub(super) fn unreadable(entry: Entry, engine: &mut Engine, each: Each<'_>) -> Result<(), EngineError> {
    let Entry { path, owner: Some(owner), record } = entry else { return Ok(()) };
    let known = record.as_ref().and_then(|record| record.seen.as_ref());
    let snapshot = Snapshot::unreadable(path).completed(known);
    each(engine, Some(Box::new(Walked { snapshot, owner, record, handed: false })))
}

/// Hands on all that the state has below a path.
pub(super) fn below(
    path: &Path,
    owner: Option<usize>,
    engine: &mut Engine,
    each: Each<'_>,
) -> Result<(), EngineError> {
    let owner = owner.unwrap_or(0);
    for (path, record) in engine.state.below(path)?.into_iter().rev() {
        each(engine, gone(path, owner, record))?;
    }
    Ok(())
}

fn gone(path: PathBuf, owner: usize, record: FileRecord) -> Visited {
    Some(Box::new(Walked { snapshot: Snapshot::gone(path), owner, record: Some(record), handed: false }))
}

/// The names in a directory, with those of which the state has nothing itself but something below them: a look that came
/// too late for what it was for may have left that behind.
pub(super) fn with_orphans(
    dir: &Path,
    names: Vec<Listed>,
    recorded: &[(OsString, FileRecord)],
    engine: &mut Engine,
) -> Result<Vec<Listed>, EngineError> {
    let known: BTreeSet<&OsString> = recorded.iter().map(|(name, _)| name).collect();
    let below = engine.state.below(dir)?;
    let tops = below.iter().filter_map(|(path, _)| path.strip_prefix(dir).ok()?.iter().next());
    let mut all: BTreeSet<OsString> = tops.map(OsString::from).filter(|top| !known.contains(top)).collect();
    if all.is_empty() {
        return Ok(names);
    }
    all.extend(names.into_iter().map(|listed| listed.name));
    Ok(all.into_iter().map(|name| Listed { name, is_file: false }).collect())
}
