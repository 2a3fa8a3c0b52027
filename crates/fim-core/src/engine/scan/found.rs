//! What a scan saw, compared with what was last seen: what is unlike is marked, and looked at as everything
//! else is.

use super::{Found, Scan, Scans};
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::engine::live::Live;
use crate::facts::{Facts, FileKind, HashState};
use crate::finding::Started;
use crate::remote::RemoteTops;
use crate::snapshot::{Limits, Reader, Snapshot};
use crate::watcher::{Coverage, Degree};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// When every byte was last read: seconds since the epoch, so that a machine that restarts every day has its
/// full scan all the same.
const FULL: &str = "scan_full";

impl Scan {
    /// What a watcher does not see, scans of the metadata find.
    pub fn make_up(&self, coverage: &mut Coverage) {
        if !self.metadata_every.is_zero() {
            for degree in coverage.values_mut() {
                *degree = (*degree).max(Degree::Late);
            }
        }
    }

    /// What scans add to what a watcher sees.
    pub(in crate::engine) fn tell(&self, remote: &RemoteTops, started: &mut Started) {
        let degree = |every: Duration| if every.is_zero() { Degree::None } else { Degree::Late };
        self.make_up(&mut started.coverage);
        started.coverage.entry("raw_write").or_insert(degree(self.full_every));
        if remote.0.is_empty() {
            return;
        }
        let seldom = if self.remote_every.is_zero() { self.metadata_every } else { self.remote_every };
        started.coverage.entry("remote").or_insert(degree(seldom));
        for (dir, name) in &remote.0 {
            started.notes.push(format!(
                "{} is on {name}: what others change there, and all where it takes no marks, is found by scans{}",
                dir.display(),
                if seldom.is_zero() { ", which are off" } else { "" }
            ));
        }
    }
}

impl Engine {
    /// Starts the scans, if there are to be any.
    pub(in crate::engine) fn start_scans(&mut self) -> Result<Option<Scans>, EngineError> {
        if [self.scan.metadata_every, self.scan.full_every, self.scan.remote_every] == [Duration::ZERO; 3] {
            return Ok(None);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let last = self.state.meta(FULL)?.and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
        if last.is_none() {
            self.full_scan_done()?;
        }
        let ago = last.map_or(Duration::ZERO, |last| now.saturating_sub(Duration::from_secs(last)));
        Scans::start(&self.scan, self.watch.clone(), self.scan_reader(), self.remote.clone(), ago)
            .map(Some)
            .map_err(|source| EngineError::System {
                what: "cannot start the thread for scans".to_owned(),
                source,
            })
    }

    /// As the engine reads, but once: a file that moves while it is read is being written to, which is not the scan's
    /// business.
    pub(in crate::engine) fn scan_reader(&self) -> Reader {
        self.reader.another(Limits { attempts: 1, ..self.limits })
    }

    fn full_scan_done(&mut self) -> Result<(), EngineError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(self.state.set_meta(FULL, &now.as_secs().to_le_bytes())?)
    }
}

