//! Content that comes from another file as a whole: copied, shared or exchanged by the file system.
#![allow(unsafe_code)]

use crate::case::{Case, hold, way};
use crate::sys::checked;
use rustix::fs::{copy_file_range, ioctl_ficlone};
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;

pub(super) fn cases() -> Vec<Case> {
    let copy = |name, says, change| way("copy", name, says, change).updates("f");
    vec![
        copy("copy_file_range", "copy_file_range(2)", |s, _| {
            let file = s.writable()?;
            copy_file_range(File::open(s.at("other"))?, None, &file, None, 7)?;
            hold(file)
        }),
        copy("copy_file_range_across", "copy_file_range(2) from another file system", |s, _| {
            let source = File::from(rustix::fs::memfd_create("source", rustix::fs::MemfdFlags::CLOEXEC)?);
            std::os::unix::fs::FileExt::write_all_at(&source, b"ANOTHER", 0)?;
            let file = s.writable()?;
            copy_file_range(source, None, &file, None, 7)?;
            hold(file)
        }),
        copy("ficlone", "ioctl FICLONE", |s, _| {
            let file = s.writable()?;
            ioctl_ficlone(&file, File::open(s.at("other"))?)?;
            hold(file)
        })
        .prepared(blocks),
        copy("ficlonerange", "ioctl FICLONERANGE", |s, _| {
            let (file, source) = (s.writable()?, File::open(s.at("other"))?);
            let range = CloneRange { from: source.as_raw_fd().into(), start: 0, length: BLOCK, to: BLOCK };
            // SAFETY: the kernel reads a structure that lives.
            checked(unsafe { libc::ioctl(file.as_raw_fd(), FICLONERANGE, &raw const range) })?;
            hold(file)
        })
        .prepared(blocks),
        copy("ext4_move_ext", "ioctl EXT4_IOC_MOVE_EXT, as the donor", |s, _| {
            let (donor, original) = (s.open()?, File::options().read(true).write(true).open(s.out("o"))?);
            let mut range =
                MoveExtent { donor: donor.as_raw_fd().cast_unsigned(), length: 1, ..Default::default() };
            // SAFETY: the kernel reads and writes a structure that lives.
            checked(unsafe { libc::ioctl(original.as_raw_fd(), MOVE_EXT, &raw mut range) })?;
            // Read it anew: this ioctl moves blocks beneath the cache.
            rustix::fs::fadvise(&donor, 0, None, rustix::fs::Advice::DontNeed)?;
            hold((donor, original))
        })
        .late()
        .prepared(|s| {
            blocks(s)?;
            fs::copy(s.at("other"), s.out("o"))?;
            File::open(s.out("o"))?.sync_all()
        }),
    ]
}

const BLOCK: u64 = 4096;

/// Files of whole blocks, on the disk.
pub(super) fn blocks(s: &crate::scene::Scene) -> io::Result<()> {
    for (name, byte) in [("f", b'f'), ("other", b'o')] {
        fs::write(s.at(name), vec![byte; 4 * 4096])?;
        File::open(s.at(name))?.sync_all()?;
    }
    Ok(())
}

/// `_IOW(0x94, 13, struct file_clone_range)` of `linux/fs.h`.
const FICLONERANGE: libc::c_ulong = 0x4020_940d;

/// `struct file_clone_range`.
#[repr(C)]
struct CloneRange {
    from: i64,
    start: u64,
    length: u64,
    to: u64,
}

/// `_IOWR('f', 15, struct move_extent)` of the kernel's `fs/ext4/ext4.h`.
const MOVE_EXT: libc::c_ulong = 0xc028_660f;

/// `struct move_extent`, in blocks.
#[repr(C)]
#[derive(Default)]
struct MoveExtent {
    reserved: u32,
    donor: u32,
    original_start: u64,
    donor_start: u64,
    length: u64,
    moved: u64,
}
