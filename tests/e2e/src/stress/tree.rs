//! What is in a directory, by a walk of its own: shares no code with what is tested.

use rustix::fs::{lgetxattr, llistxattr};
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

pub type Tree = BTreeMap<PathBuf, Entry>;

/// What is compared of a file; all in the words of the lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    pub kind: String,
    pub mode: String,
    pub uid: String,
    pub gid: String,
    pub target: Option<String>,
    pub size: Option<u64>,
    pub hash: Option<String>,
    /// Names, and digests of the values.
    pub xattrs: BTreeMap<String, String>,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = self.hash.as_deref().map_or("-", |hash| hash.get(..8).unwrap_or(hash));
        write!(f, "{} {} {}:{} size {:?} ", self.kind, self.mode, self.uid, self.gid, self.size)?;
        write!(f, "hash {hash} target {:?} xattrs {:?}", self.target, self.xattrs)
    }
}

/// The directory itself and all below it.
pub fn walk(top: &Path) -> io::Result<Tree> {
    let mut tree = Tree::new();
    let mut dirs = vec![top.to_owned()];
    tree.insert(top.to_owned(), look(top)?);
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir)? {
            let path = entry?.path();
            let found = look(&path)?;
            if found.kind == "dir" {
                dirs.push(path.clone());
            }
            tree.insert(path, found);
        }
    }
    Ok(tree)
}

fn look(path: &Path) -> io::Result<Entry> {
    let stat = fs::symlink_metadata(path)?;
    let kind = stat.file_type();
    let word = match () {
        () if kind.is_dir() => "dir",
        () if kind.is_symlink() => "symlink",
        () if kind.is_fifo() => "fifo",
        () if kind.is_socket() => "socket",
        () if kind.is_char_device() => "char_device",
        () if kind.is_block_device() => "block_device",
        () => "file",
    };
    let target = if kind.is_symlink() { Some(fs::read_link(path)?) } else { None };
    let hash = if kind.is_file() { Some(blake3::hash(&fs::read(path)?).to_hex().to_string()) } else { None };
    Ok(Entry {
        kind: word.to_owned(),
        mode: format!("{:04o}", stat.mode() & 0o7777),
        uid: stat.uid().to_string(),
        gid: stat.gid().to_string(),
        target: target.map(|target| target.to_string_lossy().into_owned()),
        size: (!kind.is_dir()).then_some(stat.len()),
        hash,
        xattrs: xattrs(path)?,
    })
}

fn xattrs(path: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut names = vec![0; 65_536];
    let length = match llistxattr(path, &mut names[..]) {
        Ok(length) => length,
        Err(rustix::io::Errno::OPNOTSUPP) => 0,
        Err(error) => return Err(error.into()),
    };
    let mut found = BTreeMap::new();
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let name = String::from_utf8_lossy(name).into_owned();
        let mut value = vec![0; 65_536];
        let length = lgetxattr(path, &name, &mut value[..])?;
        let digest = blake3::hash(&value[..length]).to_hex();
        found.insert(name, digest[..32].to_owned());
    }
    Ok(found)
}

/// The first few differences; empty if there are none.
pub fn differences(told: &Tree, there: &Tree) -> Vec<String> {
    const FEW: usize = 12;
    let mut found: Vec<String> = Vec::new();
    for (path, entry) in there {
        match told.get(path) {
            Some(same) if same == entry => {}
            Some(other) => found.push(format!("{path:?} is {entry}, not {other}")),
            None => found.push(format!("{path:?} is there ({entry}) and unknown")),
        }
    }
    let gone = told.iter().filter(|(path, _)| !there.contains_key(*path));
    found.extend(gone.map(|(path, entry)| format!("{path:?} is gone and known as {entry}")));
    if found.len() > FEW {
        let more = found.len() - FEW;
        found.truncate(FEW);
        found.push(format!("{more} more"));
    }
    found
}
