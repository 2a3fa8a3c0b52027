//! How far a long walk has come, on standard error where somebody watches it.

use fim_core::Progress;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// A walk that ends before this shows nothing.
const PATIENCE: Duration = Duration::from_millis(300);

/// Rewrites one line of the terminal; wipes it at the end.
#[derive(Debug)]
pub struct TerminalProgress {
    next: Instant,
    shown: bool,
}

impl TerminalProgress {
    /// If standard error is a terminal.
    pub fn on_terminal() -> Option<Self> {
        std::io::stderr().is_terminal().then(|| Self { next: Instant::now() + PATIENCE, shown: false })
    }
}

impl Progress for TerminalProgress {
    fn files(&mut self, done: u64) {
        let now = Instant::now();
        if now >= self.next {
            self.next = now + PATIENCE;
            self.shown = true;
            // A terminal that has gone needs no progress.
            drop(write!(std::io::stderr(), "\r{done} files"));
        }
    }
}

impl Drop for TerminalProgress {
    fn drop(&mut self) {
        if self.shown {
            drop(write!(std::io::stderr(), "\r\x1b[K"));
        }
    }
}
