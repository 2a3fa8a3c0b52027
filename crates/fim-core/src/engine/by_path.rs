//! A map by path, for what is asked several times for each event: a path is compared and hashed as the bytes it is,
//! where [`Path`] would be taken apart into its names each time.
//!
//! Names are chosen by whoever makes files: the hash is seeded anew for each map. It is not the standard library's, which
//! took a twentieth of what a change costs.
//!
//! So `/a//b` is another path than `/a/b` here: the engine joins its paths from names and has one way to write each.

use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Values by path.
#[derive(Debug)]
pub(crate) struct ByPath<V>(HashMap<OsString, V, RandomState>);

impl<V> Default for ByPath<V> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<V> ByPath<V> {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn get(&self, path: &Path) -> Option<&V> {
        self.0.get(path.as_os_str())
    }

    pub(crate) fn get_mut(&mut self, path: &Path) -> Option<&mut V> {
        self.0.get_mut(path.as_os_str())
    }

    /// The value of a path, made if there is none.
    pub(crate) fn get_or_insert_with(&mut self, path: &Path, make: impl FnOnce() -> V) -> &mut V {
        self.0.entry(path.as_os_str().to_owned()).or_insert_with(make)
    }

    pub(crate) fn insert(&mut self, path: PathBuf, value: V) {
        self.0.insert(path.into(), value);
    }

    pub(crate) fn remove(&mut self, path: &Path) -> Option<V> {
        // Often there is nothing at all, and a path is long to hash.
        if self.0.is_empty() { None } else { self.0.remove(path.as_os_str()) }
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(Path::new)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.values_mut()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&Path, &mut V)> {
        self.0.iter_mut().map(|(path, value)| (Path::new(path), value))
    }
}
