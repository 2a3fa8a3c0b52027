//! dpkg's database on disk, read as far as it changed. Reads through the one reader that follows no links and
//! waits for nobody: the database of a foreign root is as hostile as any file there.
//!
//! Knows nothing of findings.

use super::parse::{self, Diversion, Md5, Package};
use crate::packages::{Print, Sieve, Stillness, aliases};
use fim_core::{Limits, Need, Reader};
use foldhash::quality::RandomState;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::read_dir;
use std::hash::BuildHasher;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Larger files are not dpkg's: `status` has some megabytes.
const MOST: u64 = 128 << 20;
/// How often the whole is read again that is replaced meanwhile.
const TRIES: usize = 3;
/// Paths that packages had, remembered; then all are forgotten.
const REMEMBERED: usize = 200_000;
/// Files of `info` kept; then all are dropped.
const RECENT: usize = 8;

/// The database below one `var/lib/dpkg`.
#[derive(Debug)]
pub struct Database {
    dir: PathBuf,
    reader: Reader,
    stillness: Stillness,
    hasher: RandomState,
    /// By the stem of their files in `info`, the inode of their digests, and hashes of the paths in them.
    owned: BTreeMap<String, Owned>,
    /// Tells of nearly every path that no package has that none has: nearly all that change are such.
    may_be_owned: Sieve,
    /// The same of configuration files.
    may_be_configured: Sieve,
    /// Paths that packages had and have no more, by the same hash, and whose they were.
    gone: HashMap<u64, String>,
    incoming: Option<Arc<Incoming>>,
    /// Files of `info` as they were when it was last listed: changes of one package come together.
    recent: HashMap<String, Arc<Vec<u8>>>,
    info: Print,
    status: (Print, HashMap<String, Package>),
    /// What was written down since `status` was last written whole.
    updates: (Print, HashMap<String, Package>),
    diversions: (Print, Vec<Diversion>),
}

#[derive(Debug)]
struct Owned {
    inode: u64,
    paths: Vec<u64>,
}

/// A package that is being unpacked: what of it is not in `info` yet.
#[derive(Debug)]
pub struct Incoming {
    /// The stem of its files in `info`.
    pub stem: String,
    /// Its version.
    pub version: String,
    digests: Vec<u8>,
}

impl Incoming {
    /// The digest it has for a path.
    pub fn digest(&self, path: &[u8]) -> Option<Md5> {
        find(&self.digests, path)
    }

    /// Whether a file of it is somewhere below this path.
    pub fn is_below(&self, folder: &[u8]) -> bool {
        let Some(folder) = folder.strip_prefix(b"/") else { return false };
        let is_in = |path: &[u8]| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with(b"/"));
        parse::md5sums(&self.digests).any(|(path, _)| is_in(path))
    }
}

impl Owned {
    /// Whether the path with this hash is one of them.
    fn has(&self, path: u64) -> bool {
        self.paths.binary_search(&path).is_ok()
    }
}

impl Database {
    /// The database in this folder, if there is one.
    ///
    /// # Errors
    /// When `/proc/self/fd` cannot be opened: files are read through it.
    pub fn open(dir: PathBuf) -> io::Result<Option<Self>> {
        let reader = Reader::new(Limits { max_hash_bytes: MOST, ..Limits::default() })?;
        if reader.open_path(&dir.join("status")).is_err() {
            return Ok(None);
        }
        let folders = ["", "info", "updates"].map(|name| dir.join(name));
        Ok(Some(Self {
            dir,
            reader,
            stillness: Stillness::of(folders.to_vec()),
            hasher: RandomState::default(),
            owned: BTreeMap::new(),
            may_be_owned: Sieve::default(),
            may_be_configured: Sieve::default(),
            gone: HashMap::new(),
            incoming: None,
            recent: HashMap::new(),
            info: Print::default(),
            status: (Print::default(), HashMap::new()),
            updates: (Print::default(), HashMap::new()),
            diversions: (Print::default(), Vec::new()),
        }))
    }

