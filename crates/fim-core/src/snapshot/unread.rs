//! What a look could not learn, and what stands in for it: what was last known. That something cannot be read does not
//! say that it is gone or another.

use super::Snapshot;
use crate::facts::{Facts, FileKind, HashState, Xattr};
use std::path::PathBuf;

/// What of a file could not be read, besides its content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unread {
    /// Not even what stat(2) says.
    pub stat: bool,
    /// Which attributes it has.
    pub xattrs: bool,
    /// Its flags.
    pub flags: bool,
}

impl Snapshot {
    /// A look that learned nothing but that there is something.
    pub(crate) fn unreadable(path: impl Into<PathBuf>) -> Self {
        let mut facts = Facts::new(FileKind::File);
        facts.hash_state = HashState::Unreadable;
        let mut snapshot = Self::new(path, facts, None);
        snapshot.unread.stat = true;
        snapshot
    }

    /// The same look, with what was last known of the file in place of what it could not learn. The content has no such
    /// place: without a hash that was made now there is none.
    pub(crate) fn completed(mut self, known: Option<&Facts>) -> Self {
        let (Some(known), Some(now)) = (known, &mut self.facts) else { return self };
        if self.unread.stat {
            *now = known.clone();
            (now.hash_state, now.blake3, now.keyed, now.sha256) = (HashState::Unreadable, None, None, None);
            return self;
        }
        // What is known of another file says nothing of this one.
        if (now.kind, now.inode, now.device) != (known.kind, known.inode, known.device) {
            return self;
        }
        if self.unread.xattrs {
            now.xattrs.clone_from(&known.xattrs);
        }
        for unread in now.xattrs.iter_mut().filter(|xattr| xattr.digest == Xattr::UNREADABLE) {
            let same = known.xattrs.iter().find(|xattr| xattr.name == unread.name);
            unread.digest = same.map_or(unread.digest, |known| known.digest);
        }
        if self.unread.flags {
            now.flags = known.flags;
        }
        if now.kind == FileKind::Symlink && now.target.is_none() {
            now.target.clone_from(&known.target);
        }
        self
    }
}
