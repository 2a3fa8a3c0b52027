//! Names of users and groups, read from the account files themselves: asking the system's name service
//! could block on a network, or answer from a file that has just been tampered with in memory.

use super::secret::HIDDEN;
use fim_consumers::parse::{group, passwd};
use rustix::fs::{Mode, OFlags};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// An account file larger than this is not read.
const MAX_BYTES: u64 = 16 << 20;
/// What was asked so lately is not asked again: of thousands of lines a second each would ask four times. A new account's
/// first file waits longer for its look.
const LATELY: Duration = Duration::from_millis(10);

/// The accounts of this machine, and those of the watched tree, which are the same ones where all of it is watched.
#[derive(Debug)]
pub struct Accounts {
    machine: Names,
    tree: Option<Names>,
}

impl Accounts {
    /// For a tree below this root.
    pub fn of(root: &Path) -> Self {
        let machine = Path::new("/");
        Self { machine: Names::below(machine), tree: (root != machine).then(|| Names::below(root)) }
    }

    /// Reads again what has changed by the time of a line.
    pub fn refresh(&mut self, at: SystemTime) {
        self.machine.refresh(at);
        self.tree.iter_mut().for_each(|tree| tree.refresh(at));
    }

    /// Of this machine: who processes run as.
    pub const fn machine(&self) -> &Names {
        &self.machine
    }

    /// Of the watched tree: whom files belong to.
    pub fn tree(&self) -> &Names {
        self.tree.as_ref().unwrap_or(&self.machine)
    }
}

/// The accounts below a root.
#[derive(Debug)]
pub struct Names {
    users: Table,
    groups: Table,
    /// When it was last seen what has changed.
    at: Option<SystemTime>,
}

impl Names {
    /// The names in `etc/passwd` and `etc/group` below this root.
    pub fn below(root: &Path) -> Self {
        Self {
            users: Table::new(root.join("etc/passwd"), users),
            groups: Table::new(root.join("etc/group"), groups),
            at: None,
        }
    }

    /// Reads again what has changed by the time of a line. Once for a line: it names the same few accounts many times.
    pub fn refresh(&mut self, at: SystemTime) {
        if self.at.and_then(|last| at.duration_since(last).ok()).is_some_and(|since| since < LATELY) {
            return;
        }
        self.at = Some(at);
        self.users.refresh();
        self.groups.refresh();
    }

    /// The name of a user, as it was at the last [`Self::refresh`].
    pub fn user(&self, uid: u32) -> Option<&str> {
        self.users.get(uid)
    }

    /// The name of a group, as it was at the last [`Self::refresh`].
    pub fn group(&self, gid: u32) -> Option<&str> {
        self.groups.get(gid)
    }
}

/// The homes of all users below a root, each once.
pub fn homes(root: &Path) -> Vec<PathBuf> {
    let text = open(&root.join("etc/passwd")).and_then(|file| read(&file)).unwrap_or_default();
    let accounts = passwd::parse(&text).accounts;
    let homes = accounts.iter().map(|account| account.home).filter(|home| home.starts_with(b"/"));
    let mut homes: Vec<PathBuf> = homes.map(|home| OsStr::from_bytes(home).into()).collect();
    homes.sort();
    homes.dedup();
    homes
}

/// One account file, read again when it has changed.
#[derive(Debug)]
struct Table {
    path: PathBuf,
    parse: fn(&[u8]) -> BTreeMap<u32, String>,
    stamp: Option<Stamp>,
    /// Few, so that to compare some is less than to hash one.
    names: BTreeMap<u32, String>,
}

/// What shows that a file is another than it was.
type Stamp = (u64, u64, i64, i64);

impl Table {
    fn new(path: PathBuf, parse: fn(&[u8]) -> BTreeMap<u32, String>) -> Self {
        Self { path, parse, stamp: None, names: BTreeMap::new() }
    }

