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
/// How long a report may follow after the fence was reported: some take a second round of looks.
const PATIENCE: Duration = PROMPT;
/// How long after a skipped run of a program it may take until that is noticed and said.
const UNTIL_SAID: Duration = Duration::from_secs(1);
/// The same for what is found by looking again: files that may change unseen are looked at every 5 s, and scans have
/// the lowest priority on a machine that may be emulated.
const LONG_PATIENCE: Duration = Duration::from_secs(12);

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
    /// Those of them of which more than the number is told: start, owner, executable, arguments and parent.
    pub described: Vec<u32>,
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

    /// How often it was said, by what [`Observer::next`] has come to, that records were lost.
    fn losses(&self) -> u64 {
        0
    }
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
    /// Reported by looking again, or when the file was closed. A comparison names nobody.
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
    /// Records of it may have been lost, and that was said: who made the change is not known then, and it comes
    /// late.
    pub lost: bool,
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

    /// Runs one case, which may be reported as late as `speed` says.
    ///
    /// # Errors
    /// When its process cannot be started, or nothing is reported any more.
    pub fn run(&mut self, case: &Case, speed: Speed) -> io::Result<Outcome> {
        let mut outcomes = self.run_together(&[case], speed)?;
        outcomes.pop().ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Runs cases side by side, so that what is reported late is waited for once. The outcomes are in the order
    /// of the cases.
    ///
    /// # Errors
    /// As [`Runner::run`].
    pub fn run_together(&mut self, cases: &[&Case], speed: Speed) -> io::Result<Vec<Outcome>> {
        let (mut under_way, mut lines) = (Vec::with_capacity(cases.len()), Vec::new());
        let losses = self.observer.losses();
        for case in cases {
            under_way.push(self.begin(case, speed, &mut lines)?);
        }
        lines = self.gather(&under_way, speed, lines)?;
        for it in &mut under_way {
            it.held = it.is_told(&lines);
            it.ended = it.process.release()?;
        }
        lines = self.gather(&under_way, speed, lines)?;
        let mut outcomes: Vec<Outcome> = under_way.iter().map(|it| it.judge(&lines)).collect();
        let falls_short = |it: &Outcome| it.verdict == Verdict::NoActor || it.verdict == Verdict::Late;
        if outcomes.iter().any(|it| falls_short(it) && speed == Speed::Prompt) {
            while self.observer.next(UNTIL_SAID)?.is_some() {}
        }
        let lost = self.observer.losses() > losses;
        outcomes.iter_mut().for_each(|it| it.lost = lost);
        Ok(outcomes)
    }

    /// Has the change of a case made by a process of its own, which holds on to what it opened. What is reported
    /// meanwhile joins the lines, but for what this case does before it is to be judged.
    fn begin<'c>(&mut self, case: &'c Case, speed: Speed, lines: &mut Vec<Seen>) -> io::Result<UnderWay<'c>> {
        let scene = Scene::new(&self.scratch, case.name);
        let mut command = (self.perform)();
        command.arg(&self.scratch).arg(case.name);
        let mut process = Process::start(command)?;
        let done = loop {
            match process.says()? {
                Word::Pause => {
                    lines.append(&mut self.fence.cross(self.observer)?);
                    if case.tells_before && speed == Speed::Late {
                        self.wait_for_any(&scene, lines)?;
                    }
                    lines.retain(|seen| !scene.has(&seen.path));
                    process.go_on()?;
                }
                Word::Done { at, pids } => break Ok((at, pids)),
                Word::Impossible(why) => break Err(why),
            }
        };
        Ok(UnderWay { case, scene, process, done, held: false, ended: None })
    }

    /// Waits for a report about this scene, as long as a late one may take.
    fn wait_for_any(&mut self, scene: &Scene, lines: &mut Vec<Seen>) -> io::Result<()> {
        let end = Instant::now() + LONG_PATIENCE;
        while !lines.iter().any(|seen| scene.has(&seen.path)) {
            match self.observer.next(end.saturating_duration_since(Instant::now()))? {
                Some(seen) => lines.push(seen),
                None => break,
            }
        }
        Ok(())
    }

    /// Takes reports until all that are expected are there or have had their time.
    fn gather(
        &mut self,
        under_way: &[UnderWay<'_>],
        speed: Speed,
        mut lines: Vec<Seen>,
    ) -> io::Result<Vec<Seen>> {
        lines.append(&mut self.fence.cross(self.observer)?);
        let patience = if speed == Speed::Late { LONG_PATIENCE } else { PATIENCE };
        let end = Instant::now() + patience;
        while !under_way.iter().all(|it| it.is_told(&lines)) {
            match self.observer.next(end.saturating_duration_since(Instant::now()))? {
                Some(seen) => lines.push(seen),
                None => break,
            }
        }
        Ok(lines)
    }
}

