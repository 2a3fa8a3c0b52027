//! Files that the watcher has no room for, or cannot mark where they are: a gap that stays open, and whose directories are compared again and again
//! until there is room for them.

use super::error::EngineError;
use super::live::Live;
use crate::event::{FileEvent, Via};
use crate::watcher::EventSource;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// How often what is not watched is compared.
const AGAIN: Duration = Duration::from_secs(10);

/// What could not be marked on one way.
#[derive(Clone, Debug, Default)]
pub(super) struct Unarmed {
    files: u64,
    /// The directories they are in.
    dirs: BTreeSet<PathBuf>,
    /// Some of it for want of a right to read it.
    unreadable: bool,
}

impl Unarmed {
    pub(super) fn add(&mut self, path: &Path) {
        self.files += 1;
        let dir = path.parent().unwrap_or(path);
        if !self.dirs.contains(dir) {
            self.dirs.insert(dir.to_owned());
        }
    }

    /// A file that cannot be opened, or anything in a directory that cannot be listed.
    pub(super) fn add_unreadable(&mut self, path: &Path) {
        self.unreadable = true;
        self.add(path);
    }

    pub(super) fn join(&mut self, other: Self) {
        self.files += other.files;
        self.unreadable |= other.unreadable;
        self.dirs.extend(other.dirs);
    }
}

/// All that is not marked by now.
#[derive(Debug, Default)]
pub(super) struct Blind {
    dirs: BTreeSet<PathBuf>,
    /// What they are said to be below, and the number of the gap.
    gaps: Vec<(PathBuf, u64)>,
    pub due: Option<Instant>,
}

impl Blind {
    /// What was being compared may not have been to its end.
    pub(super) fn hurry(&mut self) {
        if !self.gaps.is_empty() {
            self.due = Some(Instant::now());
        }
    }
}

impl Live<'_> {
    /// Says which files could not be marked, and sees to them later.
    pub(super) fn unarmed(&mut self, unarmed: Unarmed) -> Result<(), EngineError> {
        if unarmed.files == 0 {
            return Ok(());
        }
        self.blind.dirs.extend(unarmed.dirs);
        self.blind.due.get_or_insert(Instant::now() + AGAIN);
        let scope = common(&self.blind.dirs);
        if self.blind.gaps.iter().any(|(told, _)| scope.starts_with(told)) {
            return Ok(());
        }
        let cause = match self.marks.fill() {
            _ if unarmed.unreadable => "unreadable",
            (used, room) if room > 0 && used >= room => "marks_full",
            _ => "unmarkable",
        };
        let gap = self.open_gap(cause, &scope.display().to_string(), unarmed.files)?;
        self.blind.gaps.push((scope, gap));
        Ok(())
    }

    /// Compares what is not marked, if it is time to or, without a source, the end, and marks what there is room for by now.
    pub(super) fn see_to_unarmed(&mut self, source: Option<&EventSource>) -> Result<(), EngineError> {
        let at_end = source.is_none();
        if self.blind.due.is_none_or(|due| !at_end && due > Instant::now()) {
            return Ok(());
        }
        self.blind.due = None;
        let mut dirs: Vec<PathBuf> = std::mem::take(&mut self.blind.dirs).into_iter().collect();
        dirs.dedup_by(|later, earlier| later.starts_with(earlier));
        for dir in dirs {
            self.adopt(&dir, &FileEvent::new(SystemTime::now(), Via::Sweep), None)?;
        }
        if let Some(source) = source {
            self.let_in_for_found(source)?;
        }
        self.drain(false)?;
        if !self.blind.dirs.is_empty() {
            return Ok(());
        }
        self.tell_storms()?;
        let gaps = std::mem::take(&mut self.blind.gaps);
        gaps.into_iter().try_for_each(|(_, gap)| self.close_gap_with_found(gap))
    }
}

/// The directory that all of them are in.
fn common(dirs: &BTreeSet<PathBuf>) -> PathBuf {
    // Sorted, so that what the first and the last share is shared by all between.
    let (Some(first), Some(last)) = (dirs.first(), dirs.last()) else { return PathBuf::from("/") };
    let shared = first.components().zip(last.components()).take_while(|(one, other)| one == other);
    shared.map(|(part, _)| part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_what_all_have_in_common() {
        for (dirs, scope) in [
            (vec!["/a/b"], "/a/b"),
            (vec!["/a/b", "/a/b/c", "/a/bc"], "/a"),
            (vec!["/a", "/b"], "/"),
            (vec!["/"], "/"),
        ] {
            let dirs = dirs.into_iter().map(PathBuf::from).collect();
            assert_eq!(common(&dirs), Path::new(scope));
        }
    }
}
