//! The pages of rpm's database as they are on disk: those of the write-ahead log before those of the file itself. Takes
//! no lock and writes nothing, so what was read is held against what is there afterwards.
//!
//! Opens through the one reader that follows no links and waits for nobody.

use super::sqlite::{self, Head, Pages};
use super::wal::{self, Wal};
use crate::packages::Print;
use fim_core::Reader;
use rustix::fs::{FileType, OFlags, fstat};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The database, and the log beside it.
pub const NAMES: [&str; 2] = ["rpmdb.sqlite", "rpmdb.sqlite-wal"];
/// How often a database that changes while it is read is read.
const TRIES: usize = 3;
/// How often each page is read in one look, on average and at most: a page that many claim to go on at is read for each
/// of them.
const TIMES: u64 = 16;
/// Pages that may be read besides.
const BESIDES: u64 = 1024;
/// Bytes that are read in one look at most: a file with holes is as long as somebody likes.
const MOST: u64 = 4 << 30;

/// The files of one database.
#[derive(Debug)]
pub struct Files {
    dir: PathBuf,
    wal: Wal,
}

/// Somebody writes to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restless;

/// What the files looked like.
#[derive(Debug, Default)]
pub struct Prints {
    database: Print,
    log: Print,
}

impl Prints {
    pub fn of(dir: Option<&OwnedFd>) -> Self {
        let [database, log] = NAMES.map(|name| Print::of(dir, name));
        Self { database, log }
    }

    /// Whether what was read then is what is there now.
    pub fn hold(&self, now: &Self) -> bool {
        let there_is_no_log = self.log.is(&Print::default()) && now.log.is(&Print::default());
        self.database.holds(&now.database) && (there_is_no_log || self.log.holds(&now.log))
    }

    /// Whether it was another database: rows have other numbers there.
    pub fn are_of_another(&self, now: &Self) -> bool {
        self.database.is_other_file(&now.database)
    }
}

impl Files {
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, wal: Wal::default() }
    }

    /// What `look` finds in pages that belong together, if anything.
    ///
    /// # Errors
    /// When they changed each time while it looked.
    pub fn consistent<T>(
        &mut self,
        reader: &Reader,
        mut look: impl FnMut(&mut View<'_>) -> Option<T>,
    ) -> Result<Option<T>, Restless> {
        for _ in 0..TRIES {
            let before = Prints::of(reader.open_path(&self.dir).ok().as_ref());
            let [database, log] = NAMES.map(|name| open(reader, &self.dir.join(name)).ok());
            let Some(database) = database else { return Ok(None) };
            let header = log.as_ref().and_then(header);
            self.wal.follow(header, |at, frame| {
                log.as_ref().is_some_and(|log| log.read_exact_at(frame, at).is_ok())
            });
            let found = View::new(&database, log.as_ref(), &self.wal).and_then(|mut view| look(&mut view));
            // Pages move from the log to the file, and then the log begins anew: either is seen here.
            let after = Prints::of(reader.open_path(&self.dir).ok().as_ref());
            if before.database.is(&after.database) && header == log.as_ref().and_then(self::header) {
                return Ok(found);
            }
        }
        Err(Restless)
    }
}

fn header(log: &File) -> Option<wal::Header> {
    let mut bytes = [0; wal::HEADER];
    log.read_exact_at(&mut bytes, 0).ok().and_then(|()| wal::Header::parse(&bytes))
}

/// A regular file, for reading.
pub fn open(reader: &Reader, path: &Path) -> io::Result<File> {
    let file = reader.open_path(path)?;
    if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
        return Err(io::Error::other(format!("{} is no file", path.display())));
    }
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    OpenOptions::new().read(true).custom_flags(flags).open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// The pages at one moment.
#[derive(Debug)]
pub struct View<'a> {
    database: &'a File,
    log: Option<&'a File>,
    wal: &'a Wal,
    head: Head,
    count: u32,
    /// So many may be read yet.
    left: u64,
}

