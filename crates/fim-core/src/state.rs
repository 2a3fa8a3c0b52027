//! What the engine keeps for each path, on any store.
//!
//! Changes are buffered: reads see them at once, [`State::commit`] hands them to the store as one batch,
//! and [`State::sync`] makes that durable. The format is in `state/`: keys, blocks, records.

mod block;
mod blocks;
mod bytes;
mod codec;
mod keys;
mod record;

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod tests;

pub(crate) use bytes::{Input, Malformed, put_number, put_sized};
pub use record::{FileRecord, Trusted};

use crate::store::{Batch, CopyError, Generation, Store, StoreError, StoreErrorKind, copy};
use blocks::{Blocks, name_directory};
use keys::Place;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Of the whole: keys, blocks, records and their frames.
const FORMAT: [u8; 4] = 2u32.to_le_bytes();
/// The format before keyed hashes and what is kept of what is trusted: read as it is, written no more.
const FORMAT_1: [u8; 4] = 1u32.to_le_bytes();
const FORMAT_KEY: &str = "format";
/// Bytes of a record, as a rule, of which nothing is kept.
const USUAL: usize = 192;
/// More is not held back for fear that the store may lose it.
const MOST_UNSYNCED: usize = 16 << 20;

/// Called with the directory, the name in it, and its record.
type VisitRecord<'a> = dyn FnMut(&[u8], &[u8], FileRecord) -> ControlFlow<()> + 'a;

/// What is known of every path.
///
/// ```
/// use fim_core::{Facts, FileKind, FileRecord, MemStore, State};
/// use std::path::Path;
///
/// let store = MemStore::new();
/// let mut state = State::open(Box::new(store.clone()))?;
/// state.put(Path::new("/etc/motd"), FileRecord::new(Facts::new(FileKind::File), None))?;
/// state.commit()?;
/// state.sync()?;
/// drop(state);
/// let again = State::open(Box::new(store))?;
/// assert!(again.get(Path::new("/etc/motd"))?.is_some());
/// # Ok::<(), fim_core::StoreError>(())
/// ```
pub struct State {
    blocks: Blocks,
    meta: BTreeMap<Vec<u8>, Value>,
    /// Does not say yet, for good, that it is of this format.
    is_new: bool,
    /// Bytes in the store that it may still lose.
    unsynced: usize,
}

/// A value that belongs to no path.
struct Value {
    bytes: Vec<u8>,
    /// The store has it, but may lose it again.
    applied: bool,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("blocks", &self.blocks).finish_non_exhaustive()
    }
}

impl State {
    /// Continues with what a store holds, or starts afresh in an empty one.
    ///
    /// # Errors
    /// [`StoreErrorKind::Version`] if the store holds another format, or when it cannot be read.
    pub fn open(store: Box<dyn Store>) -> Result<Self, StoreError> {
        let is_new = match store.get(&keys::meta(FORMAT_KEY))? {
            Some(format) if format == FORMAT => false,
            // The next commit says which format it is of now.
            Some(format) if format == FORMAT_1 => true,
            Some(format) => {
                return Err(StoreError::new(
                    StoreErrorKind::Version,
                    format!(
                        "the state is of format {}, this version reads format {}: open it with the version that wrote \
                         it, or move the state away and make a new baseline",
                        number(&format),
                        number(&FORMAT)
                    ),
                ));
            }
            None => {
                let mut empty = true;
                store.scan(b"", &mut |_, _| {
                    empty = false;
                    ControlFlow::Break(())
                })?;
                if !empty {
                    return Err(StoreError::new(
                        StoreErrorKind::Corrupt,
                        "the state does not say which format it is of",
                    ));
                }
                true
            }
        };
        Ok(Self { blocks: Blocks::new(store), meta: BTreeMap::new(), is_new, unsynced: 0 })
    }

    /// The record of a path.
    ///
    /// # Errors
    /// When the store cannot be read. Damage is reported by [`StoreErrorKind::Corrupt`] and
    /// [`State::damaged_dir`]; likewise in all that reads.
    pub fn get(&self, path: &Path) -> Result<Option<FileRecord>, StoreError> {
        let place = place(path)?;
        self.blocks.get(&place, |bytes| record(place.dir(), place.name(), bytes))?.transpose()
    }

