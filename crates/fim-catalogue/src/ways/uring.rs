//! io_uring: writes in every mode, and the operations on names that pass no system call of their own.
#![allow(unsafe_code)]

use crate::case::{Case, Held, done, hold, way};
use crate::scene::Scene;
use crate::sys::c_path;
use io_uring::squeue::{Entry, Flags};
use io_uring::types::{DestinationSlot, Fd, Fixed};
use io_uring::{IoUring, opcode};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

pub(super) fn cases() -> Vec<Case> {
    let mut all = writes();
    all.extend(others());
    all
}

fn writes() -> Vec<Case> {
    let ring = |name, says, change| way("io_uring", name, says, change).updates("f");
    vec![
        ring("uring_write", "io_uring WRITE", |s, _| write(s, Flags::empty())),
        ring("uring_worker", "io_uring WRITE with IOSQE_ASYNC, by a worker", |s, _| write(s, Flags::ASYNC)),
        ring("uring_writev", "io_uring WRITEV", |s, _| {
            let file = s.writable()?;
            let vector = libc::iovec { iov_base: NEW.as_ptr().cast_mut().cast(), iov_len: NEW.len() };
            let entry = opcode::Writev::new(Fd(file.as_raw_fd()), &raw const vector, 1).build();
            hold((submit(IoUring::new(4)?, &[entry])?, file))
        }),
        ring("uring_fixed_buffer", "io_uring WRITE_FIXED", fixed_buffer),
        ring("uring_fixed_file", "io_uring WRITE to a registered file", |s, _| {
            let file = s.writable()?;
            let ring = IoUring::new(4)?;
            ring.submitter().register_files(&[file.as_raw_fd()])?;
            let entry = opcode::Write::new(Fixed(0), NEW.as_ptr(), NEW_LENGTH).build();
            hold((submit(ring, &[entry])?, file))
        }),
        ring("uring_sqpoll", "io_uring WRITE with IORING_SETUP_SQPOLL, by the kernel's thread", |s, _| {
            let file = s.writable()?;
            let ring = IoUring::builder().setup_sqpoll(100).build(4)?;
            ring.submitter().register_files(&[file.as_raw_fd()])?;
            let entry = opcode::Write::new(Fixed(0), NEW.as_ptr(), NEW_LENGTH).build();
            hold((submit(ring, &[entry])?, file))
        }),
        ring("uring_linked", "io_uring WRITE linked to another", |s, _| {
            let file = s.writable()?;
            let fd = Fd(file.as_raw_fd());
            let first = opcode::Write::new(fd, NEW.as_ptr(), NEW_LENGTH).build().flags(Flags::IO_LINK);
            let second = opcode::Write::new(fd, NEW.as_ptr(), NEW_LENGTH).offset(5).build();
            hold((submit(IoUring::new(4)?, &[first, second])?, file))
        }),
        ring("uring_direct_descriptor", "io_uring OPENAT and WRITE without a descriptor", |s, _| {
            let path = c_path(&s.f())?;
            let ring = IoUring::new(4)?;
            ring.submitter().register_files(&[-1])?;
            let slot = DestinationSlot::try_from_slot_target(0).map_err(|_| io::ErrorKind::InvalidInput)?;
            let open = opcode::OpenAt::new(CWD, path.as_ptr()).flags(libc::O_WRONLY).file_index(Some(slot));
            let write = opcode::Write::new(Fixed(0), NEW.as_ptr(), NEW_LENGTH).build();
            hold(submit(ring, &[open.build().flags(Flags::IO_LINK), write])?)
        }),
        ring("uring_splice", "io_uring SPLICE from a pipe", |s, _| {
            let file = s.writable()?;
            let (read, write) = rustix::pipe::pipe()?;
            rustix::io::write(&write, NEW)?;
            let (from, to) = (Fd(read.as_raw_fd()), Fd(file.as_raw_fd()));
            let entry = opcode::Splice::new(from, -1, to, 0, NEW_LENGTH).build();
            hold((submit(IoUring::new(4)?, &[entry])?, file))
        }),
    ]
}

