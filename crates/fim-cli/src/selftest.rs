//! `fim selftest`: every kind of change in a scratch directory, watched by the engine in this process, and
//! which of them were reported, how soon, and with the right actor.
//!
//! The catalogue knows the changes; here it meets the engine.

mod print;
mod watch;

use crate::config::{Limits, WatcherChoice};
use crate::failure::Failure;
use crate::watchers;
use fim_catalogue::{Case, LIMITS, Outcome, Runner, Speed, Verdict, limit};
use fim_core::{Degree, Interest, Scan, Started, WatchSet, escape};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use watch::Watch;

/// First arguments by which this program starts itself; no commands of the user's.
const PERFORM: &str = "selftest-perform";
const KEEP_FENCE: &str = "selftest-fence";

/// Several times within what a report that comes late may take, with what the engine holds a scan's word back for.
const SCANS_EVERY: Duration = Duration::from_secs(2);

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
    pub started: Started,
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

    let place = Place::new(&scratch.0, &cases, choice)?;
    // Without scans, so that what is reported was told by the watcher.
    let (mut watch, mut started) = place.watch(Scan::never())?;
    let scan = scans_for(&started.watcher);
    scan.make_up(&mut started.coverage);
    let (late, prompt): (Vec<&Case>, Vec<&Case>) =
        cases.iter().partition(|case| speed(case, &started) == Speed::Late);

    let mut outcomes = Vec::new();
    let mut take = |outcome: Outcome| {
        each(&outcome, is_as_promised(&outcome, &started))?;
        outcomes.push(outcome);
        Ok::<_, Failure>(())
    };
    let perform = || myself(PERFORM);
    let mut runner = Runner::start(&scratch.0, &perform, myself(KEEP_FENCE), &mut watch).map_err(failed)?;
    for case in prompt {
        take(runner.run(case, Speed::Prompt).map_err(failed)?)?;
    }
    drop(runner);
    if scan != Scan::never() && !late.is_empty() {
        watch.stop()?;
        watch = place.watch(scan)?.0;
    }
    // What takes seconds takes them once.
    let mut runner = Runner::start(&scratch.0, &perform, myself(KEEP_FENCE), &mut watch).map_err(failed)?;
    for outcome in runner.run_together(&late, Speed::Late).map_err(failed)? {
        take(outcome)?;
    }
    drop(runner);
    watch.stop()?;
    let file_system = crate::doctor::file_system(&scratch.0);
    Ok(Tested { outcomes, started, file_system })
}

/// Whether a case was reported as well as its watcher promises for its class, or as its known limits let it.
pub fn is_as_promised(outcome: &Outcome, started: &Started) -> bool {
    match outcome.verdict {
        Verdict::Full | Verdict::Quiet | Verdict::NotPossible => true,
        Verdict::Late if speed(&outcome.case, started) == Speed::Late => true,
        // What was lost was said, and made up for.
        Verdict::Late | Verdict::NoActor if outcome.lost => true,
        Verdict::Late | Verdict::Missed | Verdict::NoActor | Verdict::FalseAlarm => {
            limit(&started.watcher, &outcome.case).is_some_and(|limit| limit.allows(outcome))
        }
    }
}

/// The scans by which a watcher's limits are made up for, often; else none.
fn scans_for(watcher: &str) -> Scan {
    let mut scan = Scan::never();
    if LIMITS.iter().any(|limit| limit.watcher == watcher && limit.by_scan) {
        scan.metadata_every = SCANS_EVERY;
    }
    scan
}

/// How soon a case is to be reported.
fn speed(case: &Case, started: &Started) -> Speed {
    let late = started.coverage.get(case.class) == Some(&Degree::Late)
        || limit(&started.watcher, case).is_some_and(|limit| limit.promised == Verdict::Late);
    if late { Speed::Late } else { case.speed }
}

/// One case, as a line of text or JSON.
pub fn line(outcome: &Outcome, as_promised: bool, json: bool) -> String {
    if json { print::case_json(outcome, as_promised) } else { print::line(outcome, as_promised) }
}

/// The whole, in words or as a line of JSON.
pub fn summary(tested: &Tested, json: bool) -> String {
    if json { print::summary_json(tested) } else { print::summary(tested) }
}

/// This program again, as one of the parts of a self-test.
fn myself(part: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg(part);
    command
}

/// What is to be watched, and by which watcher.
struct Place {
    interest: Interest,
    set: WatchSet,
    choice: WatcherChoice,
}

impl Place {
    fn new(scratch: &Path, cases: &[Case], choice: WatcherChoice) -> Result<Self, Failure> {
        let watched = fim_catalogue::watched(scratch, cases);
        let interest = Interest::in_paths(watched.iter().map(|path| escape(&path.to_string_lossy())));
        let set = WatchSet::new(vec![interest.clone()]).map_err(|error| Failure::new(error.to_string()))?;
        Ok(Self { interest, set, choice })
    }

    fn watch(&self, scan: Scan) -> Result<(Watch, Started), Failure> {
        let chosen = watchers::choose(self.choice, &watchers::Needs::of(&Limits::default(), &self.set))?;
        let mut watch = Watch::start(self.interest.clone(), chosen.watcher, scan)?;
        let started = watch.started()?;
        Ok((watch, started))
    }
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
