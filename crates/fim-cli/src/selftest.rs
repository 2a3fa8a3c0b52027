//! `fim selftest`: every kind of change in a scratch directory, watched by the engine in this process, and
//! which of them were reported, how soon, and with the right actor.
//!
//! The catalogue knows the changes; here it meets the engine.

mod print;
mod watch;

use crate::config::{Limits, WatcherChoice};
use crate::failure::Failure;
use crate::watchers;
use fim_catalogue::{Case, Outcome, Runner, Speed, Verdict};
use fim_core::{Coverage, Degree, Interest, WatchSet, escape};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use watch::Watch;

/// First arguments by which this program starts itself; no commands of the user's.
const PERFORM: &str = "selftest-perform";
const KEEP_FENCE: &str = "selftest-fence";

/// What this process is to do if it was started by a self-test; else `None`.
pub fn part(args: &[OsString]) -> Option<io::Result<()>> {
    let words: Vec<&OsStr> = args.iter().map(OsString::as_os_str).collect();
    match words.as_slice() {
        [word, scratch, case] if *word == PERFORM => {
            Some(fim_catalogue::perform(Path::new(scratch), case.to_str()?))
        }
        [word, dir] if *word == KEEP_FENCE => Some(fim_catalogue::fence_keeper(Path::new(dir))),
        _ => None,
    }
}

/// What a self-test came to.
#[derive(Debug)]
pub struct Tested {
    /// Every case.
    pub outcomes: Vec<Outcome>,
    /// What the watcher says of itself.
    pub coverage: Coverage,
    /// Its name.
    pub watcher: String,
    /// File system of the scratch directory.
    pub file_system: String,
}

/// Runs the cases whose names contain one of `only` (none: all) in a directory made in `dir` and removed again.
/// `each` is told of each as it is done.
///
/// # Errors
/// When nothing can watch, the directory cannot be made, or reports cease.
pub fn run(
    dir: &Path,
    choice: WatcherChoice,
    only: &[String],
    each: &mut dyn FnMut(&Outcome, bool) -> Result<(), Failure>,
) -> Result<Tested, Failure> {
    // What is mounted by a case must not stay, whatever becomes of us. Without the right to it, the cases that
    // mount say that they cannot.
    if let Err(error) = fim_catalogue::isolate_mounts() {
        log::warn!("no mount table of our own: {error}");
    }
    let scratch = Scratch::new(dir)?;
    let failed = |error: io::Error| Failure::new(format!("{}: {error}", scratch.0.display()));
    let mut cases = fim_catalogue::table();
    cases.retain(|case| only.is_empty() || only.iter().any(|word| case.name.contains(word.as_str())));
    Runner::build(&scratch.0, &cases).map_err(failed)?;

    let watched = fim_catalogue::watched(&scratch.0, &cases);
    let interest = Interest::in_paths(watched.iter().map(|path| escape(&path.to_string_lossy())));
    let set = WatchSet::new(vec![interest.clone()]).map_err(|error| Failure::new(error.to_string()))?;
    let chosen = watchers::choose(choice, watchers::Room::of(&Limits::default(), &set))?;
    let mut watch = Watch::start(interest, chosen.watcher)?;
    let started = watch.started()?;

    let myself = PathBuf::from("/proc/self/exe");
    let perform = || {
        let mut command = Command::new(&myself);
        command.arg(PERFORM);
        command
    };
    let mut keeper = Command::new(&myself);
    keeper.arg(KEEP_FENCE);
    let mut outcomes = Vec::new();
    let mut runner = Runner::start(&scratch.0, &perform, keeper, &mut watch).map_err(failed)?;
    for case in &cases {
        let outcome = runner.run(case).map_err(failed)?;
        each(&outcome, is_as_promised(&outcome, &started.coverage))?;
        outcomes.push(outcome);
    }
    drop(runner);
    watch.stop()?;
    let file_system = crate::doctor::file_system(&scratch.0);
    Ok(Tested { outcomes, coverage: started.coverage, watcher: started.watcher, file_system })
}

/// Whether a case was reported as well as its watcher promises for its class.
pub fn is_as_promised(outcome: &Outcome, coverage: &Coverage) -> bool {
    match outcome.verdict {
        Verdict::Full | Verdict::Quiet | Verdict::NotPossible => true,
        Verdict::Late => may_be_late(&outcome.case, coverage),
        Verdict::Missed | Verdict::NoActor | Verdict::FalseAlarm => false,
    }
}

fn may_be_late(case: &Case, coverage: &Coverage) -> bool {
    case.speed == Speed::Late || coverage.get(case.class) == Some(&Degree::Late)
}

/// One case, as a line of text or JSON.
pub fn line(outcome: &Outcome, as_promised: bool, json: bool) -> String {
    if json { print::case_json(outcome, as_promised) } else { print::line(outcome, as_promised) }
}

/// The whole, in words or as a line of JSON.
pub fn summary(tested: &Tested, json: bool) -> String {
    if json { print::summary_json(tested) } else { print::summary(tested) }
}

/// A directory of our own that goes with us.
struct Scratch(PathBuf);

impl Scratch {
    fn new(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join(format!(".fim-selftest-{}", std::process::id()));
        let made = std::fs::canonicalize(dir).and_then(|dir| {
            let path = dir.join(format!(".fim-selftest-{}", std::process::id()));
            std::fs::create_dir(&path).map(|()| path)
        });
        made.map(Self).map_err(|error| {
            Failure::new(format!(
                "cannot make the scratch directory {}: {error}; name another place: fim selftest DIR",
                path.display()
            ))
        })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            log::warn!("{}: cannot remove: {error}", self.0.display());
        }
    }
}
