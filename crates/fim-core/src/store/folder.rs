//! The folder a store lives in: who may use it, who does, and how far it had come when it was last synced.
//!
//! ```text
//! DIR/lock              locked by the process that has the state open; says which
//! DIR/STATE             the last generation that was made durable, and which folders it was in
//! DIR/sled/             the store
//! DIR/damaged-<time>/   stores that were set aside, each with its STATE
//! ```
//! `STATE` is beside the store, not in it, so that a store that lost its end, or was replaced by an older
//! copy of itself, is noticed; where both were put back, their folders are others. Knows nothing of what is in the store.

use super::frame::{frame, unframe};
use super::{StoreError, StoreErrorKind};
use rustix::fs::{FlockOperation, Mode, OFlags};
use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

const EMFILE: i32 = rustix::io::Errno::MFILE.raw_os_error();
const ENFILE: i32 = rustix::io::Errno::NFILE.raw_os_error();

const STORE: &str = "sled";
const STATE: &str = "STATE";
const STATE_NEW: &str = "STATE.new";
const LOCK: &str = "lock";
const ROOM: &str = "room";

/// A state folder, locked for as long as this lives.
#[derive(Debug)]
pub(super) struct Folder {
    dir: PathBuf,
    _lock: File,
    place: Option<Place>,
}

/// Of the folder and of the store in it, the number of the inode and when it was made, in nanoseconds since 1970: numbers
/// are used again. A copy has others; a snapshot of a whole file system has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place([u64; 4]);

impl Folder {
    /// Makes the folder if there is none, checks that no one else can write in it, and locks it.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        prepare(dir)?;
        let lock = lock(dir)?;
        Ok(Self { dir: dir.to_owned(), _lock: lock, place: None })
    }

    /// Where the store is, made if need be.
    pub fn store(&self) -> Result<PathBuf, StoreError> {
        let store = self.dir.join(STORE);
        make(&store).map_err(|source| io_error("cannot make the state folder", &store, source))?;
        Ok(store)
    }

    /// The last generation that was made durable. The store must be there.
    pub fn generation(&mut self) -> Result<Option<u64>, StoreError> {
        let path = self.dir.join(STATE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(io_error("cannot read the mark of the state", &path, source)),
        };
        match unframe(STATE.as_bytes(), &bytes) {
            Ok(value) => {
                let Some((generation, place)) = value.split_first_chunk() else { return Ok(None) };
                // Marks of earlier versions end there.
                self.place = Place::read(place);
                Ok(Some(u64::from_le_bytes(*generation)))
            }
            Err(unframed) => Err(StoreError {
                path: Some(path),
                source: Some(Box::new(unframed)),
                ..StoreError::new(StoreErrorKind::Corrupt, "the mark of the state is damaged")
            }),
        }
    }

    /// Makes durable what was written to the store, then that it has come so far.
    pub fn sync(&self, generation: u64) -> Result<(), StoreError> {
        let store = self.dir.join(STORE);
        sync_all(&store).map_err(|source| io_error("cannot make the state durable", &store, source))?;
        self.set_generation(generation)
            .map_err(|source| io_error("cannot write the mark of the state", &self.dir.join(STATE), source))
    }

    /// Whether the folder is not the one that was written last.
    pub fn is_copy(&self) -> bool {
        self.place.is_some() && self.place != self.here().ok()
    }

    /// From now on it is the one that is written.
    pub fn adopt(&mut self) {
        self.place = self.here().ok();
    }

    fn here(&self) -> io::Result<Place> {
        let [dir, store] = [made(&self.dir)?, made(&self.dir.join(STORE))?];
        Ok(Place([dir.0, dir.1, store.0, store.1]))
    }

    fn set_generation(&self, generation: u64) -> io::Result<()> {
        let Place(place) = self.place.map_or_else(|| self.here(), Ok)?;
        let mark = std::iter::once(generation).chain(place).flat_map(u64::to_le_bytes).collect::<Vec<u8>>();
        let bytes = frame(STATE.as_bytes(), &mark).unwrap_or_default();
        let new = self.dir.join(STATE_NEW);
        let mut file = File::create(&new)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, self.dir.join(STATE))?;
        sync_dir(&self.dir)
    }

    /// Whether so many bytes can be written beside the store, for good.
    pub fn has_room(&self, bytes: usize) -> Result<(), StoreError> {
        let path = self.dir.join(ROOM);
        let tried = File::create(&path).and_then(|mut file| {
            file.write_all(&vec![1; bytes])?;
            file.sync_all()
        });
        // What cannot be removed is written over the next time.
        drop(std::fs::remove_file(&path));
        tried.map_err(|source| io_error("cannot write the state", &path, source))
    }

    /// Renames the store and its mark, so that the folder is as good as new; says where they are now.
    pub fn set_aside(&self) -> Result<PathBuf, StoreError> {
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let aside = (1..100)
            .map(|number| match number {
                1 => format!("damaged-{now}"),
                _ => format!("damaged-{now}-{number}"),
            })
            .map(|name| self.dir.join(name))
            .find(|aside| !aside.exists())
            .unwrap_or_else(|| self.dir.join("damaged"));
        self.move_to(&aside)
            .map_err(|source| io_error("cannot set the damaged state aside", &aside, source))?;
        Ok(aside)
    }

    fn move_to(&self, aside: &Path) -> io::Result<()> {
        // By one rename within the folder: whoever is under Landlock may do no other before Linux 5.19.
        match std::fs::rename(self.dir.join(STORE), aside) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                DirBuilder::new().mode(0o700).create(aside)?;
            }
            renamed => renamed?,
        }
        // The mark last: without it, a store half set aside would pass for a new one.
        let mark = self.dir.join(STATE);
        match std::fs::read(&mark) {
            Ok(bytes) => {
                let mut copy = File::create(aside.join(STATE))?;
                copy.write_all(&bytes)?;
                copy.sync_all()?;
                sync_dir(aside)?;
                std::fs::remove_file(&mark)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        sync_dir(&self.dir)
    }
}

