//! What changes nothing, and so must not be reported.
#![allow(unsafe_code)]

use super::copy::blocks;
use super::size::allocate;
use crate::case::{Case, Held, done, hold, way};
use crate::scene::Scene;
use crate::sys::checked;
use rustix::fs::{AtFlags, CWD, FallocateFlags, FileType, Mode, OFlags, Timespec, Timestamps, open};
use rustix::mm::{MapFlags, ProtFlags, mmap};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;

pub(super) fn cases() -> Vec<Case> {
    let mut all = reading();
    all.extend(same());
    all
}

pub(super) fn nothing(name: &'static str, says: &'static str, change: crate::case::Change) -> Case {
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