impl<'a> View<'a> {
    fn new(database: &'a File, log: Option<&'a File>, wal: &'a Wal) -> Option<Self> {
        // The first page may be in the log alone; the size of all is in the log's header too.
        let mut first = [0; 100];
        match wal.page(1).zip(log) {
            Some((at, log)) => log.read_exact_at(&mut first, at).ok()?,
            None => database.read_exact_at(&mut first, 0).ok()?,
        }
        let head = sqlite::head(&first)?;
        if wal.header().is_some_and(|header| header.page != head.page) {
            return None;
        }
        let length = database.metadata().ok()?.len() / head.page as u64;
        let count = wal.count().unwrap_or(u32::try_from(length).unwrap_or(u32::MAX));
        // What the log says of the size is nothing to go by.
        let there = length + wal.pages() as u64;
        let left = there.saturating_mul(TIMES).saturating_add(BESIDES).min(MOST / head.page as u64);
        Some(Self { database, log, wal, head, count, left })
    }
}

impl Pages for View<'_> {
    fn page(&mut self, number: u32) -> Option<Vec<u8>> {
        if number == 0 || number > self.count {
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        let mut page = vec![0; self.head.page];
        match self.wal.page(number).zip(self.log) {
            Some((at, log)) => log.read_exact_at(&mut page, at).ok()?,
            None => {
                let at = u64::from(number - 1) * self.head.page as u64;
                self.database.read_exact_at(&mut page, at).ok()?;
            }
        }
        Some(page)
    }

    fn usable(&self) -> usize {
        self.head.page - self.head.reserved
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fim_core::Limits;
    use std::fs;
    use tempfile::TempDir;

    const DATABASE: &[u8] = include_bytes!("testing/packages.sqlite");
    const LOG: &[u8] = include_bytes!("testing/packages.sqlite-wal");

    fn stage() -> (TempDir, PathBuf, Reader) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        fs::write(path.join(NAMES[0]), DATABASE).unwrap();
        (dir, path, Reader::new(Limits::default()).unwrap())
    }

    #[test]
    fn pages_of_the_log_come_first() {
        let (_dir, path, reader) = stage();
        let mut files = Files::new(path.clone());
        let mut read = |number| files.consistent(&reader, |view| view.page(number)).unwrap();
        let (first, last) = (read(1).unwrap(), read(29).unwrap());
        assert_eq!((&first[..], &last[..]), (&DATABASE[..512], &DATABASE[28 * 512..]));
        assert_eq!((read(0), read(30)), (None, None));
        fs::write(path.join(NAMES[1]), LOG).unwrap();
        assert_ne!(read(1).unwrap(), first);
        assert!(read(34).is_some() && read(35).is_none(), "as many as the log says");
    }

    #[test]
    fn what_changes_meanwhile_is_read_again() {
        let (_dir, path, reader) = stage();
        let mut files = Files::new(path.clone());
        for (changes, looks, found) in
            [(0, 1, Ok(Some(()))), (1, 2, Ok(Some(()))), (2, 3, Ok(Some(()))), (9, 3, Err(Restless))]
        {
            let mut looked = 0;
            let answer = files.consistent(&reader, |_| {
                if looked < changes {
                    fs::write(path.join("new"), DATABASE).unwrap();
                    fs::rename(path.join("new"), path.join(NAMES[0])).unwrap();
                }
                looked += 1;
                Some(())
            });
            assert_eq!((looked, answer), (looks, found), "changed {changes} times");
        }
        let mut looked = 0;
        fs::write(path.join(NAMES[1]), LOG).unwrap();
        let answer = files.consistent(&reader, |_| {
            // Its pages are in the database now.
            fs::write(path.join(NAMES[1]), "").unwrap();
            looked += 1;
            Some(())
        });
        assert_eq!((looked, answer), (2, Ok(Some(()))));
    }

    #[test]
    fn a_look_ends() {
        let (_dir, path, reader) = stage();
        let mut files = Files::new(path);
        let count = |view: &mut View<'_>| Some((0..10_000).take_while(|_| view.page(1).is_some()).count());
        assert_eq!(files.consistent(&reader, count), Ok(Some(29 * 16 + 1024)));
    }
}
