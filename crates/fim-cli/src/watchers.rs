//! Which watcher is used, and why. The one place that knows which watchers there are.

use crate::config::WatcherChoice;
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

/// Tries the watchers the choice allows, best first, until one can be used.
pub fn try_all(choice: WatcherChoice) -> Vec<Tried> {
    let mut tried = Vec::new();
    for (name, sight) in candidates(choice) {
        let sight = sight();
        let usable = sight.is_ok();
        tried.push(Tried { name, sight });
        if usable {
            break;
        }
    }
    tried
}

/// Takes the best watcher the choice allows, with room for what is to be watched.
///
/// # Errors
/// When none can be used: what kept the last one, and before it the better ones, from it.
pub fn choose(choice: WatcherChoice, watch: &WatchSet) -> Result<Chosen, WatchError> {
    let tried = try_all(choice);
    let why = why(&tried);
    let watcher = tried.iter().find(|one| one.sight.is_ok()).and_then(|one| make(one.name, watch));
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

#[cfg_attr(not(feature = "bpf"), allow(unused_variables))]
fn make(name: &str, watch: &WatchSet) -> Option<Box<dyn Watcher>> {
    match name {
        #[cfg(feature = "bpf")]
        "bpf" => Some(Box::new(fim_bpf::BpfWatcher::new(bpf_config(watch)))),
        "fanotify" => Some(Box::new(FanotifyWatcher::new(FanotifyConfig::default()))),
        _ => None,
    }
}

/// Room for twice what is there now: the kernel reserves it at the start, and it cannot grow.
#[cfg(feature = "bpf")]
fn bpf_config(watch: &WatchSet) -> fim_bpf::BpfConfig {
    let mut config = fim_bpf::BpfConfig::default();
    let twice = crate::estimate::files(watch).saturating_mul(2);
    config.expected_files = config.expected_files.max(u32::try_from(twice).unwrap_or(u32::MAX));
    config
}

#[cfg(feature = "bpf")]
fn try_bpf() -> Result<Sight, WatchError> {
    let probe = fim_bpf::probe(&fim_bpf::BpfConfig::default())?;
    Ok(Sight { coverage: probe.coverage, notes: probe.notes })
}

#[cfg(not(feature = "bpf"))]
fn try_bpf() -> Result<Sight, WatchError> {
    Err(WatchError::new("this fim was built without it"))
}

fn try_fanotify() -> Result<Sight, WatchError> {
    let probe = fim_fanotify::probe(&FanotifyConfig::default())?;
    Ok(Sight { coverage: probe.coverage, notes: probe.notes })
}

type Try = fn() -> Result<Sight, WatchError>;

fn candidates(choice: WatcherChoice) -> Vec<(&'static str, Try)> {
    let bpf: (&'static str, Try) = ("bpf", try_bpf);
    let fanotify: (&'static str, Try) = ("fanotify", try_fanotify);
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
