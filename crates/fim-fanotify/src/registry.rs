//! What is marked: the file systems, and the files by identity. Shared by the engine's thread, which marks,
//! and the reader, which asks.
//!
//! Keeps no paths of files: a mark follows its file, and the engine knows where it is. Must not know events.

use crate::decode::Fsid;
use crate::file_system::{FileSystem, Reach, fold};
use crate::group::Group;
use crate::quiet::Quiet;
use fanotify_fid::handle::{fsid_of_fd, handle_from_fd};
use fim_core::{FileId, MarkRequest, MarkScope, Marked};
use rustix::fs::{FileType, FsWord, fstat, fstatfs};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

/// Btrfs: each subvolume has an fsid of its own, but a mark on the whole reports that of the top.
const BTRFS_SUPER_MAGIC: FsWord = 0x9123_683e;

/// Marked files and their file systems.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    systems: HashMap<Fsid, FileSystem>,
    /// Those that cannot be marked at all, and why.
    refused: HashMap<Fsid, String>,
    marked: HashMap<FileId, MarkScope>,
    quiet: Quiet,
    notes: Vec<String>,
}

impl Registry {
    /// The file system of an event.
    pub(crate) fn system(&self, fsid: Fsid) -> Option<&FileSystem> {
        self.systems.get(&fsid)
    }

    /// As [`Registry::system`], to open its mounts.
    pub(crate) fn system_mut(&mut self, fsid: Fsid) -> Option<&mut FileSystem> {
        self.systems.get_mut(&fsid)
    }

    /// How a file is marked, if it is.
    pub(crate) fn scope(&self, id: FileId) -> Option<MarkScope> {
        self.marked.get(&id).copied()
    }

    /// How many files are marked.
    pub(crate) fn len(&self) -> usize {
        self.marked.len()
    }

    /// What people should know of the file systems.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Forgets files.
    pub(crate) fn remove(&mut self, ids: &[FileId]) {
        let gone: HashSet<&FileId> = ids.iter().collect();
        for id in ids {
            self.marked.remove(id);
        }
        for system in self.systems.values_mut() {
            system.forget(&|id| gone.contains(id));
        }
    }

    /// Says nothing any more of the files in a directory that is open.
    pub(crate) fn quieten(
        &mut self,
        group: &Group,
        id: FileId,
        (fsid, handle): (Fsid, &[u8]),
        dir: BorrowedFd<'_>,
    ) {
        if self.quiet.is_full() {
            self.hear_all(group);
        }
        if self.quiet.is_full() {
            return;
        }
        match group.ignore_files_in(dir) {
            Ok(()) => self.quiet.add(id, fsid, handle),
            Err(error) => {
                log::debug!("the kernel goes on to tell of a directory that nobody watches: {error}");
                if error.raw_os_error() == Some(libc::EINVAL) {
                    self.quiet.give_up();
                }
            }
        }
    }

    /// Whether a directory may be one of those of which nothing is said: only where the whole file system is marked there is
    /// anything to be said of it, and all mounts are known by which it may be watched.
    pub(crate) fn may_be_quiet(&self, group: &Group, fsid: Fsid, id: FileId) -> bool {
        let abilities = group.abilities;
        let system = self.systems.get(&fsid);
        abilities.target
            && abilities.rename
            && system.is_some_and(|system| system.reach == Reach::Whole && system.knows_all_mounts())
            && self.scope(id).is_none()
            && self.quiet.may_add(id)
    }

    /// Listens to all directories again. One that cannot be reached now is tried again the next time.
    pub(crate) fn hear_all(&mut self, group: &Group) {
        let Self { quiet, systems, .. } = self;
        let mut open = HashMap::new();
        quiet.retain(|fsid, handle| {
            let mounts = open
                .entry(fsid)
                .or_insert_with(|| systems.get_mut(&fsid).map(FileSystem::open).unwrap_or_default());
            let mut is_out_of_reach = mounts.is_empty();
            for mount in mounts.iter() {
                match mount.open(handle) {
                    // It is so no more, or the kernel forgot it with the mark.
                    Ok(dir) => {
                        let _forgotten = group.hear_files_in(dir.as_fd());
                        return false;
                    }
                    Err(error) => is_out_of_reach |= error.raw_os_error() != Some(libc::ESTALE),
                }
            }
            is_out_of_reach
        });
    }

    /// Marks one file.
    pub(crate) fn add(&mut self, group: &Group, request: &MarkRequest<'_>) -> Marked {
        match self.try_add(group, request) {
            Ok(marked) => marked,
            Err(error) => {
                log::debug!("cannot mark {}: {error}", request.path.display());
                let id = fstat(request.file).map_or_else(
                    |_| FileId::default(),
                    |stat| FileId { inode: stat.st_ino, device: fold(stat.st_dev), generation: 0 },
                );
                Marked { id, armed: false }
            }
        }
    }

