//! Paths as packages know them, and where a database of theirs is.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The folder of a database below a root.
pub fn place(root: &Path, folder: &str) -> PathBuf {
    let dir = root.join(folder);
    // Nobody but root lays links there on this machine; below another root nobody is trusted.
    if root == Path::new("/") { dir.canonicalize().unwrap_or(dir) } else { dir }
}

/// A path as packages below a root see it.
pub fn below<'a>(root: &Path, path: &'a Path) -> Option<&'a [u8]> {
    let root = root.as_os_str().as_bytes();
    let root = root.strip_suffix(b"/").unwrap_or(root);
    path.as_os_str().as_bytes().strip_prefix(root).filter(|rest| rest.starts_with(b"/"))
}

/// A path, and what it was called before `/bin` and the like became links into `/usr`: packages may still call
/// it so.
pub fn aliases(path: &[u8]) -> Vec<&[u8]> {
    const MERGED: [&[u8]; 7] = [b"bin", b"sbin", b"lib", b"lib32", b"lib64", b"libx32", b"libo32"];
    let mut names = vec![path];
    if let Some(rest) = path.strip_prefix(b"/usr")
        && let Some(top) = rest.split(|&b| b == b'/').nth(1)
        && MERGED.contains(&top)
    {
        names.push(rest);
    }
    names
}
