//! rpm's database in memory: of each package which it is, and hashes of its paths. Headers are read again for what
//! else there is to know.
//!
//! Knows nothing of findings.

use super::header::Header;
use super::lock::{Lock, Transaction};
use super::package::{self, File, Identity};
use super::pages::{Files, NAMES, Prints, Restless, open};
use super::sqlite::{self, Pages, Row, Value};
use crate::packages::Sieve;
use fim_core::{Limits, Reader};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Larger headers are not rpm's: the largest have some megabytes.
const MOST: u64 = 64 << 20;
/// Bytes of paths that are hashed at a time, each with something for itself; the packages behind are known without theirs.
const MOST_HASHED: usize = 256 << 20;
/// What a path costs besides its bytes.
const EACH: usize = 32;
/// Paths that packages had, remembered; then all are forgotten.
const REMEMBERED: usize = 200_000;
/// Headers kept; then all are dropped.
const RECENT: usize = 8;
/// Larger headers are not kept.
const MOST_RECENT: usize = 8 << 20;

/// The database in one folder.
#[derive(Debug)]
pub struct Database {
    dir: PathBuf,
    files: Files,
    lock: Lock,
    reader: Reader,
    hasher: RandomState,
    /// By the number of their rows, which is never given twice.
    packages: BTreeMap<i64, Package>,
    /// Tells of nearly every path that no package has that none has: nearly all that change are such.
    may_be_owned: Sieve,
    /// Paths that packages had and have no more, by the same hash, and whose they were.
    gone: HashMap<u64, Arc<Identity>>,
    /// Headers as they were when the rows were last listed: changes of one package come together.
    recent: HashMap<i64, Arc<Vec<u8>>>,
    prints: Prints,
    /// What is known is of a database that is not the one there now, which could not be read yet.
    is_of_another: bool,
}

/// What became of reading a database once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// Nothing changed since.
    Same,
    /// It was read as far as it can be.
    Anew,
    /// Somebody wrote to it all the while.
    NotYet,
}

#[derive(Debug)]
struct Package {
    row: Row,
    identity: Arc<Identity>,
    paths: Vec<u64>,
}

impl Database {
    /// The database in this folder, if there is one that is SQLite's.
    ///
    /// # Errors
    /// When `/proc/self/fd` cannot be opened: files are read through it.
    pub fn open(dir: PathBuf) -> io::Result<Option<Self>> {
        let reader = Reader::new(Limits::default())?;
        if open(&reader, &dir.join(NAMES[0])).is_err() {
            return Ok(None);
        }
        Ok(Some(Self {
            files: Files::new(dir.clone()),
            dir,
            lock: Lock::new(),
            reader,
            hasher: RandomState::new(),
            packages: BTreeMap::new(),
            may_be_owned: Sieve::default(),
            gone: HashMap::new(),
            recent: HashMap::new(),
            prints: Prints::default(),
            is_of_another: false,
        }))
    }

    /// The transaction that is under way. What is over when it is asked is found by [`Self::refresh`] after it.
    pub fn transaction(&self) -> Option<Transaction> {
        self.lock.holder(&self.reader, &self.dir)
    }

    /// Reads what changed since. What cannot be read leaves what is known as it is.
    pub fn refresh(&mut self) -> Refreshed {
        let now = Prints::of(self.reader.open_path(&self.dir).ok().as_ref());
        if self.prints.hold(&now) {
            return Refreshed::Same;
        }
        self.is_of_another |= self.prints.are_of_another(&now);
        let is_another = self.is_of_another;
        let (packages, hasher) = (&self.packages, &self.hasher);
        let is_known = |row: &Row| {
            packages.get(&row.number).is_some_and(|known| !is_another && known.row.length == row.length)
        };
        let found = self.files.consistent(&self.reader, |pages| {
            let root = sqlite::table(pages, b"Packages")?;
            let rows = sqlite::rows(pages, root)?;
            let mut left = MOST_HASHED;
            let new =
                rows.iter().filter(|row| !is_known(row)).map(|row| read(pages, *row, hasher, &mut left));
            let new: Vec<Package> = new.collect();
            Some((rows, new))
        });
        // One that is broken is not read again before it changes.
        self.prints = now;
        self.recent.clear();
        match found {
            Ok(Some((rows, new))) => {
                self.is_of_another = false;
                self.take_over(&rows, new);
                Refreshed::Anew
            }
            Ok(None) => Refreshed::Anew,
            Err(Restless) => Refreshed::NotYet,
        }
    }