fn others() -> Vec<Case> {
    vec![
        way("create", "uring_openat", "io_uring OPENAT with O_CREAT", |s, _| {
            let path = c_path(&s.at("n"))?;
            let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_CLOEXEC;
            let entry = opcode::OpenAt::new(CWD, path.as_ptr()).flags(flags).mode(0o600).build();
            one(entry)
        })
        .creates("n"),
        way("truncate", "uring_open_trunc", "io_uring OPENAT with O_TRUNC", |s, _| {
            let path = c_path(&s.f())?;
            let flags = libc::O_TRUNC | libc::O_WRONLY | libc::O_CLOEXEC;
            one(opcode::OpenAt::new(CWD, path.as_ptr()).flags(flags).build())
        })
        .updates("f"),
        way("rename", "uring_renameat", "io_uring RENAMEAT", |s, _| {
            let (from, to) = (c_path(&s.f())?, c_path(&s.at("g"))?);
            one(opcode::RenameAt::new(CWD, from.as_ptr(), CWD, to.as_ptr()).build())
        })
        .moves("f", "g"),
        way("unlink", "uring_unlinkat", "io_uring UNLINKAT", |s, _| unlink(&s.f(), 0)).deletes("f"),
        way("rmdir", "uring_rmdir", "io_uring UNLINKAT with AT_REMOVEDIR", |s, _| {
            unlink(&s.at("empty"), libc::AT_REMOVEDIR)
        })
        .deletes("empty"),
        way("mkdir", "uring_mkdirat", "io_uring MKDIRAT", |s, _| {
            let path = c_path(&s.at("d"))?;
            one(opcode::MkDirAt::new(CWD, path.as_ptr()).mode(0o700).build())
        })
        .creates("d"),
        way("link", "uring_linkat", "io_uring LINKAT", |s, _| {
            let (from, to) = (c_path(&s.f())?, c_path(&s.at("h"))?);
            one(opcode::LinkAt::new(CWD, from.as_ptr(), CWD, to.as_ptr()).build())
        })
        .creates("h"),
        way("symlink", "uring_symlinkat", "io_uring SYMLINKAT", |s, _| {
            let path = c_path(&s.at("l"))?;
            one(opcode::SymlinkAt::new(CWD, c"f".as_ptr(), path.as_ptr()).build())
        })
        .creates("l"),
        way("fallocate", "uring_fallocate", "io_uring FALLOCATE", |s, _| {
            let file = s.writable()?;
            let entry = opcode::Fallocate::new(Fd(file.as_raw_fd()), 9000).build();
            hold((submit(IoUring::new(4)?, &[entry])?, file))
        })
        .updates("f"),
        way("truncate", "uring_ftruncate", "io_uring FTRUNCATE", |s, _| {
            let file = s.writable()?;
            let entry = opcode::Ftruncate::new(Fd(file.as_raw_fd()), 3).build();
            hold((submit(IoUring::new(4)?, &[entry])?, file))
        })
        .updates("f"),
        way("xattr", "uring_setxattr", "io_uring SETXATTR", |s, _| {
            let path = c_path(&s.f())?;
            let value = b"v";
            let name = c"trusted.fim".as_ptr();
            one(opcode::SetXattr::new(name, value.as_ptr().cast(), path.as_ptr(), 1).build())
        })
        .modifies("f", "xattr_added"),
        way("xattr", "uring_fsetxattr", "io_uring FSETXATTR", |s, _| {
            let file = s.writable()?;
            let value = b"v";
            let (fd, name) = (Fd(file.as_raw_fd()), c"trusted.fim".as_ptr());
            let entry = opcode::FSetXattr::new(fd, name, value.as_ptr().cast(), 1).build();
            hold((submit(IoUring::new(4)?, &[entry])?, file))
        })
        .modifies("f", "xattr_added"),
    ]
}

const CWD: Fd = Fd(libc::AT_FDCWD);
const NEW: &[u8] = b"URING";
const NEW_LENGTH: u32 = 5;

fn write(s: &Scene, flags: Flags) -> io::Result<Held> {
    let file: File = s.writable()?;
    let entry = opcode::Write::new(Fd(file.as_raw_fd()), NEW.as_ptr(), NEW_LENGTH).build().flags(flags);
    hold((submit(IoUring::new(4)?, &[entry])?, file))
}

fn fixed_buffer(s: &Scene, _: &mut crate::child::Stage<'_>) -> io::Result<Held> {
    let file = s.writable()?;
    let ring = IoUring::new(4)?;
    let mut buffer = NEW.to_vec();
    let vector = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: the buffer is kept until the ring is gone.
    unsafe { ring.submitter().register_buffers(&[vector])? };
    let entry = opcode::WriteFixed::new(Fd(file.as_raw_fd()), buffer.as_ptr(), NEW_LENGTH, 0).build();
    // In the order in which they are dropped.
    hold((submit(ring, &[entry])?, buffer, file))
}

fn unlink(path: &Path, flags: i32) -> io::Result<Held> {
    let path = c_path(path)?;
    one(opcode::UnlinkAt::new(CWD, path.as_ptr()).flags(flags).build())
}

/// One operation on names; nothing is kept.
fn one(entry: Entry) -> io::Result<Held> {
    drop(submit(IoUring::new(4)?, &[entry])?);
    done()
}

/// Submits and waits for all; the first error is the answer.
fn submit(mut ring: IoUring, entries: &[Entry]) -> io::Result<IoUring> {
    // SAFETY: every caller keeps what its entries point to until this returns, and all are complete then.
    unsafe { ring.submission().push_multiple(entries).map_err(io::Error::other)? };
    ring.submit_and_wait(entries.len())?;
    let mut fault = None;
    for completion in ring.completion() {
        if completion.result() < 0 {
            fault = fault.or(Some(io::Error::from_raw_os_error(-completion.result())));
        }
    }
    match fault {
        Some(error) => Err(error),
        None => Ok(ring),
    }
}
