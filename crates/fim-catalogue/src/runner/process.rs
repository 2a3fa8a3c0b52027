//! The process of one case, as the runner holds it.

use crate::child::Word;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longer than any change takes, in an emulated machine too.
const LIMIT: Duration = Duration::from_secs(60);

pub(super) struct Process {
    child: Child,
    lines: Receiver<String>,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    pub(super) fn start(mut command: Command) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let (send, lines) = channel();
        let reader = std::thread::Builder::new().spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { child, lines, reader: Some(reader) })
    }

    /// Its next word; that it ended or hangs is a word too.
    pub(super) fn says(&mut self) -> io::Result<Word> {
        let line = match self.lines.recv_timeout(LIMIT) {
            Ok(line) => line,
            Err(RecvTimeoutError::Disconnected) => {
                return Ok(Word::Impossible(format!("it ended with {}", self.child.wait()?)));
            }
            Err(RecvTimeoutError::Timeout) => {
                self.child.kill()?;
                return Ok(Word::Impossible(format!("it was not done after {} s", LIMIT.as_secs())));
            }
        };
        Word::parse(&line).ok_or_else(|| io::Error::other(format!("a case said: {line}")))
    }

    pub(super) fn go_on(&mut self) -> io::Result<()> {
        let stdin = self.child.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        stdin.write_all(b"\n")
    }

    /// Lets it go, and waits for its end. How it ended, if that was not well.
    pub(super) fn release(&mut self) -> io::Result<Option<String>> {
        drop(self.child.stdin.take());
        // The end of its output comes with its own end, so that a process that hangs is found here.
        let mut end = self.lines.recv_timeout(LIMIT);
        while end.is_ok() {
            end = self.lines.recv_timeout(LIMIT);
        }
        let hangs = end == Err(RecvTimeoutError::Timeout);
        if hangs {
            self.child.kill()?;
        }
        let status = self.child.wait()?;
        if let Some(reader) = self.reader.take().filter(|_| !hangs) {
            drop(reader.join());
        }
        Ok((hangs || !status.success()).then(|| format!("ended with {status}")))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already is no error.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