    fn take_over(&mut self, rows: &[Row], new: Vec<Package>) {
        let rows: HashMap<i64, &Row> = rows.iter().map(|row| (row.number, row)).collect();
        let replaced: HashSet<i64> = new.iter().map(|package| package.row.number).collect();
        let mut lost = Vec::new();
        let known = std::mem::take(&mut self.packages);
        for (number, mut package) in known {
            match rows.get(&number) {
                Some(row) if !replaced.contains(&number) => {
                    package.row = **row;
                    self.packages.insert(number, package);
                }
                _ => lost.push(package),
            }
        }
        self.packages.extend(new.into_iter().map(|package| (package.row.number, package)));
        let is_other = !lost.is_empty() || !replaced.is_empty();
        for package in &lost {
            self.remember(package);
        }
        if is_other {
            self.may_be_owned = Sieve::of(self.packages.values().map(|package| package.paths.as_slice()));
        }
    }

    /// Whose the paths were of a package that is no more, but for those that its next version has.
    fn remember(&mut self, package: &Package) {
        if self.gone.len() > REMEMBERED {
            self.gone.clear();
        }
        let next = self.newest(&package.identity.name).map(|next| next.paths.as_slice()).unwrap_or_default();
        let lost = package.paths.iter().filter(|path| next.binary_search(path).is_err());
        let lost: Vec<u64> = lost.copied().collect();
        self.gone.extend(lost.into_iter().map(|path| (path, Arc::clone(&package.identity))));
    }

    fn newest(&self, name: &str) -> Option<&Package> {
        self.packages.values().rfind(|package| package.identity.name == name)
    }

    /// The package of this name that is there; of several the one that came last.
    pub fn installed(&self, name: &str) -> Option<Arc<Identity>> {
        self.newest(name).map(|package| Arc::clone(&package.identity))
    }

    /// Whether any package has this path.
    pub fn is_owned(&self, path: &[u8]) -> bool {
        !self.owners(path).is_empty()
    }

    /// The package that had this path until it was seen to have it no more.
    pub fn last_owner(&self, path: &[u8]) -> Option<&Arc<Identity>> {
        self.gone.get(&self.hasher.hash_one(path))
    }

    /// The packages that have this path, and what they have there, the one that came last first.
    pub fn claims(&mut self, path: &[u8]) -> Vec<(Arc<Identity>, File)> {
        let owners = self.owners(path);
        if owners.iter().any(|(row, _)| self.header(*row).is_none()) {
            // Rows move while rpm writes.
            self.refresh();
        }
        let owners = self.owners(path).into_iter();
        let claims = owners.map(|(row, identity)| {
            let header = self.header(row)?;
            Some((identity, package::file(&Header::parse(&header)?, path)?))
        });
        claims.flatten().collect()
    }

    fn owners(&self, path: &[u8]) -> Vec<(Row, Arc<Identity>)> {
        let hash = self.hasher.hash_one(path);
        if !self.may_be_owned.has(hash) {
            return Vec::new();
        }
        let owners = self.packages.values().rev().filter(|it| it.paths.binary_search(&hash).is_ok());
        owners.map(|it| (it.row, Arc::clone(&it.identity))).collect()
    }

    fn header(&mut self, row: Row) -> Option<Arc<Vec<u8>>> {
        if let Some(known) = self.recent.get(&row.number) {
            return Some(Arc::clone(known));
        }
        let header = self.files.consistent(&self.reader, |pages| blob(pages, &row)).ok()?.map(Arc::new)?;
        if self.recent.len() >= RECENT {
            self.recent.clear();
        }
        if header.len() <= MOST_RECENT {
            self.recent.insert(row.number, Arc::clone(&header));
        }
        Some(header)
    }
}

/// What is kept of a package; of one that cannot be understood that it is there.
fn read(pages: &mut impl Pages, row: Row, hasher: &RandomState, left: &mut usize) -> Package {
    let header = blob(pages, &row);
    let header = header.as_deref().and_then(Header::parse);
    let identity = Arc::new(header.as_ref().and_then(package::identity).unwrap_or_default());
    let paths = header.iter().flat_map(package::paths);
    let paths = paths.map_while(|path| {
        *left = left.checked_sub(path.len() + EACH)?;
        Some(hasher.hash_one(path.as_slice()))
    });
    let mut paths: Vec<u64> = paths.collect();
    paths.sort_unstable();
    paths.dedup();
    Package { row, identity, paths }
}

/// The header in a row: the second column, behind the row's number.
fn blob(pages: &mut impl Pages, row: &Row) -> Option<Vec<u8>> {
    let payload = sqlite::payload(pages, row, MOST)?;
    match sqlite::record(&payload)?.get(1)? {
        Value::Bytes(bytes) => Some(bytes.to_vec()),
        _ => None,
    }
}
