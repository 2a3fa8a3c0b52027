//! What each program costs, as the kernel counts it.
//!
//! Asks when it is asked; knows nothing of what the programs do.

use crate::object::Attached;
use crate::sys;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// What one program did so far.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProgramCost {
    /// Its name, unique among them.
    pub program: &'static str,
    /// Runs while the kernel measured.
    pub runs: u64,
    /// The time these took.
    pub time: Duration,
    /// Runs the kernel skipped because the program was already running on that processor; counted in any case.
    pub missed: u64,
}

/// The programs of a watcher. The kernel measures for as long as this lives, if it was told to.
///
/// ```no_run
/// use fim_bpf::{BpfConfig, BpfWatcher};
///
/// let mut config = BpfConfig::default();
/// config.measure = true;
/// let costs = BpfWatcher::load(&config)?.costs()?;
/// // The watcher goes into `Engine::run`; this can be asked from any thread meanwhile.
/// for program in costs.now() {
///     println!("{} ran {} times, {:?} in all", program.program, program.runs, program.time);
/// }
/// # Ok::<(), fim_core::WatchError>(())
/// ```
#[derive(Debug)]
pub struct Costs {
    programs: Vec<(&'static str, OwnedFd)>,
    _measuring: Option<OwnedFd>,
}

impl Costs {
    pub(crate) fn of(attached: &[Attached], measuring: Option<OwnedFd>) -> io::Result<Self> {
        let programs =
            attached.iter().map(|it| Ok((it.hook.program, it.program.as_fd().try_clone_to_owned()?)));
        Ok(Self { programs: programs.collect::<io::Result<_>>()?, _measuring: measuring })
    }

    /// What they cost so far; without those the kernel does not tell of.
    #[must_use]
    pub fn now(&self) -> Vec<ProgramCost> {
        let cost = |(program, fd): &(&'static str, OwnedFd)| {
            let (runs, time, missed) = sys::program_cost(fd.as_fd()).ok()?;
            Some(ProgramCost { program, runs, time: Duration::from_nanos(time), missed })
        };
        self.programs.iter().filter_map(cost).collect()
    }
}
