//! The durable store, on sled 0.34.
//!
//! What sled does not promise is added here: its flush does not reach the disk (`fsync` does), it opens
//! silently after losing its end (a mark in every batch tells, beside one out of band), damage can make it
//! panic (caught), and it believes its bytes (every value is framed by a checksum). Knows nothing of files
//! or facts.

use super::folder::{self, Folder, io_error};
use super::frame::{Unframed, frame, unframe};
use super::{Batch, Entry, Generation, Store, StoreError, StoreErrorKind, Visit};
use ::sled::{Db, IVec};
use std::cell::Cell;
use std::fmt;
use std::ops::Bound;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const CACHE_BYTES: u64 = 16 * 1024 * 1024;
/// What must be free before a store that met a full disk is opened anew: opening writes a little itself.
const ROOM: usize = 2 << 20;
/// Before every key that is a user's; the mark is below them all.
const KEY: u8 = b'k';
const MARK: &[u8] = b"generation";

/// An ordered, durable map of bytes in a folder.
///
/// ```
/// use fim_core::{SledStore, State, StoreErrorKind};
///
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path().join("state");
/// let store = match SledStore::open(&dir) {
///     Err(error) if matches!(error.kind, StoreErrorKind::Corrupt | StoreErrorKind::Rollback) => {
///         // Say so (EngineBuilder::baseline_lost): what was known is lost, though nothing is deleted.
///         SledStore::set_aside(&dir)?;
///         SledStore::open(&dir)?
///     }
///     opened => opened?,
/// };
/// let state = State::open(Box::new(store))?;
/// # drop(state);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SledStore {
    // Closed before the folder is unlocked. `None` where opening it anew failed.
    db: Option<Db>,
    folder: Folder,
    path: PathBuf,
    applied: u64,
    synced: u64,
    poisoned: Cell<bool>,
}

impl fmt::Debug for SledStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SledStore")
            .field("path", &self.path)
            .field("applied", &self.applied)
            .finish_non_exhaustive()
    }
}

/// Opens sled. The threads of a store that was just closed in this process may hold sled's own lock a moment
/// longer than ours; since ours is held by now, nobody else can be meant.
fn open_sled(config: &::sled::Config, path: &Path) -> Result<Db, StoreError> {
    let patience = Instant::now() + Duration::from_secs(10);
    loop {
        match catch_unwind(AssertUnwindSafe(|| config.open())) {
            Ok(Ok(db)) => return Ok(db),
            Ok(Err(error)) if error.to_string().contains("acquire lock") && Instant::now() < patience => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok(Err(error)) => return Err(sled_error("cannot open the state", path, error)),
            Err(_) => return Err(panicked("cannot open the state", path)),
        }
    }
}