    /// Reads what changed since. What is being unpacked comes first: its files move from there to `info`.
    pub fn refresh(&mut self) {
        if self.stillness.holds(Instant::now()) {
            return;
        }
        self.stillness.begin(Instant::now());
        self.incoming = self.read_incoming().map(Arc::new);
        let dir = self.reader.open_path(&self.dir).ok();
        let print = |name| Print::of(dir.as_ref(), name);
        if print("tmp.ci").is_there() {
            // What dpkg unpacks there is not in the folders that are watched.
            self.stillness.end();
        }
        let now = print("info");
        if !self.info.holds(&now) {
            self.recent.clear();
            self.read_info();
            self.may_be_owned = Sieve::of(self.owned.values().map(|owned| owned.paths.as_slice()));
            self.info = now;
        }
        // dpkg renames updates to where they are, and removes them when `status` is written whole: what was read of
        // them counts if it was not written meanwhile.
        let mut is_other = false;
        for _ in 0..TRIES {
            let now = print("status");
            if !self.status.0.holds(&now) {
                let text = self.read("status").unwrap_or_default();
                self.status = (now, parse::packages(&text));
                is_other = true;
            }
            let now = print("updates");
            if !self.updates.0.holds(&now) {
                is_other |= !self.updates.1.is_empty();
                self.updates = (now, self.read_updates());
                is_other |= !self.updates.1.is_empty();
            }
            if self.status.0.is(&print("status")) {
                break;
            }
        }
        if is_other {
            let packages = self.status.1.values().chain(self.updates.1.values());
            let paths = packages.flat_map(|package| &package.conffiles).map(|(path, _)| self.hash(path));
            self.may_be_configured = Sieve::of(std::iter::once(paths.collect::<Vec<_>>().as_slice()));
        }
        let now = print("diversions");
        if !self.diversions.0.holds(&now) {
            let text = self.read("diversions").unwrap_or_default();
            self.diversions = (now, parse::diversions(&text));
        }
    }

