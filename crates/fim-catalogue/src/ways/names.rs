//! Names that come, go and change.

use crate::case::{Case, done, way};
use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with};
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

pub(super) fn cases() -> Vec<Case> {
    let mut all = made();
    all.extend(renamed());
    all.extend(removed());
    all
}

fn made() -> Vec<Case> {
    vec![
        way("create", "create", "open(2) with O_CREAT, and a write", |s, _| {
            fs::write(s.at("n"), "new")?;
            done()
        })
        .creates("n"),
        way("create", "create_empty", "open(2) with O_CREAT, nothing written", |s, _| {
            fs::write(s.at("n"), "")?;
            done()
        })
        .creates("n"),
        way("mkdir", "mkdir", "mkdir(2)", |s, _| {
            fs::create_dir(s.at("d"))?;
            done()
        })
        .creates("d"),
        way("mkdir", "mkdir_deep", "six directories in one another and a file in the last", |s, _| {
            fs::create_dir_all(s.at("1/2/3/4/5/6"))?;
            fs::write(s.at("1/2/3/4/5/6/g"), "deep")?;
            done()
        })
        .creates("1")
        .creates("1/2/3")
        .creates("1/2/3/4/5/6")
        .creates("1/2/3/4/5/6/g"),
        way("mknod", "mkfifo", "mknod(2) of a FIFO", |s, _| {
            mknodat(CWD, s.at("p"), FileType::Fifo, Mode::RUSR, 0)?;
            done()
        })
        .creates("p"),
        way("mknod", "mknod_char", "mknod(2) of a character device", |s, _| {
            mknodat(CWD, s.at("c"), FileType::CharacterDevice, Mode::RUSR, rustix::fs::makedev(1, 3))?;
            done()
        })
        .creates("c"),
        way("mknod", "bind_socket", "bind(2) of a socket", |s, _| {
            drop(UnixListener::bind(s.at("s"))?);
            done()
        })
        .creates("s"),
        way("symlink", "symlink", "symlink(2)", |s, _| {
            symlink("f", s.at("l"))?;
            done()
        })
        .creates("l"),
        way("link", "link", "link(2)", |s, _| {
            fs::hard_link(s.f(), s.at("h"))?;
            done()
        })
        .creates("h"),
    ]
}

fn renamed() -> Vec<Case> {
    vec![
        way("rename", "rename", "rename(2) to a free name", |s, _| {
            fs::rename(s.f(), s.at("g"))?;
            done()
        })
        .moves("f", "g"),
        way("rename", "rename_over", "rename(2) onto an existing file", |s, _| {
            fs::rename(s.at("other"), s.f())?;
            done()
        })
        .replaces("f", "other"),
        way("exchange", "rename_exchange", "renameat2(2) with RENAME_EXCHANGE", |s, _| {
            renameat_with(CWD, s.f(), CWD, s.at("other"), RenameFlags::EXCHANGE)?;
            done()
        })
        .replaces("f", "other")
        .replaces("other", "f"),
        way("rename", "rename_dir", "rename(2) of a directory", |s, _| {
            fs::rename(s.at("sub"), s.at("moved"))?;
            done()
        })
        .moves("sub", "moved"),
    ]
}

fn removed() -> Vec<Case> {
    vec![
        way("unlink", "unlink", "unlink(2)", |s, _| {
            fs::remove_file(s.f())?;
            done()
        })
        .deletes("f"),
        way("rmdir", "rmdir", "rmdir(2)", |s, _| {
            fs::remove_dir(s.at("empty"))?;
            done()
        })
        .deletes("empty"),
        way("unlink", "remove_tree", "a directory and what is in it", |s, _| {
            fs::remove_dir_all(s.at("sub"))?;
            done()
        })
        .deletes("sub")
        .deletes("sub/in"),
    ]
}
