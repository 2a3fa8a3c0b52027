//! The files of a package.

use super::FILES;
use std::fs;
use std::io;
use std::path::Path;

/// Lays those of a package in a version below a folder.
pub fn lay(tree: &Path, number: usize, version: u32) -> io::Result<()> {
    let share = tree.join(format!("usr/share/p{number}"));
    for folder in ["usr/bin", "usr/lib", "etc"] {
        fs::create_dir_all(tree.join(folder))?;
    }
    fs::create_dir_all(&share)?;
    let text = |name: &str| format!("{name} of package {number} version {version}\n").repeat(100);
    for file in 0..FILES {
        fs::write(share.join(format!("f{file}")), text(&file.to_string()))?;
    }
    fs::write(tree.join(format!("usr/bin/p{number}")), text("program"))?;
    fs::write(tree.join(format!("usr/lib/libp{number}.so.{version}")), text("library"))?;
    let link = tree.join(format!("usr/lib/libp{number}.so"));
    std::os::unix::fs::symlink(format!("libp{number}.so.{version}"), link)?;
    if version == 1 {
        fs::write(share.join("old"), text("old"))?;
    } else {
        fs::create_dir(share.join("more"))?;
        fs::write(share.join("more/new"), text("new"))?;
    }
    fs::write(tree.join(format!("etc/p{number}.conf")), text("configuration"))
}