    fn read_info(&mut self) {
        let info = self.dir.join("info");
        let Ok(entries) = read_dir(&info) else { return };
        let mut there: BTreeMap<String, u64> = BTreeMap::new();
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            if let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".md5sums")) {
                there.insert(stem.to_owned(), entry.ino());
            }
        }
        let known: Vec<String> = self.owned.keys().cloned().collect();
        for stem in known.into_iter().filter(|stem| !there.contains_key(stem)) {
            self.owns(&stem, None);
        }
        for (stem, inode) in there {
            if self.owned.get(&stem).is_some_and(|owned| owned.inode == inode) {
                continue;
            }
            let digests = self.read_digests(&stem).unwrap_or_default();
            let (mut paths, mut path, mut above) = (Vec::new(), Vec::new(), Vec::new());
            for (rest, _) in parse::md5sums(&digests) {
                path.clear();
                path.push(b'/');
                path.extend_from_slice(rest);
                let folder = path.iter().rposition(|&b| b == b'/').and_then(|end| path.get(..end));
                if folder != Some(&above) {
                    paths.extend(folders(&path).map(|folder| self.hash(folder)));
                    above.clear();
                    above.extend_from_slice(folder.unwrap_or_default());
                }
                paths.push(self.hash(&path));
            }
            paths.sort_unstable();
            paths.dedup();
            self.owns(&stem, Some(Owned { inode, paths }));
        }
    }

    /// Takes over what a package has now, and remembers what it had.
    fn owns(&mut self, stem: &str, now: Option<Owned>) {
        let has = |path: &u64| now.as_ref().is_some_and(|now| now.has(*path));
        if let Some(before) = self.owned.remove(stem) {
            if self.gone.len() > REMEMBERED {
                self.gone.clear();
            }
            let lost = before.paths.into_iter().filter(|path| !has(path));
            self.gone.extend(lost.map(|path| (path, stem.to_owned())));
        }
        if let Some(now) = now {
            for path in &now.paths {
                self.gone.remove(path);
            }
            self.owned.insert(stem.to_owned(), now);
        }
    }

    /// Whether a package may have this path; never `false` of one that a package has. Asked of each file that changed.
    pub fn may_have(&self, path: &[u8]) -> bool {
        let hash = self.hash(path);
        self.may_be_owned.has(hash) || self.may_be_configured.has(hash)
    }

    /// The packages that have this path: a file of which they have a digest, or a folder of such files.
    pub fn owners(&mut self, path: &[u8]) -> Vec<String> {
        let hash = self.hash(path);
        if !self.may_be_owned.has(hash) {
            return Vec::new();
        }
        let mut stems: Vec<String> =
            self.owned.iter().filter(|(_, owned)| owned.has(hash)).map(|(stem, _)| stem.clone()).collect();
        // Where another package took the file over, its own list does not name it any more.
        stems.retain(|stem| self.lists(stem, path) != Some(false));
        stems
    }

    /// Whether the digests that were read of a package are of this path too, whatever its list says.
    pub fn had(&self, stem: &str, path: &[u8]) -> bool {
        self.owned.get(stem).is_some_and(|owned| owned.has(self.hash(path)))
    }

    /// The digest a package has for a path.
    pub fn digest(&mut self, stem: &str, path: &[u8]) -> Option<Md5> {
        self.read_recent(format!("info/{stem}.md5sums")).and_then(|digests| find(&digests, path))
    }

    /// Whether a package has this path, if it has a list.
    pub fn lists(&mut self, stem: &str, path: &[u8]) -> Option<bool> {
        self.read_recent(format!("info/{stem}.list")).map(|list| parse::lists(&list, path))
    }

    /// The packages whose list has one of these paths: reads them all.
    pub fn listing(&mut self, paths: &[&[u8]]) -> Vec<String> {
        let names = read_dir(self.dir.join("info")).into_iter().flatten().filter_map(Result::ok);
        let mut stems: Vec<String> = names
            .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".list").map(str::to_owned))
            .collect();
        stems.sort_unstable();
        stems.retain(|stem| {
            let list = self.read(&format!("info/{stem}.list")).unwrap_or_default();
            paths.iter().any(|path| parse::lists(&list, path))
        });
        stems
    }

    /// The package that had this path until it was seen to have it no more.
    pub fn last_owner(&self, path: &[u8]) -> Option<&str> {
        self.gone.get(&self.hash(path)).map(String::as_str)
    }

    /// The packages that have this path as a configuration file, with the digest it came with.
    pub fn configured(&self, path: &[u8]) -> Vec<(String, Option<Md5>)> {
        if !self.may_be_configured.has(self.hash(path)) {
            return Vec::new();
        }
        let updates = &self.updates.1;
        // First the path, which hardly any has.
        let of = |packages| has_conffile(packages, path);
        let older = of(&self.status.1).filter(|(stem, _)| !updates.contains_key(stem));
        older.chain(of(updates)).collect()
    }

    /// What is known of a package.
    pub fn package(&self, stem: &str) -> Option<&Package> {
        self.updates.1.get(stem).or_else(|| self.status.1.get(stem))
    }

    fn read_updates(&mut self) -> HashMap<String, Package> {
        let mut files: Vec<(u64, OsString)> = read_dir(self.dir.join("updates"))
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
            .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.file_name())))
            .collect();
        files.sort_unstable();
        let mut packages = HashMap::new();
        for (_, name) in files {
            let file = self.dir.join("updates").join(name);
            if let Some(text) = read_by(&mut self.reader, &file) {
                packages.extend(parse::packages(&text));
            }
        }
        packages
    }

    /// The package that is being unpacked.
    pub fn incoming(&self) -> Option<Arc<Incoming>> {
        self.incoming.clone()
    }

    fn read_incoming(&mut self) -> Option<Incoming> {
        let control = self.read("tmp.ci/control")?;
        let (stem, package) = parse::packages(&control).into_iter().next()?;
        // They move to `info` before `status` tells of the new version, and `control` stays until after.
        let digests = self.read("tmp.ci/md5sums").or_else(|| self.read_digests(&stem))?;
        Some(Incoming { stem, version: package.version, digests })
    }

    /// Where the file is that this package calls so.
    pub fn location<'a>(&'a self, path: &'a [u8], stem: &str) -> &'a [u8] {
        let name = stem.split(':').next().unwrap_or(stem);
        let diverted = |it: &&Diversion| it.from == path && it.by.as_deref() != Some(name);
        self.diversions.1.iter().find(diverted).map_or(path, |it| &it.to)
    }

    /// What packages may call the file at this path.
    pub fn names<'p>(&self, path: &'p [u8]) -> Vec<Cow<'p, [u8]>> {
        let aliases = aliases(path);
        let diverted = self.diversions.1.iter().filter(|it| aliases.contains(&it.to.as_slice()));
        let diverted = diverted.map(|it| Cow::Owned(it.from.clone()));
        aliases.iter().copied().map(Cow::Borrowed).chain(diverted).collect()
    }

    fn hash(&self, path: &[u8]) -> u64 {
        self.hasher.hash_one(path)
    }

    fn read_digests(&mut self, stem: &str) -> Option<Vec<u8>> {
        self.read(&format!("info/{stem}.md5sums"))
    }

    fn read_recent(&mut self, name: String) -> Option<Arc<Vec<u8>>> {
        if let Some(known) = self.recent.get(&name) {
            return Some(Arc::clone(known));
        }
        let bytes = Arc::new(self.read(&name)?);
        if self.recent.len() >= RECENT {
            self.recent.clear();
        }
        self.recent.insert(name, Arc::clone(&bytes));
        Some(bytes)
    }

    fn read(&mut self, name: &str) -> Option<Vec<u8>> {
        read_by(&mut self.reader, &self.dir.join(OsStr::from_bytes(name.as_bytes())))
    }
}

/// The packages that have this path as a configuration file, with the digest it came with.
fn has_conffile(
    packages: &HashMap<String, Package>,
    path: &[u8],
) -> impl Iterator<Item = (String, Option<Md5>)> {
    packages.iter().flat_map(move |(stem, package)| {
        let named = package.conffiles.iter().filter(move |(known, _)| known == path);
        named.map(move |(_, digest)| (stem.clone(), *digest))
    })
}

fn read_by(reader: &mut Reader, path: &Path) -> Option<Vec<u8>> {
    let mut need = Need::default();
    need.content = Some(MOST);
    reader.look(path, need).content
}

fn find(digests: &[u8], path: &[u8]) -> Option<Md5> {
    let path = path.strip_prefix(b"/")?;
    parse::md5sums(digests).find(|(known, _)| *known == path).map(|(_, digest)| digest)
}

/// The folders above a path, but for the root.
fn folders(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let slashes = path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/');
    slashes.filter_map(move |(at, _)| path.get(..at))
}
