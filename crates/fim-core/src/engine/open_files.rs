//! Files that may change without a further event until their last writer closes: mapped, or written by somebody who does not
//! wait for it. By what they are called now.
//!
//! Must not know when they are looked at.

use super::by_path::ByPath;
use crate::event::{FileEvent, Via};
use std::path::{Path, PathBuf};

/// By path, with the event that said so.
#[derive(Debug, Default)]
pub(super) struct OpenFiles(ByPath<Open>);

#[derive(Debug)]
struct Open {
    event: FileEvent,
    /// A look found nothing: a rename may be on its way.
    was_missing: bool,
}

impl Open {
    const fn new(event: FileEvent) -> Self {
        Self { event, was_missing: false }
    }
}

impl OpenFiles {
    /// Takes in what an event says of a path.
    pub(super) fn note(&mut self, path: &Path, event: &FileEvent) {
        match event.via {
            Via::Mmap | Via::IoUring | Via::Aio | Via::Kernel => {
                self.0.insert(path.to_owned(), Open::new(event.clone()));
            }
            // Stands for a lost record, which may have been one of these.
            Via::Sweep if !event.settled && self.0.get(path).is_none() => {
                self.0.insert(path.to_owned(), Open::new(FileEvent { via: Via::Scan, ..event.clone() }));
            }
            // Of the last that wrote to it.
            Via::Close if !event.settled => {}
            Via::Close | Via::Evict | Via::Unlink => {
                self.0.remove(path);
            }
            _ => {}
        }
    }

    /// The event that opened it, if it is one.
    pub(super) fn event(&self, path: &Path) -> Option<&FileEvent> {
        self.0.get(path).map(|open| &open.event)
    }

    /// A look found nothing there; whether that is no news, or it is none of these.
    pub(super) fn is_missing_again(&mut self, path: &Path) -> bool {
        self.0.get_mut(path).is_none_or(|open| std::mem::replace(&mut open.was_missing, true))
    }

    /// Whether it was one.
    pub(super) fn remove(&mut self, path: &Path) -> bool {
        self.0.remove(path).is_some()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// One has another name, or two have changed theirs.
    pub(super) fn rename(&mut self, from: &Path, to: &Path, is_exchange: bool) {
        if self.0.len() == 0 {
            return;
        }
        let (here, there) = (self.0.remove(from), self.0.remove(to));
        for (path, open) in [(to, here), (from, there.filter(|_| is_exchange))] {
            if let Some(open) = open {
                self.0.insert(path.to_owned(), Open::new(open.event));
            }
        }
    }

    /// Those for which there is a new path have that.
    pub(super) fn rename_all(&mut self, new: &dyn Fn(&Path) -> Option<PathBuf>) {
        let renamed: Vec<(PathBuf, PathBuf)> =
            self.0.paths().filter_map(|path| Some((path.to_owned(), new(path)?))).collect();
        for (old, new) in renamed {
            if let Some(open) = self.0.remove(&old) {
                self.0.insert(new, open);
            }
        }
    }
}
