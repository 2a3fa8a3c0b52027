//! Calls that fail, and so change nothing: a hook that fires before the kernel refuses must not be taken for a change.
#![allow(unsafe_code)]

use super::nothing::nothing;
use crate::case::{Case, Held, done, hold};
use crate::scene::Scene;
use crate::sys::{become_nobody, checked, fork, isolate_mounts};
use rustix::fs::{
    CWD, FallocateFlags, FileType, IFlags, Mode, RenameFlags, XattrFlags, ioctl_getflags, ioctl_setflags,
    mknodat,
};
use rustix::mm::{MapFlags, ProtFlags, mmap};
use rustix::mount::{MountFlags, mount_bind, mount_remount};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, symlink};

pub(super) fn cases() -> Vec<Case> {
    let mut all = missing();
    all.extend(denied());
    all.extend(taken());
    all.extend(writes());
    all
}

/// What is not there.
fn missing() -> Vec<Case> {
    vec![
        nothing("unlink_missing", "unlink(2): ENOENT", |s, _| {
            fails(fs::remove_file(s.at("none")), libc::ENOENT)
        }),
        nothing("rename_missing", "rename(2): ENOENT", |s, _| {
            fails(fs::rename(s.at("none"), s.f()), libc::ENOENT)
        }),
        nothing("exchange_missing", "renameat2(2) with RENAME_EXCHANGE: ENOENT", |s, _| {
            let outcome = rustix::fs::renameat_with(CWD, s.f(), CWD, s.at("none"), RenameFlags::EXCHANGE);
            fails(outcome.map_err(io::Error::from), libc::ENOENT)
        }),
        nothing("open_missing", "open(2) for writing: ENOENT", |s, _| {
            fails(File::options().write(true).open(s.at("none")), libc::ENOENT)
        }),
        nothing("chmod_missing", "chmod(2): ENOENT", |s, _| {
            fails(fs::set_permissions(s.at("none"), Permissions::from_mode(0o777)), libc::ENOENT)
        }),
        nothing("link_missing", "link(2): ENOENT", |s, _| {
            fails(fs::hard_link(s.at("none"), s.at("h")), libc::ENOENT)
        }),
        nothing("removexattr_missing", "removexattr(2): ENODATA", |s, _| {
            let outcome = rustix::fs::removexattr(s.f(), "trusted.fim");
            fails(outcome.map_err(io::Error::from), libc::ENODATA)
        }),
        nothing("create_below_file", "open(2) with O_CREAT below a file: ENOTDIR", |s, _| {
            fails(File::create(s.at("f/g")), libc::ENOTDIR)
        }),
        nothing("create_name_too_long", "open(2) with O_CREAT: ENAMETOOLONG", |s, _| {
            fails(File::create(s.at(&"n".repeat(256))), libc::ENAMETOOLONG)
        }),
    ]
}

