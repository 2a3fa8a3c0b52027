//! Where the record of a path is: the keys of the store.
//!
//! A block holds some names of one directory. Its key is `f`, the directory with a slash at its end, a NUL,
//! and the least name that may be in it; nothing for the first block of a directory. NUL is below every byte
//! of a path, so that a directory's own blocks come before those of the directories in it, and one prefix
//! covers a whole tree.

use memchr::{memchr, memchr_iter, memrchr};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

const FILES: u8 = b'f';
const META: u8 = b'm';

/// A path, cut into the directory (with a slash at its end) and the name in it; `/` itself has no name. In one piece, the
/// key it would have: each look asks several times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    key: Vec<u8>,
    /// Where the name begins.
    at: usize,
}

impl Place {
    /// `None` if the path is not absolute, or cannot be a path.
    pub fn of(path: &Path) -> Option<Self> {
        let path = path.as_os_str().as_bytes();
        if path.first() != Some(&b'/') || memchr(0, path).is_some() {
            return None;
        }
        if let Some((dir, name)) = plain(path) {
            return Some(Self::new(dir, name));
        }
        let mut names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".");
        let mut dir = Vec::with_capacity(path.len());
        dir.push(b'/');
        let mut name = names.next().unwrap_or_default();
        for next in names {
            dir.extend_from_slice(name);
            dir.push(b'/');
            name = next;
        }
        Some(Self::new(&dir, name))
    }

    fn new(dir: &[u8], name: &[u8]) -> Self {
        Self { key: block(dir, name), at: dir.len() + 2 }
    }

    /// The directory, with a slash at its end.
    pub fn dir(&self) -> &[u8] {
        self.key.get(1..self.at - 1).unwrap_or_default()
    }

    /// The name in it.
    pub fn name(&self) -> &[u8] {
        self.key.get(self.at..).unwrap_or_default()
    }

    /// As a directory: what the places of the names in it have as theirs.
    pub fn as_dir(&self) -> Vec<u8> {
        let mut dir = self.dir().to_vec();
        if !self.name().is_empty() {
            dir.extend_from_slice(self.name());
            dir.push(b'/');
        }
        dir
    }

    /// The greatest key a block that holds this place can have.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The key of the first block of its directory.
    pub fn first_block(&self) -> &[u8] {
        self.key.get(..self.at).unwrap_or_default()
    }
}

/// The directory and the name, where a path is written as most are: without slashes and dots too many. By bytes, since each
/// look asks several times.
fn plain(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let (dir, name) = path.split_at_checked(memrchr(b'/', path)? + 1)?;
    let is_odd = |slash: usize| matches!(dir.get(slash + 1), Some(b'/' | b'.'));
    let is_plain = !name.is_empty() && name != b"." && !memchr_iter(b'/', dir).any(is_odd);
    is_plain.then_some((dir, name))
}

/// The key of the block of a directory that begins with a name.
pub(crate) fn block(dir: &[u8], name: &[u8]) -> Vec<u8> {
    [&[FILES], dir, &[0], name].concat()
}

/// What the keys of all blocks of a directory begin with; the key of its first.
pub(crate) fn first_block(dir: &[u8]) -> Vec<u8> {
    block(dir, b"")
}

/// Above all blocks of a directory, below those of the directories in it.
pub(crate) fn after_blocks(dir: &[u8]) -> Vec<u8> {
    [&[FILES], dir, &[1]].concat()
}

/// What the keys of all blocks of a directory and of those below it begin with.
pub(crate) fn tree(dir: &[u8]) -> Vec<u8> {
    [&[FILES], dir].concat()
}

/// The directory of a block and the least name that may be in it.
pub(crate) fn parts(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&FILES, key) = key.split_first()? else {
        return None;
    };
    let at = key.iter().position(|&byte| byte == 0)?;
    let (dir, name) = key.split_at_checked(at)?;
    Some((dir, name.get(1..)?))
}

pub(crate) fn meta(name: &str) -> Vec<u8> {
    [&[META], name.as_bytes()].concat()
}

/// The path of a name in a directory.
pub(crate) fn path(dir: &[u8], name: &[u8]) -> PathBuf {
    OsString::from_vec([dir, name].concat()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cut_at_the_last_name() {
        let table: [(&str, Option<(&str, &str)>); 13] = [
            ("/", Some(("/", ""))),
            ("/etc", Some(("/", "etc"))),
            ("/etc/", Some(("/", "etc"))),
            ("/etc/ssh/sshd_config", Some(("/etc/ssh/", "sshd_config"))),
            ("/etc//ssh/./sshd_config", Some(("/etc/ssh/", "sshd_config"))),
            ("/etc/.ssh/..a", Some(("/etc/.ssh/", "..a"))),
            ("/etc/..", Some(("/etc/", ".."))),
            ("/etc/./.", Some(("/", "etc"))),
            ("/etc/../ssh/.", Some(("/etc/../", "ssh"))),
            ("//.", Some(("/", ""))),
            ("etc/passwd", None),
            ("", None),
            ("/a\0b", None),
        ];
        for (path, expected) in table {
            let expected = expected.map(|(dir, name)| Place::new(dir.as_bytes(), name.as_bytes()));
            assert_eq!(Place::of(Path::new(path)), expected, "{path:?}");
        }
    }

    #[test]
    fn a_directory_comes_before_what_is_in_it() {
        let key = |path: &str| Place::of(Path::new(path)).unwrap().key;
        let ordered = ["/", "/a", "/b", "/a-/x", "/a/z", "/a/\u{1}/x", "/a/b/c"].map(key);
        assert!(ordered.is_sorted(), "{ordered:?}");
        let in_a = tree(b"/a/");
        assert_eq!(
            ordered.iter().map(|key| key.starts_with(&in_a)).collect::<Vec<_>>(),
            [false, false, false, false, true, true, true]
        );
        assert!(after_blocks(b"/a/") > key("/a/\u{7f}") && after_blocks(b"/a/") < key("/a/\u{1}/x"));
    }

    #[test]
    fn keys_come_back() {
        assert_eq!(parts(&block(b"/a/b/", b"c")), Some((&b"/a/b/"[..], &b"c"[..])));
        assert_eq!(parts(&meta("sequence")), None);
        assert_eq!(parts(b""), None);
        assert_eq!(parts(b"f/a"), None);
    }
}
