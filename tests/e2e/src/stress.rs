//! Changes at random, from a seed, by several processes at once; at rest, what `fim` told and what it knows are what is
//! there, by a walk of the suite's own.

mod kept;
mod operations;
mod random;
mod replay;
mod tree;
mod work;

use crate::agent::{Agent, action};
use crate::score::Score;
pub use work::work;

use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, Command};
use tree::{differences, walk};

/// Nothing is found by looking at everything from time to time.
const CONFIG: &str = "[scan]\nmetadata_every = 0\nfull_every = 0\nremote_every = 0\n";

/// Runs each seed below a directory of its own; the number of failures. What is left of one that failed stays.
pub fn run(fim: &str, watcher: &str, dir: &Path, seeds: &[u64]) -> io::Result<u32> {
    let mut score = Score::new(dir.display().to_string());
    for seed in seeds {
        let dir = dir.join(format!("stress-{seed}"));
        drop(fs::remove_dir_all(&dir));
        fs::create_dir_all(&dir)?;
        let outcome = one(fim, watcher, &dir, *seed)?;
        if outcome.is_ok() {
            fs::remove_dir_all(&dir)?;
        }
        score.say(&format!("stress-{seed}"), outcome);
    }
    Ok(score.failed)
}

fn one(fim: &str, watcher: &str, dir: &Path, seed: u64) -> io::Result<Result<(), String>> {
    let (watched, state, config) = (dir.join("watched"), dir.join("state"), dir.join("fim.toml"));
    work::furnish(dir, seed)?;
    fs::create_dir(watched.join("barrier"))?;
    fs::write(&config, CONFIG)?;
    let mut told = walk(&watched)?;

    let mut agent = Agent::start_with(fim, watcher, &state, &watched, Some(&config))?;
    let workers: Vec<Child> =
        (0..1 + seed % 4).map(|worker| start(dir, seed, worker)).collect::<Result<_, _>>()?;
    for mut worker in workers {
        if !worker.wait()?.success() {
            return Err(io::Error::other("a worker failed"));
        }
    }
    agent.barrier()?;
    write_once_more(&watched)?;
    let (status, lines) = agent.stop(Signal::TERM)?;
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    fs::write(dir.join("lines"), text.join("\n") + "\n")?;

    let there = walk(&watched)?;
    let strange = replay::replay(&mut told, &lines);
    let by_lines = differences(&told, &there);
    let by_state = differences(&kept::kept(&state, &watched)?, &there);
    let open_gaps = lines.last().map(|line| line["fim"]["counts"]["gaps_open"].as_u64());
    let mut wrong = Vec::new();
    if status.code() != Some(0)
        || lines.last().map(action) != Some("watch_stopped")
        || open_gaps != Some(Some(0))
    {
        wrong.push(format!("it ended with {status}, gaps open: {open_gaps:?}"));
    }
    for (what, found) in [("by the state", by_state), ("by the lines", by_lines), ("before", strange)] {
        wrong.extend(found.into_iter().map(|found| format!("{what}: {found}")));
    }
    Ok(if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n    ")) })
}

/// However a file came to where it is, it has its mark: what is written to it now is told without a search for it.
fn write_once_more(watched: &Path) -> io::Result<()> {
    for (path, _) in walk(watched)?.iter().filter(|(_, entry)| entry.kind == "file") {
        fs::File::options().append(true).open(path)?.write_all(b"once more")?;
    }
    Ok(())
}

fn start(dir: &Path, seed: u64, worker: u64) -> io::Result<Child> {
    let count = if crate::act::is_light() { 200 } else { 600 };
    Command::new(std::env::current_exe()?)
        .args(["stress-work".as_ref(), dir.as_os_str()])
        .args([seed, worker, count].map(|number| number.to_string()))
        .spawn()
}
