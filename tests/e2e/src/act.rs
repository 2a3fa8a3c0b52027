//! One kind of change each, by one system call where that is possible. Run as a process of its own, so that
//! the line has somebody to name.
#![allow(unsafe_code)] // mmap has no safe form

use rustix::fs::{
    AtFlags, CWD, FallocateFlags, FileType, Mode, OFlags, RenameFlags, Timespec, Timestamps, XattrFlags,
};
use std::fs::{self, File};
use std::io::{self, IoSlice, Write};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::Path;

fn writable(path: &Path) -> io::Result<File> {
    File::options().write(true).open(path)
}

/// Makes one change to `f`, or to what its name says, in `dir`.
pub fn act(kind: &str, dir: &Path) -> io::Result<()> {
    let f = &dir.join("f");
    let other = &dir.join("other");
    match kind {
        "write" => writable(f)?.write_all(b"NEW")?,
        "append" => File::options().append(true).open(f)?.write_all(b"more")?,
        "pwrite" => writable(f)?.write_all_at(b"X", 1)?,
        "writev" => drop(writable(f)?.write_vectored(&[IoSlice::new(b"A"), IoSlice::new(b"B")])?),
        "truncate" => {
            let file = writable(f)?;
            file.set_len(1)?;
        }
        "open_trunc" => drop(File::create(f)?),
        "fallocate" => rustix::fs::fallocate(writable(f)?, FallocateFlags::empty(), 0, 9000)?,
        "punch" => {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            rustix::fs::fallocate(writable(f)?, flags, 0, 2)?;
        }
        "sendfile" => drop(rustix::fs::sendfile(writable(f)?, File::open(other)?, None, 5)?),
        "splice" => splice(f)?,
        "copy_file_range" => {
            _ = rustix::fs::copy_file_range(File::open(other)?, None, writable(f)?, None, 5)?;
        }
        "mmap" => mmap(f)?,
        "mount_in_vain" => {
            become_nobody()?;
            for _ in 0..1000 {
                let refused =
                    rustix::mount::mount("none", dir, "tmpfs", rustix::mount::MountFlags::empty(), None);
                if refused != Err(rustix::io::Errno::PERM) {
                    return Err(io::Error::other(format!("mount: {refused:?}")));
                }
            }
        }
        "half" => half(f)?,
        "as_another" => {
            // It is open before, and the program stays what it is.
            let mut other = writable(other)?;
            writable(f)?.write_all(b"by root")?;
            become_nobody()?;
            other.write_all(b"by nobody")?;
        }
        "create" => fs::write(dir.join("n"), "new")?,
        "mkdir" => fs::create_dir(dir.join("d"))?,
        "mkdir_p" => {
            fs::create_dir_all(dir.join("1/2/3/4/5/6"))?;
            fs::write(dir.join("1/2/3/4/5/6/g"), "x")?;
        }
        "mkfifo" => rustix::fs::mknodat(CWD, dir.join("p"), FileType::Fifo, Mode::RUSR, 0)?,
        "symlink" => symlink("f", dir.join("l"))?,
        "link" => fs::hard_link(f, dir.join("h"))?,
        "link_write" => File::options().append(true).open(dir.join("alias"))?.write_all(b"through")?,
        "tmpfile" => tmpfile(dir)?,
        "rename" => fs::rename(f, dir.join("g"))?,
        "rename_over" => {
            fs::write(dir.join("f.tmp"), "prepared")?;
            fs::rename(dir.join("f.tmp"), f)?;
        }
        "exchange" => rustix::fs::renameat_with(CWD, f, CWD, other, RenameFlags::EXCHANGE)?,
        "rename_dir" => fs::rename(dir.join("sub"), dir.join("moved"))?,
        "rename_dir_write" => {
            fs::rename(dir.join("sub"), dir.join("moved"))?;
            fs::write(dir.join("moved/in"), "changed")?;
        }
        "unlink" => fs::remove_file(f)?,
        "rmdir" => fs::remove_dir(dir.join("empty"))?,
        "rm_rf" => fs::remove_dir_all(dir.join("sub"))?,
        "chmod" => fs::set_permissions(f, fs::Permissions::from_mode(0o4755))?,
        "chown" => std::os::unix::fs::chown(f, Some(12), Some(34))?,
        "utimens" => {
            let then = Timespec { tv_sec: 1, tv_nsec: 0 };
            let times = Timestamps { last_access: then, last_modification: then };
            rustix::fs::utimensat(CWD, f, &times, AtFlags::empty())?;
        }
        "setxattr" => rustix::fs::setxattr(f, "trusted.fim", b"v", XattrFlags::empty())?,
        "transient" => {
            fs::write(dir.join("brief"), "x")?;
            fs::remove_file(dir.join("brief"))?;
        }
        "open_only" => drop(writable(f)?),
        "read" => drop(fs::read(f)?),
        "failed" => {
            let none = dir.join("none");
            assert!(fs::remove_file(&none).is_err() && fs::rename(&none, f).is_err());
            assert!(fs::remove_dir(dir.join("sub")).is_err(), "not empty");
        }
        "trees" => {
            for tree in 0..trees() {
                let deep = dir.join(format!("{tree}/b/c/d/e/f"));
                fs::create_dir_all(&deep)?;
                fs::write(deep.join("g"), "x")?;
            }
        }
        "burst" => burst(dir)?,
        _ => return Err(io::Error::other(format!("no such act: {kind}"))),
    }
    Ok(())
}

