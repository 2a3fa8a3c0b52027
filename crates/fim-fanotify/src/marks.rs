//! Marks on files, as the engine sets them.
//!
//! Must not know events.

use crate::file_system::fold;
use crate::handle;
use crate::shared::Shared;
use fanotify_fid::handle::handle_from_fd;
use fim_core::{FileId, MarkRequest, Marked, Marks, WatchError, WatchSet};
use rustix::fs::fstat;
use std::os::fd::BorrowedFd;
use std::sync::Weak;

/// The engine's handle on the marks. Ends with the watch: marks nobody reads for would fill the kernel's queue.
#[derive(Debug)]
pub(crate) struct FanotifyMarks(pub Weak<Shared>);

impl Marks for FanotifyMarks {
    fn add(&mut self, requests: &[MarkRequest<'_>]) -> Result<Vec<Marked>, WatchError> {
        let Some(shared) = self.0.upgrade() else {
            // What was seen before the end is still being looked at. Nothing can be missed any more: what
            // changes from now on is for the next watch to find.
            return Ok(requests.iter().map(|it| Marked { id: identity(it.file), armed: true }).collect());
        };
        let mut marked = Vec::with_capacity(requests.len());
        for request in requests {
            // Locked for each, so that a long list does not keep the reader waiting.
            marked.push(shared.registry().add(&shared.group, request));
        }
        Ok(marked)
    }

    fn remove(&mut self, ids: &[FileId]) {
        if let Some(shared) = self.0.upgrade() {
            shared.registry().remove(ids);
        }
    }

    fn clear(&mut self, _: FileId) {
        // The kernel keeps no dirty marks: every event that is not read yet stays queued.
    }

    fn watch(&mut self, watch: &WatchSet) {
        if let Some(shared) = self.0.upgrade() {
            shared.set_watch(watch.clone());
        }
    }

    fn follows_files(&self) -> bool {
        false
    }

    fn fill(&self) -> (u64, u64) {
        let Some(shared) = self.0.upgrade() else {
            return (0, 0);
        };
        let marks = u64::try_from(shared.registry().len()).unwrap_or(u64::MAX);
        let limit = if shared.group.abilities.privileged { 0 } else { limit().unwrap_or(0) };
        (marks, limit)
    }
}

/// As the registry would have called it.
fn identity(file: BorrowedFd<'_>) -> FileId {
    let Ok(stat) = fstat(file) else { return FileId::default() };
    let generation = handle_from_fd(file).ok().and_then(|handle| handle::inode(&handle));
    let generation = generation.filter(|(inode, _)| *inode == stat.st_ino).map_or(0, |(_, number)| number);
    FileId { inode: stat.st_ino, device: fold(stat.st_dev), generation }
}

fn limit() -> Option<u64> {
    std::fs::read_to_string("/proc/sys/fs/fanotify/max_user_marks").ok()?.trim().parse().ok()
}
