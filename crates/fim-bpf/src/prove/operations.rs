//! The operations of a proof, each on a file of its own. Knows nothing of who watches them.

use crate::layout::op;
use rustix::fs::{
    CWD, FallocateFlags, FileType, IFlags, Mode, OFlags, RenameFlags, XattrFlags, copy_file_range, fallocate,
    ioctl_getflags, ioctl_setflags, mknodat, renameat_with, setxattr,
};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use rustix::pipe::{SpliceFlags, pipe, splice};
use std::fs::{self, File};
use std::io::{self, IoSlice, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

/// One operation, and what must be counted when it is done.
pub(super) struct Operation {
    /// The class of change it stands for; the worst of several counts.
    pub class: &'static str,
    pub op: u8,
    /// The programs any of which counts it.
    pub programs: &'static [&'static str],
    pub run: fn(&Path) -> io::Result<()>,
}

const PREPARED: [&str; 6] = ["f", "source", "link", "rename", "exchange", "unlink"];

/// Makes the files the operations are done to.
pub(super) fn prepare(dir: &Path) -> io::Result<()> {
    for name in PREPARED {
        fs::write(dir.join(name), b"0123456789abcdef")?;
    }
    fs::create_dir(dir.join("rmdir"))
}

const fn operation(
    class: &'static str,
    op: u8,
    programs: &'static [&'static str],
    run: fn(&Path) -> io::Result<()>,
) -> Operation {
    Operation { class, op, programs, run }
}

/// In the order in which they are done.
pub(super) const OPERATIONS: &[Operation] = &[
    operation("write", op::WRITE, &["vfs_write"], |dir| writable(dir)?.write_all(b"w")),
    operation("write", op::WRITEV, &["vfs_writev"], |dir| {
        writable(dir)?.write_vectored(&[IoSlice::new(b"a"), IoSlice::new(b"b")]).map(drop)
    }),
    operation("mmap", op::MMAP, &["mmap_file"], map),
    operation("splice", op::SPLICE, &["splice_write"], |dir| {
        let (out, to) = pipe()?;
        rustix::io::write(&to, b"piped")?;
        splice(&out, None, writable(dir)?, None, 5, SpliceFlags::empty())?;
        Ok(())
    }),
    operation("copy", op::COPY, &["copy_range"], |dir| {
        let from = File::open(dir.join("source"))?;
        copy_file_range(from, None, writable(dir)?, None, 5)?;
        Ok(())
    }),
    operation("fallocate", op::FALLOCATE, &["fallocate"], |dir| {
        Ok(fallocate(writable(dir)?, FallocateFlags::empty(), 0, 4096)?)
    }),
    operation("truncate", op::TRUNCATE, &["notify_change_3", "notify_change_4"], |dir| {
        writable(dir)?.set_len(4)
    }),
    operation("create", op::CREATE, &["d_instantiate"], |dir| File::create(dir.join("created")).map(drop)),
    operation("mkdir", op::MKDIR, &["d_instantiate"], |dir| fs::create_dir(dir.join("made"))),
    operation("mknod", op::MKNOD, &["d_instantiate"], |dir| {
        Ok(mknodat(CWD, dir.join("fifo"), FileType::Fifo, Mode::RUSR, 0)?)
    }),
    operation("symlink", op::SYMLINK, &["d_instantiate"], |dir| symlink("nowhere", dir.join("symlink"))),
    operation("link", op::LINK, &["vfs_link_4", "vfs_link_5"], |dir| {
        fs::hard_link(dir.join("link"), dir.join("linked"))
    }),
    operation("rename", op::RENAME, &["rename_in_1", "rename_in_6"], |dir| {
        fs::rename(dir.join("rename"), dir.join("renamed"))
    }),
    operation("exchange", op::EXCHANGE, &["rename_in_1", "rename_in_6"], |dir| {
        let (one, other) = (dir.join("exchange"), dir.join("source"));
        Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
    }),
    operation("attributes", op::ATTRIBUTES, &["notify_change_3", "notify_change_4"], |dir| {
        fs::set_permissions(dir.join("f"), fs::Permissions::from_mode(0o600))
    }),
    operation("xattr", op::XATTR, &["setxattr_5", "setxattr_6"], |dir| {
        Ok(setxattr(dir.join("f"), "trusted.fim", b"x", XattrFlags::empty())?)
    }),
    operation("flags", op::FLAGS, &["fileattr_set", "drop_write"], |dir| {
        let file = rustix::fs::open(dir.join("f"), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let flags = ioctl_getflags(&file)?;
        ioctl_setflags(&file, flags | IFlags::NODUMP)?;
        Ok(())
    }),
    operation("close", op::CLOSE, &["file_release", "locks_remove"], |dir| writable(dir).map(drop)),
    operation("unlink", op::UNLINK, &["d_delete"], |dir| fs::remove_file(dir.join("unlink"))),
    operation("rmdir", op::RMDIR, &["d_delete"], |dir| fs::remove_dir(dir.join("rmdir"))),
];

fn writable(dir: &Path) -> io::Result<File> {
    File::options().write(true).open(dir.join("f"))
}

#[allow(unsafe_code)]
fn map(dir: &Path) -> io::Result<()> {
    let file = File::options().read(true).write(true).open(dir.join("f"))?;
    // SAFETY: a fresh mapping of our own file that nothing points into; it is neither read nor written.
    unsafe {
        let at = mmap(std::ptr::null_mut(), 4096, ProtFlags::WRITE, MapFlags::SHARED, &file, 0)?;
        munmap(at, 4096)?;
    }
    Ok(())
}
