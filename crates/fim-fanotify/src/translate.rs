//! From records to file events: which of them concern a watched file, and what to call it.
//!
//! Must not know how records are read, nor who acted.

use crate::decode::{Name, Record, Subject};
use crate::file_system::Reach;
use crate::group::Group;
use crate::registry::Registry;
use crate::resolve::Resolver;
use fanotify_fid::consts::{
    FAN_ATTRIB, FAN_CLOSE_WRITE, FAN_CREATE, FAN_DELETE, FAN_DELETE_SELF, FAN_MODIFY,
};
use fim_core::{FileEvent, FileId, MarkScope, Place, Via, WatchSet};
use std::os::fd::AsFd;
use std::time::SystemTime;

/// Turns records into events.
#[derive(Debug)]
pub(crate) struct Translator {
    resolver: Resolver,
}

/// Whether this is how the kernel calls a file that was opened without a name (O_TMPFILE, `d_mark_tmpfile`):
/// `#` and its inode number. It may have got one since, or somebody called it so.
fn may_be_nameless(name: Name<'_>, target: Option<FileId>) -> bool {
    let number = name.name.to_str().and_then(|name| name.strip_prefix('#')?.parse().ok());
    number.is_some() && number == target.map(|id| id.inode)
}

/// Whether a file that is marked may have a name by now where nobody listened, or a directory be where it is watched.
fn moves_what_counts(registry: &Registry, record: &Record<'_>, target: Option<FileId>) -> bool {
    let is_marked = || target.is_some_and(|id| registry.scope(id).is_some());
    match record.subject {
        Subject::Rename { .. } => record.is_dir() || is_marked(),
        // The kernel tells of a new link by what it does to the file, without a name.
        Subject::Object => record.mask & FAN_ATTRIB != 0 && is_marked(),
        Subject::Entry(_) | Subject::Dir(_) | Subject::Overflow => false,
    }
}

/// A name as far as it is known.
enum End {
    /// Watched.
    Watched(Place),
    /// Not watched; where it is takes a look.
    Elsewhere,
    /// The kernel does not tell.
    Unknown,
}

impl Translator {
    pub(crate) fn new(resolver: Resolver) -> Self {
        Self { resolver }
    }

    /// Other paths are of interest from now on.
    pub(crate) fn watch(&mut self, watch: WatchSet) {
        self.resolver.watch(watch);
    }

    /// The end of a batch.
    pub(crate) fn release(&mut self) {
        self.resolver.release();
    }

    /// The events of a record: none, if it concerns nothing watched, several, if the kernel merged some.
    pub(crate) fn events(
        &mut self,
        registry: &mut Registry,
        group: &Group,
        record: &Record<'_>,
        at: SystemTime,
    ) -> Vec<FileEvent> {
        let target = record.target.and_then(|handle| registry.system(record.fsid)?.identify(handle));
        if moves_what_counts(registry, record, target) {
            registry.hear_all(group);
        }
        let (file, place, from) = match record.subject {
            Subject::Overflow => return Vec::new(),
            Subject::Object => self.object(registry, record, target),
            Subject::Dir(dir) => self.dir(registry, record, dir),
            Subject::Entry(name) => self.entry(registry, record, name, target),
            Subject::Rename { from, to } => {
                if record.is_dir() {
                    self.resolver.forget_paths();
                }
                match self.rename(registry, record, from, to) {
                    Some((place, from)) => (target, place, from),
                    None => (target.filter(|&id| registry.scope(id).is_some()), None, None),
                }
            }
        };
        if file.is_none() && place.is_none() && from.is_none() {
            self.stray(registry, group, record);
            self.quieten(registry, group, record, target);
            return Vec::new();
        }
        if record.mask & FAN_DELETE_SELF != 0
            && let Some(id) = file
        {
            registry.remove(&[id]);
        }
        let event = |via: Via| FileEvent {
            file,
            dir: Some(record.is_dir()),
            // What else was merged with a move away happened under the old name.
            place: if via == Via::Rename { place.clone() } else { place.clone().or_else(|| from.clone()) },
            from: if via == Via::Rename { from.clone() } else { None },
            settled: record.is_settled(via),
            ..FileEvent::new(at, via)
        };
        record.kinds().map(event).collect()
    }

    /// An event on a name in a directory.
    fn entry(
        &mut self,
        registry: &mut Registry,
        record: &Record<'_>,
        name: Name<'_>,
        target: Option<FileId>,
    ) -> (Option<FileId>, Option<Place>, Option<Place>) {
        if may_be_nameless(name, target) {
            let object = self.object(registry, record, target);
            if object.0.is_some() {
                return object;
            }
            // Anybody may call a file so: a look at a name that is not there finds nothing.
        }
        match self.end(registry, record, Some(name)) {
            End::Watched(place) => (target, Some(place), None),
            // A marked file in a directory that is not.
            _ => (target.filter(|&id| registry.scope(id) == Some(MarkScope::File)), None, None),
        }
    }

