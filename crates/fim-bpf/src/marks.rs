//! Setting, clearing and removing marks from user space: by programs that run in the kernel.
//!
//! Knows nothing of events. Holds only descriptors, so that it may outlive the watcher.

use crate::kept::Kept;
use crate::layout::{self, control, scope};
use crate::ring::Positions;
use crate::{decode, sys};
use fim_core::{Backlog, FileId, Headway, MarkRequest, MarkScope, Marked, Marks, WatchError};
use libbpf_rs::{MapCore, MapFlags, MapHandle};
use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// The marks of a loaded set of programs.
pub struct BpfMarks {
    pub(crate) marks: MapHandle,
    pub(crate) wanted: MapHandle,
    pub(crate) counts: MapHandle,
    pub(crate) fill: OwnedFd,
    pub(crate) writers: OwnedFd,
    pub(crate) control: OwnedFd,
    pub(crate) kept: Option<Arc<Kept>>,
    /// Of the ring, where they can be had.
    pub(crate) positions: Option<Positions>,
    /// Marked by an earlier start, and not yet again by this one.
    pub(crate) inherited: HashSet<FileId>,
    pub(crate) backlog: Option<Backlog>,
}

/// How a mark is.
#[derive(Clone, Copy, Debug)]
pub struct MarkState {
    /// Touched since it was last cleared.
    pub dirty: bool,
    /// It may change without a further touch.
    pub mapped: bool,
}

/// What the programs count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Marks set.
    pub used: u64,
    /// Records that found the ring full.
    pub lost: u64,
    /// Files that found no room among the marks.
    pub marks_full: u64,
    /// Own operations seen while hooks were proved, by `enum fim_op`.
    pub hits: [u64; layout::OPS],
}

impl BpfMarks {
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        let map = |handle: &MapHandle| MapHandle::try_from(handle).map_err(io::Error::other);
        Ok(Self {
            marks: map(&self.marks)?,
            wanted: map(&self.wanted)?,
            counts: map(&self.counts)?,
            fill: self.fill.try_clone()?,
            writers: self.writers.try_clone()?,
            control: self.control.try_clone()?,
            kept: self.kept.clone(),
            positions: None,
            inherited: HashSet::new(),
            backlog: None,
        })
    }

    /// One pass over our own descriptors. With nothing wanted it still teaches the programs who we are.
    pub(crate) fn pass(&self, mut take: impl FnMut(u32, FileId, bool)) -> io::Result<()> {
        read_iterator(self.fill.as_fd(), layout::FILLED, |line| {
            if let Some((fd, id, armed)) = decode::filled(line) {
                take(fd, id, armed);
            }
        })
    }

    /// The marked files that somebody has open for writing.
    pub(crate) fn open_for_writing(&self) -> io::Result<HashSet<FileId>> {
        let mut found = HashSet::new();
        read_iterator(self.writers.as_fd(), layout::KEY, |line| found.extend(decode::key(line)))?;
        Ok(found)
    }

    pub(crate) fn control(&self, what: u64, id: FileId) -> io::Result<()> {
        let low = u64::from(id.device) << 32 | u64::from(id.generation);
        sys::run(self.control.as_fd(), &[what, id.inode, low])
    }

    pub(crate) fn counts(&self) -> Counts {
        let bytes = match self.counts.lookup(&0_u32.to_ne_bytes(), MapFlags::ANY) {
            Ok(Some(bytes)) => bytes,
            _ => return Counts::default(),
        };
        let word = |index: usize| decode::u64_at(&bytes, index * 8).unwrap_or_default();
        let mut counts = Counts { used: word(0), lost: word(1), marks_full: word(2), ..Counts::default() };
        for (index, hits) in counts.hits.iter_mut().enumerate() {
            *hits = word(3 + index);
        }
        counts
    }

    /// Visits every mark that is dirty: its file, and whether it is mapped.
    pub(crate) fn dirty(&self, mut visit: impl FnMut(FileId, bool)) -> io::Result<()> {
        self.visit(|id, state| {
            if state.dirty {
                visit(id, state.mapped);
            }
        })
    }

    /// Visits every mark.
    pub(crate) fn visit(&self, mut visit: impl FnMut(FileId, MarkState)) -> io::Result<()> {
        sys::visit_map(self.marks.as_fd(), (layout::KEY, layout::MARK), 4096, |key, mark| {
            let is = |at: usize| mark.get(at).is_some_and(|byte| *byte != 0);
            if let Some(id) = decode::key(key) {
                visit(id, MarkState { dirty: is(layout::MARK_DIRTY), mapped: is(layout::MARK_MAPPED) });
            }
        })
    }

    fn add_batch(&self, requests: &[MarkRequest<'_>], answers: &mut Vec<Marked>) -> io::Result<()> {
        let mut found = HashMap::with_capacity(requests.len());
        let wanted = requests.iter().try_for_each(|request| self.want(request.file, request.scope));
        let passed = wanted.and_then(|()| {
            self.pass(|fd, id, armed| {
                found.insert(fd, Marked { id, armed });
            })
        });
        for request in requests {
            let fd = fd_number(request.file);
            answers.push(found.get(&fd).copied().unwrap_or_else(|| {
                // Not seen: it must not wait for another file under this number.
                drop(self.wanted.delete(&fd.to_ne_bytes()));
                Marked { id: FileId::default(), armed: false }
            }));
        }
        passed
    }

    fn want(&self, file: BorrowedFd<'_>, how: MarkScope) -> io::Result<()> {
        let how = match how {
            MarkScope::File => scope::FILE,
            MarkScope::Names => scope::NAMES,
            MarkScope::Tree => scope::TREE,
        };
        self.wanted
            .update(&fd_number(file).to_ne_bytes(), &how.to_ne_bytes(), MapFlags::ANY)
            .map_err(io::Error::other)
    }
}

