//! A file made after a change: once it is reported, so is all that came before it.

use crate::runner::{Observer, Seen};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longer than a report takes anywhere, in an emulated machine too.
const LIMIT: Duration = Duration::from_secs(60);

/// Makes such files, by a process of its own.
pub(crate) struct Fence {
    keeper: Child,
    dir: PathBuf,
    made: u32,
}

impl Fence {
    /// Starts the process; `dir` is watched.
    pub(crate) fn start(mut keeper: Command, dir: PathBuf) -> io::Result<Self> {
        let keeper = keeper.arg(&dir).stdin(Stdio::piped()).spawn()?;
        Ok(Self { keeper, dir, made: 0 })
    }

    /// Makes a file, and waits for its report. What was reported before it.
    pub(crate) fn cross(&mut self, observer: &mut dyn Observer) -> io::Result<Vec<Seen>> {
        self.made += 1;
        // Another fence may have been here before.
        let name = format!("{}-{}", self.keeper.id(), self.made);
        let stdin = self.keeper.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(stdin, "{name}")?;
        let path = self.dir.join(name);
        let end = Instant::now() + LIMIT;
        let mut before = Vec::new();
        while let Some(seen) = observer.next(end.saturating_duration_since(Instant::now()))? {
            if seen.path == path {
                return Ok(before);
            }
            before.push(seen);
        }
        Err(io::Error::other(format!("{} was made and not reported in a minute", path.display())))
    }
}

impl Drop for Fence {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // It ends by itself: nothing is left to do if it cannot be waited for.
        drop(self.keeper.wait());
    }
}