    fn get(&self, id: u32) -> Option<&str> {
        self.names.get(&id).map(String::as_str)
    }

    fn refresh(&mut self) {
        let stamp = self.path.symlink_metadata().ok().map(|found| stamp(&found));
        if stamp.is_some() && stamp == self.stamp {
            return;
        }
        let fresh = open(&self.path).and_then(|file| {
            let new_stamp = self::stamp(&file.metadata()?);
            Ok((new_stamp, (self.parse)(&read(&file)?)))
        });
        match fresh {
            Ok((new_stamp, names)) => {
                self.stamp = Some(new_stamp);
                self.names = names;
            }
            // While the file is being replaced the names known so far are the best there are.
            Err(error) => log::debug!("{}: {error}", self.path.display()),
        }
    }
}

fn stamp(metadata: &Metadata) -> Stamp {
    (metadata.ino(), metadata.size(), metadata.mtime(), metadata.mtime_nsec())
}

fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    Ok(file)
}

fn read(file: &File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut text)?;
    Ok(text)
}

fn users(text: &[u8]) -> BTreeMap<u32, String> {
    first_of_each(passwd::parse(text).accounts.iter().map(|account| (account.uid, account.name)))
}

fn groups(text: &[u8]) -> BTreeMap<u32, String> {
    first_of_each(group::parse(text).groups.iter().map(|group| (group.gid, group.name)))
}

/// The first name of an id counts, as for the C library; none that may be a hash.
fn first_of_each<'a>(entries: impl Iterator<Item = (u32, &'a [u8])>) -> BTreeMap<u32, String> {
    let mut names = BTreeMap::new();
    for (id, name) in entries.filter(|(_, name)| !name.is_empty() && *name != HIDDEN.as_bytes()) {
        names.entry(id).or_insert_with(|| String::from_utf8_lossy(name).into_owned());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_name_counts_and_what_is_no_account_is_passed_over() {
        let text =
            b"root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\n\nbob\n:x:5:5:::\nx:y:z:1:::\nbin:*:2:2:::\n\
                     #old:x:7:7:::\nnew:x:7:7:::\n a:x:+8: 8:::\n$6$salt$hash:9:9:::\n";
        let names = users(text);
        let expected = [(0, "root"), (2, "bin"), (7, "new"), (8, "a")];
        assert_eq!(names, expected.map(|(id, name)| (id, name.to_owned())).into());
        assert_eq!(groups(b"#x:x:7:\nsudo:x:27:bob\n"), [(27, "sudo".to_owned())].into());
    }

    #[test]
    fn read_again_after_a_change() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        let mut names = Names::below(dir.path());
        assert_eq!(names.user(7), None);
        let mut now = SystemTime::now();

        let passwd = dir.path().join("etc/passwd");
        std::fs::write(&passwd, "ann:x:7:7::/home/ann:/bin/sh\nb:x:8:8::/home/ann:\n").unwrap();
        names.refresh(now);
        assert_eq!(names.user(7), Some("ann"));
        assert_eq!(homes(dir.path()), [PathBuf::from("/home/ann")]);

        std::fs::write(&passwd, "annette:x:7:7::/home/ann:/bin/sh\n").unwrap();
        names.refresh(now + LATELY / 2);
        assert_eq!(names.user(7), Some("ann"), "asked a moment ago");
        now += LATELY;
        names.refresh(now);
        assert_eq!(names.user(7), Some("annette"));

        std::fs::remove_file(&passwd).unwrap();
        names.refresh(now - LATELY);
        assert_eq!(names.user(7), Some("annette"), "the last known name stays");
        assert_eq!(names.group(7), None);
    }

    #[test]
    fn an_account_file_that_is_a_pipe_or_link_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("etc/passwd")).unwrap();
        let mut names = Names::below(dir.path());
        names.refresh(SystemTime::now());
        assert_eq!(names.user(0), None);
    }
}
