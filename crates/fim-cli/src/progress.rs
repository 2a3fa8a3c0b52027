//! How far a long walk has come, on standard error where somebody watches it.

use fim_core::Progress;
use log::LevelFilter;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// A walk that ends before this shows nothing.
const PATIENCE: Duration = Duration::from_millis(300);

/// Rewrites one line of the terminal; wipes it at the end.
#[derive(Debug)]
pub struct TerminalProgress {
    since: Instant,
    next: Instant,
    shown: bool,
}

impl TerminalProgress {
    /// If standard error is a terminal, and more than errors are to be said there.
    pub fn on_terminal() -> Option<Self> {
        is_wanted(log::max_level(), std::io::stderr().is_terminal()).then(|| {
            let since = Instant::now();
            Self { since, next: since + PATIENCE, shown: false }
        })
    }
}

fn is_wanted(said: LevelFilter, terminal: bool) -> bool {
    terminal && said > LevelFilter::Error
}

impl Progress for TerminalProgress {
    fn files(&mut self, done: u64) {
        let now = Instant::now();
        if now >= self.next {
            self.next = now + PATIENCE;
            self.shown = true;
            // A terminal that has gone needs no progress.
            let seconds = now.duration_since(self.since).as_secs();
            drop(write!(std::io::stderr(), "\r{done} files in {seconds} s\x1b[K"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_is_quiet_on_a_terminal_too() {
        assert!(is_wanted(LevelFilter::Warn, true));
        assert!(!is_wanted(LevelFilter::Error, true));
        assert!(!is_wanted(LevelFilter::Off, true));
        assert!(!is_wanted(LevelFilter::Debug, false));
    }
}
