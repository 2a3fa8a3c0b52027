//! The operations, and how often each is done: those of fsstress, by single system calls wherever that can be.
#![allow(unsafe_code)] // mmap has no safe form

use super::work::Work;
use rustix::fs::{
    AtFlags, CWD, FallocateFlags, FileType, Mode, OFlags, RenameFlags, Timespec, Timestamps, XattrFlags,
    fallocate, renameat_with,
};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

pub struct Operation {
    pub name: &'static str,
    pub weight: u64,
    /// Does it; what to is said for the log.
    pub run: fn(&mut Work, &mut String) -> io::Result<()>,
}

const fn operation(
    name: &'static str,
    weight: u64,
    run: fn(&mut Work, &mut String) -> io::Result<()>,
) -> Operation {
    Operation { name, weight, run }
}

pub const OPERATIONS: &[Operation] = &[
    operation("rest", 5, |work, _| {
        work.rest();
        Ok(())
    }),
    operation("creat", 10, |work, said| {
        let (path, mode) = (work.any(), work.random.pick(&[0o600, 0o644, 0o755]));
        unwaiting().write(true).create(true).truncate(true).mode(mode).open(say(said, &path)).map(drop)
    }),
    operation("creat_write", 8, |work, said| {
        let path = work.any();
        put(say(said, &path), &work.random.bytes())
    }),
    operation("write", 8, |work, said| {
        let file = writable(&work.file(), said)?;
        (&file).write_all(&work.random.bytes())
    }),
    operation("pwrite", 5, |work, said| {
        let (file, at) = (writable(&work.file(), said)?, work.random.below(30_000));
        file.write_all_at(&work.random.bytes(), at)
    }),
    operation("append", 4, |work, said| {
        let path = work.file();
        unwaiting().append(true).open(say(said, &path))?.write_all(&work.random.bytes())
    }),
    operation("writev", 3, |work, said| {
        let mut file = writable(&work.file(), said)?;
        let (one, two) = (work.random.bytes(), work.random.bytes());
        file.write_vectored(&[IoSlice::new(&one), IoSlice::new(&two)]).map(drop)
    }),
    operation("mwrite", 5, mwrite),
    operation("hold", 3, |work, said| {
        let file = writable(&work.file(), said)?;
        work.hold(file);
        Ok(())
    }),
    operation("write_held", 6, |work, _| work.held()?.write_all(&work.random.bytes())),
    operation("truncate_held", 1, |work, _| work.held()?.set_len(work.random.below(9000))),
    operation("let_go", 1, |work, _| {
        work.let_go();
        Ok(())
    }),
    operation("truncate", 4, |work, said| {
        let path = work.file();
        // truncate(2) without a descriptor is not in the standard library.
        writable(&path, said)?.set_len(work.random.below(20_000))
    }),
    operation("fallocate", 4, |work, said| {
        let file = writable(&work.file(), said)?;
        let flags = work.random.pick(&[
            FallocateFlags::empty(),
            FallocateFlags::KEEP_SIZE,
            FallocateFlags::PUNCH_HOLE.union(FallocateFlags::KEEP_SIZE),
            FallocateFlags::ZERO_RANGE,
            FallocateFlags::COLLAPSE_RANGE,
            FallocateFlags::INSERT_RANGE,
        ]);
        said.push_str(&format!(" {flags:?}"));
        let whole_blocks = flags.intersects(FallocateFlags::COLLAPSE_RANGE | FallocateFlags::INSERT_RANGE);
        let unit = if whole_blocks { 4096 } else { 1 };
        let (at, length) =
            (work.random.below(9000) / unit * unit, (1 + work.random.below(9000)).next_multiple_of(unit));
        Ok(fallocate(file, flags, at, length)?)
    }),
    operation("copy_file_range", 3, |work, said| {
        let (from, to) = (readable(&work.file(), said)?, writable(&work.file(), said)?);
        Ok(rustix::fs::copy_file_range(from, None, to, None, 1 + usize::from(work.random.percent(50)) * 5000)
            .map(drop)?)
    }),
    operation("sendfile", 2, |work, said| {
        let (from, to) = (readable(&work.file(), said)?, writable(&work.file(), said)?);
        Ok(rustix::fs::sendfile(to, from, None, 3000).map(drop)?)
    }),
    operation("splice", 2, |work, said| {
        let to = writable(&work.file(), said)?;
        let (read, write): (OwnedFd, OwnedFd) = rustix::pipe::pipe()?;
        File::from(write).write_all(&work.random.bytes())?;
        Ok(rustix::pipe::splice(read, None, to, None, 30_000, rustix::pipe::SpliceFlags::empty())
            .map(drop)?)
    }),
    operation("rename", 10, |work, said| {
        let (from, to) = (work.taken(), work.any());
        fs::rename(say(said, &from), say(said, &to))
    }),
    operation("rename_dir", 6, |work, said| {
        let (from, to) = (work.subdir(), work.any());
        fs::rename(say(said, &from), say(said, &to))
    }),
    operation("replace", 4, |work, said| {
        let (dir, to) = (work.dir(), work.file());
        let prepared = dir.join("prepared");
        put(&prepared, &work.random.bytes())?;
        fs::rename(say(said, &prepared), say(said, &to)).inspect_err(|_| drop(fs::remove_file(&prepared)))
    }),
    operation("rename_and_back", 2, |work, said| {
        let (from, to) = (work.taken(), work.any());
        fs::rename(say(said, &from), say(said, &to))?;
        fs::rename(&to, &from)
    }),
    operation("exchange", 5, |work, said| {
        let (from, to) = (work.taken(), work.taken());
        Ok(renameat_with(CWD, say(said, &from), CWD, say(said, &to), RenameFlags::EXCHANGE)?)
    }),
    operation("noreplace", 3, |work, said| {
        let (from, to) = (work.taken(), work.any());
        Ok(renameat_with(CWD, say(said, &from), CWD, say(said, &to), RenameFlags::NOREPLACE)?)
    }),
    operation("link", 6, link),
    operation("unlink", 8, |work, said| {
        let path = work.taken();
        fs::remove_file(say(said, &path))
    }),
    operation("symlink", 3, |work, said| {
        // A directory outside that suffers no change: another process may have put the link where this test's root is
        // about to make or chmod something.
        let (to, path) = (work.random.pick(&["a", "../b", "nowhere", "/proc/sys"]), work.any());
        symlink(to, say(said, &path))
    }),
    operation("mkdir", 12, |work, said| {
        let path = work.any();
        fs::create_dir(say(said, &path))
    }),
    operation("mkdir_furnished", 3, |work, said| {
        let path = work.any();
        fs::create_dir_all(say(said, &path).join("a/b"))?;
        put(&path.join("a/b/c"), &work.random.bytes())?;
        put(&path.join("d"), &work.random.bytes())
    }),
    operation("rmdir", 4, |work, said| {
        let path = work.subdir();
        fs::remove_dir(say(said, &path))
    }),
    operation("rm_rf", 1, |work, said| {
        let path = work.subdir();
        fs::remove_dir_all(say(said, &path))
    }),
    operation("mknod", 2, |work, said| {
        let kind = work.random.pick(&[FileType::Fifo, FileType::Socket, FileType::CharacterDevice]);
        let path = work.any();
        let device = rustix::fs::makedev(1, 3);
        Ok(rustix::fs::mknodat(CWD, say(said, &path), kind, Mode::RUSR, device)?)
    }),
    operation("chmod", 4, |work, said| {
        let (path, mode) = (work.find_no_link(), work.random.pick(&[0o600, 0o644, 0o755, 0o4755, 0o1777]));
        fs::set_permissions(say(said, &path), Permissions::from_mode(mode))
    }),
    operation("chown", 3, |work, said| {
        let (path, owner) = (work.taken(), work.random.below(4));
        lchown(say(said, &path), u32::try_from(owner).ok(), Some(7))
    }),
    operation("utimes", 2, |work, said| {
        let path = work.taken();
        let then = Timespec { tv_sec: work.random.below(1 << 30).cast_signed(), tv_nsec: 0 };
        let times = Timestamps { last_access: then, last_modification: then };
        Ok(rustix::fs::utimensat(CWD, say(said, &path), &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }),
    operation("setxattr", 3, |work, said| {
        let (path, value) = (work.taken(), work.random.next().to_le_bytes());
        let name = work.random.pick(&["trusted.one", "trusted.two"]);
        Ok(rustix::fs::lsetxattr(say(said, &path), name, &value, XattrFlags::empty())?)
    }),
    operation("removexattr", 2, |work, said| {
        let path = work.taken();
        Ok(rustix::fs::lremovexattr(say(said, &path), work.random.pick(&["trusted.one", "trusted.two"]))?)
    }),
    operation("tmpfile", 3, |work, said| {
        let (dir, to) = (work.dir(), work.any());
        let file = rustix::fs::open(&dir, OFlags::TMPFILE | OFlags::WRONLY, Mode::RUSR | Mode::WUSR)?;
        let file = File::from(file);
        (&file).write_all(&work.random.bytes())?;
        let by_fd = format!("/proc/self/fd/{}", file.as_raw_fd());
        rustix::fs::linkat(CWD, by_fd, CWD, say(said, &to), AtFlags::SYMLINK_FOLLOW)?;
        if work.random.percent(50) {
            work.hold(file);
        }
        Ok(())
    }),
    operation("read", 1, |work, said| readable(&work.file(), said)?.read_to_end(&mut Vec::new()).map(drop)),
    operation("open", 1, |work, said| writable(&work.file(), said).map(drop)),
];

fn say<'a>(said: &mut String, path: &'a Path) -> &'a Path {
    said.push_str(&format!(" {path:?}"));
    path
}

