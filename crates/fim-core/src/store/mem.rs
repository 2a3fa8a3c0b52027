//! A store in memory, for tests: knows what a power cut would leave, and fails when told to.

use super::{Batch, Entry, Generation, Store, StoreError, StoreErrorKind, Visit};
use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A store that lives as long as its last handle: a clone is the same store.
///
/// ```
/// use fim_core::{Batch, MemStore, Store};
///
/// let mut store = MemStore::new();
/// let mut batch = Batch::default();
/// batch.put(*b"key", *b"value");
/// store.apply(batch)?;
/// assert_eq!(store.crash().get(b"key")?, None, "a power cut before it was synced");
/// store.sync()?;
/// assert!(store.crash().get(b"key")?.is_some());
/// # Ok::<(), fim_core::StoreError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemStore(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    live: BTreeMap<Vec<u8>, Vec<u8>>,
    durable: BTreeMap<Vec<u8>, Vec<u8>>,
    batches: u64,
    synced: u64,
    writes_left: Option<u64>,
    poisoned: bool,
}

impl MemStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another store, with what a power cut would leave of this one: all that was synced, nothing else.
    #[must_use]
    pub fn crash(&self) -> Self {
        let inner = self.inner();
        Self(Arc::new(Mutex::new(Inner {
            live: inner.durable.clone(),
            durable: inner.durable.clone(),
            batches: inner.synced,
            synced: inner.synced,
            ..Inner::default()
        })))
    }

    /// Lets this many calls of [`Store::apply`] and [`Store::sync`] succeed; the next one fails, and so does
    /// [`Store::recover`] until [`MemStore::mend`].
    pub fn fail_after(&self, writes: u64) {
        self.inner().writes_left = Some(writes);
    }

    /// No call fails any more, once the store was recovered.
    pub fn mend(&self) {
        self.inner().writes_left = None;
    }

    /// A store that holds these, durably.
    pub(super) fn holding(entries: BTreeMap<Vec<u8>, Vec<u8>>) -> Self {
        Self(Arc::new(Mutex::new(Inner { durable: entries.clone(), live: entries, ..Inner::default() })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn may_write(&mut self) -> Result<(), StoreError> {
        if self.poisoned {
            return Err(StoreError::new(StoreErrorKind::Poisoned, "an earlier write to the state failed"));
        }
        match &mut self.writes_left {
            Some(0) => {
                self.poisoned = true;
                Err(StoreError::new(StoreErrorKind::Io, "a write failed as it was told to"))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Store for MemStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.inner().live.get(key).cloned())
    }

    fn floor(&self, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        let inner = self.inner();
        let mut below = inner.live.range::<[u8], _>((Bound::Unbounded, Bound::Included(key)));
        Ok(below.next_back().map(|(key, value)| (key.clone(), value.clone())))
    }

    fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        // Collected, so that the visitor may use the store.
        let entries: Vec<Entry> = self
            .inner()
            .live
            .range::<[u8], _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        for (key, value) in entries {
            if let ControlFlow::Break(()) = visit(&key, &value) {
                break;
            }
        }
        Ok(())
    }

    fn apply(&mut self, batch: Batch) -> Result<(), StoreError> {
        let mut inner = self.inner();
        inner.may_write()?;
        inner.batches += 1;
        for (key, value) in batch.writes {
            match value {
                Some(value) => inner.live.insert(key, value),
                None => inner.live.remove(&key),
            };
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<Generation, StoreError> {
        let mut inner = self.inner();
        inner.may_write()?;
        inner.durable = inner.live.clone();
        inner.synced = inner.batches;
        Ok(Generation(inner.synced))
    }

    fn recover(&mut self) -> Result<(), StoreError> {
        let mut inner = self.inner();
        if inner.writes_left == Some(0) {
            return Err(StoreError::new(StoreErrorKind::Io, "a write failed as it was told to"));
        }
        inner.live = inner.durable.clone();
        inner.batches = inner.synced;
        inner.poisoned = false;
        Ok(())
    }
}