impl Place {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (numbers, rest) = bytes.as_chunks();
        let numbers: [[u8; 8]; 4] = numbers.try_into().ok().filter(|_| rest.is_empty())?;
        Some(Self(numbers.map(u64::from_le_bytes)))
    }
}

pub(super) fn io_error(what: &str, path: &Path, source: io::Error) -> StoreError {
    let what = match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("{what}: the disk is full; free some space")
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            format!("{what}: the file system is read-only; mount it read-write, or name another by --state")
        }
        _ if matches!(source.raw_os_error(), Some(EMFILE | ENFILE)) => {
            format!("{what}: too many files are open; raise the limit (LimitNOFILE= of systemd, ulimit -n)")
        }
        io::ErrorKind::PermissionDenied => {
            format!("{what}: run as the user the state belongs to, or name another by --state")
        }
        _ => what.to_owned(),
    };
    StoreError {
        path: Some(path.to_owned()),
        source: Some(Box::new(source)),
        ..StoreError::new(StoreErrorKind::Io, what)
    }
}

/// Makes the folder if there is none, and checks that no one else can write in it.
pub(super) fn prepare(dir: &Path) -> Result<(), StoreError> {
    make(dir).map_err(|source| io_error("cannot make the state folder", dir, source))?;
    check(dir)
}

/// The number of an inode and when it was made, 0 where the file system does not say.
fn made(path: &Path) -> io::Result<(u64, u64)> {
    let found = path.metadata()?;
    let since = found.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    Ok((found.ino(), since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(0))))
}

fn make(dir: &Path) -> io::Result<()> {
    if dir.symlink_metadata().is_ok() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    dir.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), sync_dir)
}

/// Whoever can write in the folder can make any change go unnoticed.
fn check(dir: &Path) -> Result<(), StoreError> {
    let refuse = |what: String| {
        Err(StoreError { path: Some(dir.to_owned()), ..StoreError::new(StoreErrorKind::Io, what) })
    };
    let found =
        dir.symlink_metadata().map_err(|source| io_error("cannot look at the state folder", dir, source))?;
    let me = rustix::process::geteuid().as_raw();
    if found.is_symlink() {
        return refuse("the state folder is a symbolic link: name the folder itself by --state".to_owned());
    }
    if !found.is_dir() {
        return refuse(
            "the state folder is not a folder: move it away, or name another by --state".to_owned(),
        );
    }
    if found.uid() != me {
        let uid = found.uid();
        return refuse(format!(
            "the state folder belongs to user {uid}, not to user {me}: chown it, or name another by --state"
        ));
    }
    if found.mode() & 0o022 != 0 {
        return refuse("others can write in the state folder: chmod 700 it".to_owned());
    }
    Ok(())
}

fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join(LOCK);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let failed = |errno: rustix::io::Errno| io_error("cannot lock the state folder", &path, errno.into());
    let mut file = File::from(rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR).map_err(failed)?);
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Err(locked(dir, &mut file)),
        Err(errno) => return Err(failed(errno)),
    }
    // Only a help for people: the lock itself is what counts.
    let said = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    said.map_err(|source| io_error("cannot lock the state folder", &path, source))?;
    Ok(file)
}

fn locked(dir: &Path, file: &mut File) -> StoreError {
    let mut said = String::new();
    let pid = file.take(20).read_to_string(&mut said).ok().and_then(|_| said.trim().parse::<u32>().ok());
    let what = pid.map_or_else(
        || "another process has the state open: stop it first".to_owned(),
        |pid| format!("process {pid} has the state open: stop it first"),
    );
    StoreError { path: Some(dir.to_owned()), ..StoreError::new(StoreErrorKind::Locked, what) }
}

/// Files, then the names of the files.
fn sync_all(dir: &Path) -> io::Result<()> {
    for entry in dir.read_dir()? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            sync_all(&entry.path())?;
        } else if kind.is_file() {
            match File::open(entry.path()) {
                Ok(file) => file.sync_all()?,
                // Temporary files of the store come and go.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    sync_dir(dir)
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
