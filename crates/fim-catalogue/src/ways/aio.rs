//! io_submit(2): no crate has it, so by plain system calls.
#![allow(unsafe_code)]

use super::write::Page;
use crate::case::{Case, Held, hold, way};
use crate::scene::Scene;
use crate::sys::checked;
use rustix::fs::{Mode, OFlags, open};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

pub(super) fn cases() -> Vec<Case> {
    let aio = |name, says, change| way("aio", name, says, change).updates("f");
    vec![
        aio("aio", "io_submit(2)", |s, _| submit(s.writable()?, PWRITE)),
        aio("aio_vector", "io_submit(2) of a vector", |s, _| submit(s.writable()?, PWRITEV)),
        aio("aio_direct", "io_submit(2) with O_DIRECT", |s, _| submit(direct(s)?, PWRITE)),
    ]
}

fn direct(s: &Scene) -> io::Result<File> {
    Ok(open(s.f(), OFlags::WRONLY | OFlags::DIRECT | OFlags::CLOEXEC, Mode::empty())?.into())
}

/// Opcodes of `linux/aio_abi.h`.
const PWRITE: u16 = 1;
const PWRITEV: u16 = 8;

/// `struct iocb` of `linux/aio_abi.h`.
#[repr(C)]
#[derive(Default)]
struct Iocb {
    data: u64,
    key: u32,
    rw_flags: i32,
    opcode: u16,
    priority: i16,
    fd: u32,
    buffer: u64,
    bytes: u64,
    offset: i64,
    reserved: u64,
    flags: u32,
    event_fd: u32,
}

/// `struct io_event`.
#[repr(C)]
#[derive(Default)]
struct Event {
    data: u64,
    object: u64,
    result: i64,
    result2: i64,
}

/// One write of a page, waited for.
fn submit(file: File, opcode: u16) -> io::Result<Held> {
    let page = Page::of(b'A');
    let vector = libc::iovec { iov_base: page.0.as_ptr().cast_mut().cast(), iov_len: page.0.len() };
    let (buffer, bytes) = match opcode {
        PWRITEV => (std::ptr::from_ref(&vector).addr(), 1),
        _ => (page.0.as_ptr().addr(), page.0.len()),
    };
    let mut block = Iocb {
        opcode,
        fd: file.as_raw_fd().cast_unsigned(),
        buffer: buffer as u64,
        bytes: bytes as u64,
        ..Iocb::default()
    };
    let mut context: libc::c_ulong = 0;
    // SAFETY: the kernel writes the context's number to this local.
    checked(unsafe { libc::syscall(libc::SYS_io_setup, 1, &raw mut context) })?;
    let mut blocks = [&raw mut block];
    // SAFETY: the block, its buffer and its vector live until the event below has been taken.
    checked(unsafe { libc::syscall(libc::SYS_io_submit, context, 1, blocks.as_mut_ptr()) })?;
    let mut event = Event::default();
    let forever = std::ptr::null_mut::<libc::timespec>();
    // SAFETY: room for the one event that is waited for.
    checked(unsafe { libc::syscall(libc::SYS_io_getevents, context, 1, 1, &raw mut event, forever) })?;
    // SAFETY: nothing is in flight.
    checked(unsafe { libc::syscall(libc::SYS_io_destroy, context) })?;
    if event.result < 0 {
        return Err(io::Error::from_raw_os_error(i32::try_from(-event.result).unwrap_or(libc::EIO)));
    }
    drop(page);
    hold(file)
}