    /// Makes the file system of this directory known, and marks it as a whole where that can be.
    ///
    /// # Errors
    /// When it takes no marks or its files have no handles: nothing on it can be watched.
    pub(crate) fn system_of(
        &mut self,
        group: &Group,
        dir: BorrowedFd<'_>,
        path: &Path,
    ) -> io::Result<&mut FileSystem> {
        let fsid = fsid_of_fd(dir)?;
        let stat = fstat(dir)?;
        if let Some(why) = self.refused.get(&fsid) {
            return Err(io::Error::other(why.clone()));
        }
        let is_dir = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        let device = fold(stat.st_dev);
        // The directory of an overlay is on one device, its files may be on others.
        if is_dir && self.systems.get(&fsid).is_some_and(|system| system.device != device) {
            self.replace(fsid)?;
        }
        match self.systems.entry(fsid) {
            Entry::Vacant(new) => {
                let system = handle_from_fd(dir).and_then(|handle| {
                    let reach = reach(group, dir, path, &mut self.notes)?;
                    Ok(FileSystem::new(device, reach, &handle, stat.st_ino))
                });
                match system {
                    Ok(system) => {
                        new.insert(system);
                    }
                    Err(error) => {
                        log::warn!("{}: its file system takes no fanotify marks: {error}", path.display());
                        self.refused.insert(fsid, error.to_string());
                        return Err(error);
                    }
                }
            }
            // It may have been unmounted and mounted again since, and has no mark then.
            Entry::Occupied(old) if is_dir && old.get().reach == Reach::Whole => {
                group.mark_file_system(dir)?;
            }
            Entry::Occupied(_) => {}
        }
        let system = self.systems.get_mut(&fsid).ok_or(io::ErrorKind::NotFound)?;
        if is_dir {
            system.seen_at(dir, path);
        }
        Ok(system)
    }

    /// Forgets a file system for another with the same fsid: a copy of its image, or itself mounted again.
    fn replace(&mut self, fsid: Fsid) -> io::Result<()> {
        let Some(system) = self.systems.get_mut(&fsid) else {
            return Ok(());
        };
        if !system.open().is_empty() {
            return Err(io::Error::other(
                "another file system with the same identifier is watched already (a copy of its image?)",
            ));
        }
        let device = system.device;
        self.marked.retain(|id, _| id.device != device);
        self.systems.remove(&fsid);
        Ok(())
    }

    fn try_add(&mut self, group: &Group, request: &MarkRequest<'_>) -> io::Result<Marked> {
        let stat = fstat(request.file)?;
        let is_dir = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        let handle = handle_from_fd(request.file)?;
        let system = self.system_of(group, request.file, request.path)?;
        let reach = system.reach;
        let id = system.learn(handle, stat.st_ino);
        if self.quiet.remove(id) {
            let _forgotten = group.hear_files_in(request.file);
            self.hear_all(group);
        }
        // A file may have another name, or be at another place than it is watched at, by a mount.
        if !is_dir && !self.marked.contains_key(&id) {
            self.hear_all(group);
        }
        // Known before it is marked: an event of a mark on a file that is not known takes the mark back.
        self.marked.insert(id, request.scope);
        let armed = match (is_dir, request.scope) {
            (true, MarkScope::File) => group.mark_dir_alone(request.file),
            (true, MarkScope::Names) => group.mark_names(request.file, reach == Reach::Directories),
            (true, MarkScope::Tree) => group.mark_dir(request.file, reach == Reach::Directories),
            (false, _) => group.mark_file(request.file),
        };
        if let Err(error) = armed {
            self.remove(&[id]);
            return Err(error);
        }
        Ok(Marked { id, armed: true })
    }
}

/// Marks a file system as a whole where that can be, else says in `notes` why not.
fn reach(group: &Group, on: BorrowedFd<'_>, path: &Path, notes: &mut Vec<String>) -> io::Result<Reach> {
    let btrfs = fstatfs(on).is_ok_and(|s| s.f_type == BTRFS_SUPER_MAGIC);
    let why = if !group.abilities.privileged {
        "needs CAP_SYS_ADMIN".to_owned()
    } else if btrfs {
        "is not exact on btrfs".to_owned()
    } else {
        match group.mark_file_system(on) {
            Ok(()) => return Ok(Reach::Whole),
            Err(error) => format!("was refused: {error}"),
        }
    };
    group.try_mark(on)?;
    notes.push(format!(
        "{}: a mark on the whole file system {why}; its directories are marked one by one, so what \
         happens in a new directory before it is marked is found by a scan and has no actor",
        path.display()
    ));
    Ok(Reach::Directories)
}