    /// Sets the record of a path, in the buffer.
    ///
    /// # Errors
    /// When the block it belongs to cannot be read, or the path is not absolute.
    pub fn put(&mut self, path: &Path, record: FileRecord) -> Result<(), StoreError> {
        let mut bytes = Vec::with_capacity(USUAL);
        codec::encode(&record, &mut bytes);
        self.blocks.put(&place(path)?, &bytes)
    }

    /// Forgets a path, in the buffer.
    ///
    /// # Errors
    /// As [`State::put`].
    pub fn remove(&mut self, path: &Path) -> Result<(), StoreError> {
        self.blocks.remove(&place(path)?)
    }

    /// The names in a directory that have a record, in the order of their bytes.
    ///
    /// # Errors
    /// As [`State::get`].
    pub fn list_dir(&self, dir: &Path) -> Result<Vec<(OsString, FileRecord)>, StoreError> {
        let mut names = Vec::new();
        self.records(&keys::first_block(&place(dir)?.as_dir()), &mut |_, name, record| {
            names.push((OsStr::from_bytes(name).to_owned(), record));
            ControlFlow::Continue(())
        })?;
        Ok(names)
    }

    /// Visits a path and all below it that have records: a directory's names before what is in the
    /// directories among them, so that nothing comes before the directory it is in.
    ///
    /// # Errors
    /// As [`State::get`].
    pub fn walk(
        &self,
        top: &Path,
        visit: &mut dyn FnMut(PathBuf, FileRecord) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        if let Some(record) = self.get(top)?
            && visit(top.to_owned(), record).is_break()
        {
            return Ok(());
        }
        let tree = keys::tree(&place(top)?.as_dir());
        self.records(&tree, &mut |dir, name, record| visit(keys::path(dir, name), record))
    }

    /// All that has a record below a path, itself not included, in the order of [`State::walk`].
    ///
    /// # Errors
    /// As [`State::get`].
    pub fn below(&self, top: &Path) -> Result<Vec<(PathBuf, FileRecord)>, StoreError> {
        let mut all = Vec::new();
        let tree = keys::tree(&place(top)?.as_dir());
        self.records(&tree, &mut |dir, name, record| {
            all.push((keys::path(dir, name), record));
            ControlFlow::Continue(())
        })?;
        Ok(all)
    }

    /// Hands the buffer to the store, all of it or nothing; says whether there was anything.
    ///
    /// # Errors
    /// When it cannot be written; the store then takes no more until [`State::recover`]. The buffer stays.
    pub fn commit(&mut self) -> Result<bool, StoreError> {
        let batch = self.pending();
        let anything = !batch.is_empty();
        if anything {
            self.unsynced += size(&batch);
            self.blocks.store_mut().apply(batch)?;
        }
        self.blocks.committed();
        for value in self.meta.values_mut() {
            value.applied = true;
        }
        if self.unsynced > MOST_UNSYNCED {
            self.sync()?;
        }
        Ok(anything)
    }

    /// Writes a copy of all that was committed, for [`MemStore::from_copy`](crate::MemStore::from_copy).
    ///
    /// # Errors
    /// When the store cannot be read or the copy not be written.
    pub fn copy_to(&self, out: &mut dyn std::io::Write) -> Result<(), CopyError> {
        copy::write(self.blocks.store(), out)
    }

    fn pending(&self) -> Batch {
        let mut batch = self.blocks.pending();
        for (key, value) in self.meta.iter().filter(|(_, value)| !value.applied) {
            batch.put(key.clone(), value.bytes.clone());
        }
        if self.is_new && !batch.is_empty() {
            batch.put(keys::meta(FORMAT_KEY), FORMAT);
        }
        batch
    }

    /// How many bytes wait to be committed.
    #[must_use]
    pub fn waiting(&self) -> usize {
        size(&self.pending())
    }

