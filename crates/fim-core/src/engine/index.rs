//! Which paths a kernel identity has: the only place that joins the two.
//!
//! Directories form a tree of names, so that renaming one is a single step; files hang below them by
//! identity. A file's entry may be stale (the name may belong to another file by now): whoever looks at
//! the path finds out. Knows nothing of the file system.

use crate::id::FileId;
use foldhash::fast::RandomState;
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::hash::{BuildHasherDefault, Hasher};
use std::path::{Component, Path, PathBuf};

/// A directory's place in the index; valid until it is forgotten.
pub(crate) type Slot = u32;

#[derive(Debug)]
struct Dir {
    parent: Option<Slot>,
    name: OsString,
    id: Option<FileId>,
    children: HashMap<OsString, Slot, RandomState>,
    /// Names of files that hang here.
    files: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Dir(Slot),
    /// Most files have one name.
    File(Slot, OsString),
    Linked(Vec<(Slot, OsString)>),
}

/// Slots are counted, and by nobody else: they need no hash that is hard to meet on purpose.
#[derive(Debug, Default)]
struct SlotHasher(u64);

impl Hasher for SlotHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    /// By the golden ratio (Knuth, The Art of Computer Programming 3, 6.4).
    fn write_u32(&mut self, slot: u32) {
        self.0 = (self.0 ^ u64::from(slot)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Paths by identity.
#[derive(Debug)]
pub(crate) struct Index {
    dirs: HashMap<Slot, Dir, BuildHasherDefault<SlotHasher>>,
    next: Slot,
    nodes: HashMap<FileId, Node, RandomState>,
    /// The other places of directories that have several: bind mounts show them there.
    also: HashMap<FileId, Vec<Slot>>,
}

const ROOT: Slot = 0;

impl Index {
    pub(crate) fn new() -> Self {
        let root =
            Dir { parent: None, name: OsString::new(), id: None, children: HashMap::default(), files: 0 };
        let dirs = std::iter::once((ROOT, root)).collect();
        Self { dirs, next: 1, nodes: HashMap::default(), also: HashMap::new() }
    }

    /// The directory at this path, if it is known.
    fn find(&self, path: &Path) -> Option<Slot> {
        names(path).try_fold(ROOT, |slot, name| self.dirs.get(&slot)?.children.get(name).copied())
    }

    fn find_or_make(&mut self, path: &Path) -> Slot {
        let mut slot = ROOT;
        for name in names(path) {
            if let Some(child) = self.dirs.get(&slot).and_then(|dir| dir.children.get(name)) {
                slot = *child;
                continue;
            }
            let child = self.next;
            self.next += 1;
            self.dirs.insert(
                child,
                Dir {
                    parent: Some(slot),
                    name: name.to_owned(),
                    id: None,
                    children: HashMap::default(),
                    files: 0,
                },
            );
            if let Some(dir) = self.dirs.get_mut(&slot) {
                dir.children.insert(name.to_owned(), child);
            }
            slot = child;
        }
        slot
    }

    /// The path of a directory, or of a name in it.
    fn path_of(&self, mut slot: Slot, name: Option<&OsStr>) -> Option<PathBuf> {
        let mut parts = Vec::with_capacity(16);
        parts.extend(name);
        loop {
            let dir = self.dirs.get(&slot)?;
            let Some(parent) = dir.parent else { break };
            parts.push(dir.name.as_os_str());
            slot = parent;
        }
        let length = parts.iter().map(|part| part.len() + 1).sum();
        // In one piece, and joined as the names they are: this is done for each event.
        let mut path = OsString::with_capacity(length);
        for part in parts.iter().rev() {
            path.push("/");
            path.push(part);
        }
        Some(if path.is_empty() { "/".into() } else { path.into() })
    }

    /// Notes that the directory at this path has this identity.
    pub(crate) fn add_dir(&mut self, path: &Path, id: FileId) {
        let slot = self.find_or_make(path);
        if let Some(old) = self.dirs.get_mut(&slot).and_then(|dir| dir.id.replace(id))
            && old != id
        {
            self.leave(old, slot);
        }
        let before = self.nodes.insert(id, Node::Dir(slot));
        if let Some(Node::Dir(before)) = before
            && before != slot
            && self.dirs.get(&before).is_some_and(|dir| dir.id == Some(id))
        {
            let also = self.also.entry(id).or_default();
            also.retain(|other| *other != slot && *other != before);
            also.push(before);
        }
    }

    /// Notes that a directory is no longer at this place; whether it is nowhere now.
    fn leave(&mut self, id: FileId, slot: Slot) -> bool {
        let mut also = self.also.remove(&id).unwrap_or_default();
        also.retain(|other| *other != slot);
        let here = self.nodes.get(&id) == Some(&Node::Dir(slot));
        if here {
            match also.pop() {
                Some(other) => drop(self.nodes.insert(id, Node::Dir(other))),
                None => drop(self.nodes.remove(&id)),
            }
        }
        if !also.is_empty() {
            self.also.insert(id, also);
        }
        here && !self.nodes.contains_key(&id)
    }

    /// Notes that the file at this path has this identity.
    pub(crate) fn add_file(&mut self, path: &Path, id: FileId) {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return };
        let entry = (self.find_or_make(parent), name.to_owned());
        let slot = entry.0;
        match self.nodes.get_mut(&id) {
            Some(Node::File(at, called)) => {
                if (*at, &*called) == (slot, &entry.1) {
                    return;
                }
                let old = (*at, std::mem::take(called));
                self.nodes.insert(id, Node::Linked(vec![old, entry]));
            }
            Some(Node::Linked(all)) if all.contains(&entry) => return,
            Some(Node::Linked(all)) => all.push(entry),
            Some(Node::Dir(_)) | None => {
                self.nodes.insert(id, Node::File(entry.0, entry.1));
            }
        }
        self.count(slot, 1);
    }

    fn count(&mut self, slot: Slot, change: isize) {
        if let Some(dir) = self.dirs.get_mut(&slot) {
            dir.files = dir.files.saturating_add_signed(change);
        }
    }

    /// Forgets one name of a file; the identity too when it was the last.
    pub(crate) fn remove_name(&mut self, id: FileId, path: &Path) {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return };
        let Some(slot) = self.find(parent) else { return };
        match self.nodes.get_mut(&id) {
            Some(Node::File(at, called)) if *at == slot && called == name => {
                self.nodes.remove(&id);
            }
            Some(Node::Linked(all)) if all.iter().any(|(at, called)| *at == slot && called == name) => {
                all.retain(|(at, called)| *at != slot || called != name);
                if all.is_empty() {
                    self.nodes.remove(&id);
                }
            }
            _ => return,
        }
        self.count(slot, -1);
    }

    /// Forgets an identity and, for a directory, everything below it; returns what was forgotten.
    pub(crate) fn remove(&mut self, id: FileId) -> Vec<FileId> {
        match self.nodes.remove(&id) {
            Some(Node::Dir(slot)) => {
                let mut gone = self.remove_tree(slot);
                for other in self.also.remove(&id).unwrap_or_default() {
                    gone.extend(self.remove_tree(other));
                }
                gone.push(id);
                gone
            }
            Some(Node::File(slot, _)) => {
                self.count(slot, -1);
                vec![id]
            }
            Some(Node::Linked(all)) => {
                all.iter().for_each(|(slot, _)| self.count(*slot, -1));
                vec![id]
            }
            None => Vec::new(),
        }
    }

    /// Forgets the names that are not wanted; returns the identities that have none left.
    pub(crate) fn retain(&mut self, mut wanted: impl FnMut(&Path) -> bool) -> Vec<FileId> {
        let (mut files, mut dirs) = (Vec::new(), Vec::new());
        for (id, node) in &self.nodes {
            let unwanted = self.paths(*id).into_iter().filter(|path| !wanted(path));
            match node {
                Node::Dir(_) => dirs.extend(unwanted),
                _ => files.extend(unwanted.map(|path| (*id, path))),
            }
        }
        let mut gone = Vec::new();
        for (id, path) in files {
            self.remove_name(id, &path);
            if !self.nodes.contains_key(&id) {
                gone.push(id);
            }
        }
        // Nothing below an unwanted directory is wanted: their files are gone by now.
        for dir in dirs {
            gone.extend(self.remove_dir(&dir));
        }
        gone
    }

    /// Forgets the directory at this path with everything below it; returns what was forgotten.
    pub(crate) fn remove_dir(&mut self, path: &Path) -> Vec<FileId> {
        self.find(path).map(|slot| self.remove_tree(slot)).unwrap_or_default()
    }

    fn remove_tree(&mut self, top: Slot) -> Vec<FileId> {
        if top == ROOT {
            return Vec::new();
        }
        if let Some((parent, name)) =
            self.dirs.get(&top).and_then(|dir| Some((dir.parent?, dir.name.clone())))
            && let Some(parent) = self.dirs.get_mut(&parent)
            && parent.children.get(&name) == Some(&top)
        {
            parent.children.remove(&name);
        }
        let mut slots = vec![top];
        let mut gone = Vec::new();
        let mut files = 0;
        let mut at = 0;
        while let Some(slot) = slots.get(at).copied() {
            if let Some(dir) = self.dirs.remove(&slot) {
                slots.extend(dir.children.into_values());
                files += dir.files;
                gone.extend(dir.id.filter(|id| self.leave(*id, slot)));
            }
            at += 1;
        }
        if files > 0 {
            self.remove_files_in(&slots.into_iter().collect(), &mut gone);
        }
        gone
    }

    /// Looks at every file known, so only for directories that went with files in them.
    fn remove_files_in(&mut self, slots: &HashSet<Slot>, gone: &mut Vec<FileId>) {
        self.nodes.retain(|id, node| {
            let keep = match node {
                Node::Dir(_) => true,
                Node::File(slot, _) => !slots.contains(slot),
                Node::Linked(all) => {
                    all.retain(|(slot, _)| !slots.contains(slot));
                    !all.is_empty()
                }
            };
            if !keep {
                gone.push(*id);
            }
            keep
        });
    }

    /// Moves a known directory with everything below it; `false` if it is not known.
    pub(crate) fn rename_dir(&mut self, from: &Path, to: &Path) -> bool {
        let (Some(slot), Some(parent), Some(name)) = (self.find(from), to.parent(), to.file_name()) else {
            return false;
        };
        if slot == ROOT || to.starts_with(from) {
            return false;
        }
        self.remove_dir(to);
        let new_parent = self.find_or_make(parent);
        let Some(dir) = self.dirs.get_mut(&slot) else {
            return false;
        };
        let (old_parent, old_name) =
            (dir.parent.replace(new_parent), std::mem::replace(&mut dir.name, name.to_owned()));
        if let Some(old) = old_parent.and_then(|old| self.dirs.get_mut(&old)) {
            old.children.remove(&old_name);
        }
        if let Some(new) = self.dirs.get_mut(&new_parent) {
            new.children.insert(name.to_owned(), slot);
        }
        true
    }

    /// Whether this identity is a known directory.
    pub(crate) fn is_dir(&self, id: FileId) -> bool {
        matches!(self.nodes.get(&id), Some(Node::Dir(_)))
    }

    /// The identity of the known directory at this path.
    pub(crate) fn dir_id(&self, path: &Path) -> Option<FileId> {
        self.dirs.get(&self.find(path)?)?.id
    }

    /// All paths this identity is known by.
    pub(crate) fn paths(&self, id: FileId) -> Vec<PathBuf> {
        let joined = |slot: &Slot, name: &OsStr| self.path_of(*slot, Some(name));
        match self.nodes.get(&id) {
            Some(Node::Dir(slot)) => std::iter::once(slot)
                .chain(self.others(id))
                .filter_map(|slot| self.path_of(*slot, None))
                .collect(),
            Some(Node::File(slot, name)) => joined(slot, name).into_iter().collect(),
            Some(Node::Linked(all)) => all.iter().filter_map(|(slot, name)| joined(slot, name)).collect(),
            None => Vec::new(),
        }
    }

    /// The path of a name in a known directory.
    pub(crate) fn entry(&self, dir: FileId, name: &OsStr) -> Option<PathBuf> {
        match self.nodes.get(&dir) {
            Some(Node::Dir(slot)) => self.path_of(*slot, Some(name)),
            _ => None,
        }
    }

    fn others(&self, dir: FileId) -> &[Slot] {
        self.also.get(&dir).map(Vec::as_slice).unwrap_or_default()
    }

    /// The other paths of a name in a directory that is known by several.
    pub(crate) fn other_entries(&self, dir: FileId, name: &OsStr) -> Vec<PathBuf> {
        self.others(dir).iter().filter_map(|slot| self.path_of(*slot, Some(name))).collect()
    }

    /// Whether a file of this identity is known under this path.
    pub(crate) fn has(&self, id: FileId, path: &Path) -> bool {
        self.nodes.contains_key(&id) && self.paths(id).iter().any(|known| known == path)
    }
}

fn names(path: &Path) -> impl Iterator<Item = &OsStr> {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
