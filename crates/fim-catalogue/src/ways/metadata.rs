//! Mode, owner, times and flags.
#![allow(unsafe_code)]

use crate::case::{Case, Held, done, hold, way};
use crate::child::Stage;
use crate::scene::Scene;
use crate::sys::{become_nobody, c_path, checked, fork};
use rustix::fs::{
    AtFlags, CWD, Gid, IFlags, Mode, Timespec, Timestamps, Uid, chownat, fchmod, fchown, futimens,
    ioctl_getflags, ioctl_setflags, utimensat,
};
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

pub(super) fn cases() -> Vec<Case> {
    let mut all = modes();
    all.extend(owners());
    all.extend(times());
    all.extend(flags());
    all.extend(generations());
    all
}

fn modes() -> Vec<Case> {
    let mode = |name, says, change| way("attributes", name, says, change).modifies("f", "mode");
    vec![
        mode("chmod", "chmod(2)", |s, _| {
            fs::set_permissions(s.f(), Permissions::from_mode(0o600))?;
            done()
        }),
        mode("fchmod", "fchmod(2)", |s, _| {
            let file = File::open(s.f())?;
            fchmod(&file, Mode::RUSR)?;
            hold(file)
        }),
        mode("fchmodat2", "fchmodat2(2)", |s, _| {
            let path = c_path(&s.f())?;
            // SAFETY: the path ends in a zero byte.
            checked(unsafe { libc::syscall(FCHMODAT2, libc::AT_FDCWD, path.as_ptr(), 0o600, 0) })?;
            done()
        }),
        mode("chmod_setuid", "chmod(2) to setuid", |s, _| {
            fs::set_permissions(s.f(), Permissions::from_mode(0o4755))?;
            done()
        }),
        way("attributes", "chmod_dir", "chmod(2) of a directory", |s, _| {
            fs::set_permissions(s.at("sub"), Permissions::from_mode(0o700))?;
            done()
        })
        .modifies("sub", "mode"),
        way("write", "setuid_killed", "write(2) by nobody, which takes the setuid bit", setuid_killed)
            .updates("f")
            .names("f", "mode")
            .prepared(|s| fs::set_permissions(s.f(), Permissions::from_mode(0o4777))),
    ]
}

/// `__NR_fchmodat2` on every architecture.
const FCHMODAT2: libc::c_long = 452;

fn setuid_killed(s: &Scene, stage: &mut Stage<'_>) -> io::Result<Held> {
    let mut file = s.writable()?;
    let helper = fork(|| {
        become_nobody()?;
        file.write_all(b"NEW")
    })?;
    stage.doer(helper.pid);
    helper.wait()?;
    hold(file)
}

fn owners() -> Vec<Case> {
    let owner = |name, says, change| way("attributes", name, says, change).modifies("f", "uid");
    vec![
        owner("chown", "chown(2)", |s, _| {
            std::os::unix::fs::chown(s.f(), Some(12), Some(34))?;
            done()
        }),
        owner("fchown", "fchown(2)", |s, _| {
            let file = File::open(s.f())?;
            fchown(&file, Some(Uid::from_raw(12)), None)?;
            hold(file)
        }),
        owner("fchownat", "fchownat(2)", |s, _| {
            chownat(CWD, s.f(), Some(Uid::from_raw(12)), None, AtFlags::empty())?;
            done()
        }),
        way("attributes", "chgrp", "chown(2) of the group", |s, _| {
            chownat(CWD, s.f(), None, Some(Gid::from_raw(34)), AtFlags::empty())?;
            done()
        })
        .modifies("f", "gid"),
        way("attributes", "lchown", "lchown(2) of a symbolic link", |s, _| {
            std::os::unix::fs::lchown(s.at("l"), Some(12), Some(34))?;
            done()
        })
        .modifies("l", "uid")
        .prepared(|s| symlink("f", s.at("l"))),
        way("attributes", "chown_dir", "chown(2) of a directory", |s, _| {
            std::os::unix::fs::chown(s.at("sub"), Some(12), Some(34))?;
            done()
        })
        .modifies("sub", "uid"),
        way("attributes", "chown_fifo", "chown(2) of a FIFO", |s, _| {
            std::os::unix::fs::chown(s.at("p"), Some(12), Some(34))?;
            done()
        })
        .modifies("p", "uid")
        .prepared(|s| Ok(rustix::fs::mknodat(CWD, s.at("p"), rustix::fs::FileType::Fifo, Mode::RUSR, 0)?)),
    ]
}

fn at(seconds: i64) -> Timestamps {
    let then = Timespec { tv_sec: seconds, tv_nsec: 0 };
    Timestamps { last_access: then, last_modification: then }
}