    /// Returns when all that was committed would survive a power cut.
    ///
    /// # Errors
    /// As [`State::commit`].
    pub fn sync(&mut self) -> Result<Generation, StoreError> {
        let generation = self.blocks.store_mut().sync()?;
        self.blocks.synced();
        self.meta.retain(|_, value| !value.applied);
        self.is_new &= self.unsynced == 0;
        self.unsynced = 0;
        Ok(generation)
    }

    /// Opens the store again after it failed to write, and writes again all that it may have lost: nothing of
    /// the state is lost by the failure when this returns.
    ///
    /// # Errors
    /// When it still cannot be written: nothing is lost then either, and it can be tried again. Or the store
    /// is damaged.
    pub fn recover(&mut self) -> Result<(), StoreError> {
        self.blocks.store_mut().recover()?;
        self.blocks.unsynced();
        for value in self.meta.values_mut() {
            value.applied = false;
        }
        self.commit()?;
        self.sync().map(drop)
    }

    /// A value that belongs to no path.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let key = keys::meta(name);
        match self.meta.get(&key) {
            Some(value) => Ok(Some(value.bytes.clone())),
            None => self.blocks.store().get(&key),
        }
    }

    /// Sets a value that belongs to no path, in the buffer.
    ///
    /// # Errors
    /// When it would have to be written and cannot.
    pub fn set_meta(&mut self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.meta.insert(keys::meta(name), Value { bytes: value.to_vec(), applied: false });
        Ok(())
    }

    /// The directory whose records an error says are damaged.
    #[must_use]
    pub fn damaged_dir(error: &StoreError) -> Option<PathBuf> {
        let (dir, _) = keys::parts(error.key.as_deref()?)?;
        (error.kind == StoreErrorKind::Corrupt).then(|| keys::path(dir, b""))
    }

    /// Gives up the damaged blocks of a directory, at once, so that the rest can be used; what they held is
    /// lost. Says how many there were.
    ///
    /// # Errors
    /// When the store cannot be written, or is damaged elsewhere.
    pub fn drop_damaged(&mut self, dir: &Path) -> Result<usize, StoreError> {
        let prefix = keys::first_block(&place(dir)?.as_dir());
        let mut dropped: Vec<Vec<u8>> = Vec::new();
        loop {
            let Err(error) = self.records(&prefix, &mut |_, _, _| ControlFlow::Continue(())) else {
                return Ok(dropped.len());
            };
            match error.key.clone() {
                Some(key) if key.starts_with(&prefix) && !dropped.contains(&key) => {
                    let mut batch = Batch::default();
                    batch.remove(key.clone());
                    self.blocks.store_mut().apply(batch)?;
                    dropped.push(key);
                }
                _ => return Err(error),
            }
        }
    }

    fn records(&self, prefix: &[u8], visit: &mut VisitRecord<'_>) -> Result<(), StoreError> {
        self.blocks.scan(prefix, &mut |key, block| {
            let Some((dir, _)) = keys::parts(key) else {
                return Ok(ControlFlow::Continue(()));
            };
            for (name, bytes) in block.entries().filter(|(name, _)| !name.is_empty()) {
                let record = record(dir, name, bytes)
                    .map_err(|error| StoreError { key: Some(key.to_vec()), ..error })?;
                if visit(dir, name, record).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }
}

fn place(path: &Path) -> Result<Place, StoreError> {
    Place::of(path).ok_or_else(|| {
        let what = format!("{}: only an absolute path can have a record", path.display());
        StoreError::new(StoreErrorKind::Io, what)
    })
}

fn record(dir: &[u8], name: &[u8], bytes: &[u8]) -> Result<FileRecord, StoreError> {
    codec::decode(bytes).map_err(|malformed| {
        let what = format!("the record of {} is malformed", keys::path(dir, name).display());
        let mut error = StoreError::new(StoreErrorKind::Corrupt, what);
        error.key = Some(keys::block(dir, name));
        error.source = Some(Box::new(malformed));
        name_directory(error)
    })
}

fn number(format: &[u8]) -> String {
    format.try_into().map_or_else(|_| "unknown".to_owned(), |bytes| u32::from_le_bytes(bytes).to_string())
}

fn size(batch: &Batch) -> usize {
    batch.writes.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum()
}
