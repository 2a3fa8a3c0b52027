//! Stores through a shared mapping: no call of the kernel's is on their way.
#![allow(unsafe_code)]

use crate::case::{Case, Held, hold, way};
use crate::child::Stage;
use crate::scene::Scene;
use crate::sys::{checked, fork};
use rustix::mm::{MapFlags, MprotectFlags, MsyncFlags, ProtFlags, mmap, mprotect, msync, munmap};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

pub(super) fn cases() -> Vec<Case> {
    // What is stored after the mapping was noticed is found by looking again, or at the last close.
    let mmap = |name, says, change| way("mmap", name, says, change).updates("f").late();
    vec![
        mmap("mmap", "a store through mmap(2)", |s, _| {
            let mapping = Mapping::of(&s.open()?)?;
            mapping.store(0, b'M');
            hold(mapping)
        }),
        mmap("mmap_msync", "a store through mmap(2), and msync(2)", |s, _| {
            let mapping = Mapping::of(&s.open()?)?;
            mapping.store(0, b'M');
            // SAFETY: the range is that of the mapping.
            unsafe { msync(mapping.at, LENGTH, MsyncFlags::SYNC)? };
            hold(mapping)
        }),
        mmap("mmap_unmapped", "a store through mmap(2), unmapped and closed", |s, _| {
            Mapping::of(&s.open()?)?.store(0, b'M');
            crate::case::done()
        }),
        mmap("mmap_validate", "a store through mmap(2) with MAP_SHARED_VALIDATE", |s, _| {
            let mapping =
                Mapping::new(&s.open()?, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED_VALIDATE)?;
            mapping.store(0, b'M');
            hold(mapping)
        }),
        mmap("mmap_mprotect", "mmap(2) to read, made writable by mprotect(2) later", |s, stage| {
            let mapping = Mapping::with(&s.open()?, ProtFlags::READ)?;
            stage.pause()?;
            // SAFETY: the range is that of the mapping.
            unsafe { mprotect(mapping.at, LENGTH, MprotectFlags::READ | MprotectFlags::WRITE)? };
            mapping.store(0, b'M');
            hold(mapping)
        }),
        mmap("mmap_later", "a store long after mmap(2), the file kept open", |s, stage| {
            let file = s.open()?;
            let mapping = Mapping::of(&file)?;
            stage.pause()?;
            mapping.store(0, b'M');
            hold((mapping, file))
        }),
        mmap("mmap_closed", "a store long after mmap(2) and close(2)", |s, stage| {
            let mapping = Mapping::of(&s.open()?)?;
            stage.pause()?;
            mapping.store(0, b'M');
            hold(mapping)
        }),
        mmap("mmap_twice", "a store through mmap(2), and another after it was reported", |s, stage| {
            let mapping = Mapping::of(&s.open()?)?;
            mapping.store(0, b'1');
            stage.pause()?;
            mapping.store(0, b'2');
            hold(mapping)
        }),
        mmap("mmap_inherited", "a store by a child, through an inherited mapping", |s, stage| {
            let mapping = Mapping::of(&s.open()?)?;
            stage.pause()?;
            let helper = fork(|| {
                mapping.store(0, b'M');
                Ok(())
            })?;
            by_both(stage, helper.pid);
            helper.wait()?;
            hold(mapping)
        }),
        mmap("mmap_killed", "a store by a process that is killed before it unmaps", killed),
        mmap("mmap_proc_mem", "a write to /proc/PID/mem of a process that has it mapped", |s, stage| {
            let mapping = Mapping::of(&s.open()?)?;
            let (pid, at) = (std::process::id(), mapping.at.addr() as u64);
            stage.pause()?;
            let helper = fork(|| {
                let memory = File::options().write(true).open(format!("/proc/{pid}/mem"))?;
                memory.write_all_at(b"P", at)
            })?;
            by_both(stage, helper.pid);
            helper.wait()?;
            hold(mapping)
        }),
        mmap("mmap_vm_writev", "process_vm_writev(2) into a mapping", |s, stage| {
            let mapping = Mapping::of(&s.open()?)?;
            let own = std::process::id().cast_signed();
            stage.pause()?;
            let helper = fork(|| write_into(own, mapping.at))?;
            by_both(stage, helper.pid);
            helper.wait()?;
            hold(mapping)
        }),
        mmap("mmap_read_into", "read(2) into a mapping", |s, stage| {
            let mapping = Mapping::of(&s.open()?)?;
            stage.pause()?;
            let source = File::open(s.at("other"))?;
            // SAFETY: eight bytes of the mapping, which nothing else refers to.
            let into = unsafe { std::slice::from_raw_parts_mut(mapping.at.cast::<u8>(), 8) };
            source.read_exact_at(into, 0)?;
            hold(mapping)
        }),
    ]
}

/// The first page of the file.
const LENGTH: usize = 4096;

/// A shared mapping of the first page of a file, which has a byte at least and is not truncated meanwhile.
struct Mapping {
    at: *mut std::ffi::c_void,
}

impl Mapping {
    fn of(file: &File) -> io::Result<Self> {
        Self::with(file, ProtFlags::READ | ProtFlags::WRITE)
    }

    fn with(file: &File, protection: ProtFlags) -> io::Result<Self> {
        Self::new(file, protection, MapFlags::SHARED)
    }

    fn new(file: &File, protection: ProtFlags, kind: MapFlags) -> io::Result<Self> {
        // SAFETY: a new mapping, at an address of the kernel's choice.
        let at = unsafe { mmap(std::ptr::null_mut(), LENGTH, protection, kind, file.as_fd(), 0)? };
        Ok(Self { at })
    }

    fn store(&self, offset: usize, byte: u8) {
        debug_assert!(offset < LENGTH);
        // SAFETY: within the mapping, which is writable when this is called.
        unsafe { self.at.cast::<u8>().add(offset).write_volatile(byte) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is that of the mapping, and nothing refers to it any more.
        let _ = unsafe { munmap(self.at, LENGTH) };
    }
}

/// The one who mapped and the one who stores: nothing tells the kernel apart which of them it was.
fn by_both(stage: &mut Stage<'_>, other: libc::pid_t) {
    stage.doer(std::process::id().cast_signed());
    stage.doer(other);
}

fn killed(s: &Scene, stage: &mut Stage<'_>) -> io::Result<Held> {
    let file = s.open()?;
    let helper = fork(|| {
        let mapping = Mapping::of(&file)?;
        mapping.store(0, b'K');
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)?;
        Ok(())
    })?;
    by_both(stage, helper.pid);
    helper.wait_for_status()?;
    hold(file)
}

fn write_into(pid: libc::pid_t, at: *mut std::ffi::c_void) -> io::Result<()> {
    let mut bytes = *b"V";
    let from = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let to = libc::iovec { iov_base: at, iov_len: bytes.len() };
    // SAFETY: one byte, from a local to the mapping of the process that waits for this one.
    checked(unsafe { libc::process_vm_writev(pid, &raw const from, 1, &raw const to, 1, 0) })?;
    Ok(())
}
