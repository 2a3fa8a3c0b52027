//! The trait by which the engine keeps state: an ordered map of bytes with atomic batches.
//!
//! So narrow that another library takes a day. Knows nothing of files, facts or findings.

pub(crate) mod copy;
#[cfg(feature = "sled")]
mod folder;
#[cfg(feature = "sled")]
mod frame;
mod mem;
#[cfg(feature = "sled")]
mod sled;

#[cfg(feature = "sled")]
pub use self::sled::SledStore;
pub use copy::CopyError;
pub use mem::MemStore;

use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Puts and removes that become visible together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// In order; `None` removes.
    pub writes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Batch {
    /// Sets a key.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.writes.push((key.into(), Some(value.into())));
    }

    /// Removes a key.
    pub fn remove(&mut self, key: impl Into<Vec<u8>>) {
        self.writes.push((key.into(), None));
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}

/// How far a store has come: grows with every batch over its whole life, and never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub u64);

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// Called with each key and value of a scan.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// An ordered, durable map of bytes.
///
/// ```
/// use fim_core::{Batch, MemStore, Store};
/// use std::ops::ControlFlow;
///
/// let mut store = MemStore::new();
/// let mut batch = Batch::default();
/// batch.put(*b"file/a", *b"1");
/// batch.put(*b"file/b", *b"2");
/// store.apply(batch)?;
/// store.sync()?;
/// assert_eq!(store.get(b"file/a")?.as_deref(), Some(&b"1"[..]));
/// let mut keys = Vec::new();
/// store.scan(b"file/", &mut |key, _| {
///     keys.push(key.to_vec());
///     ControlFlow::Continue(())
/// })?;
/// assert_eq!(keys, [b"file/a", b"file/b"]);
/// # Ok::<(), fim_core::StoreError>(())
/// ```
pub trait Store: Send {
    /// The value of a key.
    ///
    /// # Errors
    /// [`StoreErrorKind::Corrupt`] when the value is damaged: a damaged value is never returned.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The greatest key not above this one, with its value.
    ///
    /// # Errors
    /// As [`Store::get`]; the error names the damaged key.
    fn floor(&self, key: &[u8]) -> Result<Option<Entry>, StoreError>;

    /// As [`Store::floor`], but none below `least`: of those nothing needs to be read, nor to be whole.
    ///
    /// # Errors
    /// As [`Store::floor`].
    fn floor_from(&self, least: &[u8], key: &[u8]) -> Result<Option<Entry>, StoreError> {
        match self.floor(key) {
            Ok(found) => Ok(found.filter(|(found, _)| found.as_slice() >= least)),
            Err(error) if error.key.as_deref().is_some_and(|found| found < least) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Visits all keys with this prefix, in order.
    ///
    /// # Errors
    /// As [`Store::get`], at the first damaged value.
    fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError>;

    /// Applies a batch: all of it or nothing is seen by any later call, durable after [`Store::sync`].
    ///
    /// # Errors
    /// When it cannot be written; the store then refuses further writes.
    fn apply(&mut self, batch: Batch) -> Result<(), StoreError>;

    /// Returns when all that was applied would survive a power cut.
    ///
    /// # Errors
    /// When it cannot be made durable; the store then refuses further writes.
    fn sync(&mut self) -> Result<Generation, StoreError>;

    /// Makes the store take writes again after one failed. All that was synced is there then; of the batches
    /// applied since, the later ones may be gone.
    ///
    /// # Errors
    /// When it cannot be written yet, and may be tried again; or it is found to be damaged.
    fn recover(&mut self) -> Result<(), StoreError> {
        Err(StoreError::new(StoreErrorKind::Poisoned, "this store cannot be opened anew"))
    }
}

/// What kind of thing went wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// A value, or the whole, is damaged.
    Corrupt,
    /// The state is older than it was: someone restored an old copy, or its end was lost.
    Rollback,
    /// Another process has it open.
    Locked,
    /// It was made by another version.
    Version,
    /// Reading or writing failed.
    Io,
    /// An earlier write failed; this handle takes no more.
    Poisoned,
}

/// What went wrong with a store, and where.
#[derive(Debug)]
pub struct StoreError {
    /// What kind.
    pub kind: StoreErrorKind,
    /// What was tried.
    pub what: String,
    /// The folder of the store, where it has one.
    pub path: Option<PathBuf>,
    /// The key concerned, where there is one.
    pub key: Option<Vec<u8>>,
    /// The reason beneath.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// An error with neither path, key nor cause.
    #[must_use]
    pub fn new(kind: StoreErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), path: None, key: None, source: None }
    }

    /// Whether it may pass by itself: a full disk, a file system that is read-only for a while.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Io | StoreErrorKind::Poisoned)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(path) = &self.path {
            write!(f, " ({})", path.display())?;
        }
        if let Some(source) = &self.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl std::error::Error for StoreError {
    /// What [`Display`](fmt::Display) ends with.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
