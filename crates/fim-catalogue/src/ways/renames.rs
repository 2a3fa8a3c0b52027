//! rename(2) in all its forms.

use crate::case::{Case, Held, done, hold, way};
use crate::scene::Scene;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::symlink;

pub(super) fn cases() -> Vec<Case> {
    let mut all = within();
    all.extend(directories());
    all.extend(across());
    all
}

fn within() -> Vec<Case> {
    vec![
        way("rename", "rename", "rename(2) to a free name", |s, _| rename(s, "f", "g")).moves("f", "g"),
        way("rename", "rename_over", "rename(2) onto an existing file", |s, _| rename(s, "other", "f"))
            .replaces("f", "other"),
        way("rename", "rename_into_place", "a new file written and renamed onto an existing one", |s, _| {
            fs::write(s.at("f.new"), "prepared")?;
            rename(s, "f.new", "f")
        })
        .updates("f"),
        way("rename", "rename_to_sub", "rename(2) into a directory below", |s, _| rename(s, "f", "sub/f"))
            .moves("f", "sub/f"),
        way("rename", "rename_noreplace", "renameat2(2) with RENAME_NOREPLACE", |s, _| {
            with_flags(s, "f", "g", RenameFlags::NOREPLACE)
        })
        .moves("f", "g"),
        way("exchange", "rename_exchange", "renameat2(2) with RENAME_EXCHANGE", |s, _| {
            with_flags(s, "f", "other", RenameFlags::EXCHANGE)
        })
        .replaces("f", "other")
        .replaces("other", "f"),
        way("rename", "rename_whiteout", "renameat2(2) with RENAME_WHITEOUT", |s, _| {
            with_flags(s, "f", "g", RenameFlags::WHITEOUT)
        })
        .updates("f")
        .creates("g")
        .proved(|s| Ok(!fs::symlink_metadata(s.f())?.is_file() && s.at("g").is_file())),
        way("rename", "rename_symlink_over", "a symbolic link renamed onto another", |s, _| {
            symlink("other", s.at("l.new"))?;
            rename(s, "l.new", "l")
        })
        .updates("l")
        .prepared(|s| symlink("f", s.at("l"))),
        way(
            "write",
            "rename_then_write",
            "a write under the new name, after the rename was reported",
            |s, stage| {
                fs::rename(s.f(), s.at("g"))?;
                stage.pause()?;
                write(s, "g")
            },
        )
        .updates("g")
        .proved(|s| Ok(fs::read(s.at("g"))?.starts_with(NEW))),
    ]
}

fn directories() -> Vec<Case> {
    vec![
        way("rename", "rename_dir", "rename(2) of a directory", |s, _| rename(s, "sub", "moved"))
            .moves("sub", "moved"),
        way("rename", "rename_dir_over", "rename(2) of a directory onto an empty one", |s, _| {
            rename(s, "sub", "empty")
        })
        .comes_from("empty", "sub")
        .proved(|s| Ok(s.at("empty/in").exists() && !s.at("sub").exists())),
        way(
            "write",
            "rename_ancestor",
            "a write below a directory renamed a moment ago, by a file opened before",
            |s, stage| {
                let mut file = File::options().write(true).open(s.at("sub/in"))?;
                fs::rename(s.at("sub"), s.at("moved"))?;
                stage.pause()?;
                file.write_all(NEW)?;
                hold(file)
            },
        )
        .updates("moved/in")
        .proved(|s| Ok(fs::read(s.at("moved/in"))?.starts_with(NEW))),
        way("exchange", "exchange_dirs", "renameat2(2) with RENAME_EXCHANGE of two directories", |s, _| {
            with_flags(s, "sub", "empty", RenameFlags::EXCHANGE)
        })
        .replaces("sub", "empty")
        .replaces("empty", "sub")
        .deletes("sub/in")
        .creates("empty/in")
        .proved(|s| Ok(s.at("empty/in").exists() && !s.at("sub/in").exists())),
    ]
}

fn across() -> Vec<Case> {
    let outside = |s: &Scene| {
        fs::write(s.out("o"), "from outside")?;
        fs::create_dir(s.out("d"))?;
        fs::write(s.out("d/in"), "from outside")
    };
    vec![
        way("rename", "rename_in", "rename(2) into the watched tree", |s, _| {
            fs::rename(s.out("o"), s.at("g"))?;
            done()
        })
        .creates("g")
        .prepared(outside),
        way("rename", "rename_in_over", "rename(2) into the watched tree, onto an existing file", |s, _| {
            fs::rename(s.out("o"), s.f())?;
            done()
        })
        .updates("f")
        .prepared(outside),
        way("rename", "rename_out", "rename(2) out of the watched tree", |s, _| {
            fs::rename(s.f(), s.out("g"))?;
            done()
        })
        .deletes("f"),
        way("rename", "tree_in", "a directory renamed into the watched tree", |s, _| {
            fs::rename(s.out("d"), s.at("d"))?;
            done()
        })
        .creates("d")
        .creates("d/in")
        .prepared(outside),
        way(
            "write",
            "tree_in_then_write",
            "a write in a directory moved in, after that was reported",
            |s, stage| {
                fs::rename(s.out("d"), s.at("d"))?;
                stage.pause()?;
                write(s, "d/in")
            },
        )
        .updates("d/in")
        .proved(|s| Ok(fs::read(s.at("d/in"))?.starts_with(NEW)))
        .prepared(outside),
        way("rename", "tree_out", "a directory renamed out of the watched tree", |s, _| {
            fs::rename(s.at("sub"), s.out("sub"))?;
            done()
        })
        .deletes("sub")
        .deletes("sub/in"),
    ]
}

const NEW: &[u8] = b"NEW";

fn rename(s: &Scene, from: &str, to: &str) -> io::Result<Held> {
    fs::rename(s.at(from), s.at(to))?;
    done()
}

fn with_flags(s: &Scene, from: &str, to: &str, flags: RenameFlags) -> io::Result<Held> {
    renameat_with(CWD, s.at(from), CWD, s.at(to), flags)?;
    done()
}

fn write(s: &Scene, name: &str) -> io::Result<Held> {
    let mut file = File::options().write(true).open(s.at(name))?;
    file.write_all(NEW)?;
    hold(file)
}
