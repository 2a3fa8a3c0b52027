//! Writes by the kernel itself.
#![allow(unsafe_code)]

use crate::case::{Case, Held, done, hold, way};
use crate::child::Stage;
use crate::scene::Scene;
use crate::sys::{c_path, checked, fork};
use rustix::process::{Resource, Rlimit, Signal, getpid, kill_process, setrlimit};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

pub(super) fn cases() -> Vec<Case> {
    vec![
        way("kernel", "core_dump", "a core dump onto an existing file", core_dump)
            .updates("core")
            .prepared(|s| fs::write(s.at("core"), "no core yet")),
        way("kernel", "accounting", "a record of acct(2)", accounting).updates("f"),
        way("kernel", "loop", "a write to a loop device", |s, _| {
            let (control, device) = looped(s, false)?;
            hold((device, control))
        })
        .updates("f")
        .prepared(image)
        .by_the_kernel()
        .late(),
        way("kernel", "loop_direct", "a write to a loop device with direct I/O", |s, _| {
            let (control, device) = looped(s, true)?;
            hold((device, control))
        })
        .updates("f")
        .prepared(image)
        .by_the_kernel()
        .late(),
    ]
}

/// Where the kernel would put a core elsewhere, this cannot be done: the setting is the machine's.
fn core_dump(s: &Scene, stage: &mut Stage<'_>) -> io::Result<Held> {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern")?;
    let with_pid = fs::read_to_string("/proc/sys/kernel/core_uses_pid")?;
    if pattern.trim() != "core" || with_pid.trim() != "0" {
        return Err(io::Error::other(format!("kernel.core_pattern is {}", pattern.trim())));
    }
    let helper = fork(|| {
        std::env::set_current_dir(&s.dir)?;
        let all = Rlimit { current: None, maximum: None };
        setrlimit(Resource::Core, all)?;
        kill_process(getpid(), Signal::ABORT)?;
        Ok(())
    })?;
    stage.doer(helper.pid);
    helper.wait_for_status()?;
    done()
}

/// In a PID namespace of its own: accounting is a setting of the namespace.
fn accounting(s: &Scene, stage: &mut Stage<'_>) -> io::Result<Held> {
    let path = c_path(&s.f())?;
    // SAFETY: only what is forked from now on is in another namespace.
    unsafe { unshare_unsafe(UnshareFlags::NEWPID)? };
    // Its own end is the record.
    let helper = fork(|| {
        // SAFETY: the path ends in a zero byte.
        checked(unsafe { libc::acct(path.as_ptr()) }).map(drop)
    })?;
    stage.doer(helper.pid);
    helper.wait()?;
    done()
}

fn image(s: &Scene) -> io::Result<()> {
    let file = File::create(s.f())?;
    file.write_all_at(&vec![b'i'; 1 << 20], 0)?;
    file.sync_all()
}

/// Constants of `linux/loop.h`.
const LOOP_SET_FD: libc::c_ulong = 0x4c00;
const LOOP_CLR_FD: libc::c_ulong = 0x4c01;
const LOOP_SET_DIRECT_IO: libc::c_ulong = 0x4c08;
const DIRECT: libc::c_ulong = 1;
const LOOP_CTL_GET_FREE: libc::c_ulong = 0x4c82;

/// Lets the device go.
struct Attached(File);

impl Drop for Attached {
    fn drop(&mut self) {
        // SAFETY: an ioctl without an argument.
        drop(checked(unsafe { libc::ioctl(self.0.as_raw_fd(), LOOP_CLR_FD, 0) }));
    }
}

fn looped(s: &Scene, direct: bool) -> io::Result<(File, Attached)> {
    let control = File::options().read(true).write(true).open("/dev/loop-control")?;
    // SAFETY: an ioctl without an argument.
    let number = checked(unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE) })?;
    let device = File::options().read(true).write(true).open(format!("/dev/loop{number}"))?;
    let backing = s.open()?;
    // SAFETY: an ioctl that takes a descriptor by number.
    checked(unsafe { libc::ioctl(device.as_raw_fd(), LOOP_SET_FD, backing.as_raw_fd()) })?;
    let device = Attached(device);
    if direct {
        // SAFETY: an ioctl that takes a number.
        checked(unsafe { libc::ioctl(device.0.as_raw_fd(), LOOP_SET_DIRECT_IO, DIRECT) })?;
    }
    device.0.write_all_at(&[b'L'; 4096], 0)?;
    device.0.sync_all()?;
    Ok((control, device))
}
