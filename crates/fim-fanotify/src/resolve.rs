//! Where directories are that are not marked (yet): handle to path, with a memory for the unwatched ones.
//!
//! A mark on a file system brings events from all of it. Nearly all come from directories nobody watches:
//! those cost one look-up. The few that matter come from directories just made inside a watched tree.
//! Must not know what events mean.

use crate::decode::{Fsid, Name};
use crate::file_system::{Mount, leads_to};
use crate::registry::Registry;
use fim_core::{Cover, FileId, WatchSet};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// How many directories are remembered; then all are forgotten.
const REMEMBERED: usize = 1 << 16;

/// Finds paths of handles.
#[derive(Debug)]
pub(crate) struct Resolver {
    watch: WatchSet,
    /// Directories on the way to watched ones have a path, through several mounts several; others none.
    dirs: HashMap<FileId, Vec<PathBuf>>,
    /// Open for one batch of events.
    mounts: HashMap<Fsid, Vec<Mount>>,
}

impl Resolver {
    /// Paths are of interest as this says.
    pub(crate) fn new(watch: WatchSet) -> Self {
        Self { watch, dirs: HashMap::new(), mounts: HashMap::new() }
    }

    /// Paths are of interest as this says, from now on.
    pub(crate) fn watch(&mut self, watch: WatchSet) {
        self.watch = watch;
        self.dirs.clear();
    }

    /// A directory was renamed: any path may be another now.
    pub(crate) fn forget_paths(&mut self) {
        self.dirs.clear();
    }

    /// The end of a batch: lets go of the file systems, so that they can be unmounted.
    pub(crate) fn release(&mut self) {
        self.mounts.clear();
    }

    /// The path of a name if it is watched, or may have watched paths below it.
    pub(crate) fn watched_name(
        &mut self,
        registry: &mut Registry,
        fsid: Fsid,
        name: Name<'_>,
        is_dir: bool,
    ) -> Option<PathBuf> {
        let paths = self.dir(registry, fsid, name.dir).unwrap_or_default().into_iter();
        paths.map(|dir| dir.join(name.name)).find(|path| self.is_watched(path, is_dir))
    }

    /// Whether a name in a directory of which some names are watched is one of them or leads to one; so too
    /// where that cannot be told.
    pub(crate) fn concerns(&mut self, registry: &mut Registry, fsid: Fsid, name: Name<'_>) -> bool {
        let paths = self.dir(registry, fsid, name.dir).unwrap_or_default();
        paths.is_empty() || paths.iter().any(|dir| self.is_watched(&dir.join(name.name), true))
    }

    /// The path of a file or directory if it is watched itself.
    pub(crate) fn watched_file(
        &mut self,
        registry: &mut Registry,
        fsid: Fsid,
        handle: &[u8],
    ) -> Option<PathBuf> {
        let paths = self.find(registry, fsid, handle, &|watch, path| watch.owner(path).is_some());
        paths.ok()?.into_iter().next()
    }

    /// The path of a name, watched or not.
    pub(crate) fn any_name(
        &mut self,
        registry: &mut Registry,
        fsid: Fsid,
        name: Name<'_>,
    ) -> Option<PathBuf> {
        let dirs = self.find(registry, fsid, name.dir, &|_, _| true).ok()?;
        Some(dirs.first()?.join(name.name))
    }

    /// A directory, if no watched path leads to it by any mount. Never if that is not certain.
    pub(crate) fn beside_the_point(
        &mut self,
        registry: &mut Registry,
        fsid: Fsid,
        handle: &[u8],
    ) -> Option<OwnedFd> {
        self.mounts(registry, fsid).ok()?;
        let mut dir = None;
        for mount in self.mounts.get(&fsid)? {
            let (file, path) = mount.find(handle).ok()?;
            if self.is_watched(&path, true) {
                return None;
            }
            dir = Some(file);
        }
        dir
    }

    /// A file, to mark or unmark it.
    pub(crate) fn open(&mut self, registry: &mut Registry, fsid: Fsid, handle: &[u8]) -> Option<OwnedFd> {
        let mounts = self.mounts(registry, fsid).ok()?;
        mounts.iter().find_map(|mount| mount.find(handle).ok()).map(|(file, _)| file)
    }

    fn is_watched(&self, path: &Path, is_dir: bool) -> bool {
        self.watch.owner(path).is_some() || (is_dir && self.watch.cover(path) != Cover::Nothing)
    }

    /// The paths of a directory on the way to watched ones; `None` if they could not be found out.
    fn dir(&mut self, registry: &mut Registry, fsid: Fsid, handle: &[u8]) -> Option<Vec<PathBuf>> {
        let covers = |watch: &WatchSet, path: &Path| watch.cover(path) != Cover::Nothing;
        let id = registry.system(fsid)?.identify(handle);
        if let Some(known) = id.and_then(|id| self.dirs.get(&id)) {
            return Some(known.clone());
        }
        let found = self.find(registry, fsid, handle, &covers).ok()?;
        if let Some(id) = id {
            if self.dirs.len() >= REMEMBERED {
                self.dirs.clear();
            }
            self.dirs.insert(id, found.clone());
        }
        Some(found)
    }

    /// The paths, through all mounts of the file system, that are wanted. An error if this could not be
    /// found out, as when there are no descriptors left.
    fn find(
        &mut self,
        registry: &mut Registry,
        fsid: Fsid,
        handle: &[u8],
        wanted: &dyn Fn(&WatchSet, &Path) -> bool,
    ) -> io::Result<Vec<PathBuf>> {
        self.mounts(registry, fsid)?;
        let mounts = self.mounts.get(&fsid).into_iter().flatten();
        let mut paths = Vec::new();
        let mut is_known = false;
        for mount in mounts {
            match mount.find(handle) {
                Ok((file, path)) => {
                    is_known = true;
                    if !paths.contains(&path) && wanted(&self.watch, &path) && leads_to(&path, &file) {
                        paths.push(path);
                    }
                }
                Err(error) if error.raw_os_error() == Some(libc::ESTALE) => is_known = true,
                Err(error) => log::debug!("cannot open a directory by its handle: {error}"),
            }
        }
        if is_known { Ok(paths) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn mounts(&mut self, registry: &mut Registry, fsid: Fsid) -> io::Result<&[Mount]> {
        Ok(match self.mounts.entry(fsid) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(closed) => {
                let system = registry.system_mut(fsid).ok_or(io::ErrorKind::NotFound)?;
                closed.insert(system.open())
            }
        })
    }
}