impl SledStore {
    /// Opens the store in this folder; makes both if there are none.
    ///
    /// # Errors
    /// [`StoreErrorKind::Locked`] if another process has it open; [`StoreErrorKind::Rollback`] if it is older
    /// than it was, [`StoreErrorKind::Corrupt`] if it is damaged ([`SledStore::set_aside`] makes room for a
    /// new one); [`StoreErrorKind::Version`] if another version made it; [`StoreErrorKind::Io`] if others can
    /// write in the folder, or it cannot be read.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let folder = Folder::open(dir)?;
        let path = folder.store()?;
        let mut store = Self { db: None, folder, path, applied: 0, synced: 0, poisoned: Cell::new(false) };
        store.open_db()?;
        Ok(store)
    }

    /// Makes the folder, if there is none, and checks that no one else can write in it: before the first
    /// [`SledStore::open`] of a process that is to give up making folders elsewhere.
    ///
    /// # Errors
    /// [`StoreErrorKind::Io`] if it cannot be made, or others can write in it.
    pub fn make_folder(dir: &Path) -> Result<(), StoreError> {
        folder::prepare(dir)
    }

    /// As [`SledStore::make_folder`], and checks that no process has the state open: before anything is done
    /// that only one may do.
    ///
    /// # Errors
    /// Those of [`SledStore::make_folder`]; [`StoreErrorKind::Locked`] if one has.
    pub fn check_free(dir: &Path) -> Result<(), StoreError> {
        Folder::open(dir).map(drop)
    }

    /// Whether the folder is another one than was written last: it was copied or moved to another disk, or an
    /// older copy was put back.
    #[must_use]
    pub fn is_copy(&self) -> bool {
        self.folder.is_copy()
    }

    /// Takes the folder as it is for the one to write: what [`Self::is_copy`] said was said.
    pub fn adopt_copy(&mut self) {
        self.folder.adopt();
    }

    fn open_db(&mut self) -> Result<(), StoreError> {
        let (durable, path) = (self.folder.generation()?, &self.path);
        remove_unfinished(path).map_err(|source| io_error("cannot open the state", path, source))?;
        let config = ::sled::Config::new().path(path).cache_capacity(CACHE_BYTES).flush_every_ms(None);
        self.db = Some(open_sled(&config, path)?);
        self.applied = self.mark()?;
        match durable {
            Some(durable) if self.applied >= durable => self.synced = durable,
            None if self.applied == 0 => self.make_durable()?,
            _ => {
                let what = "the state is older than it was when it was last written";
                return Err(self.error(StoreErrorKind::Rollback, what));
            }
        }
        self.poisoned.set(false);
        Ok(())
    }

    /// Moves a store that cannot be used any more into a folder of its own, beside where it was, so that a
    /// new one can be opened; says which. Nothing is deleted.
    ///
    /// # Errors
    /// [`StoreErrorKind::Locked`] if a process has it open, [`StoreErrorKind::Io`] if it cannot be moved.
    pub fn set_aside(dir: &Path) -> Result<PathBuf, StoreError> {
        Folder::open(dir)?.set_aside()
    }

    /// The number of the last batch that is in the store.
    fn mark(&self) -> Result<u64, StoreError> {
        let Some(bytes) = self.guard("cannot read the state", |db| db.get(MARK))? else {
            return Ok(0);
        };
        let value = self.unframed(MARK, &bytes)?;
        value
            .try_into()
            .map(u64::from_le_bytes)
            .map_err(|_| self.error(StoreErrorKind::Corrupt, "the mark in the state is damaged"))
    }

    fn make_durable(&mut self) -> Result<(), StoreError> {
        self.guard("cannot write the state", |db| db.flush())?;
        self.folder.sync(self.applied)?;
        self.synced = self.applied;
        Ok(())
    }

    /// Calls sled; it can panic on damage that it does not expect.
    fn guard<T>(&self, what: &str, call: impl FnOnce(&Db) -> ::sled::Result<T>) -> Result<T, StoreError> {
        let Some(db) = &self.db else {
            return Err(self.error(StoreErrorKind::Io, "the state is closed: it could not be opened anew"));
        };
        match catch_unwind(AssertUnwindSafe(|| call(db))) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(sled_error(what, &self.path, error)),
            Err(_) => {
                self.poisoned.set(true);
                Err(panicked(what, &self.path))
            }
        }
    }

    /// Calls sled to write: what fails once is not tried again, for no one knows what is in there then.
    fn write<T>(&mut self, call: impl FnOnce(&mut Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.poisoned.get() {
            let what = "an earlier write to the state failed; it takes no more until it is opened anew";
            return Err(self.error(StoreErrorKind::Poisoned, what));
        }
        call(self).inspect_err(|_| self.poisoned.set(true))
    }

    fn framed(&self, key: &[u8], value: &[u8]) -> Result<Vec<u8>, StoreError> {
        frame(key, value)
            .ok_or_else(|| self.error(StoreErrorKind::Io, "a value of 4 GiB does not fit in the state"))
    }

    fn unframed<'a>(&self, key: &[u8], bytes: &'a [u8]) -> Result<&'a [u8], StoreError> {
        unframe(key, bytes).map_err(|unframed| {
            let kind = match unframed {
                Unframed::Damaged(_) => StoreErrorKind::Corrupt,
                Unframed::Version(_) => StoreErrorKind::Version,
            };
            StoreError {
                key: key.split_first().filter(|(first, _)| **first == KEY).map(|(_, key)| key.to_vec()),
                source: Some(Box::new(unframed)),
                ..self.error(kind, "a value in the state cannot be used")
            }
        })
    }

    fn entry(&self, key: &IVec, bytes: &IVec) -> Result<Entry, StoreError> {
        let value = self.unframed(key, bytes)?.to_vec();
        Ok((key.get(1..).unwrap_or_default().to_vec(), value))
    }

    fn error(&self, kind: StoreErrorKind, what: &str) -> StoreError {
        StoreError { path: Some(self.path.clone()), ..StoreError::new(kind, what) }
    }
}