impl Live<'_> {
    /// Takes what a scan saw.
    pub(in crate::engine) fn scanned(&mut self, found: Found) -> Result<(), EngineError> {
        match found {
            Found::Names { dir, names } => {
                for (name, record) in self.engine.state.list_dir(&dir)? {
                    if record.seen.is_some() && names.binary_search(&name).is_err() {
                        self.mark_scanned(&dir.join(name));
                    }
                }
                Ok(())
            }
            Found::Looked { snapshot, read } => self.compare(&snapshot, read),
            Found::Remote(tops) => {
                drop(self.engine.note_remote(tops));
                Ok(())
            }
            Found::Done { every_byte: true } => self.engine.full_scan_done(),
            Found::Done { every_byte: false } => Ok(()),
        }
    }

    /// Tells the scans of remote file systems that a walk came upon.
    pub(in crate::engine) fn found_remote(&mut self, tops: RemoteTops) {
        let new = self.engine.note_remote(tops);
        if let Some(scans) = self.scans.as_ref().filter(|_| !new.is_empty()) {
            scans.remote(new);
        }
    }

    fn compare(&mut self, snapshot: &Snapshot, read: bool) -> Result<(), EngineError> {
        let path = &snapshot.path;
        let seen = self.engine.state.get(path)?.and_then(|record| record.seen);
        let is_dir = |facts: &Facts| facts.kind == FileKind::Dir;
        match (&seen, &snapshot.facts) {
            (Some(_), None) => self.mark_scanned(path),
            // No record, as a directory of which only some names are watched.
            (None, None) => {
                for (below, record) in self.engine.state.below(path)? {
                    if record.seen.is_some() {
                        self.mark_scanned(&below);
                    }
                }
            }
            (seen, Some(now)) => {
                let unarmed =
                    is_dir(now) && self.index.dir_id(path).is_none_or(|known| known.inode != now.inode);
                let owned = self.engine.watch.owner(path).is_some();
                if unarmed || (owned && seen.as_ref().is_none_or(|seen| differs(seen, now, read))) {
                    self.mark_scanned(path);
                }
            }
        }
        Ok(())
    }

    fn mark_scanned(&mut self, path: &Path) {
        if self.is_watched(path) {
            self.queue.mark_scanned(path, Instant::now());
        }
    }
}

/// Whether what is there is not what was last seen, so far as the scan looked.
fn differs(seen: &Facts, now: &Facts, read: bool) -> bool {
    // What could not be read then may be readable by now: a look will show.
    if !seen.same_stat(now) || seen.is_unreadable() != now.is_unreadable() {
        return true;
    }
    // What moved while it was read has an event of its own.
    let is_sure = matches!(now.hash_state, HashState::Stable | HashState::TooBig);
    read && is_sure
        && (seen.same_hash(now) == Some(false)
            || seen.hash_state != now.hash_state
            || seen.target != now.target
            || !seen.same_metadata(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_scan_can_tell() {
        let file = |change: &dyn Fn(&mut Facts)| {
            let mut facts = Facts::new(FileKind::File);
            facts.blake3 = Some([1; 32]);
            change(&mut facts);
            facts
        };
        let seen = file(&|_| ());
        let unread = file(&|facts| facts.blake3 = None);
        assert!(!differs(&seen, &unread, false), "a stat says nothing of the content");
        assert!(differs(&seen, &file(&|facts| facts.size = 9), false));
        assert!(!differs(&seen, &seen, true));
        let other = file(&|facts| facts.blake3 = Some([2; 32]));
        assert!(differs(&seen, &other, true), "with the same clocks");
        let moving = file(&|facts| {
            facts.blake3 = Some([2; 32]);
            facts.hash_state = HashState::Unstable;
        });
        assert!(!differs(&seen, &moving, true));
        assert!(differs(&seen, &file(&|facts| facts.flags = 0x10), true));
        let unreadable = file(&|facts| (facts.hash_state, facts.blake3) = (HashState::Unreadable, None));
        for read in [true, false] {
            assert!(differs(&seen, &unreadable, read) && differs(&unreadable, &seen, read));
            assert!(!differs(&unreadable, &unreadable, read), "that is known");
        }
        let keyed = file(&|facts| {
            facts.blake3 = Some([2; 32]);
            facts.keyed = Some(7);
        });
        assert!(!differs(&seen, &keyed, true), "under another key nothing can be told");
    }

    #[test]
    fn what_a_watcher_does_not_see_is_found_late() {
        let sees = || Coverage::from([("flags", Degree::None), ("write", Degree::Full)]);
        let mut coverage = sees();
        Scan::default().make_up(&mut coverage);
        assert_eq!(coverage, [("flags", Degree::Late), ("write", Degree::Full)].into());
        let mut coverage = sees();
        Scan::never().make_up(&mut coverage);
        assert_eq!(coverage, sees());
    }
}