/// What nobody may.
fn denied() -> Vec<Case> {
    vec![
        nothing("unlink_denied", "unlink(2) by nobody: EACCES", |s, _| {
            as_nobody(s, || fails(fs::remove_file("f"), libc::EACCES))
        }),
        nothing("rename_denied", "rename(2) by nobody: EACCES", |s, _| {
            as_nobody(s, || fails(fs::rename("f", "g"), libc::EACCES))
        }),
        nothing("open_denied", "open(2) for writing by nobody: EACCES", |s, _| {
            as_nobody(s, || fails(File::options().write(true).open("f"), libc::EACCES))
        })
        .prepared(|s| fs::set_permissions(s.f(), Permissions::from_mode(0o644))),
        nothing("open_trunc_denied", "open(2) with O_TRUNC by nobody: EACCES", |s, _| {
            as_nobody(s, || fails(File::create("f"), libc::EACCES))
        }),
        nothing("chmod_denied", "fchmod(2) by nobody: EPERM", |s, _| {
            let file = s.open()?;
            as_nobody(s, || fails(file.set_permissions(Permissions::from_mode(0o777)), libc::EPERM))
        }),
        nothing("chown_denied", "fchown(2) by nobody: EPERM", |s, _| {
            let file = s.open()?;
            as_nobody(s, || fails(std::os::unix::fs::fchown(&file, Some(65_534), None), libc::EPERM))
        }),
        nothing("unlink_sticky", "unlink(2) by nobody in a sticky directory: EPERM", |s, _| {
            as_nobody(s, || fails(fs::remove_file("sub/in"), libc::EPERM))
        })
        .prepared(|s| fs::set_permissions(s.at("sub"), Permissions::from_mode(0o1777))),
        nothing("rename_sticky", "rename(2) by nobody in a sticky directory: EPERM", |s, _| {
            as_nobody(s, || fails(fs::rename("sub/in", "sub/out"), libc::EPERM))
        })
        .prepared(|s| fs::set_permissions(s.at("sub"), Permissions::from_mode(0o1777))),
        nothing("create_denied", "open(2) with O_CREAT by nobody: EACCES", |s, _| {
            as_nobody(s, || fails(File::create("new"), libc::EACCES))
        }),
        nothing("mkdir_denied", "mkdir(2) by nobody: EACCES", |s, _| {
            as_nobody(s, || fails(fs::create_dir("d"), libc::EACCES))
        }),
        nothing("rmdir_denied", "rmdir(2) by nobody: EACCES", |s, _| {
            as_nobody(s, || fails(fs::remove_dir("empty"), libc::EACCES))
        }),
        nothing("symlink_denied", "symlink(2) by nobody: EACCES", |s, _| {
            as_nobody(s, || fails(symlink("f", "l"), libc::EACCES))
        }),
        nothing("link_denied", "link(2) by nobody: EACCES or EPERM", |s, _| {
            as_nobody(s, || fails_by(fs::hard_link("f", "h"), &[libc::EACCES, libc::EPERM]))
        }),
        nothing("mknod_denied", "mknod(2) of a device by nobody: EPERM", |s, _| {
            let device = rustix::fs::makedev(1, 3);
            as_nobody(s, || {
                let outcome = mknodat(CWD, "empty/device", FileType::CharacterDevice, Mode::RUSR, device);
                fails(outcome.map_err(io::Error::from), libc::EPERM)
            })
        })
        .prepared(|s| fs::set_permissions(s.at("empty"), Permissions::from_mode(0o777))),
        nothing("truncate_denied", "truncate(2) by nobody: EACCES", |s, _| {
            // SAFETY: a path that ends with its NUL.
            as_nobody(s, || fails(checked(unsafe { libc::truncate(c"f".as_ptr(), 1) }), libc::EACCES))
        }),
        nothing("futimens_denied", "futimens(2) by nobody: EPERM", |s, _| {
            let file = s.open()?;
            as_nobody(s, || fails(file.set_modified(std::time::UNIX_EPOCH), libc::EPERM))
        }),
        nothing("setxattr_denied", "fsetxattr(2) by nobody: EPERM", |s, _| {
            let file = s.open()?;
            as_nobody(s, || {
                let outcome = rustix::fs::fsetxattr(&file, "trusted.fim", b"v", XattrFlags::empty());
                fails(outcome.map_err(io::Error::from), libc::EPERM)
            })
        }),
        nothing("chattr_denied", "ioctl FS_IOC_SETFLAGS by nobody: EPERM or EACCES", |s, _| {
            let file = s.open()?;
            let flags = ioctl_getflags(&file)? | IFlags::NODUMP;
            as_nobody(s, || {
                let outcome = ioctl_setflags(&file, flags);
                fails_by(outcome.map_err(io::Error::from), &[libc::EPERM, libc::EACCES])
            })
        }),
        nothing("mount_denied", "mount(2) by nobody: EPERM", |s, _| {
            as_nobody(s, || fails(mount_bind("sub", "empty").map_err(io::Error::from), libc::EPERM))
        }),
    ]
}

/// What the names that are there stand against.
fn taken() -> Vec<Case> {
    vec![
        nothing("create_existing", "open(2) with O_EXCL: EEXIST", |s, _| {
            fails(File::create_new(s.f()), libc::EEXIST)
        }),
        nothing("mkdir_existing", "mkdir(2): EEXIST", |s, _| {
            fails(fs::create_dir(s.at("sub")), libc::EEXIST)
        }),
        nothing("link_existing", "link(2): EEXIST", |s, _| {
            fails(fs::hard_link(s.f(), s.at("other")), libc::EEXIST)
        }),
        nothing("rename_existing", "renameat2(2) with RENAME_NOREPLACE: EEXIST", |s, _| {
            let outcome = rustix::fs::renameat_with(CWD, s.f(), CWD, s.at("other"), RenameFlags::NOREPLACE);
            fails(outcome.map_err(io::Error::from), libc::EEXIST)
        }),
        nothing("rmdir_not_empty", "rmdir(2): ENOTEMPTY", |s, _| {
            fails(fs::remove_dir(s.at("sub")), libc::ENOTEMPTY)
        }),
        nothing("symlink_existing", "symlink(2): EEXIST", |s, _| {
            fails(symlink("other", s.f()), libc::EEXIST)
        }),
        nothing("mknod_existing", "mknod(2): EEXIST", |s, _| {
            let outcome = mknodat(CWD, s.f(), FileType::Fifo, Mode::RUSR, 0);
            fails(outcome.map_err(io::Error::from), libc::EEXIST)
        }),
        nothing("rmdir_file", "rmdir(2) of a file: ENOTDIR", |s, _| {
            fails(fs::remove_dir(s.f()), libc::ENOTDIR)
        }),
        nothing("unlink_dir", "unlink(2) of a directory: EISDIR", |s, _| {
            fails(fs::remove_file(s.at("empty")), libc::EISDIR)
        }),
        nothing("rename_onto_dir", "rename(2) of a file onto a directory: EISDIR", |s, _| {
            fails(fs::rename(s.f(), s.at("empty")), libc::EISDIR)
        }),
        nothing(
            "rename_dir_not_empty",
            "rename(2) of a directory onto one that is not empty: ENOTEMPTY",
            |s, _| fails(fs::rename(s.at("empty"), s.at("sub")), libc::ENOTEMPTY),
        ),
        nothing("rename_below_itself", "rename(2) of a directory to below itself: EINVAL", |s, _| {
            fails(fs::rename(s.at("sub"), s.at("sub/sub")), libc::EINVAL)
        }),
        nothing("rename_across", "rename(2) to another file system: EXDEV", |s, _| {
            fails(fs::rename(s.f(), "/proc/fim"), libc::EXDEV)
        }),
    ]
}

