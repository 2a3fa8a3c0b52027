//! What the running agent says of itself.

use crate::failure::Failure;
use crate::watchers::ProgramCost;
use fim_core::Now;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;

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
    #[serde(default)]
    refused: Option<String>,
    #[serde(default)]
    programs: Vec<ProgramCost>,
}

impl Answer {
    /// Of this process, which started then and took its watcher for this reason.
    pub fn of(now: Now, programs: Vec<ProgramCost>, started: Timestamp, why: &str) -> Self {
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
            refused: now.refused,
            programs,
        }
    }
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
    if let Some(why) = &answer.refused {
        add("config", format!("THE LAST ONE WAS REFUSED, the one before holds: {why}"));
    }
    add("queue", format!("{} messages, {} files to look at", answer.queued, answer.pending));
    if let Some(cost) = cost(&answer.programs) {
        add("programs", cost);
    }
    Ok(text)
}

/// The costliest programs in the kernel, where they are measured.
const COSTLIEST: usize = 5;

fn cost(programs: &[ProgramCost]) -> Option<String> {
    let sum = |of: fn(&ProgramCost) -> u64| programs.iter().map(of).fold(0, u64::saturating_add);
    let runs = sum(|it| it.runs);
    let mut costliest: Vec<&ProgramCost> = programs.iter().filter(|it| it.runs > 0).collect();
    costliest.sort_by_key(|it| std::cmp::Reverse(it.nanoseconds));
    let each: Vec<String> = costliest
        .iter()
        .take(COSTLIEST)
        .map(|it| format!("{} {} at {} ns", it.program, it.runs, it.nanoseconds / it.runs.max(1)))
        .collect();
    let took = SignedDuration::from_nanos(i64::try_from(sum(|it| it.nanoseconds)).unwrap_or(i64::MAX));
    (runs > 0).then(|| format!("{runs} runs in {} ms: {}", took.as_millis(), each.join(", ")))
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
        let mut answer = Answer::of(Status::default().now(), Vec::new(), started, "it can be used");
        answer.by_consumer = [("generic".to_owned(), 3), ("users".to_owned(), 1)].into();
        (answer.findings, answer.lost, answer.gaps, answer.gaps_open) = (4, 17, 2, 1);
        (answer.phase, answer.watcher) = ("watching".to_owned(), "bpf".to_owned());
        (answer.files, answer.marks, answer.marks_limit) = (12, 14, 100);
        answer.refused = Some("line 3".to_owned());
        let program = |name: &str, runs, nanoseconds| {
            let program = name.to_owned();
            ProgramCost { program, runs, nanoseconds, missed: 0 }
        };
        answer.programs =
            vec![program("evict", 0, 0), program("mmap", 10, 500), program("vfs_write", 1000, 90_000)];
        let line = serde_json::to_string(&answer).unwrap();
        let text = describe(&line, started + SignedDuration::from_secs(3 * 86_400 + 4 * 3600 + 5)).unwrap();
        for said in [
            "agent       watching for 3d 4h, pid ",
            "watcher     bpf (it can be used)\n",
            "watched     12 files and 0 folders at the start\n",
            "marks       14 of 100\n",
            "config      THE LAST ONE WAS REFUSED, the one before holds: line 3\n",
            "findings    4 (generic 3, users 1)\n",
            "programs    1010 runs in 0 ms: vfs_write 1000 at 90 ns, mmap 10 at 50 ns\n",
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
}
