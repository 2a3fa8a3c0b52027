//! The watcher itself: loaded and proved when made; then report ready, pass records on until stopped, drain.
//!
//! Joins the other modules; knows no kernel structure and no record.

use crate::checks::Checks;
use crate::config::BpfConfig;
use crate::costs::Costs;
use crate::intake::{Intake, Remember};
use crate::layout;
use crate::losses::Losses;
use crate::object::{self, Programs};
use crate::prove::{self, Probe};
use crate::ring::Positions;
use crate::{sys, takeover};
use fim_core::{EventSink, Ready, StopToken, WatchError, WatchSet, WatchStats, Watcher};
use libbpf_rs::{MapCore, MapFlags, MapHandle, RingBuffer, RingBufferBuilder};
use std::cell::RefCell;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// Records taken from the ring before counters and the stop token are looked at again.
const AT_ONCE: usize = 512;
/// The longest sleep: what the rarer counters wait for while nothing else happens.
const PATIENCE: Duration = Duration::from_secs(2);
/// No record is shorter, with its header in the ring.
const SHORTEST: usize = 8 + layout::CHANGE;
/// Nor longer.
const LONGEST: usize = 8 + layout::PROCESS;

/// Watches by BPF programs in the kernel.
///
/// ```no_run
/// # fn example(mut engine: fim_core::Engine) -> Result<(), Box<dyn std::error::Error>> {
/// use fim_bpf::{BpfConfig, BpfWatcher};
/// use fim_core::StopToken;
///
/// // The error says why this kernel does not let it: take fim-fanotify then.
/// let watcher = BpfWatcher::load(&BpfConfig::default())?;
/// engine.run(Box::new(watcher), &StopToken::new())?;
/// # Ok(())
/// # }
/// ```
pub struct BpfWatcher {
    programs: Programs,
    probe: Probe,
    measure: bool,
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
        Ok(Self { programs, probe, measure: config.measure })
    }

    /// What its programs cost, to be asked while it watches.
    ///
    /// # Errors
    /// When descriptors have run out, or the kernel cannot measure.
    pub fn costs(&self) -> Result<Costs, WatchError> {
        let failed =
            |error: std::io::Error| WatchError::new("cannot measure the BPF programs").caused_by(error);
        let measuring = self.measure.then(sys::measure_programs).transpose().map_err(failed)?;
        Costs::of(&self.programs.attached, measuring).map_err(failed)
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
        let Self { mut programs, probe, .. } = *self;
        let mut attached = std::mem::take(&mut programs.attached);
        let inherited = programs.inherited.take();
        let remember = programs.marks.kept.is_some().then(|| remember(&programs)).transpose()?;
        let mut checks = Checks::new(&mut programs.marks, &attached, programs.pinned.take());
        let intake = RefCell::new(Intake::new(sink).remembering(remember));
        let ring = ring(&programs, &intake)?;
        let mut marks = programs.marks.try_clone().map_err(unshared)?;
        marks.positions = Positions::of(&programs.events)
            .inspect_err(|error| log::warn!("cannot map the positions of the BPF ring: {error}"))
            .ok();
        let told = inherited.as_ref().map(|inherited| inherited.kept.lost);
        let mut losses = Losses::since(&programs.marks, &attached, told);
        if let Some(inherited) = inherited {
            let drain = || drain_all(&ring, &programs);
            marks.backlog = Some(takeover::backlog(&programs, &inherited, &intake, &mut losses, drain)?);
            marks.inherited = inherited.marked;
        }
        intake.borrow().sink().ready(Ready {
            marks: Box::new(marks),
            coverage: probe.coverage,
            notes: probe.notes,
        });

        let full = in_full_ring(&programs);
        while !stop.is_stopped() && !intake.borrow().gone {
            wait(&ring, &stop)?;
            let taken = drain(&ring, AT_ONCE)?;
            let is_due = losses.is_due();
            if is_due || checks.is_due() {
                // These take their time: who waits for what was sent goes first.
                std::thread::yield_now();
            }
            // A record that found the ring full left as many in it. What else is counted can wait.
            if taken >= full || is_due {
                losses.check(&programs.marks, &attached, &mut intake.borrow_mut());
            }
            for wrong in checks.noticed(&programs.marks, &attached) {
                losses.tampered(wrong, &mut intake.borrow_mut());
            }
        }

        // Nothing new from here on, unless it is pinned; what is in the ring is still ours to tell.
        losses.hurry();
        losses.check(&programs.marks, &attached, &mut intake.borrow_mut());
        attached.clear();
        drain_all(&ring, &programs)?;
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

/// Sleeps until there are records or the end is asked for.
#[allow(unsafe_code)]
fn wait(ring: &RingBuffer<'_>, stop: &StopToken) -> Result<(), WatchError> {
    // SAFETY: the descriptor belongs to the ring, which is borrowed for longer than this call.
    let fd = unsafe { BorrowedFd::borrow_raw(ring.epoll_fd()) };
    stop.wait_readable(fd, Some(PATIENCE))
        .map_err(|error| WatchError::new("cannot wait for BPF records").caused_by(error))
}

/// How many records there are at least to be taken at once from a ring without room for another.
fn in_full_ring(programs: &Programs) -> usize {
    (ring_bytes(programs) / LONGEST).saturating_sub(1).clamp(1, AT_ONCE)
}

fn ring_bytes(programs: &Programs) -> usize {
    usize::try_from(programs.events.max_entries()).unwrap_or(usize::MAX)
}

/// Takes what is in the ring, but not for ever: where it is pinned, more may come all the time.
fn drain_all(ring: &RingBuffer<'_>, programs: &Programs) -> Result<(), WatchError> {
    let most = ring_bytes(programs) / SHORTEST;
    let mut taken = 0;
    while taken <= most {
        match drain(ring, AT_ONCE)? {
            0 => break,
            count => taken += count,
        }
    }
    Ok(())
}

/// Keeps told processes where the next start finds them.
fn remember(programs: &Programs) -> Result<Remember, WatchError> {
    let processes = MapHandle::try_from(&programs.processes).map_err(unshared)?;
    Ok(Remember(Box::new(move |tgid, record| {
        let whole = record.get(..layout::PROCESS).unwrap_or_default();
        if let Err(error) = processes.update(&tgid.to_ne_bytes(), whole, MapFlags::ANY) {
            log::debug!("cannot keep process {tgid} for the next start: {error}");
        }
    })))
}

fn unshared(error: impl std::error::Error + Send + Sync + 'static) -> WatchError {
    WatchError::new("cannot share the BPF maps").caused_by(error)
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
