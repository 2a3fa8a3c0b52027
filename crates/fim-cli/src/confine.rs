//! What `fim` gives up before it reads others' files, so that a bug in what reads them gains little.
//!
//! Two steps, because both hold for all threads only so: capabilities and Landlock are a thread's own and are
//! passed on to the threads it starts, so they go first, while there is one thread; the filter of system calls
//! goes last, when everything is open, and takes all threads at once. Knows nothing of what is watched.

mod calls;
mod capabilities;
mod outside;
mod writable;

use crate::config::Config;
use crate::failure::Failure;
use calls::Calls;
use fim_core::Watcher;
use fim_explainers::Programs;
use std::path::PathBuf;
use writable::Writable;

const NOT_CONFINED: &str = "not confined: `confine` in [process] is false";

/// What this process may still do.
#[derive(Debug)]
pub struct Confinement {
    calls: Option<Calls>,
    /// In words, for whoever reads `watch_started`.
    pub note: String,
    /// Who tells what a process runs, where a writer is trusted by that.
    pub programs: Option<Programs>,
}

/// Gives up capabilities, and writing anywhere but where the configuration says. The state folder must be there.
/// Gives back the watcher, which may have to run outside of some of it.
///
/// # Errors
/// When the system refuses what it is documented to grant.
pub fn begin(
    config: &Config,
    mut watcher: Box<dyn Watcher>,
) -> Result<(Box<dyn Watcher>, Confinement), Failure> {
    if !config.process.confine {
        let programs = programs(config)?;
        return Ok((watcher, Confinement { calls: None, note: NOT_CONFINED.to_owned(), programs }));
    }
    let needs = Needs::of(config, watcher.name());
    let kept = capabilities::keep(needs.capabilities()).map_err(|error| refused("capabilities", &error))?;
    if needs.actors_from_proc {
        watcher = outside::take_out(watcher).map_err(|error| refused("a thread", &error))?;
    }
    let programs = programs(config)?;
    let note = needs.note(&kept, &writable::close(&needs.places));
    Ok((watcher, Confinement { calls: Some(needs.calls), note, programs }))
}

/// The same for a command that goes over everything once, and writes nothing but the state.
///
/// # Errors
/// As [`begin`].
pub fn begin_once(config: &Config) -> Result<Confinement, Failure> {
    let mut confinement = Confinement { calls: None, note: NOT_CONFINED.to_owned(), programs: None };
    if config.process.confine {
        let needs = Needs::once(config);
        let kept =
            capabilities::keep(needs.capabilities()).map_err(|error| refused("capabilities", &error))?;
        confinement.note = needs.note(&kept, &writable::close(&needs.places));
        confinement.calls = Some(needs.calls);
    }
    log::debug!("{}", confinement.note);
    Ok(confinement)
}

fn programs(config: &Config) -> Result<Option<Programs>, Failure> {
    let programs = config.asks_for_programs().then(Programs::start).transpose();
    programs.map_err(|error| refused("a thread", &error))
}

/// What would hold here, tried on a thread of its own.
pub fn tried(config: &Config, watcher: &str) -> String {
    if !config.process.confine {
        return NOT_CONFINED.to_owned();
    }
    let needs = Needs::of(config, watcher);
    let trial = std::thread::spawn(move || {
        let kept = capabilities::keep(needs.capabilities()).map_err(|error| error.to_string())?;
        // The state folder is made at the first start.
        let there: Vec<PathBuf> = needs.places.iter().filter(|place| place.exists()).cloned().collect();
        let writable = match writable::close(&there) {
            Writable::Below(_) => Writable::Below(needs.places.clone()),
            everywhere @ Writable::Everywhere(_) => everywhere,
        };
        if calls::are_filtered() {
            needs.calls.refuse_all_else_here().map_err(|error| error.to_string())?;
        }
        Ok(needs.note(&kept, &writable))
    });
    match trial.join() {
        Ok(Ok(note)) => note,
        Ok(Err::<_, String>(error)) => format!("cannot be confined: {error}"),
        Err(_) => "cannot be confined: trying it failed".to_owned(),
    }
}

impl Confinement {
    /// From here on nothing is started, loaded, mounted or given away, by no thread.
    ///
    /// # Errors
    /// When the kernel has filters and refuses this one.
    pub fn seal(&self) -> Result<(), Failure> {
        match &self.calls {
            Some(calls) if calls::are_filtered() => {
                calls.refuse_all_else().map_err(|error| refused("system calls", &error))
            }
            _ => Ok(()),
        }
    }
}

fn refused(what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!(
        "cannot confine this process ({what}): {error}; where that cannot be helped, say `confine = false` in \
         [process]"
    ))
}

/// What a run needs once it has begun.
struct Needs {
    places: Vec<PathBuf>,
    /// Whether the watcher asks /proc about the processes of others, which Landlock forbids.
    actors_from_proc: bool,
    /// Whether what others run is read, which it forbids too.
    programs: bool,
    /// A folder of another user in which a file is replaced.
    foreign_folder: bool,
    calls: Calls,
}

impl Needs {
    fn of(config: &Config, watcher: &str) -> Self {
        let metrics = config.metrics.textfile.as_deref().and_then(std::path::Path::parent);
        let fanotify = watcher == "fanotify";
        let places = std::iter::once(config.state.clone()).chain(metrics.map(Into::into)).collect();
        Self {
            places,
            actors_from_proc: fanotify,
            programs: config.asks_for_programs(),
            foreign_folder: metrics.is_some_and(writable::belongs_to_another),
            calls: Calls { bpf: watcher == "bpf", network: config.metrics.reaches_out() },
        }
    }

    /// Nothing is watched, started or exported.
    fn once(config: &Config) -> Self {
        Self {
            places: vec![config.state.clone()],
            actors_from_proc: false,
            programs: false,
            foreign_folder: false,
            calls: Calls { bpf: false, network: false },
        }
    }

    fn note(&self, capabilities: &str, writable: &Writable) -> String {
        let calls =
            if calls::are_filtered() { "filtered" } else { "not filtered, which this kernel cannot do" };
        let but = match (self.actors_from_proc, self.programs) {
            _ if !matches!(writable, Writable::Below(_)) => "",
            (true, true) => ", but for the threads that ask /proc who did it and what they run",
            (true, false) => ", but for the thread of the watcher, which asks /proc who did it",
            (false, true) => ", but for the thread that reads what writers run",
            (false, false) => "",
        };
        format!(
            "confined: capabilities {capabilities}; no new privileges; system calls {calls}; {writable}{but}"
        )
    }

    const fn capabilities(&self) -> capabilities::Wanted {
        capabilities::Wanted {
            bpf: self.calls.bpf,
            other_processes: self.actors_from_proc || self.programs,
            foreign_folder: self.foreign_folder,
        }
    }
}
