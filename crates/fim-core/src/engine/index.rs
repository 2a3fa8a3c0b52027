//! Which paths a kernel identity has: the only place that joins the two.
//!
//! Directories form a tree of names, so that renaming one is a single step; files hang below them by
//! identity. A file's entry may be stale (the name may belong to another file by now): whoever looks at
//! the path finds out. Knows nothing of the file system.

use crate::id::FileId;
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

/// A directory's place in the index; valid until it is forgotten.
pub(crate) type Slot = u32;

#[derive(Debug)]
struct Dir {
    parent: Option<Slot>,
    name: OsString,
    id: Option<FileId>,
    children: HashMap<OsString, Slot>,
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

/// Paths by identity.
#[derive(Debug)]
pub(crate) struct Index {
    dirs: HashMap<Slot, Dir>,
    next: Slot,
    nodes: HashMap<FileId, Node>,
}

const ROOT: Slot = 0;

impl Index {
    pub(crate) fn new() -> Self {
        let root = Dir { parent: None, name: OsString::new(), id: None, children: HashMap::new(), files: 0 };
        Self { dirs: HashMap::from([(ROOT, root)]), next: 1, nodes: HashMap::new() }
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
                    children: HashMap::new(),
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

    fn path_of(&self, mut slot: Slot) -> Option<PathBuf> {
        let mut parts = Vec::new();
        loop {
            let dir = self.dirs.get(&slot)?;
            match dir.parent {
                Some(parent) => {
                    parts.push(dir.name.as_os_str());
                    slot = parent;
                }
                None => break,
            }
        }
        let mut path = PathBuf::from("/");
        path.extend(parts.into_iter().rev());
        Some(path)
    }

    /// Notes that the directory at this path has this identity.
    pub(crate) fn add_dir(&mut self, path: &Path, id: FileId) {
        let slot = self.find_or_make(path);
        if let Some(old) = self.dirs.get_mut(&slot).and_then(|dir| dir.id.replace(id))
            && old != id
        {
            self.nodes.remove(&old);
        }
        self.nodes.insert(id, Node::Dir(slot));
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
                Node::Dir(_) => dirs.extend(unwanted.map(|_| *id)),
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
        for id in dirs {
            gone.extend(self.remove(id));
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
                if let Some(id) = dir.id.filter(|id| self.nodes.get(id) == Some(&Node::Dir(slot))) {
                    self.nodes.remove(&id);
                    gone.push(id);
                }
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
        let joined = |slot: &Slot, name: &OsStr| self.path_of(*slot).map(|dir| dir.join(name));
        match self.nodes.get(&id) {
            Some(Node::Dir(slot)) => self.path_of(*slot).into_iter().collect(),
            Some(Node::File(slot, name)) => joined(slot, name).into_iter().collect(),
            Some(Node::Linked(all)) => all.iter().filter_map(|(slot, name)| joined(slot, name)).collect(),
            None => Vec::new(),
        }
    }

    /// The path of a name in a known directory.
    pub(crate) fn entry(&self, dir: FileId, name: &OsStr) -> Option<PathBuf> {
        match self.nodes.get(&dir) {
            Some(Node::Dir(slot)) => Some(self.path_of(*slot)?.join(name)),
            _ => None,
        }
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
mod tests {
    use super::*;

    fn id(inode: u64) -> FileId {
        FileId { inode, device: 1, generation: 7 }
    }

    fn index() -> Index {
        let mut index = Index::new();
        index.add_dir(Path::new("/w"), id(1));
        index.add_dir(Path::new("/w/a"), id(2));
        index.add_file(Path::new("/w/a/x"), id(3));
        index
    }

    #[test]
    fn a_file_has_all_its_links() {
        let mut index = index();
        index.add_file(Path::new("/w/y"), id(3));
        assert_eq!(index.paths(id(3)), [PathBuf::from("/w/a/x"), PathBuf::from("/w/y")]);
        index.remove_name(id(3), Path::new("/w/a/x"));
        assert_eq!(index.paths(id(3)), [PathBuf::from("/w/y")]);
        index.remove_name(id(3), Path::new("/w/y"));
        assert!(index.paths(id(3)).is_empty());
    }

    #[test]
    fn a_renamed_directory_takes_its_files_along() {
        let mut index = index();
        assert!(index.rename_dir(Path::new("/w/a"), Path::new("/w/b/c")));
        assert_eq!(index.paths(id(3)), [PathBuf::from("/w/b/c/x")]);
        assert_eq!(index.entry(id(2), OsStr::new("z")), Some(PathBuf::from("/w/b/c/z")));
        assert_eq!(index.dir_id(Path::new("/w/a")), None);
        assert!(!index.rename_dir(Path::new("/w/a"), Path::new("/w/d")), "gone from its old name");
        assert!(!index.rename_dir(Path::new("/w"), Path::new("/w/b/in")), "not into itself");
    }

    #[test]
    fn a_removed_directory_forgets_what_is_below() {
        let mut index = index();
        let mut gone = index.remove(id(1));
        gone.sort();
        assert_eq!(gone, [id(1), id(2), id(3)]);
        assert!(index.nodes.is_empty());
    }

    #[test]
    fn what_is_not_wanted_is_forgotten_and_the_rest_stays() {
        let mut index = index();
        index.add_file(Path::new("/w/y"), id(3));
        index.add_file(Path::new("/w/a/z"), id(4));
        let mut gone = index.retain(|path| !path.starts_with("/w/a"));
        gone.sort();
        assert_eq!(gone, [id(2), id(4)]);
        assert_eq!(index.paths(id(3)), [PathBuf::from("/w/y")]);
        assert_eq!(index.dir_id(Path::new("/w")), Some(id(1)));
        index.retain(|_| false);
        assert!(index.nodes.is_empty());
    }

    #[test]
    fn a_directory_made_anew_has_its_new_identity() {
        let mut index = index();
        index.add_dir(Path::new("/w/a"), id(9));
        assert!(index.is_dir(id(9)) && !index.is_dir(id(2)));
        assert_eq!(index.dir_id(Path::new("/w/a")), Some(id(9)));
    }
}
