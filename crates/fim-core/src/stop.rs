//! The end of a watch, asked for once: a flag to look at, and a descriptor to wait on beside others, so that
//! nobody wakes up just to ask.
//!
//! Must not know who asks, nor why.

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::{Errno, write};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often a token without a descriptor is asked.
const PATIENCE: Duration = Duration::from_millis(100);

/// Raised once to end a watch; cheap to copy and to ask.
///
/// ```
/// use fim_core::StopToken;
///
/// let stop = StopToken::new();
/// let waiting = std::thread::spawn({
///     let stop = stop.clone();
///     move || {
///         while !stop.is_stopped() {
///             stop.wait(None);
///         }
///     }
/// });
/// stop.stop(); // from another thread
/// waiting.join().map_err(|_| "it panicked")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct StopToken(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    raised: AtomicBool,
    /// Readable once the token is raised; `None` where descriptors had run out.
    bell: Option<OwnedFd>,
}

impl Default for Inner {
    fn default() -> Self {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        Self { raised: AtomicBool::new(false), bell: bell.ok() }
    }
}

impl StopToken {
    /// A token not yet raised.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the end.
    pub fn stop(&self) {
        self.0.raised.store(true, Ordering::Release);
        if let Some(bell) = &self.0.bell {
            // Only a counter at its end refuses, which is readable all the same.
            let _rung = write(bell, &1u64.to_ne_bytes());
        }
    }

    /// Whether the end was asked for.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.raised.load(Ordering::Acquire)
    }

    /// Sleeps until the end is asked for, or for this long (for as long as it takes: `None`).
    pub fn wait(&self, timeout: Option<Duration>) {
        // Nothing but a descriptor that is none makes poll(2) fail here, and that sleeps no longer than asked.
        let _slept = self.wait_for(None, timeout);
    }

    /// Sleeps until there is something to read, the end is asked for, or this long; an interruption ends it too.
    ///
    /// # Errors
    /// When the descriptor cannot be waited on.
    pub fn wait_readable(&self, fd: BorrowedFd<'_>, timeout: Option<Duration>) -> io::Result<()> {
        self.wait_for(Some((fd, PollFlags::IN)), timeout)
    }

    pub(crate) fn wait_for(
        &self,
        other: Option<(BorrowedFd<'_>, PollFlags)>,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        if self.is_stopped() {
            return Ok(());
        }
        let bell = self.0.bell.as_ref().map(|bell| PollFd::from_borrowed_fd(bell.as_fd(), PollFlags::IN));
        let timeout = match (&bell, timeout) {
            (Some(_), timeout) => timeout,
            (None, timeout) => Some(timeout.unwrap_or(PATIENCE).min(PATIENCE)),
        };
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let other = other.map(|(fd, flags)| PollFd::from_borrowed_fd(fd, flags));
        let mut polled: Vec<_> = bell.into_iter().chain(other).collect();
        match poll(&mut polled, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn whoever_waits_is_woken_by_the_end_and_by_what_he_waits_for() {
        let token = StopToken::new();
        let (reader, mut writer) = io::pipe().unwrap();
        token.wait_readable(reader.as_fd(), Some(Duration::ZERO)).unwrap();
        writer.write_all(b"x").unwrap();
        token.wait_readable(reader.as_fd(), None).unwrap();
        assert!(!token.is_stopped());

        let (idle, _writer) = io::pipe().unwrap();
        let other = token.clone();
        let stopper = std::thread::spawn(move || other.stop());
        token.wait_readable(idle.as_fd(), None).unwrap();
        token.wait(None);
        assert!(token.is_stopped());
        stopper.join().unwrap();
    }

    #[test]
    fn without_a_descriptor_it_is_asked_now_and_then() {
        let token = StopToken(Arc::new(Inner { raised: AtomicBool::new(false), bell: None }));
        let other = token.clone();
        let stopper = std::thread::spawn(move || other.stop());
        while !token.is_stopped() {
            token.wait(None);
        }
        stopper.join().unwrap();
    }
}
