//! System calls that have no safe form elsewhere, each wrapped once.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Time since boot by the clock that all processes share.
#[must_use]
pub fn monotonic() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or_default())
}

/// Gives this process a mount table of its own: what is mounted from now on goes with it. To be called before
/// there are threads.
///
/// # Errors
/// Without `CAP_SYS_ADMIN`.
pub fn isolate_mounts() -> io::Result<()> {
    use rustix::mount::{MountPropagationFlags, mount_change};
    use rustix::thread::{UnshareFlags, unshare_unsafe};
    // SAFETY: no other thread shares the file system information of this one.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS)? };
    // What the administrator mounts still arrives, what is mounted here does not leave.
    let slave = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    Ok(mount_change("/", slave)?)
}

/// From the answer of a call that says -1 and sets errno.
pub(crate) fn checked<T: PartialOrd + From<i8>>(answer: T) -> io::Result<T> {
    if answer < T::from(0) { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

/// A path for the kernel.
pub(crate) fn c_path(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

/// A process made by fork.
pub(crate) struct Helper {
    pub pid: libc::pid_t,
}

/// Does something in a copy of this process, which must have one thread.
pub(crate) fn fork(what: impl FnOnce() -> io::Result<()>) -> io::Result<Helper> {
    // SAFETY: this process has one thread, so that no lock is held by another in the copy.
    let pid = checked(unsafe { libc::fork() })?;
    if pid > 0 {
        return Ok(Helper { pid });
    }
    let code = match what() {
        Ok(()) => 0,
        Err(error) => error.raw_os_error().unwrap_or(libc::EIO),
    };
    // SAFETY: ends the copy without running what the original has to run at its end.
    unsafe { libc::_exit(code) }
}

impl Helper {
    /// Waits for its end; its error is ours.
    pub(crate) fn wait(&self) -> io::Result<()> {
        let status = self.wait_for_status()?;
        match libc::WEXITSTATUS(status) {
            0 => Ok(()),
            code => Err(io::Error::from_raw_os_error(code)),
        }
    }

    /// Waits for its end, whatever it is.
    pub(crate) fn wait_for_status(&self) -> io::Result<i32> {
        let mut status = 0;
        // SAFETY: waits for a child of ours; the status is a local.
        checked(unsafe { libc::waitpid(self.pid, &raw mut status, 0) })?;
        Ok(status)
    }
}

/// Becomes nobody, for good.
pub(crate) fn become_nobody() -> io::Result<()> {
    const NOBODY: libc::uid_t = 65_534;
    // SAFETY: changes this process's own identity, by plain numbers.
    checked(unsafe { libc::setgroups(0, std::ptr::null()) })?;
    // SAFETY: as above.
    checked(unsafe { libc::setresgid(NOBODY, NOBODY, NOBODY) })?;
    // SAFETY: as above.
    checked(unsafe { libc::setresuid(NOBODY, NOBODY, NOBODY) })?;
    Ok(())
}
