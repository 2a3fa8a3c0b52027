//! Which watcher is used, and why. The one place that knows which watchers there are.

use crate::config::{Limits, Plan, WatcherChoice};
use crate::pins;
use fim_core::{Coverage, WatchError, WatchSet, Watcher};
use fim_fanotify::{FanotifyConfig, FanotifyWatcher};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// What trying a watcher showed.
#[derive(Debug)]
pub struct Sight {
    /// For each class of change, how well it is seen.
    pub coverage: Coverage,
    /// Chosen hooks and reasons.
    pub notes: Vec<String>,
}

/// A watcher that was tried on this machine.
#[derive(Debug)]
pub struct Tried {
    /// Its name.
    pub name: &'static str,
    /// What it sees, or why it cannot be used.
    pub sight: Result<Sight, WatchError>,
}

/// A watcher to run, and why this one.
pub struct Chosen {
    /// The watcher.
    pub watcher: Box<dyn Watcher>,
    /// Why.
    pub why: String,
    /// What its programs in the kernel cost, where it has any.
    pub costs: Costs,
}

/// What one program in the kernel did so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramCost {
    /// Its name.
    pub program: String,
    /// Runs while they were measured.
    pub runs: u64,
    /// Nanoseconds these took.
    pub nanoseconds: u64,
    /// Runs the kernel skipped.
    pub missed: u64,
}

/// Asks for what programs cost.
#[derive(Clone, Default)]
pub struct Costs(Option<Arc<dyn Fn() -> Vec<ProgramCost> + Send + Sync>>);

impl Costs {
    /// As of now.
    pub fn now(&self) -> Vec<ProgramCost> {
        self.0.as_ref().map_or_else(Vec::new, |ask| ask())
    }
}

impl fmt::Debug for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Costs").field(&self.now()).finish()
    }
}

/// What a watcher is to have.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "bpf"), allow(dead_code))]
pub struct Needs {
    watch: WatchSet,
    /// Room for so many files at least.
    room: u32,
    ring_bytes: u32,
    /// Where it pins what is to outlive it, and whether it does; `None` leaves alone what is pinned.
    pins: Option<(PathBuf, bool)>,
    measure: bool,
}

impl Needs {
    /// To watch this.
    pub fn of(limits: &Limits, watch: &WatchSet) -> Self {
        let ring_bytes = u32::try_from(limits.ring_bytes.0).unwrap_or(u32::MAX);
        Self { watch: watch.clone(), room: limits.watch_room, ring_bytes, pins: None, measure: false }
    }

    /// To go on with what an earlier start pinned, and to pin and measure as configured.
    pub fn run_as(self, plan: &Plan) -> Self {
        let dir = pins::dir(&plan.config.state);
        Self { pins: Some((dir, plan.config.pins.enabled)), measure: plan.config.metrics.bpf_cost, ..self }
    }

    /// Room for twice what is there now, for the kernel reserves it at the start. Lists all of it.
    #[cfg(feature = "bpf")]
    fn files(&self) -> u32 {
        let twice = crate::estimate::files(&self.watch).saturating_mul(2);
        self.room.max(u32::try_from(twice).unwrap_or(u32::MAX))
    }
}

/// Tries the watchers the choice allows, best first, until one can be used.
pub fn try_all(choice: WatcherChoice, needs: &Needs) -> Vec<Tried> {
    try_each(choice, needs).0
}

fn try_each(choice: WatcherChoice, needs: &Needs) -> (Vec<Tried>, Option<Usable>) {
    let mut tried = Vec::new();
    for (name, make) in candidates(choice) {
        match make(needs) {
            Ok((watcher, costs, mut sight)) => {
                sight.coverage.extend(fim_core::own_coverage());
                tried.push(Tried { name, sight: Ok(sight) });
                return (tried, Some((watcher, costs)));
            }
            Err(error) => tried.push(Tried { name, sight: Err(error) }),
        }
    }
    (tried, None)
}

