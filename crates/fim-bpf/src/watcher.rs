//! The watcher itself: loaded and proved when made; then report ready, pass records on until stopped, drain.
//!
//! Joins the other modules; knows no kernel structure and no record.

use crate::config::BpfConfig;
use crate::intake::Intake;
use crate::losses::Losses;
use crate::object::{self, Programs};
use crate::prove::{self, Probe};
use fim_core::{EventSink, Ready, StopToken, WatchError, WatchSet, WatchStats, Watcher};
use libbpf_rs::{RingBuffer, RingBufferBuilder};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::cell::RefCell;
use std::os::fd::BorrowedFd;

/// Records taken from the ring before counters and the stop token are looked at again.
const AT_ONCE: usize = 512;
/// The longest sleep, in nanoseconds: what stop and losses wait for at most.
const PATIENCE: i64 = 50_000_000;

/// Watches by BPF programs in the kernel.
pub struct BpfWatcher {
    programs: Programs,
    probe: Probe,
}

impl std::fmt::Debug for BpfWatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BpfWatcher").field("probe", &self.probe).finish_non_exhaustive()
    }
}

impl BpfWatcher {
    /// Loads the programs and proves that they fire. Dropping the watcher unloads them.
    ///
    /// # Errors
    /// Why BPF cannot be used here, and what to do about it.
    pub fn load(config: &BpfConfig) -> Result<Self, WatchError> {
        let mut programs = object::load(config)?;
        let probe = prove::prove(&mut programs, config);
        Ok(Self { programs, probe })
    }

    /// What was proved.
    #[must_use]
    pub const fn probe(&self) -> &Probe {
        &self.probe
    }
}

impl Watcher for BpfWatcher {
    fn name(&self) -> &'static str {
        "bpf"
    }

    fn run(
        self: Box<Self>,
        _watch: WatchSet,
        sink: EventSink,
        stop: StopToken,
    ) -> Result<WatchStats, WatchError> {
        let Self { mut programs, probe } = *self;
        let mut attached = std::mem::take(&mut programs.attached);
        let intake = RefCell::new(Intake::new(sink));
        let ring = ring(&programs, &intake)?;
        let marks = programs
            .marks
            .try_clone()
            .map_err(|error| WatchError::new("cannot share the BPF marks").caused_by(error))?;
        let mut losses = Losses::since(&programs.marks, &attached);
        intake.borrow().sink().ready(Ready {
            marks: Box::new(marks),
            coverage: probe.coverage,
            notes: probe.notes,
        });

        while !stop.is_stopped() && !intake.borrow().gone {
            wait(&ring)?;
            drain(&ring, AT_ONCE)?;
            losses.check(&programs.marks, &attached, &mut intake.borrow_mut());
        }

        // Nothing new from here on; what is in the ring is still ours to tell.
        losses.hurry();
        losses.check(&programs.marks, &attached, &mut intake.borrow_mut());
        attached.clear();
        while drain(&ring, AT_ONCE)? > 0 && !intake.borrow().gone {}
        losses.check(&programs.marks, &attached, &mut intake.borrow_mut());
        drop(ring);
        Ok(intake.into_inner().stats)
    }
}

fn ring<'a>(programs: &'a Programs, intake: &'a RefCell<Intake>) -> Result<RingBuffer<'a>, WatchError> {
    let failed = |error: libbpf_rs::Error| WatchError::new("cannot read the BPF ring").caused_by(error);
    let mut builder = RingBufferBuilder::new();
    builder
        .add(&programs.events, |record| {
            // Called from C: must not panic, so not even borrow twice.
            match intake.try_borrow_mut() {
                Ok(mut intake) if !intake.gone => {
                    intake.take(record);
                    0
                }
                _ => -1,
            }
        })
        .map_err(failed)?;
    builder.build().map_err(failed)
}

/// Sleeps until there are records, but not for long.
#[allow(unsafe_code)]
fn wait(ring: &RingBuffer<'_>) -> Result<(), WatchError> {
    // SAFETY: the descriptor belongs to the ring, which is borrowed for longer than this call.
    let fd = unsafe { BorrowedFd::borrow_raw(ring.epoll_fd()) };
    let patience = Timespec { tv_sec: 0, tv_nsec: PATIENCE };
    match poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&patience)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(WatchError::new("cannot wait for BPF records").caused_by(error)),
    }
}

/// Takes up to this many records; how many it was.
fn drain(ring: &RingBuffer<'_>, at_most: usize) -> Result<usize, WatchError> {
    match ring.consume_raw_n(at_most) {
        // -1 is our own: the engine has gone.
        -1 => Ok(0),
        error if error < 0 => Err(WatchError::new("cannot take records from the BPF ring")
            .caused_by(std::io::Error::from_raw_os_error(-error))),
        taken => Ok(usize::try_from(taken).unwrap_or_default()),
    }
}
