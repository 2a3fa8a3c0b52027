//! How far the ring was written and how far it was read: the two positions that the kernel shows every process that holds it.
//!
//! Knows nothing of records.

#![allow(unsafe_code)]

use fim_core::Headway;
use libbpf_rs::MapHandle;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::ffi::c_void;
use std::io;
use std::os::fd::AsFd;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The two pages before the records: `consumer_pos` begins the first, `producer_pos` the second (`kernel/bpf/ringbuf.c`).
#[derive(Debug)]
pub struct Positions {
    pages: NonNull<c_void>,
    page: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread, and is only read, by atomic loads.
unsafe impl Send for Positions {}

impl Positions {
    pub fn of(ring: &MapHandle) -> io::Result<Self> {
        let page = rustix::param::page_size();
        // SAFETY: a mapping of its own, wherever the kernel finds room.
        let pages =
            unsafe { mmap(null_mut(), 2 * page, ProtFlags::READ, MapFlags::SHARED, ring.as_fd(), 0) }?;
        let pages = NonNull::new(pages).ok_or_else(|| io::Error::other("mapped at no address"))?;
        Ok(Self { pages, page })
    }

    /// What was read first: what is written meanwhile counts as not read.
    pub fn headway(&self) -> Headway {
        let (passed, recorded) = (self.position(0), self.position(self.page));
        Headway { recorded, passed }
    }

    fn position(&self, at: usize) -> u64 {
        // SAFETY: at the beginning of one of two mapped pages, aligned as a page is; the kernel and libbpf write an
        // `unsigned long` there, atomically.
        let position = unsafe { &*self.pages.byte_add(at).cast::<AtomicUsize>().as_ptr() };
        position.load(Ordering::Acquire) as u64
    }
}

impl Drop for Positions {
    fn drop(&mut self) {
        // SAFETY: mapped by us with this length, and nothing refers to it any more.
        if let Err(error) = unsafe { munmap(self.pages.as_ptr(), 2 * self.page) } {
            log::debug!("cannot unmap the positions of the ring: {error}");
        }
    }
}
