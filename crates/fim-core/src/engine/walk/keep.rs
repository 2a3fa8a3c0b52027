//! What a walk need not read: a file whose stat says that it is as it was.
//!
//! Must not know how files are marked, nor what a change means.

use super::{Dir, Entry, Job, Reading, Walk, Walked};
use crate::engine::pool::Pool;
use crate::facts::{Facts, FileKind};
use crate::snapshot::Reader;
use crate::state::FileRecord;
use crate::watch_set::Need;
use std::os::fd::AsFd;
use std::path::Path;

impl Walk<'_> {
    /// Whose a file is and what is known of it, if it is as it was and needs no mark of its own: one call instead of four.
    /// The directory was armed before it was listed, so that nothing is missed.
    pub(super) fn unchanged<'e>(&self, entry: &'e Entry, at: Option<&Dir>) -> Option<(usize, &'e Facts)> {
        let (dir, owner, record) = (at?, entry.owner?, entry.record.as_ref()?);
        let known = self.basis(record).filter(|known| known.kind == FileKind::File)?;
        let now = self.reader.stat_in(dir.file.as_fd(), entry.path.file_name()?).ok()?;
        let is_same = known.same_stat(&now)
            && !self.needs_mark(&now, at)
            && !self.is_handed_on(owner, &entry.path)
            && self.can_keep(owner, &entry.path, record, known);
        is_same.then_some((owner, known))
    }

    /// What a file is compared with, where it need not be read.
    fn basis<'r>(&self, record: &'r FileRecord) -> Option<&'r Facts> {
        match self.reading {
            Reading::UnlikeSeen => record.seen.as_ref(),
            Reading::UnlikeTrusted => record.trusted_facts(),
            Reading::Never | Reading::Always => None,
        }
    }

    /// Whether what is known of a file does, if its stat is as it was.
    fn can_keep(&self, owner: usize, path: &Path, record: &FileRecord, known: &Facts) -> bool {
        // What could not be read may be readable by now.
        !known.is_unreadable()
            && self.watch.overhearers(owner, path).next().is_none()
            && !is_owed_a_first_look(self.watch.need(owner), record, known)
            && self.reader.could_have_made(path, known)
    }

    /// Answers at once for what need not be read.
    pub(super) fn read_or_keep(&mut self, job: Job, pool: &mut Pool) -> Option<Walked> {
        // The first stat was taken before the file was armed; only one taken after it can be trusted to miss nothing.
        let known = job.record.as_ref().and_then(|record| {
            let known = self.basis(record)?;
            let is_same = known.same_stat(&job.facts)
                && !job.handed
                && self.can_keep(job.owner, &job.path, record, known)
                && (self.marks.is_none()
                    || Reader::stat(job.file.as_fd()).is_ok_and(|now| known.same_stat(&now)));
            is_same.then(|| known.clone())
        });
        if let Some(known) = known {
            return Some(job.done(known));
        }
        if self.reading == Reading::Never {
            let facts = Reader::stat(job.file.as_fd()).unwrap_or_else(|_| job.facts.clone());
            return Some(job.done(facts));
        }
        pool.read(&mut self.reader, job);
        None
    }
}

/// Whether a consumer that reads content has nothing yet to compare with: it came to have the file later.
fn is_owed_a_first_look(need: Need, record: &FileRecord, known: &Facts) -> bool {
    let fits = need.content.is_some_and(|most| known.size <= most);
    fits && known.kind == FileKind::File && record.kept.is_none()
}