/// Reads a new pass of an iterator to its end, in lines of one size.
fn read_iterator(link: BorrowedFd<'_>, line: usize, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut iterator = std::fs::File::from(sys::open_iterator(link)?);
    let mut buffer = vec![0_u8; 16 * 1024];
    let mut kept = 0;
    while let Some(room) = buffer.get_mut(kept..) {
        let got = match iterator.read(room) {
            Ok(0) => break,
            Ok(got) => kept + got,
            // The kernel takes a breath after a million objects without output.
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                continue;
            }
            Err(error) => return Err(error),
        };
        let whole = got - got % line;
        buffer.get(..whole).unwrap_or_default().chunks_exact(line).for_each(&mut take);
        buffer.copy_within(whole..got, 0);
        kept = got - whole;
    }
    Ok(())
}

fn fd_number(file: BorrowedFd<'_>) -> u32 {
    // An open descriptor is never negative.
    u32::try_from(file.as_raw_fd()).unwrap_or(u32::MAX)
}

impl Marks for BpfMarks {
    fn add(&mut self, requests: &[MarkRequest<'_>]) -> Result<Vec<Marked>, WatchError> {
        let mut answers = Vec::with_capacity(requests.len());
        for batch in requests.chunks(layout::WANTED / 2) {
            // Descriptors or memory may be short for a while: what has no mark is tried again.
            if let Err(error) = self.add_batch(batch, &mut answers) {
                log::warn!("cannot mark {} files in the kernel for now: {error}", batch.len());
            }
        }
        if !self.inherited.is_empty() {
            for answer in &answers {
                self.inherited.remove(&answer.id);
            }
        }
        Ok(answers)
    }

    fn remove(&mut self, ids: &[FileId]) {
        for id in ids {
            if let Err(error) = self.control(control::REMOVE, *id) {
                log::warn!("cannot remove the mark of {id:?}: {error}");
            }
        }
    }

    fn clear(&mut self, id: FileId) {
        if let Err(error) = self.control(control::CLEAR, id) {
            log::warn!("cannot clear the mark of {id:?}: {error}");
        }
    }

    fn fill(&self) -> (u64, u64) {
        (self.counts().used, u64::from(self.marks.max_entries()))
    }

    fn headway(&self) -> Option<Headway> {
        self.positions.as_ref().map(Positions::headway)
    }

    fn backlog(&mut self) -> Option<Backlog> {
        self.backlog.take()
    }

    fn all_marked(&mut self) {
        let stale: Vec<FileId> = std::mem::take(&mut self.inherited).into_iter().collect();
        self.remove(&stale);
        if let Some(kept) = &self.kept {
            kept.set(|now| now.complete = true);
        }
    }
}