fn times() -> Vec<Case> {
    vec![
        way("attributes", "utimensat", "utimensat(2)", |s, _| {
            utimensat(CWD, s.f(), &at(1), AtFlags::empty())?;
            done()
        })
        .touches("f"),
        way("attributes", "futimens", "futimens(2)", |s, _| {
            let file = File::open(s.f())?;
            futimens(&file, &at(1))?;
            hold(file)
        })
        .touches("f"),
        way("write", "write_backdated", "write(2) of as many bytes, and the old times set again", |s, _| {
            let meta = fs::metadata(s.f())?;
            let mut file = s.writable()?;
            file.write_all(b"THE OLD CONTENT\n")?;
            file.set_times(
                fs::FileTimes::new().set_modified(meta.modified()?).set_accessed(meta.accessed()?),
            )?;
            hold(file)
        })
        .updates("f"),
    ]
}

/// Takes the flags away again: a file with them cannot be removed.
struct Flagged(File);

impl Drop for Flagged {
    fn drop(&mut self) {
        if let Ok(flags) = ioctl_getflags(&self.0) {
            // Where it fails, the scratch directory stays, and that is said.
            let _ = ioctl_setflags(&self.0, flags - IFlags::IMMUTABLE - IFlags::APPEND);
        }
    }
}

fn set(s: &Scene, flag: IFlags) -> io::Result<Held> {
    let file = File::open(s.f())?;
    ioctl_setflags(&file, ioctl_getflags(&file)? | flag)?;
    hold(Flagged(file))
}

fn flags() -> Vec<Case> {
    let flag = |name, says, change| way("flags", name, says, change).modifies("f", "flags");
    vec![
        flag("chattr_immutable", "ioctl FS_IOC_SETFLAGS: immutable", |s, _| set(s, IFlags::IMMUTABLE)),
        flag("chattr_append", "ioctl FS_IOC_SETFLAGS: append only", |s, _| set(s, IFlags::APPEND)),
        flag("chattr_nodump", "ioctl FS_IOC_SETFLAGS: no dump", |s, _| set(s, IFlags::NODUMP)),
        flag("chattr_removed", "ioctl FS_IOC_SETFLAGS: no longer immutable", |s, stage| {
            let held = set(s, IFlags::IMMUTABLE)?;
            stage.pause()?;
            let file = File::open(s.f())?;
            ioctl_setflags(&file, ioctl_getflags(&file)? - IFlags::IMMUTABLE)?;
            hold((held, file))
        })
        .proved(|s| Ok(!ioctl_getflags(File::open(s.f())?)?.contains(IFlags::IMMUTABLE)))
        .tells_before(),
        flag("fssetxattr", "ioctl FS_IOC_FSSETXATTR: no dump", |s, _| {
            extended(s, |attributes| attributes.flags |= XFLAG_NODUMP)
        }),
        way("flags", "project_id", "ioctl FS_IOC_FSSETXATTR: another project", |s, _| {
            extended(s, |attributes| attributes.project = 1234)
        })
        .names("f", "touched"),
    ]
}

/// A file is known by its generation too; who owns it can give it another, and must not get past the watch.
fn generations() -> Vec<Case> {
    vec![
        way(
            "write",
            "version_then_write",
            "a write after ioctl FS_IOC_SETVERSION gave the file another generation",
            |s, stage| {
                set_version(&s.f())?;
                stage.pause()?;
                let mut file = s.writable()?;
                file.write_all(b"NEW")?;
                hold(file)
            },
        )
        .updates("f"),
        way(
            "create",
            "version_then_create",
            "a file made in a directory after ioctl FS_IOC_SETVERSION gave that another generation",
            |s, stage| {
                set_version(&s.at("sub"))?;
                stage.pause()?;
                hold(File::create(s.at("sub/n"))?)
            },
        )
        .creates("sub/n"),
    ]
}

fn set_version(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    let version: libc::c_int = 4711;
    // SAFETY: the kernel reads an integer that lives.
    checked(unsafe { libc::ioctl(file.as_raw_fd(), SETVERSION, &raw const version) }).map(drop)
}

/// Constants of `linux/fs.h`.
const SETVERSION: libc::c_ulong = 0x4008_7602;
const XFLAG_NODUMP: u32 = 0x80;
const FSGETXATTR: libc::c_ulong = 0x801c_581f;
const FSSETXATTR: libc::c_ulong = 0x401c_5820;

/// `struct fsxattr`.
#[repr(C)]
#[derive(Default)]
struct Extended {
    flags: u32,
    extent_size: u32,
    extents: u32,
    project: u32,
    copy_size: u32,
    padding: [u8; 8],
}

fn extended(s: &Scene, change: fn(&mut Extended)) -> io::Result<Held> {
    let file = File::open(s.f())?;
    let mut attributes = Extended::default();
    // SAFETY: the kernel writes a structure that lives.
    checked(unsafe { libc::ioctl(file.as_raw_fd(), FSGETXATTR, &raw mut attributes) })?;
    change(&mut attributes);
    // SAFETY: the kernel reads a structure that lives.
    checked(unsafe { libc::ioctl(file.as_raw_fd(), FSSETXATTR, &raw const attributes) })?;
    hold(file)
}
