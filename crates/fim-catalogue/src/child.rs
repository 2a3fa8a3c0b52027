//! The process that makes one change: since the watcher leaves out its own process, and the actor must be
//! somebody in particular.
//!
//! What it says, a line each on standard output: `pause` (and waits for a line), `done TIME PID…` (and waits
//! for the end of standard input before it lets go of what it holds), `impossible WHY`.

use crate::case::Case;
use crate::effect;
use crate::scene::Scene;
use crate::sys::monotonic;
use crate::ways::table;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;
use std::time::Duration;

/// What the process tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Pause,
    Done { at: Duration, pids: Vec<u32> },
    Impossible(String),
}

impl Word {
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "pause" => Some(Self::Pause),
            "done" => {
                let mut numbers = rest.split(' ');
                let at = Duration::from_nanos(numbers.next()?.parse().ok()?);
                let pids = numbers.map(|pid| pid.parse().ok()).collect::<Option<_>>()?;
                Some(Self::Done { at, pids })
            }
            "impossible" => Some(Self::Impossible(rest.to_owned())),
            _ => None,
        }
    }

    fn say(&self) -> io::Result<()> {
        let line = match self {
            Self::Pause => "pause".to_owned(),
            Self::Done { at, pids } => {
                let pids: String = pids.iter().map(|pid| format!(" {pid}")).collect();
                format!("done {}{pids}", at.as_nanos())
            }
            Self::Impossible(why) => format!("impossible {why}"),
        };
        let mut out = io::stdout().lock();
        writeln!(out, "{line}")?;
        out.flush()
    }
}

/// What a change can ask of whoever waits for its report.
pub(crate) struct Stage<'a> {
    input: &'a mut dyn BufRead,
    doers: Vec<u32>,
}

impl Stage<'_> {
    /// Waits until everything so far has been reported.
    pub(crate) fn pause(&mut self) -> io::Result<()> {
        Word::Pause.say()?;
        self.input.read_line(&mut String::new()).map(drop)
    }

    /// Another process than this one makes the change.
    pub(crate) fn doer(&mut self, pid: libc::pid_t) {
        self.doers.extend(u32::try_from(pid));
    }
}

/// Makes the change of one case and waits to be let go: the main function of a process of its own, with one
/// thread. `scratch` is that of the [`crate::Runner`].
///
/// # Errors
/// When there is no such case, or nobody listens.
pub fn perform(scratch: &Path, name: &str) -> io::Result<()> {
    let case = table()
        .into_iter()
        .find(|case| case.name == name)
        .ok_or_else(|| io::Error::other(format!("there is no case named {name}")))?;
    let scene = Scene::new(scratch, name);
    let mut input = io::stdin().lock();
    let before = effect::look(&scene, &case)?;
    let mut stage = Stage { input: &mut input, doers: Vec::new() };
    let held = (case.change)(&scene, &mut stage);
    let at = monotonic();
    let mut pids = stage.doers;
    if pids.is_empty() {
        pids.push(std::process::id());
    }
    let word = match held.as_ref().map(|_| proved(&scene, &case, &before)) {
        Ok(Ok(None)) => Word::Done { at, pids },
        Ok(Ok(Some(why))) => Word::Impossible(why),
        Ok(Err(error)) => Word::Impossible(format!("the effect cannot be seen: {error}")),
        Err(error) => Word::Impossible(error.to_string()),
    };
    word.say()?;
    input.read_to_end(&mut Vec::new())?;
    drop(held);
    Ok(())
}

fn proved(scene: &Scene, case: &Case, before: &[effect::Look]) -> io::Result<Option<String>> {
    match case.proof {
        Some(proof) => Ok((!proof(scene)?).then(|| "no effect".to_owned())),
        None => Ok(effect::missing(case, before, &effect::look(scene, case)?)),
    }
}

/// Makes a file of each name it reads: the main function of a process of its own. What comes before such a
/// file in the order of events has been seen when the file is reported.
///
/// # Errors
/// When a file cannot be made.
pub fn fence_keeper(dir: &Path) -> io::Result<()> {
    for name in io::stdin().lock().lines() {
        std::fs::write(dir.join(name?), "")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let done = Word::Done { at: Duration::from_nanos(12), pids: vec![3, 4] };
        for (line, word) in [
            ("pause", Some(Word::Pause)),
            ("done 12 3 4", Some(done)),
            ("impossible not here", Some(Word::Impossible("not here".to_owned()))),
            ("done", None),
            ("done x", None),
            ("", None),
        ] {
            assert_eq!(Word::parse(line), word, "{line}");
        }
    }
}