/// A case whose change was made.
struct UnderWay<'c> {
    case: &'c Case,
    scene: Scene,
    process: Process,
    /// When it was done and by whom, or why it cannot be.
    done: Result<(Duration, Vec<u32>), String>,
    /// Whether all was reported while the process held what it had opened.
    held: bool,
    /// How the process ended, if that was not well.
    ended: Option<String>,
}

impl UnderWay<'_> {
    fn is_told(&self, lines: &[Seen]) -> bool {
        self.done.is_err() || unmatched(self.case, &self.scene, lines).is_none()
    }

    fn judge(&self, lines: &[Seen]) -> Outcome {
        let (at, pids) = match &self.done {
            Ok(done) => done,
            Err(why) => return outcome(self.case, Verdict::NotPossible, None, why.clone()),
        };
        let mut judged = judge(self.case, &self.scene, lines, *at, pids, self.held);
        if let Some(how) = &self.ended {
            judged.note = format!("{} (the process that did it {how})", judged.note);
        }
        judged
    }
}

fn outcome(case: &Case, verdict: Verdict, after: Option<Duration>, note: String) -> Outcome {
    Outcome { case: case.clone(), verdict, after, note, lost: false }
}

/// The first expected line that did not come.
fn unmatched<'c>(case: &'c Case, scene: &Scene, lines: &[Seen]) -> Option<&'c Expect> {
    case.expect.iter().find(|line| !lines.iter().any(|seen| is(line, scene, seen)))
}

fn is(line: &Expect, scene: &Scene, seen: &Seen) -> bool {
    let as_expected = line.action.is_none_or(|action| action == seen.action)
        && line.from.is_none_or(|from| seen.previous == Some(scene.expected(from)))
        && line.what.is_none_or(|what| seen.changes.iter().any(|change| change == what));
    seen.path == scene.expected(line.path) && (as_expected || line.or == Some(seen.action))
}

fn judge(case: &Case, scene: &Scene, lines: &[Seen], at: Duration, pids: &[u32], held: bool) -> Outcome {
    let about: Vec<&Seen> = lines.iter().filter(|seen| scene.has(&seen.path)).collect();
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
    let wrong = match case.who {
        Who::Doer => matching().find_map(|seen| actor::fault(seen, pids)),
        Who::Described => {
            matching().find_map(|seen| actor::fault(seen, pids).or_else(|| actor::undescribed(seen)))
        }
        Who::Everybody => actor::forgotten(&about, pids),
        Who::Anyone => None,
    };
    let verdict = if let Some(wrong) = wrong {
        notes.insert(0, wrong);
        Verdict::NoActor
    } else if held && after.is_some_and(|after| after <= PROMPT) && matching().all(|seen| seen.live) {
        Verdict::Full
    } else {
        let how = if !matching().all(|seen| seen.live) {
            "by comparing"
        } else if !held {
            "when it was let go"
        } else {
            "by looking again"
        };
        notes.insert(0, how.to_owned());
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
