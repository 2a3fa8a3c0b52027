//! What changes nothing, and so must not be reported.
#![allow(unsafe_code)]

use super::copy::blocks;
use super::size::allocate;
use crate::case::{Case, Held, done, hold, way};
use crate::scene::Scene;
use crate::sys::{become_nobody, checked, fork, isolate_mounts};
use rustix::fs::{
    AtFlags, CWD, FallocateFlags, FileType, Mode, OFlags, RenameFlags, Timespec, Timestamps, open,
};
use rustix::mm::{MapFlags, ProtFlags, mmap};
use rustix::mount::{MountFlags, mount_bind, mount_remount};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

pub(super) fn cases() -> Vec<Case> {
    let mut all = reading();
    all.extend(same());
    all.extend(failing());
    all
}

fn nothing(name: &'static str, says: &'static str, change: crate::case::Change) -> Case {
    way("nothing", name, says, change)
}

fn reading() -> Vec<Case> {
    vec![
        nothing("read", "read(2)", |s, _| {
            let mut file = File::open(s.f())?;
            file.read_to_end(&mut Vec::new())?;
            hold(file)
        }),
        nothing("read_atime", "read(2) that moves the access time", |s, _| hold(fs::read(s.f())?))
            .prepared(|s| {
                let old = Timespec { tv_sec: 1, tv_nsec: 0 };
                let times = Timestamps { last_access: old, last_modification: old };
                Ok(rustix::fs::utimensat(CWD, s.f(), &times, AtFlags::empty())?)
            })
            .proved(|s| Ok(fs::metadata(s.f())?.atime() > 1)),
        nothing("open_write_only", "open(2) for writing, and close(2)", |s, _| hold(s.writable()?)),
        nothing("open_read_write", "open(2) for reading and writing, and close(2)", |s, _| hold(s.open()?)),
        nothing("fsync", "fsync(2)", |s, _| {
            let file = s.open()?;
            file.sync_all()?;
            hold(file)
        }),
        nothing("list", "getdents(2)", |s, _| hold(fs::read_dir(&s.dir)?.count())),
        nothing("lock", "flock(2)", |s, _| {
            let file = s.open()?;
            rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
            hold(file)
        }),
        nothing("mmap_private", "a store through a private mapping", |s, _| {
            mapped(s, MapFlags::PRIVATE, true)
        }),
        nothing("mmap_unused", "mmap(2), shared and writable, without a store", |s, _| {
            mapped(s, MapFlags::SHARED, false)
        }),
        nothing("tmpfile_unnamed", "O_TMPFILE, written and never linked", |s, _| {
            let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
            let file = open(&s.dir, flags, Mode::RUSR | Mode::WUSR)?;
            rustix::io::write(&file, b"unnamed")?;
            hold(file)
        }),
        nothing("write_to_fifo", "write(2) to a FIFO", |s, _| {
            let mut pipe = File::options().read(true).write(true).open(s.at("p"))?;
            pipe.write_all(b"through")?;
            hold(pipe)
        })
        .may_touch()
        .prepared(|s| Ok(rustix::fs::mknodat(CWD, s.at("p"), FileType::Fifo, Mode::RUSR, 0)?)),
        nothing("write_to_device", "write(2) to a character device", |s, _| {
            let mut device = File::options().write(true).open(s.at("null"))?;
            device.write_all(b"away")?;
            hold(device)
        })
        .may_touch()
        .prepared(|s| {
            let null = rustix::fs::makedev(1, 3);
            Ok(rustix::fs::mknodat(CWD, s.at("null"), FileType::CharacterDevice, Mode::RUSR, null)?)
        }),
        nothing("write_outside", "write(2) to a file that is not watched", |s, _| {
            hold(fs::write(s.out("o"), "outside")?)
        }),
    ]
}

/// Nothing but times can move.
fn same() -> Vec<Case> {
    vec![
        nothing("rewrite", "write(2) of the same bytes", |s, _| {
            let mut file = s.writable()?;
            file.write_all(b"the old content\n")?;
            hold(file)
        })
        .may_touch(),
        nothing("write_nothing", "write(2) of no bytes", |s, _| {
            let file = s.writable()?;
            rustix::io::write(&file, b"")?;
            hold(file)
        })
        .may_touch(),
        nothing("ftruncate_same", "ftruncate(2) to the size it has", |s, _| {
            let file = s.writable()?;
            file.set_len(file.metadata()?.len())?;
            hold(file)
        })
        .may_touch(),
        nothing("fallocate_keep_size", "fallocate(2) with FALLOC_FL_KEEP_SIZE", |s, _| {
            allocate(s, FallocateFlags::KEEP_SIZE, 4096, 9000)
        })
        .may_touch(),
        nothing("fallocate_unshare", "fallocate(2) with FALLOC_FL_UNSHARE_RANGE", |s, _| {
            allocate(s, FallocateFlags::UNSHARE_RANGE, 0, 4096)
        })
        .prepared(blocks)
        .may_touch(),
        nothing("chmod_same", "chmod(2) to the mode it has", |s, _| {
            fs::set_permissions(s.f(), fs::metadata(s.f())?.permissions())?;
            done()
        })
        .may_touch(),
        nothing("rename_same_file", "rename(2) onto another link of the same file", |s, _| {
            fs::rename(s.at("alias"), s.f())?;
            done()
        })
        .prepared(|s| fs::hard_link(s.f(), s.at("alias"))),
        nothing("dedupe", "ioctl FIDEDUPERANGE", dedupe)
            .prepared(|s| {
                blocks(s)?;
                fs::copy(s.f(), s.out("o"))?;
                File::open(s.out("o"))?.sync_all()
            })
            .may_touch(),
    ]
}