/// Takes the best watcher the choice allows, with room for what is to be watched.
///
/// # Errors
/// When none can be used: what kept the last one, and before it the better ones, from it.
pub fn choose(choice: WatcherChoice, needs: &Needs) -> Result<Chosen, WatchError> {
    let (tried, watcher) = try_each(choice, needs);
    let why = why(&tried);
    let Some((watcher, costs)) = watcher else {
        return Err(WatchError::new(why).hint(
            "run as root; `fim baseline` and `fim check` need no watcher and work on what you may read",
        ));
    };
    if tried.len() > 1 {
        log::warn!("{why}");
    } else {
        log::info!("{why}");
    }
    Ok(Chosen { watcher, why, costs })
}

type Usable = (Box<dyn Watcher>, Costs);
type Made = (Box<dyn Watcher>, Costs, Sight);
type Make = fn(&Needs) -> Result<Made, WatchError>;

/// Loads and proves it: that takes a while, so what is proved is what will watch.
#[cfg(feature = "bpf")]
fn bpf(needs: &Needs) -> Result<Made, WatchError> {
    let mut config = fim_bpf::BpfConfig::default();
    (config.expected_files, config.ring_bytes) = (needs.files(), needs.ring_bytes);
    config.measure = needs.measure;
    config.pins = needs.pins.clone().map(|(dir, keep)| fim_bpf::PinConfig { dir, keep });
    let watcher = fim_bpf::BpfWatcher::load(&config)?;
    let probe = watcher.probe();
    let sight = Sight { coverage: probe.coverage.clone(), notes: probe.notes.clone() };
    let costs = costs(&watcher);
    Ok((Box::new(watcher), costs, sight))
}

#[cfg(feature = "bpf")]
fn costs(watcher: &fim_bpf::BpfWatcher) -> Costs {
    let costs = match watcher.costs() {
        Ok(costs) => costs,
        Err(error) => {
            log::warn!("{error}; there are no metrics of them");
            return Costs::default();
        }
    };
    let cost = |it: fim_bpf::ProgramCost| ProgramCost {
        program: it.program.to_owned(),
        runs: it.runs,
        nanoseconds: u64::try_from(it.time.as_nanos()).unwrap_or(u64::MAX),
        missed: it.missed,
    };
    Costs(Some(Arc::new(move || costs.now().into_iter().map(cost).collect())))
}

#[cfg(not(feature = "bpf"))]
fn bpf(_: &Needs) -> Result<Made, WatchError> {
    Err(WatchError::new("this fim was built without it"))
}

/// Proves it: once confined, this process may not do all that the proof does.
fn fanotify(_: &Needs) -> Result<Made, WatchError> {
    let config = FanotifyConfig::default();
    let probe = fim_fanotify::probe(&config)?;
    let sight = Sight { coverage: probe.coverage.clone(), notes: probe.notes.clone() };
    Ok((Box::new(FanotifyWatcher::new(config).proved(probe)), Costs::default(), sight))
}

fn candidates(choice: WatcherChoice) -> Vec<(&'static str, Make)> {
    let bpf: (&'static str, Make) = ("bpf", bpf);
    let fanotify: (&'static str, Make) = ("fanotify", fanotify);
    match choice {
        WatcherChoice::Auto => vec![bpf, fanotify],
        WatcherChoice::Bpf => vec![bpf],
        WatcherChoice::Fanotify => vec![fanotify],
    }
}

/// Says why this watcher was taken and the better ones were not.
pub fn why(tried: &[Tried]) -> String {
    let mut text = String::new();
    for one in tried {
        match &one.sight {
            Ok(_) if text.is_empty() => text = format!("{} can be used", one.name),
            Ok(_) => text = format!("{} is used because {text}", one.name),
            Err(error) => {
                if !text.is_empty() {
                    text.push_str("; ");
                }
                text.push_str(&format!("{} cannot be used: {error}", one.name));
            }
        }
    }
    text
}