    /// An event on a file of which the kernel knows no name at that moment: it was open before it had one.
    fn object(
        &mut self,
        registry: &mut Registry,
        record: &Record<'_>,
        target: Option<FileId>,
    ) -> (Option<FileId>, Option<Place>, Option<Place>) {
        let known = target.filter(|&id| registry.scope(id).is_some());
        if known.is_some() || record.mask & FAN_CLOSE_WRITE == 0 {
            return (known, None, None);
        }
        let path = record.target.and_then(|handle| self.resolver.watched_file(registry, record.fsid, handle));
        (target.filter(|_| path.is_some()), path.map(Place::Path), None)
    }

    /// An event on a directory itself.
    fn dir(
        &mut self,
        registry: &mut Registry,
        record: &Record<'_>,
        dir: &[u8],
    ) -> (Option<FileId>, Option<Place>, Option<Place>) {
        let id = registry.system(record.fsid).and_then(|system| system.identify(dir));
        if id.is_some_and(|id| registry.scope(id).is_some()) {
            return (id, None, None);
        }
        match self.resolver.watched_file(registry, record.fsid, dir) {
            Some(path) => (id, Some(Place::Path(path)), None),
            None => (None, None, None),
        }
    }

    /// Both ends of a rename, if one of them is watched.
    fn rename(
        &mut self,
        registry: &mut Registry,
        record: &Record<'_>,
        from: Option<Name<'_>>,
        to: Option<Name<'_>>,
    ) -> Option<(Option<Place>, Option<Place>)> {
        let place = match (self.end(registry, record, to), self.end(registry, record, from)) {
            (End::Watched(new), End::Watched(old)) => (Some(new), Some(old)),
            (End::Watched(new), End::Elsewhere) => (Some(new), self.anywhere(registry, record, from)),
            (End::Watched(new), End::Unknown) => (Some(new), None),
            (End::Elsewhere, End::Watched(old)) => (self.anywhere(registry, record, to), Some(old)),
            (End::Unknown, End::Watched(old)) => (None, Some(old)),
            _ => return None,
        };
        Some(place)
    }

    fn end(&mut self, registry: &mut Registry, record: &Record<'_>, name: Option<Name<'_>>) -> End {
        let Some(name) = name else { return End::Unknown };
        let Some(system) = registry.system(record.fsid) else {
            return End::Unknown;
        };
        if let Some(dir) = system.identify(name.dir)
            && let Some(scope) = registry.scope(dir)
        {
            return match scope {
                MarkScope::File => End::Elsewhere,
                MarkScope::Names if !self.resolver.concerns(registry, record.fsid, name) => End::Elsewhere,
                _ => End::Watched(Place::Entry { dir, name: name.name.to_owned() }),
            };
        }
        match self.resolver.watched_name(registry, record.fsid, name, record.is_dir()) {
            Some(path) => End::Watched(Place::Path(path)),
            None => End::Elsewhere,
        }
    }

    fn anywhere(
        &mut self,
        registry: &mut Registry,
        record: &Record<'_>,
        name: Option<Name<'_>>,
    ) -> Option<Place> {
        self.resolver.any_name(registry, record.fsid, name?).map(Place::Path)
    }

    /// Lets the kernel say nothing more of a new directory that nobody watches.
    fn quieten(
        &mut self,
        registry: &mut Registry,
        group: &Group,
        record: &Record<'_>,
        target: Option<FileId>,
    ) {
        let is_made = record.is_dir() && record.mask & FAN_CREATE != 0 && record.mask & FAN_DELETE == 0;
        if let (true, Some(id), Some(handle)) = (is_made, target, record.target)
            && registry.may_be_quiet(group, record.fsid, id)
            && let Some(dir) = self.resolver.beside_the_point(registry, record.fsid, handle)
        {
            registry.quieten(group, id, (record.fsid, handle), dir.as_fd());
        }
    }

    /// Takes back the mark of a file that is no longer watched: only now there is a handle to reach it by.
    fn stray(&mut self, registry: &mut Registry, group: &Group, record: &Record<'_>) {
        let by_its_own_mark = registry
            .system(record.fsid)
            .is_some_and(|system| system.reach == Reach::Directories || record.mask & FAN_MODIFY != 0);
        if !by_its_own_mark || record.mask & FAN_DELETE_SELF != 0 {
            return;
        }
        let dir = match record.subject {
            Subject::Entry(name) => Some(name.dir),
            Subject::Dir(dir) => Some(dir),
            _ => None,
        };
        for (handle, is_dir) in [(dir, true), (record.target, false)] {
            let marked = |handle| {
                let id = registry.system(record.fsid)?.identify(handle)?;
                registry.scope(id)
            };
            if let Some(handle) = handle
                && marked(handle).is_none()
                && let Some(file) = self.resolver.open(registry, record.fsid, handle)
            {
                group.unmark(file.as_fd(), is_dir);
            }
        }
    }
}
