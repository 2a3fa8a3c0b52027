//! Runs cases one by one and compares what was reported with what was done.
//!
//! Knows the watcher only by what an [`Observer`] hands it.

mod actor;
mod process;

use crate::case::{Action, Case, Expect, Speed, Who};
use crate::child::Word;
use crate::fence::Fence;
use crate::scene::Scene;
use process::Process;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A report within this is prompt; ten times what a look waits for, and room for an emulated machine.
const PROMPT: Duration = Duration::from_secs(2);
/// How long a report may follow after the fence was reported.
const PATIENCE: Duration = Duration::from_millis(300);
/// The same for what is found by looking again: files that may change unseen are looked at every 5 s.
const LONG_PATIENCE: Duration = Duration::from_millis(6_500);

/// One reported change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it was reported, by [`crate::monotonic`].
    pub at: Duration,
    /// What happened.
    pub action: Action,
    /// To which file.
    pub path: PathBuf,
    /// Its name before, for a rename.
    pub previous: Option<PathBuf>,
    /// The words for what changed.
    pub changes: Vec<String>,
    /// The processes named.
    pub pids: Vec<u32>,
    /// Whether an event told it, and not a comparison.
    pub live: bool,
}

/// Where reports come from.
pub trait Observer {
    /// The next report, waiting so long at most.
    ///
    /// # Errors
    /// When there will be no more.
    fn next(&mut self, within: Duration) -> io::Result<Option<Seen>>;
}

/// What became of a case. Better ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing was reported, or not all of it.
    Missed,
    /// Reported, but nobody was named, or somebody else.
    NoActor,
    /// Something was reported though nothing had changed.
    FalseAlarm,
    /// Reported by looking again, or when the file was closed.
    Late,
    /// Reported at once, with the process that did it.
    Full,
    /// Nothing had changed, and nothing was reported.
    Quiet,
    /// This kernel or file system cannot do it.
    NotPossible,
}

impl Verdict {
    /// The words for it in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::NoActor => "no actor",
            Self::FalseAlarm => "false alarm",
            Self::Late => "late",
            Self::Full => "full",
            Self::Quiet => "quiet",
            Self::NotPossible => "not possible here",
        }
    }
}

/// A case that was run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which.
    pub case: Case,
    /// What became of it.
    pub verdict: Verdict,
    /// How long after the change its last line was reported.
    pub after: Option<Duration>,
    /// Why it is so: what is missing, who was named, why it is not possible.
    pub note: String,
}

/// Runs cases in a scratch directory.
pub struct Runner<'a> {
    scratch: PathBuf,
    perform: &'a dyn Fn() -> Command,
    observer: &'a mut dyn Observer,
    fence: Fence,
}

impl std::fmt::Debug for Runner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("scratch", &self.scratch).finish_non_exhaustive()
    }
}

impl<'a> Runner<'a> {
    /// Makes the files of these cases below a scratch directory. To be called before it is watched.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn build(scratch: &Path, cases: &[Case]) -> io::Result<()> {
        std::fs::create_dir_all(Scene::fence(scratch))?;
        for case in cases {
            let scene = Scene::new(scratch, case.name);
            scene.build()?;
            // What cannot be prepared here will fail to be done, and be told then.
            drop((case.prepare)(&scene));
        }
        Ok(())
    }

    /// A runner on a directory that is watched now.
    ///
    /// * `perform`: a command of a new process that calls [`crate::perform`] with the two arguments added to it.
    /// * `keep_fence`: one that calls [`crate::fence_keeper`] with the one argument added.
    ///
    /// # Errors
    /// When the process of the fence cannot be started.
    pub fn start(
        scratch: &Path,
        perform: &'a dyn Fn() -> Command,
        keep_fence: Command,
        observer: &'a mut dyn Observer,
    ) -> io::Result<Self> {
        let fence = Fence::start(keep_fence, Scene::fence(scratch))?;
        Ok(Self { scratch: scratch.to_owned(), perform, observer, fence })
    }

    /// Runs one case.
    ///
    /// # Errors
    /// When its process cannot be started, or nothing is reported any more.
    pub fn run(&mut self, case: &Case) -> io::Result<Outcome> {
        let scene = Scene::new(&self.scratch, case.name);
        let mut command = (self.perform)();
        command.arg(&self.scratch).arg(case.name);
        let mut process = Process::start(command)?;
        let (at, pids) = loop {
            match process.says()? {
                Word::Pause => {
                    self.fence.cross(self.observer)?;
                    process.go_on()?;
                }
                Word::Done { at, pids } => break (at, pids),
                Word::Impossible(why) => {
                    process.release()?;
                    self.fence.cross(self.observer)?;
                    return Ok(outcome(case, Verdict::NotPossible, None, why));
                }
            }
        };
        let mut lines = self.gather(case, &scene, Vec::new())?;
        let held = unmatched(case, &scene, &lines).is_none();
        let ended = process.release()?;
        lines = self.gather(case, &scene, lines)?;
        let mut judged = judge(case, &scene, &lines, at, &pids, held);
        if let Some(how) = ended {
            judged.note = format!("{} (the process that did it {how})", judged.note);
        }
        Ok(judged)
    }

    /// Takes reports until all that are expected are there or have had their time.
    fn gather(&mut self, case: &Case, scene: &Scene, mut lines: Vec<Seen>) -> io::Result<Vec<Seen>> {
        lines.append(&mut self.fence.cross(self.observer)?);
        let patience = if case.speed == Speed::Late { LONG_PATIENCE } else { PATIENCE };
        let end = Instant::now() + patience;
        while unmatched(case, scene, &lines).is_some() {
            match self.observer.next(end.saturating_duration_since(Instant::now()))? {
                Some(seen) => lines.push(seen),
                None => break,
            }
        }
        Ok(lines)
    }
}

