//! Names that come and go.

use crate::case::{Action, Case, done, hold, way};
use rustix::fs::{CWD, FileType, Mode, OFlags, makedev, mknodat, open};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

pub(super) fn cases() -> Vec<Case> {
    let mut all = files();
    all.extend(others());
    all.extend(removed());
    all
}

fn files() -> Vec<Case> {
    vec![
        way("create", "create", "open(2) with O_CREAT, and a write", |s, _| {
            let mut file = File::create(s.at("n"))?;
            file.write_all(b"new")?;
            hold(file)
        })
        .creates("n"),
        way("create", "create_empty", "open(2) with O_CREAT, nothing written", |s, _| {
            hold(File::create(s.at("n"))?)
        })
        .creates("n"),
        way("create", "create_exclusive", "open(2) with O_CREAT and O_EXCL", |s, _| {
            hold(File::create_new(s.at("n"))?)
        })
        .creates("n"),
        way("create", "create_read_only", "open(2) with O_CREAT, for reading", |s, _| {
            hold(open(s.at("n"), OFlags::CREATE | OFlags::RDONLY | OFlags::CLOEXEC, Mode::RUSR)?)
        })
        .creates("n"),
        way("create", "mknod_regular", "mknod(2) of a regular file", |s, _| {
            mknodat(CWD, s.at("n"), FileType::RegularFile, Mode::RUSR, 0)?;
            done()
        })
        .creates("n"),
        way("create", "create_in_sub", "open(2) with O_CREAT in a directory below", |s, _| {
            hold(File::create(s.at("sub/n"))?)
        })
        .creates("sub/n"),
        way("write", "create_then_write", "a write after the creation was reported", |s, stage| {
            let mut file = File::create(s.at("n"))?;
            stage.pause()?;
            file.write_all(b"new")?;
            hold(file)
        })
        .updates("n")
        .proved(|s| Ok(fs::read(s.at("n"))? == b"new")),
        way("create", "transient", "a file made and removed at once", |s, _| {
            fs::write(s.at("brief"), "x")?;
            fs::remove_file(s.at("brief"))?;
            done()
        })
        .names("brief", "transient")
        .or(Action::Deleted)
        .proved(|s| Ok(!s.at("brief").exists())),
    ]
}

fn others() -> Vec<Case> {
    vec![
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
        .creates("1/2")
        .creates("1/2/3")
        .creates("1/2/3/4")
        .creates("1/2/3/4/5")
        .creates("1/2/3/4/5/6")
        .creates("1/2/3/4/5/6/g"),
        way(
            "write",
            "mkdir_then_write",
            "a write in a directory made a moment ago, after it was reported",
            |s, stage| {
                fs::create_dir(s.at("d"))?;
                let mut file = File::create(s.at("d/n"))?;
                stage.pause()?;
                file.write_all(b"new")?;
                hold(file)
            },
        )
        .updates("d/n")
        .proved(|s| Ok(fs::read(s.at("d/n"))? == b"new")),
        way("mknod", "mkfifo", "mknod(2) of a FIFO", |s, _| node(s, FileType::Fifo, 0)).creates("n"),
        way("mknod", "mknod_char", "mknod(2) of a character device", |s, _| {
            node(s, FileType::CharacterDevice, makedev(1, 3))
        })
        .creates("n"),
        way("mknod", "mknod_block", "mknod(2) of a block device", |s, _| {
            node(s, FileType::BlockDevice, makedev(7, 200))
        })
        .creates("n"),
        way("mknod", "bind_socket", "bind(2) of a socket", |s, _| hold(UnixListener::bind(s.at("s"))?))
            .creates("s"),
        way("symlink", "symlink", "symlink(2)", |s, _| {
            symlink("f", s.at("l"))?;
            done()
        })
        .creates("l"),
        way(
            "symlink",
            "symlink_swapped",
            "a symbolic link removed and made anew with another target",
            |s, _| {
                fs::remove_file(s.at("l"))?;
                symlink("other", s.at("l"))?;
                done()
            },
        )
        .updates("l")
        .or(Action::Created)
        .prepared(|s| symlink("f", s.at("l"))),
        way("link", "link", "link(2)", |s, _| {
            fs::hard_link(s.f(), s.at("h"))?;
            done()
        })
        .creates("h"),
        way("link", "link_from_outside", "link(2) of a file that is not watched", |s, _| {
            fs::hard_link(s.out("o"), s.at("h"))?;
            done()
        })
        .creates("h")
        .prepared(|s| fs::write(s.out("o"), "from outside")),
        way(
            "write",
            "link_then_write",
            "a write to a file linked in from outside, after that was reported",
            |s, stage| {
                fs::hard_link(s.out("o"), s.at("h"))?;
                stage.pause()?;
                let mut file = File::options().write(true).open(s.out("o"))?;
                file.write_all(b"FROM")?;
                hold(file)
            },
        )
        .updates("h")
        .proved(|s| Ok(fs::read(s.at("h"))?.starts_with(b"FROM")))
        .prepared(|s| fs::write(s.out("o"), "from outside")),
    ]
}

fn node(s: &crate::scene::Scene, kind: FileType, device: u64) -> std::io::Result<crate::case::Held> {
    mknodat(CWD, s.at("n"), kind, Mode::RUSR, device)?;
    done()
}

fn removed() -> Vec<Case> {
    vec![
        way("unlink", "unlink", "unlink(2)", |s, _| {
            fs::remove_file(s.f())?;
            done()
        })
        .deletes("f"),
        way("unlink", "unlink_one_of_two", "unlink(2) of one of two hard links", |s, _| {
            fs::remove_file(s.at("alias"))?;
            done()
        })
        .deletes("alias")
        .prepared(|s| fs::hard_link(s.f(), s.at("alias"))),
        way("unlink", "unlink_symlink", "unlink(2) of a symbolic link", |s, _| {
            fs::remove_file(s.at("l"))?;
            done()
        })
        .deletes("l")
        .prepared(|s| symlink("f", s.at("l"))),
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
        way("unlink", "replaced", "unlink(2), and another file of that name", |s, _| {
            fs::remove_file(s.f())?;
            fs::write(s.f(), "another file")?;
            done()
        })
        .updates("f")
        .or(Action::Created),
    ]
}