/// A write past the page cache that fails, since its second page cannot be read: the first is on the disk by then. The file stays
/// open until this process is ended.
fn half(f: &Path) -> io::Result<()> {
    use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect};
    const PAGE: usize = 4096;
    let file = rustix::fs::open(f, OFlags::WRONLY | OFlags::DIRECT | OFlags::CLOEXEC, Mode::empty())?;
    // SAFETY: memory of its own, of which only what can be read is filled; it is never unmapped.
    let wrote = unsafe {
        let both = ProtFlags::READ | ProtFlags::WRITE;
        let at = mmap_anonymous(std::ptr::null_mut(), 2 * PAGE, both, MapFlags::PRIVATE)?;
        at.cast::<u8>().write_bytes(b'D', PAGE);
        mprotect(at.byte_add(PAGE), PAGE, MprotectFlags::empty())?;
        libc::write(std::os::fd::AsRawFd::as_raw_fd(&file), at, 2 * PAGE)
    };
    println!("{}", if wrote < 0 { "failed" } else { "written" });
    loop {
        std::thread::park();
    }
}

fn splice(f: &Path) -> io::Result<()> {
    let (read, write) = rustix::pipe::pipe()?;
    rustix::io::write(&write, b"piped")?;
    _ = rustix::pipe::splice(&read, None, writable(f)?, None, 5, rustix::pipe::SpliceFlags::empty())?;
    Ok(())
}

fn become_nobody() -> io::Result<()> {
    let uid = rustix::process::Uid::from_raw(65534);
    Ok(rustix::thread::set_thread_res_uid(uid, uid, uid)?)
}

fn mmap(f: &Path) -> io::Result<()> {
    use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
    let file = File::options().read(true).write(true).open(f)?;
    // SAFETY: the mapping is of one page of a file of three bytes that nobody truncates; it is written
    // within the first page and unmapped before the file is closed.
    unsafe {
        let at = mmap(std::ptr::null_mut(), 4096, ProtFlags::WRITE, MapFlags::SHARED, &file, 0)?;
        at.cast::<u8>().write_volatile(b'M');
        munmap(at, 4096)?;
    }
    Ok(())
}

fn tmpfile(dir: &Path) -> io::Result<()> {
    let file = rustix::fs::open(dir, OFlags::TMPFILE | OFlags::WRONLY, Mode::RUSR | Mode::WUSR)?;
    rustix::io::write(&file, b"unnamed")?;
    let by_fd = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    Ok(rustix::fs::linkat(CWD, by_fd, CWD, dir.join("t"), AtFlags::SYMLINK_FOLLOW)?)
}

/// Where everything is done a second time on a slow machine, a tenth is enough.
pub fn is_light() -> bool {
    std::env::var_os("FIM_E2E_LIGHT").is_some()
}

/// How many trees are made.
pub fn trees() -> u32 {
    if is_light() { 100 } else { 1000 }
}

/// 100,000 writes over 1,000 files.
fn burst(dir: &Path) -> io::Result<()> {
    let rounds = if is_light() { 10 } else { 100 };
    for round in 0..rounds {
        let round: u32 = round;
        for file in 0..1000u32 {
            let mut file = File::options().append(true).create(true).open(dir.join(file.to_string()))?;
            file.write_all(&round.to_le_bytes())?;
        }
    }
    Ok(())
}