/// What a descriptor, a mount or a limit stands against.
fn writes() -> Vec<Case> {
    vec![
        nothing("read_only_mount", "write, unlink and chmod through a read-only mount: EROFS", |s, _| {
            isolate_mounts()?;
            mount_bind(&s.dir, &s.outside)?;
            mount_remount(&s.outside, MountFlags::BIND | MountFlags::RDONLY, "")?;
            fails(File::options().write(true).open(s.out("f")), libc::EROFS)?;
            fails(fs::remove_file(s.out("f")), libc::EROFS)?;
            fails(fs::set_permissions(s.out("f"), Permissions::from_mode(0o777)), libc::EROFS)
        }),
        nothing("write_too_far", "write(2) beyond RLIMIT_FSIZE: EFBIG", |s, _| {
            let file = s.writable()?;
            limit_size()?;
            let outcome = rustix::io::pwrite(&file, b"more", 4096);
            fails(outcome.map_err(io::Error::from), libc::EFBIG)?;
            hold(file)
        }),
        nothing("write_read_only", "write(2) to a descriptor opened for reading: EBADF", |s, _| {
            let file = File::open(s.f())?;
            fails(rustix::io::write(&file, b"more").map_err(io::Error::from), libc::EBADF)?;
            hold(file)
        }),
        nothing("write_bad_address", "write(2) from no memory: EFAULT", |s, _| {
            let file = s.writable()?;
            // SAFETY: the kernel finds that there is nothing at this address.
            let outcome = checked(unsafe { libc::write(file.as_raw_fd(), std::ptr::null(), 10) });
            fails(outcome, libc::EFAULT)?;
            hold(file)
        })
        .may_touch(),
        nothing("ftruncate_too_far", "ftruncate(2) beyond RLIMIT_FSIZE: EFBIG", |s, _| {
            let file = s.writable()?;
            limit_size()?;
            fails(file.set_len(1 << 20), libc::EFBIG)?;
            hold(file)
        }),
        nothing("fallocate_read_only", "fallocate(2) of a descriptor opened for reading: EBADF", |s, _| {
            let file = File::open(s.f())?;
            let outcome = rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, 9000);
            fails(outcome.map_err(io::Error::from), libc::EBADF)?;
            hold(file)
        }),
        nothing("copy_read_only", "copy_file_range(2) to a descriptor opened for reading: EBADF", |s, _| {
            let (file, other) = (File::open(s.f())?, File::open(s.at("other"))?);
            let outcome = rustix::fs::copy_file_range(&other, None, &file, None, 4);
            fails(outcome.map_err(io::Error::from), libc::EBADF)?;
            hold(file)
        }),
        nothing(
            "mmap_read_only",
            "mmap(2), shared and writable, of a descriptor opened for reading: EACCES",
            |s, _| {
                let file = File::open(s.f())?;
                let protection = ProtFlags::READ | ProtFlags::WRITE;
                // SAFETY: it must fail; what it maps if it does not is used by nobody.
                let outcome =
                    unsafe { mmap(std::ptr::null_mut(), 4096, protection, MapFlags::SHARED, &file, 0) };
                fails(outcome.map_err(io::Error::from), libc::EACCES)?;
                hold(file)
            },
        ),
    ]
}

/// No file of this process may be longer than a few bytes from now on.
fn limit_size() -> io::Result<()> {
    // SAFETY: ignores a signal that would end this process.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    Ok(setrlimit(Resource::Fsize, Rlimit { current: Some(4), maximum: Some(4) })?)
}

/// It must fail, and so.
fn fails<T>(result: io::Result<T>, code: i32) -> io::Result<Held> {
    fails_by(result, &[code])
}

/// It must fail in one of these ways: what is asked first is not the same everywhere.
fn fails_by<T>(result: io::Result<T>, codes: &[i32]) -> io::Result<Held> {
    match result {
        Ok(_) => Err(io::Error::other("it did not fail")),
        Err(error) if error.raw_os_error().is_some_and(|code| codes.contains(&code)) => done(),
        Err(error) => Err(io::Error::other(format!("it failed otherwise: {error}"))),
    }
}

/// In the watched directory, since nobody may not go through those above it: what fails is the call, not its way there.
fn as_nobody(s: &Scene, what: impl FnOnce() -> io::Result<Held>) -> io::Result<Held> {
    fork(|| {
        std::env::set_current_dir(&s.dir)?;
        become_nobody()?;
        what().map(drop)
    })?
    .wait()?;
    done()
}
