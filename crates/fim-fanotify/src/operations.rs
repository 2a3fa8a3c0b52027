//! The operations of a proof, one for each class of change, each on a file of its own.
//!
//! Must not know who watches them.

use fim_core::Via;
use rustix::fs::{
    AtFlags, CWD, FallocateFlags, FileType, IFlags, Mode, RenameFlags, XattrFlags, copy_file_range,
    fallocate, ioctl_getflags, ioctl_setflags, linkat, mknodat, renameat_with, setxattr,
};
use rustix::pipe::{SpliceFlags, pipe, splice};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

/// What an operation leaves open: a writer that has not closed its file yet.
pub(crate) type Aftermath = Option<File>;

/// One operation.
pub(crate) struct Operation {
    /// The class of change it stands for.
    pub class: &'static str,
    /// The file it is done to.
    pub name: &'static str,
    /// The events that show it was seen.
    pub makes: &'static [Via],
    /// Does it in this directory.
    pub run: fn(&Path) -> io::Result<Aftermath>,
}

/// Files that must be there before.
const PREPARED: [&str; 15] = [
    "source",
    "write",
    "truncate",
    "fallocate",
    "copy",
    "splice",
    "link-source",
    "rename-source",
    "exchange",
    "exchange-other",
    "unlink",
    "attributes",
    "xattr",
    "flags",
    "close",
];

/// Makes the files the operations are done to.
///
/// # Errors
/// When they cannot be made.
pub(crate) fn prepare(dir: &Path) -> io::Result<()> {
    for name in PREPARED {
        fs::write(dir.join(name), b"0123456789abcdef")?;
    }
    fs::create_dir(dir.join("rmdir"))
}

/// Operations, in the order in which they are done.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation { class: "write", name: "write", makes: &[Via::Write], run: write },
    Operation { class: "truncate", name: "truncate", makes: &[Via::Write], run: truncate },
    Operation { class: "fallocate", name: "fallocate", makes: &[Via::Write], run: allocate },
    Operation { class: "copy", name: "copy", makes: &[Via::Write], run: copy },
    Operation { class: "splice", name: "splice", makes: &[Via::Write], run: splice_into },
    Operation {
        class: "create",
        name: "create",
        makes: &[Via::Create],
        run: |dir| file(dir, "create", true),
    },
    Operation {
        class: "mkdir",
        name: "mkdir",
        makes: &[Via::Mkdir],
        run: |dir| done(fs::create_dir(dir.join("mkdir"))),
    },
    Operation { class: "mknod", name: "mknod", makes: &[Via::Create], run: fifo },
    Operation {
        class: "symlink",
        name: "symlink",
        makes: &[Via::Create],
        run: |dir| done(symlink("nowhere", dir.join("symlink"))),
    },
    Operation { class: "link", name: "link", makes: &[Via::Create], run: link },
    Operation {
        class: "rename",
        name: "rename",
        makes: &[Via::Rename],
        run: |dir| done(fs::rename(dir.join("rename-source"), dir.join("rename"))),
    },
    Operation { class: "exchange", name: "exchange", makes: &[Via::Exchange, Via::Rename], run: exchange },
    Operation {
        class: "unlink",
        name: "unlink",
        makes: &[Via::Unlink],
        run: |dir| done(fs::remove_file(dir.join("unlink"))),
    },
    Operation {
        class: "rmdir",
        name: "rmdir",
        makes: &[Via::Rmdir],
        run: |dir| done(fs::remove_dir(dir.join("rmdir"))),
    },
    Operation {
        class: "attributes",
        name: "attributes",
        makes: &[Via::Attributes],
        run: |dir| done(fs::set_permissions(dir.join("attributes"), Permissions::from_mode(0o600))),
    },
    Operation { class: "xattr", name: "xattr", makes: &[Via::Attributes], run: attribute },
    Operation { class: "flags", name: "flags", makes: &[Via::Attributes, Via::Flags], run: flags },
    Operation {
        class: "close",
        name: "close",
        makes: &[Via::Close],
        run: |dir| done(file(dir, "close", false).map(drop)),
    },
];

fn done(result: io::Result<()>) -> io::Result<Aftermath> {
    result.map(|()| None)
}

fn file(dir: &Path, name: &str, new: bool) -> io::Result<Aftermath> {
    OpenOptions::new().write(true).create_new(new).open(dir.join(name)).map(Some)
}

fn existing(dir: &Path, name: &str) -> io::Result<File> {
    OpenOptions::new().write(true).open(dir.join(name))
}

fn write(dir: &Path) -> io::Result<Aftermath> {
    let mut file = existing(dir, "write")?;
    file.write_all(b"x")?;
    Ok(Some(file))
}

fn truncate(dir: &Path) -> io::Result<Aftermath> {
    let file = existing(dir, "truncate")?;
    file.set_len(4)?;
    Ok(Some(file))
}

fn allocate(dir: &Path) -> io::Result<Aftermath> {
    let file = existing(dir, "fallocate")?;
    fallocate(&file, FallocateFlags::empty(), 0, 8192)?;
    Ok(Some(file))
}

fn copy(dir: &Path) -> io::Result<Aftermath> {
    let file = existing(dir, "copy")?;
    copy_file_range(File::open(dir.join("source"))?, None, &file, None, 4)?;
    Ok(Some(file))
}

fn splice_into(dir: &Path) -> io::Result<Aftermath> {
    let file = existing(dir, "splice")?;
    let (from, into): (OwnedFd, OwnedFd) = pipe()?;
    File::from(into).write_all(b"x")?;
    splice(from, None, &file, None, 1, SpliceFlags::empty())?;
    Ok(Some(file))
}

fn fifo(dir: &Path) -> io::Result<Aftermath> {
    mknodat(CWD, dir.join("mknod"), FileType::Fifo, Mode::RUSR, 0)?;
    Ok(None)
}

fn link(dir: &Path) -> io::Result<Aftermath> {
    linkat(CWD, dir.join("link-source"), CWD, dir.join("link"), AtFlags::empty())?;
    Ok(None)
}

fn exchange(dir: &Path) -> io::Result<Aftermath> {
    renameat_with(CWD, dir.join("exchange-other"), CWD, dir.join("exchange"), RenameFlags::EXCHANGE)?;
    Ok(None)
}

fn attribute(dir: &Path) -> io::Result<Aftermath> {
    setxattr(dir.join("xattr"), "user.fim", b"1", XattrFlags::empty())?;
    Ok(None)
}

fn flags(dir: &Path) -> io::Result<Aftermath> {
    let file = File::open(dir.join("flags"))?;
    ioctl_setflags(&file, ioctl_getflags(&file)? | IFlags::NODUMP)?;
    Ok(None)
}
