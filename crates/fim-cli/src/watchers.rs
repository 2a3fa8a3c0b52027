//! Which watcher is used, and why. The one place that knows which watchers there are.

use crate::config::{Limits, WatcherChoice};
use fim_core::{Coverage, WatchError, WatchSet, Watcher};
use fim_fanotify::{FanotifyConfig, FanotifyWatcher};

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
}

/// What a watcher is to have room for.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "bpf"), allow(dead_code))]
pub struct Room {
    files: u32,
    ring_bytes: u32,
}

impl Room {
    /// Room for these files: twice what is there now, for the kernel reserves it at the start.
    pub fn of(limits: &Limits, watch: &WatchSet) -> Self {
        let fit = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let twice = fit(crate::estimate::files(watch).saturating_mul(2));
        Self { files: limits.watch_room.max(twice), ring_bytes: fit(limits.ring_bytes.0) }
    }
}

/// Tries the watchers the choice allows, best first, until one can be used.
pub fn try_all(choice: WatcherChoice, room: Room) -> Vec<Tried> {
    try_each(choice, room).0
}

fn try_each(choice: WatcherChoice, room: Room) -> (Vec<Tried>, Option<Box<dyn Watcher>>) {
    let mut tried = Vec::new();
    for (name, make) in candidates(choice) {
        match make(room) {
            Ok((watcher, mut sight)) => {
                sight.coverage.extend(fim_core::own_coverage());
                tried.push(Tried { name, sight: Ok(sight) });
                return (tried, Some(watcher));
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
pub fn choose(choice: WatcherChoice, room: Room) -> Result<Chosen, WatchError> {
    let (tried, watcher) = try_each(choice, room);
    let why = why(&tried);
    let Some(watcher) = watcher else {
        return Err(WatchError::new(why).hint(
            "run as root; `fim baseline` and `fim check` need no watcher and work on what you may read",
        ));
    };
    if tried.len() > 1 {
        log::warn!("{why}");
    } else {
        log::info!("{why}");
    }
    Ok(Chosen { watcher, why })
}

type Make = fn(Room) -> Result<(Box<dyn Watcher>, Sight), WatchError>;

/// Loads and proves it: that takes a while, so what is proved is what will watch.
#[cfg(feature = "bpf")]
fn bpf(room: Room) -> Result<(Box<dyn Watcher>, Sight), WatchError> {
    let mut config = fim_bpf::BpfConfig::default();
    (config.expected_files, config.ring_bytes) = (room.files, room.ring_bytes);
    let watcher = fim_bpf::BpfWatcher::load(&config)?;
    let probe = watcher.probe();
    let sight = Sight { coverage: probe.coverage.clone(), notes: probe.notes.clone() };
    Ok((Box::new(watcher), sight))
}

#[cfg(not(feature = "bpf"))]
fn bpf(_: Room) -> Result<(Box<dyn Watcher>, Sight), WatchError> {
    Err(WatchError::new("this fim was built without it"))
}

fn fanotify(_: Room) -> Result<(Box<dyn Watcher>, Sight), WatchError> {
    let probe = fim_fanotify::probe(&FanotifyConfig::default())?;
    let sight = Sight { coverage: probe.coverage, notes: probe.notes };
    Ok((Box::new(FanotifyWatcher::new(FanotifyConfig::default())), sight))
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