fn outcome(case: &Case, verdict: Verdict, after: Option<Duration>, note: String) -> Outcome {
    Outcome { case: case.clone(), verdict, after, note }
}

/// The first expected line that did not come.
fn unmatched<'c>(case: &'c Case, scene: &Scene, lines: &[Seen]) -> Option<&'c Expect> {
    case.expect.iter().find(|line| !lines.iter().any(|seen| is(line, scene, seen)))
}

fn is(line: &Expect, scene: &Scene, seen: &Seen) -> bool {
    seen.path == scene.expected(line.path)
        && line.action.is_none_or(|action| action == seen.action)
        && line.from.is_none_or(|from| seen.previous == Some(scene.expected(from)))
        && line.what.is_none_or(|what| seen.changes.iter().any(|change| change == what))
}

fn judge(case: &Case, scene: &Scene, lines: &[Seen], at: Duration, pids: &[u32], held: bool) -> Outcome {
    let about: Vec<&Seen> = lines
        .iter()
        .filter(|seen| seen.path.starts_with(&scene.dir) || seen.path.starts_with(&scene.above))
        .collect();
    if let Some(line) = unmatched(case, scene, lines) {
        return outcome(case, Verdict::Missed, None, format!("no {}{}", words(line), instead(scene, &about)));
    }
    let touched = |seen: &Seen| case.may_touch && seen.changes.iter().all(|change| change == "touched");
    let extra: Vec<&Seen> = about
        .iter()
        .copied()
        .filter(|seen| !case.expect.iter().any(|line| is(line, scene, seen)) && !touched(seen))
        .collect();
    if case.expect.is_empty() {
        return match extra.is_empty() {
            true => outcome(case, Verdict::Quiet, None, String::new()),
            false => outcome(case, Verdict::FalseAlarm, None, told(scene, &extra)),
        };
    }
    let matching = || case.expect.iter().filter_map(|line| lines.iter().find(|seen| is(line, scene, seen)));
    let after = matching().map(|seen| seen.at.saturating_sub(at)).max();
    let mut notes = Vec::new();
    if !extra.is_empty() {
        notes.push(format!("besides: {}", told(scene, &extra)));
    }
    let wrong = matching().find_map(|seen| actor::fault(seen, pids)).filter(|_| case.who == Who::Doer);
    let verdict = if let Some(wrong) = wrong {
        notes.insert(0, wrong);
        Verdict::NoActor
    } else if held && after.is_some_and(|after| after <= PROMPT) && matching().all(|seen| seen.live) {
        Verdict::Full
    } else {
        if !held {
            notes.insert(0, "when it was let go".to_owned());
        }
        Verdict::Late
    };
    outcome(case, verdict, after, notes.join("; "))
}

fn words(line: &Expect) -> String {
    let action = line.action.map_or("line", action_word);
    let what = line.what.map(|what| format!(" ({what})")).unwrap_or_default();
    let from = line.from.map(|from| format!(" from {from}")).unwrap_or_default();
    format!("{action} {}{from}{what}", line.path)
}

fn instead(scene: &Scene, about: &[&Seen]) -> String {
    if about.is_empty() { String::new() } else { format!("; told: {}", told(scene, about)) }
}

fn told(scene: &Scene, lines: &[&Seen]) -> String {
    let short = |path: &Path| {
        path.strip_prefix(&scene.dir)
            .or_else(|_| path.strip_prefix(&scene.above))
            .unwrap_or(path)
            .display()
            .to_string()
    };
    let one = |seen: &&Seen| {
        let from = seen.previous.as_deref().map(|path| format!(" from {}", short(path))).unwrap_or_default();
        format!("{} {}{from} [{}]", action_word(seen.action), short(&seen.path), seen.changes.join(", "))
    };
    lines.iter().map(one).collect::<Vec<_>>().join(", ")
}

const fn action_word(action: Action) -> &'static str {
    match action {
        Action::Created => "created",
        Action::Updated => "updated",
        Action::Deleted => "deleted",
        Action::Moved => "moved",
        Action::AttributesModified => "attributes_modified",
    }
}

#[cfg(test)]
mod tests;