fn failing() -> Vec<Case> {
    vec![
        nothing("unlink_missing", "unlink(2): ENOENT", |s, _| {
            fails(fs::remove_file(s.at("none")), libc::ENOENT)
        }),
        nothing("unlink_denied", "unlink(2) by nobody: EACCES", |s, _| {
            as_nobody(|| fails(fs::remove_file(s.f()), libc::EACCES))
        }),
        nothing("rename_denied", "rename(2) by nobody: EACCES", |s, _| {
            as_nobody(|| fails(fs::rename(s.f(), s.at("g")), libc::EACCES))
        }),
        nothing("open_denied", "open(2) for writing by nobody: EACCES", |s, _| {
            as_nobody(|| fails(s.writable(), libc::EACCES))
        })
        .prepared(|s| fs::set_permissions(s.f(), Permissions::from_mode(0o644))),
        nothing("open_trunc_denied", "open(2) with O_TRUNC by nobody: EACCES", |s, _| {
            as_nobody(|| fails(File::create(s.f()), libc::EACCES))
        }),
        nothing("chmod_denied", "fchmod(2) by nobody: EPERM", |s, _| {
            let file = s.open()?;
            as_nobody(|| fails(file.set_permissions(Permissions::from_mode(0o777)), libc::EPERM))
        }),
        nothing("chown_denied", "fchown(2) by nobody: EPERM", |s, _| {
            let file = s.open()?;
            as_nobody(|| fails(std::os::unix::fs::fchown(&file, Some(65_534), None), libc::EPERM))
        }),
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
            // SAFETY: ignores a signal that would end this process.
            unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
            setrlimit(Resource::Fsize, Rlimit { current: Some(4), maximum: Some(4) })?;
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
    ]
}

/// It must fail, and so.
fn fails<T>(result: io::Result<T>, code: i32) -> io::Result<Held> {
    match result {
        Ok(_) => Err(io::Error::other("it did not fail")),
        Err(error) if error.raw_os_error() == Some(code) => done(),
        Err(error) => Err(io::Error::other(format!("it failed otherwise: {error}"))),
    }
}

fn as_nobody(what: impl FnOnce() -> io::Result<Held>) -> io::Result<Held> {
    fork(|| {
        become_nobody()?;
        what().map(drop)
    })?
    .wait()?;
    done()
}

fn mapped(s: &Scene, kind: MapFlags, store: bool) -> io::Result<Held> {
    let file = s.open()?;
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a new mapping of the first page of a file that has one; unmapped with the process.
    unsafe {
        let at = mmap(std::ptr::null_mut(), 4096, protection, kind, &file, 0)?;
        if store {
            at.cast::<u8>().write_volatile(b'P');
        }
    }
    hold(file)
}

/// `_IOWR(0x94, 54, struct file_dedupe_range)` of `linux/fs.h`.
const FIDEDUPERANGE: libc::c_ulong = 0xc018_9436;

/// `struct file_dedupe_range` with one destination.
#[repr(C)]
#[derive(Default)]
struct Dedupe {
    offset: u64,
    length: u64,
    count: u16,
    reserved: u16,
    reserved2: u32,
    to: i64,
    to_offset: u64,
    deduped: u64,
    status: i32,
    reserved3: u32,
}

fn dedupe(s: &Scene, _: &mut crate::child::Stage<'_>) -> io::Result<Held> {
    let (file, source) = (s.open()?, File::open(s.out("o"))?);
    let mut range = Dedupe { length: 4 * 4096, count: 1, to: file.as_raw_fd().into(), ..Dedupe::default() };
    // SAFETY: the kernel reads and writes a structure that lives and has room for its one destination.
    checked(unsafe { libc::ioctl(source.as_raw_fd(), FIDEDUPERANGE, &raw mut range) })?;
    if range.status < 0 {
        return Err(io::Error::from_raw_os_error(-range.status));
    }
    hold(file)
}