/// Any name may be that of a FIFO, where an open waits for the other end.
fn unwaiting() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    options
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    unwaiting().write(true).create(true).truncate(true).open(path)?.write_all(bytes)
}

fn writable(path: &Path, said: &mut String) -> io::Result<File> {
    unwaiting().write(true).open(say(said, path))
}

fn readable(path: &Path, said: &mut String) -> io::Result<File> {
    unwaiting().read(true).open(say(said, path))
}

/// Stores through a shared mapping. The kernel does it: another process may cut the file off meanwhile, which would end
/// this one at a store of its own.
fn mwrite(work: &mut Work, said: &mut String) -> io::Result<()> {
    use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
    const PAGES: usize = 8192;
    let path = work.file();
    let file = unwaiting().read(true).write(true).open(say(said, &path))?;
    let (read, write): (OwnedFd, OwnedFd) = rustix::pipe::pipe()?;
    let mut bytes = work.random.bytes();
    bytes.truncate(PAGES);
    bytes.push(b'm');
    bytes.truncate(PAGES);
    File::from(write).write_all(&bytes)?;
    // SAFETY: the mapping is new, so that no reference is to it but the slice, which only the kernel writes to, and which
    // is as long as the mapping and gone before it.
    unsafe {
        let at = mmap(
            std::ptr::null_mut(),
            PAGES,
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::SHARED,
            &file,
            0,
        )?;
        let room = std::slice::from_raw_parts_mut(at.cast::<std::mem::MaybeUninit<u8>>(), PAGES);
        let outcome = rustix::io::read(&read, room).map(drop);
        munmap(at, PAGES)?;
        Ok(outcome?)
    }
}

/// Both names on one side: what is written through a name outside the watched tree is for the catalogue to try.
fn link(work: &mut Work, said: &mut String) -> io::Result<()> {
    let from = work.taken();
    let to: PathBuf = work.any();
    if is_outside(&from) != is_outside(&to) {
        return Err(io::ErrorKind::CrossesDevices.into());
    }
    fs::hard_link(say(said, &from), say(said, &to))
}

fn is_outside(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "outside")
}
