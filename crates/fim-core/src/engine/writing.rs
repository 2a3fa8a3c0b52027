//! Writes reports: at once, or, while more waits than is looked at, in a thread of its own beside the next looks.
//!
//! The sink goes to the thread together with what it is to write and comes back with it, so that it is in one place and
//! reports keep their order. Knows no state.

#[cfg(test)]
mod tests;

use crate::finding::{Record, Report};
use crate::sink::Sink;
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use std::io;

/// What is gathered before its turn is waited for: so many reports, or fewer with so many kilobytes of diffs.
const GATHERED: usize = 512;

/// Where reports are written.
pub(super) struct Writing {
    /// `None` while the thread has it.
    sink: Option<Box<dyn Sink>>,
    /// To be written after what the thread has.
    gathered: Vec<Report>,
    weight: usize,
    is_behind: bool,
    beside: Beside,
    /// Reports that the engine took for written were not.
    has_lost: bool,
}

/// The thread.
enum Beside {
    NotYet,
    /// There is one processor, or no thread to be had: everything is written at once.
    Never,
    Ready {
        jobs: Sender<Job>,
        done: Receiver<(Job, io::Result<()>)>,
    },
}

/// Reports, and what writes them.
struct Job {
    sink: Box<dyn Sink>,
    reports: Vec<Report>,
}

impl Writing {
    pub(super) fn to(sink: Box<dyn Sink>) -> Self {
        Self {
            sink: Some(sink),
            gathered: Vec::new(),
            weight: 0,
            is_behind: false,
            beside: Beside::NotYet,
            has_lost: false,
        }
    }

    /// Whether more waits than is looked at: who reads a line then waits for many, and none of them alone.
    pub(super) fn behind(&mut self, is_behind: bool) {
        self.is_behind = is_behind && !matches!(self.beside, Beside::Never);
    }

    /// Writes a report, or gathers it to be written with others.
    pub(super) fn write(&mut self, report: Report) -> io::Result<()> {
        if !self.is_behind {
            return self.sink()?.write(&report);
        }
        self.is_whole()?;
        self.weight += weight(&report);
        self.gathered.push(report);
        if self.weight < GATHERED { Ok(()) } else { self.hand_over(true) }
    }

    /// Lets what was written go. What is gathered follows as soon as it is written.
    pub(super) fn let_go(&mut self) -> io::Result<()> {
        if self.is_behind { self.hand_over(false) } else { self.flush() }
    }

    /// Everything has left the process when this returns.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.sink()?.flush()
    }

    /// The sink, when all reports up to now are written to it.
    pub(super) fn sink(&mut self) -> io::Result<&mut dyn Sink> {
        self.take_back(true)?;
        let sink = self.sink.as_mut().ok_or_else(lost)?;
        self.weight = 0;
        let written = self.gathered.drain(..).try_for_each(|report| sink.write(&report));
        self.has_lost |= written.is_err();
        written?;
        Ok(sink.as_mut())
    }

    /// Hands over what is gathered if the thread has nothing, or once it has nothing.
    fn hand_over(&mut self, waits: bool) -> io::Result<()> {
        self.take_back(waits)?;
        let Some(mut sink) = self.sink.take() else { return Ok(()) };
        if self.gathered.is_empty() {
            // What was written before there was anything to gather.
            let flushed = sink.flush();
            self.sink = Some(sink);
            return flushed;
        }
        if matches!(self.beside, Beside::NotYet) {
            self.beside = Beside::start(std::thread::available_parallelism().map_or(1, usize::from));
        }
        let Beside::Ready { jobs, .. } = &self.beside else {
            self.sink = Some(sink);
            self.is_behind = false;
            return self.flush();
        };
        self.weight = 0;
        let reports = std::mem::replace(&mut self.gathered, Vec::with_capacity(GATHERED));
        jobs.send(Job { sink, reports }).map_err(|_| lost())
    }

    /// Nothing is written after what was lost.
    fn is_whole(&self) -> io::Result<()> {
        if self.has_lost {
            return Err(io::Error::other(
                "reports could not be written earlier, and what came after them was not told; open the state anew",
            ));
        }
        Ok(())
    }

    /// Takes the sink back if the thread has it: when it has written all, or only if it has.
    fn take_back(&mut self, waits: bool) -> io::Result<()> {
        self.is_whole()?;
        let Beside::Ready { done, .. } = &self.beside else { return Ok(()) };
        if self.sink.is_some() {
            return Ok(());
        }
        let back = if waits { done.recv().map_err(|_| TryRecvError::Disconnected) } else { done.try_recv() };
        match back {
            Ok((job, outcome)) => {
                self.sink = Some(job.sink);
                self.has_lost = outcome.is_err();
                outcome
            }
            Err(TryRecvError::Empty) => Ok(()),
            Err(TryRecvError::Disconnected) => Err(lost()),
        }
    }
}

/// In reports without a diff.
fn weight(report: &Report) -> usize {
    match &report.record {
        Record::Change(finding) => 1 + finding.diff.as_ref().map_or(0, |diff| diff.len() / 1024),
        _ => 1,
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // What ended the watch is known already; what was found until then is told, if this end is an orderly one.
        if !self.has_lost
            && !std::thread::panicking()
            && let Err(error) = self.flush()
        {
            log::debug!("at the end of the watch: {error}");
        }
    }
}

impl Beside {
    fn start(processors: usize) -> Self {
        if processors < 2 {
            return Self::Never;
        }
        let (jobs, todo) = bounded::<Job>(1);
        let (tell, done) = bounded(1);
        let work = move || {
            for mut job in todo {
                let outcome = job.write();
                if tell.send((job, outcome)).is_err() {
                    break;
                }
            }
        };
        match std::thread::Builder::new().name("fim-lines".to_owned()).spawn(work) {
            Ok(_) => Self::Ready { jobs, done },
            Err(error) => {
                log::debug!("lines are written in the thread of the engine: {error}");
                Self::Never
            }
        }
    }
}

impl Job {
    fn write(&mut self) -> io::Result<()> {
        self.reports.drain(..).try_for_each(|report| self.sink.write(&report))?;
        self.sink.flush()
    }
}

fn lost() -> io::Error {
    io::Error::other("what writes the lines has panicked")
}