impl Store for SledStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let key = stored(key);
        let Some(bytes) = self.guard("cannot read the state", |db| db.get(&key))? else {
            return Ok(None);
        };
        self.unframed(&key, &bytes).map(|value| Some(value.to_vec()))
    }

    fn floor(&self, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        self.floor_from(b"", key)
    }

    fn floor_from(&self, least: &[u8], key: &[u8]) -> Result<Option<Entry>, StoreError> {
        // The library does not know of a range that is none.
        if least > key {
            return Ok(None);
        }
        let range = (Bound::Included(stored(least)), Bound::Included(stored(key)));
        let found = self.guard("cannot read the state", |db| db.range(range).next_back().transpose())?;
        found.map(|(key, bytes)| self.entry(&key, &bytes)).transpose()
    }

    fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let mut all = self.guard("cannot read the state", |db| Ok(db.scan_prefix(stored(prefix))))?;
        while let Some((key, bytes)) = self.guard("cannot read the state", |_| all.next().transpose())? {
            let (key, value) = self.entry(&key, &bytes)?;
            if visit(&key, &value).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn apply(&mut self, batch: Batch) -> Result<(), StoreError> {
        self.write(|store| {
            let applied = store.applied + 1;
            let mut writes = ::sled::Batch::default();
            for (key, value) in batch.writes {
                let key = stored(&key);
                match value {
                    Some(value) => {
                        let value = store.framed(&key, &value)?;
                        writes.insert(key, value);
                    }
                    None => writes.remove(key),
                }
            }
            let mark = store.framed(MARK, &applied.to_le_bytes())?;
            writes.insert(MARK, mark);
            store.guard("cannot write the state", |db| db.apply_batch(writes))?;
            store.applied = applied;
            Ok(())
        })
    }

    fn sync(&mut self) -> Result<Generation, StoreError> {
        self.write(|store| {
            if store.applied != store.synced {
                store.make_durable()?;
            }
            Ok(Generation(store.synced))
        })
    }

    fn recover(&mut self) -> Result<(), StoreError> {
        // Until there is room, the old handle is still good to read from.
        self.folder.has_room(ROOM)?;
        let old = self.db.take();
        drop(catch_unwind(AssertUnwindSafe(|| drop(old))));
        self.open_db()
    }
}

/// Removes summaries of the log whose writing was cut short, by a full disk or a sudden end: sled would take
/// one for a damaged store. Finished ones have lost that ending.
fn remove_unfinished(path: &Path) -> std::io::Result<()> {
    for entry in path.read_dir()? {
        let entry = entry?;
        if entry.file_name().as_bytes().ends_with(b".generating") {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn stored(key: &[u8]) -> Vec<u8> {
    [&[KEY], key].concat()
}

fn panicked(what: &str, path: &Path) -> StoreError {
    StoreError {
        path: Some(path.to_owned()),
        ..StoreError::new(
            StoreErrorKind::Corrupt,
            format!("{what}: it is damaged in a way the store cannot handle"),
        )
    }
}

fn sled_error(what: &str, path: &Path, error: ::sled::Error) -> StoreError {
    match error {
        ::sled::Error::Io(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
            io_error(what, path, source)
        }
        // "Unsupported" too: that is what sled takes damage to its settings for.
        error => StoreError {
            path: Some(path.to_owned()),
            source: Some(Box::new(error)),
            ..StoreError::new(StoreErrorKind::Corrupt, what)
        },
    }
}
