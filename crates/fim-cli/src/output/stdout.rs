//! Standard output, whose reader may take nothing for a while, or ever again: that holds reports back, and must
//! not keep a watch from ending.

use fim_core::StopToken;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat, tell};
use rustix::io::{Errno, ReadWriteFlags, pwritev2};
use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

/// How long a reader that takes nothing is waited for once the end was asked for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is asked meanwhile whether the end was asked for.
const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };

/// As much as surely fits in a pipe that takes anything at all: pipe(7), `PIPE_BUF`.
const PIECE: usize = 4096;

/// Writes to a descriptor without ever being stuck in it for good.
#[derive(Debug)]
pub struct Stdout<W: AsFd = io::Stdout> {
    out: W,
    stop: StopToken,
    /// A write to a file goes through, however long it is.
    is_file: bool,
    /// Something was written.
    has_begun: bool,
    /// Whether it can be told to take no more than it has room for: pipes since Linux 6.4.
    may_take_some: bool,
    given_up: Option<Instant>,
}

impl Stdout {
    /// The command's, for as long as it takes; no longer than a few seconds once the end is asked for.
    #[must_use]
    pub fn until(stop: StopToken) -> Self {
        Self::to(io::stdout(), stop)
    }
}

impl<W: AsFd> Stdout<W> {
    fn to(out: W, stop: StopToken) -> Self {
        let kind = fstat(&out).map(|stat| FileType::from_raw_mode(stat.st_mode));
        let is_file = kind == Ok(FileType::RegularFile);
        Self { is_file, has_begun: false, may_take_some: true, out, stop, given_up: None }
    }

    /// Writes to a file, which may end in a line that a full disk cut short: what is glued to it nobody could read.
    fn write_to_file(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.has_begun && ends_in_a_cut_line(self.out.as_fd()) {
            rustix::io::write(&self.out, b"\n")?;
        }
        self.has_begun = true;
        Ok(rustix::io::write(&self.out, bytes)?)
    }

    /// Writes as much as there is room for; `None` if that is nothing, or cannot be asked for.
    fn write_some(&mut self, bytes: &[u8]) -> Option<usize> {
        if !self.may_take_some {
            return None;
        }
        // What has no position is told so by -1.
        match pwritev2(&self.out, &[IoSlice::new(bytes)], u64::MAX, ReadWriteFlags::NOWAIT) {
            Ok(written) => {
                self.given_up = None;
                Some(written)
            }
            Err(Errno::AGAIN | Errno::INTR) => None,
            Err(_) => {
                self.may_take_some = false;
                None
            }
        }
    }

    fn wait(&mut self) -> io::Result<()> {
        loop {
            let mut polled = [PollFd::new(&self.out, PollFlags::OUT)];
            match poll(&mut polled, Some(&PAUSE)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => {
                    self.given_up = None;
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
            if self.stop.is_stopped() {
                let until = *self.given_up.get_or_insert_with(|| Instant::now() + PATIENCE);
                if Instant::now() >= until {
                    return Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "the reader of standard output takes nothing; \
                         what it did not get is kept and reported at the next start",
                    ));
                }
            }
        }
    }
}

/// Whether a file that is written on has a last line without an end; `false` where that cannot be read.
fn ends_in_a_cut_line(out: BorrowedFd<'_>) -> bool {
    let read = || {
        let size = u64::try_from(fstat(out)?.st_size).unwrap_or(0);
        let is_at_end = fcntl_getfl(out)?.contains(OFlags::APPEND) || tell(out)? == size;
        if size == 0 || !is_at_end {
            return Ok(false);
        }
        // A descriptor of its own: the one there is may be for writing alone.
        let file = File::open(format!("/proc/self/fd/{}", out.as_raw_fd()))?;
        let mut last = [0];
        file.read_exact_at(&mut last, size - 1)?;
        Ok::<bool, io::Error>(last != *b"\n")
    };
    read().unwrap_or(false)
}

impl<W: AsFd + Send> Write for Stdout<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_file {
            return self.write_to_file(bytes);
        }
        if let Some(written) = self.write_some(bytes) {
            return Ok(written);
        }
        self.wait()?;
        if let Some(written) = self.write_some(bytes) {
            return Ok(written);
        }
        let piece = bytes.get(..PIECE).unwrap_or(bytes);
        Ok(rustix::io::write(&self.out, piece)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn more_than_a_pipe_holds_gets_through_in_pieces() {
        for may_take_some in [true, false] {
            let (mut reader, writer) = io::pipe().unwrap();
            let all: Vec<u8> = (0..200_000u32).map(|n| n as u8).collect();
            let expected = all.clone();
            let mut out = Stdout::to(writer, StopToken::new());
            out.may_take_some = may_take_some;
            let writing = std::thread::spawn(move || out.write_all(&all).unwrap());
            let mut got = Vec::new();
            reader.read_to_end(&mut got).unwrap();
            writing.join().unwrap();
            assert!(got == expected);
        }
    }

    #[test]
    fn a_line_that_was_cut_short_is_ended_before_the_next_one() {
        for (before, after) in [("{\"a\":", "{\"a\":\n{}\n"), ("{}\n", "{}\n{}\n"), ("", "{}\n")] {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(&file, before).unwrap();
            let appended = File::options().append(true).open(&file).unwrap();
            let mut out = Stdout::to(appended, StopToken::new());
            out.write_all(b"{}").unwrap();
            out.write_all(b"\n").unwrap();
            assert_eq!(std::fs::read_to_string(&file).unwrap(), after);
        }
    }

    #[test]
    fn a_reader_that_takes_nothing_is_given_up_once_the_end_was_asked_for() {
        let (reader, writer) = io::pipe().unwrap();
        let stop = StopToken::new();
        stop.stop();
        let mut out = Stdout::to(writer, stop);
        out.given_up = Some(Instant::now());
        let error = out.write_all(&vec![b'x'; 1 << 20]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // At once from now on.
        assert_eq!(out.write(b"x").unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(reader);
        assert_eq!(out.write(b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
