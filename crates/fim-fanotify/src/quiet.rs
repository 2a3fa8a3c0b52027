//! Directories of which the kernel is told to say nothing: a mark on a file system brings an event, and wakes the reader, for
//! whatever happens on it, and each wake-up is paid by whoever made the change.
//!
//! Only directories that were made while their file system was marked and that no watched path leads to: what is in such a one
//! was made or linked there, or moved there, and both is told elsewhere. Files alone are passed over: what happens to a
//! directory in it, and every rename, is told as before. Wherever that may not do any more, all are
//! listened to again ([`crate::registry::Registry::hear_all`]): a directory was renamed, a marked file was renamed or
//! has one name more or less, another file or one of these directories is marked, other paths are watched, or events were lost.
//! Must not know events.

use crate::decode::Fsid;
use fanotify_fid::handle::FileHandle;
use fim_core::FileId;
use std::collections::HashMap;

/// How many directories are remembered; then all are listened to again.
const REMEMBERED: usize = 8192;

/// The directories of which nothing is said, as they can be opened again.
#[derive(Debug, Default)]
pub(crate) struct Quiet {
    dirs: HashMap<FileId, (Fsid, FileHandle)>,
    /// The kernel cannot do that (before Linux 6.0).
    is_unknown: bool,
}

impl Quiet {
    /// Whether there may be one more.
    pub(crate) fn may_add(&self, id: FileId) -> bool {
        !self.is_unknown && !self.dirs.contains_key(&id)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.dirs.len() >= REMEMBERED
    }

    pub(crate) fn add(&mut self, id: FileId, fsid: Fsid, handle: &[u8]) {
        self.dirs.insert(id, (fsid, handle.to_vec()));
    }

    /// The kernel refused.
    pub(crate) fn give_up(&mut self) {
        self.is_unknown = true;
    }

    /// Whether it was one; it is none any more.
    pub(crate) fn remove(&mut self, id: FileId) -> bool {
        self.dirs.remove(&id).is_some()
    }

    /// Keeps some of them.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(Fsid, &[u8]) -> bool) {
        self.dirs.retain(|_, (fsid, handle)| keep(*fsid, handle));
    }
}
