//! A thread that sleeps until the mount table changes, and says so.
//!
//! Must not know what a mount is.

use crate::stop::StopToken;
use crossbeam_channel::{Receiver, bounded};
use rustix::event::PollFlags;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;

/// Listens for as long as this lives.
#[derive(Debug)]
pub(super) struct Listener(StopToken);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Listener {
    /// Listens to an open mount table; the other half has a word when it changed since the last one was taken.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub(super) fn start(table: File) -> io::Result<(Self, Receiver<()>)> {
        let stop = StopToken::new();
        let (changed, changes) = bounded(1);
        let until = stop.clone();
        std::thread::Builder::new().name("fim-mounts".to_owned()).spawn(move || {
            // poll(2) tells an open mount table of each change once, as an exceptional state: proc(5).
            while let Ok(()) = until.wait_for(Some((table.as_fd(), PollFlags::PRI)), None) {
                if until.is_stopped() {
                    return;
                }
                // Full: it was said and is not taken up yet.
                let _said_already = changed.try_send(());
            }
            log::warn!("the mount table cannot be waited for; mounts are noticed with the next event only");
        })?;
        Ok((Self(stop), changes))
    }
}
