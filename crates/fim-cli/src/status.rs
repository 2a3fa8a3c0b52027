//! What the running agent says of itself: asked through a socket in the state folder.

pub mod serve;

use crate::failure::Failure;
use fim_core::Now;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An agent that says nothing for so long is not well.
const PATIENCE: Duration = Duration::from_secs(10);
/// An answer is much shorter.
const MAX_BYTES: u64 = 1 << 20;

/// The answer of an agent: one line of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pid: u32,
    version: String,
    started: Timestamp,
    phase: String,
    watcher: String,
    why: String,
    files: u64,
    dirs: u64,
    marks: u64,
    marks_limit: u64,
    events: u64,
    looks: u64,
    findings: u64,
    by_consumer: BTreeMap<String, u64>,
    lost: u64,
    gaps: u64,
    gaps_open: u64,
    queued: u64,
    pending: u64,
}

impl Answer {
    /// Of this process, which started then and took its watcher for this reason.
    fn of(now: Now, started: Timestamp, why: &str) -> Self {
        Self {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started,
            phase: now.phase.as_str().to_owned(),
            watcher: now.watcher.to_owned(),
            why: why.to_owned(),
            files: now.files,
            dirs: now.dirs,
            marks: now.marks,
            marks_limit: now.marks_limit,
            events: now.events,
            looks: now.looks,
            findings: now.findings,
            by_consumer: now.by_consumer.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
            lost: now.lost,
            gaps: now.gaps,
            gaps_open: now.gaps_open,
            queued: now.queued,
            pending: now.pending,
        }
    }
}

/// Where the agent listens.
fn socket(state: &Path) -> PathBuf {
    state.join("status.sock")
}

/// The answer of the agent that keeps its state in this folder, as it was sent.
///
/// # Errors
/// When there is none, or it does not answer.
pub fn ask(state: &Path) -> Result<String, Failure> {
    let answer = UnixStream::connect(socket(state)).and_then(|stream| {
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut answer = String::new();
        stream.take(MAX_BYTES).read_to_string(&mut answer)?;
        Ok(answer)
    });
    answer.map_err(|error| unanswered(state, &error))
}

fn unanswered(state: &Path, error: &io::Error) -> Failure {
    let state = state.display();
    Failure::new(match error.kind() {
        io::ErrorKind::NotFound => format!(
            "no agent runs with its state in {state}: start one by `fim run`, or name its folder by --state DIR"
        ),
        io::ErrorKind::ConnectionRefused => format!(
            "the agent that kept its state in {state} has gone without a word: start it by `fim run`; \
             what changed meanwhile is reported then"
        ),
        io::ErrorKind::PermissionDenied => {
            format!("cannot ask the agent of {state}: {error}; run as its user, root")
        }
        _ => format!("the agent of {state} does not answer: {error}"),
    })
}

/// An answer in words, as of this moment.
///
/// # Errors
/// When it is no answer.
pub fn describe(answer: &str, now: Timestamp) -> Result<String, Failure> {
    let answer: Answer = serde_json::from_str(answer)
        .map_err(|error| Failure::new(format!("the agent's answer is of another version of fim: {error}")))?;
    let mut text = String::new();
    let mut add = |word: &str, what: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{word:<11} {}", crate::output::tame(&what));
    };
    let uptime = duration(now.duration_since(answer.started));
    add("agent", format!("{} for {uptime}, pid {}, version {}", answer.phase, answer.pid, answer.version));
    add("watcher", format!("{} ({})", answer.watcher, answer.why));
    let sofar = if answer.phase == "starting" { " compared so far" } else { " at the start" };
    add("watched", format!("{} files and {} folders{sofar}", answer.files, answer.dirs));
    if answer.marks > 0 {
        let limit =
            if answer.marks_limit > 0 { format!(" of {}", answer.marks_limit) } else { String::new() };
        add("marks", format!("{}{limit}", answer.marks));
    }
    let by: Vec<String> = answer.by_consumer.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let by = if by.is_empty() { String::new() } else { format!(" ({})", by.join(", ")) };
    add("findings", format!("{}{by}", answer.findings));
    add("events", format!("{}, {} looks", answer.events, answer.looks));
    let closed = answer.gaps.saturating_sub(answer.gaps_open);
    let open =
        if answer.gaps_open > 0 { format!(", {} STILL OPEN", answer.gaps_open) } else { String::new() };
    add("lost", format!("{} records in {} gaps, {closed} made up for{open}", answer.lost, answer.gaps));
    add("queue", format!("{} messages, {} files to look at", answer.queued, answer.pending));
    Ok(text)
}

/// `3d 4h`, `4h 5min`, `5min 6s` or `6s`.
fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}min {}s", seconds % 60),
        (0, ..) => format!("{hours}h {minutes}min"),
        _ => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fim_core::Status;

    #[test]
    fn the_answer_in_words() {
        let started = Timestamp::from_second(1_700_000_000).unwrap();
        let mut answer = Answer::of(Status::default().now(), started, "it can be used");
        answer.by_consumer = [("generic".to_owned(), 3), ("users".to_owned(), 1)].into();
        (answer.findings, answer.lost, answer.gaps, answer.gaps_open) = (4, 17, 2, 1);
        (answer.phase, answer.watcher) = ("watching".to_owned(), "bpf".to_owned());
        (answer.files, answer.marks, answer.marks_limit) = (12, 14, 100);
        let line = serde_json::to_string(&answer).unwrap();
        let text = describe(&line, started + SignedDuration::from_secs(3 * 86_400 + 4 * 3600 + 5)).unwrap();
        for said in [
            "agent       watching for 3d 4h, pid ",
            "watcher     bpf (it can be used)\n",
            "watched     12 files and 0 folders at the start\n",
            "marks       14 of 100\n",
            "findings    4 (generic 3, users 1)\n",
            "lost        17 records in 2 gaps, 1 made up for, 1 STILL OPEN\n",
        ] {
            assert!(text.contains(said), "{said}\n{text}");
        }
        assert!(describe("{}", started).unwrap_err().to_string().contains("another version"));
    }

    #[test]
    fn durations() {
        for (seconds, text) in
            [(-5, "0s"), (59, "59s"), (61, "1min 1s"), (3_700, "1h 1min"), (90_000, "1d 1h")]
        {
            assert_eq!(duration(SignedDuration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn an_agent_that_has_gone_is_told_from_one_that_never_was() {
        let dir = tempfile::tempdir().unwrap();
        let never = ask(dir.path()).unwrap_err().to_string();
        assert!(never.starts_with("no agent runs"), "{never}");
        drop(std::os::unix::net::UnixListener::bind(socket(dir.path())).unwrap());
        let gone = ask(dir.path()).unwrap_err().to_string();
        assert!(gone.contains("has gone without a word"), "{gone}");
    }
}
