//! Too little room and too little time: records are lost, it is said, and the lines still end at what is there.

use crate::agent::{Agent, action};
use crate::expect::about;
use crate::score::Score;
use rustix::process::Signal;
use serde_json::Value;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Runs all of it below a directory; the number of failures. Only BPF has a ring and room to configure.
pub fn run(fim: &str, watcher: &str, dir: &Path) -> io::Result<u32> {
    let mut score = Score::new(dir.display().to_string());
    for (name, limits, story) in [
        ("ring", "ring_bytes = 4096", ring as Story),
        ("room", "watch_room = 1024", room),
        ("paused", "", paused),
    ] {
        let dir = dir.join(name);
        drop(fs::remove_dir_all(&dir));
        let watched = dir.join("watched");
        fs::create_dir_all(watched.join("barrier"))?;
        fs::create_dir(watched.join("many"))?;
        let config = dir.join("fim.toml");
        fs::write(&config, format!("[limits]\n{limits}\n"))?;
        let agent = Agent::start_with(fim, watcher, &dir.join("state"), &watched, Some(&config))?;
        let lines = story(agent, &watched.join("many"))?;
        score.say(name, is_what_is_there(&watched, &lines).and_then(|()| gaps(name, &watched, &lines)));
    }
    Ok(score.failed)
}

/// What is done to a directory, and the lines that come of it until the end.
type Story = fn(Agent, &Path) -> io::Result<Vec<Value>>;

/// Far more records than a page holds, and nobody takes them.
fn ring(mut agent: Agent, dir: &Path) -> io::Result<Vec<Value>> {
    agent.signal(Signal::STOP)?;
    append(dir, 0..1000, 0)?;
    agent.signal(Signal::CONT)?;
    for round in 1..5 {
        append(dir, 0..1000, round)?;
    }
    agent.barrier()?;
    Ok(agent.stop(Signal::TERM)?.1)
}

/// More files than there is room for; they change; then room again.
fn room(mut agent: Agent, dir: &Path) -> io::Result<Vec<Value>> {
    append(dir, 0..3000, 0)?;
    agent.barrier()?;
    agent.wait_until_seen(|line| action(line) == "coverage_gap" && line["fim"]["gap"]["scope"] != "all")?;
    append(dir, 0..3000, 1)?;
    for file in 0..2500 {
        fs::remove_file(dir.join(file.to_string()))?;
    }
    agent.wait_until_seen(|line| action(line) == "gap_closed" && line["fim"]["gap"]["scope"] != "all")?;
    append(dir, 2500..3000, 2)?;
    agent.barrier()?;
    Ok(agent.stop(Signal::TERM)?.1)
}

/// Nobody takes the records while they come.
fn paused(mut agent: Agent, dir: &Path) -> io::Result<Vec<Value>> {
    agent.signal(Signal::STOP)?;
    for round in 0..10 {
        append(dir, 0..1000, round)?;
    }
    agent.signal(Signal::CONT)?;
    agent.barrier()?;
    Ok(agent.stop(Signal::TERM)?.1)
}

fn append(dir: &Path, files: std::ops::Range<u32>, round: u32) -> io::Result<()> {
    for file in files {
        let mut file = File::options().append(true).create(true).open(dir.join(file.to_string()))?;
        file.write_all(&round.to_le_bytes())?;
    }
    Ok(())
}

/// Adds up the lines: what they leave is what is there.
fn is_what_is_there(watched: &Path, lines: &[Value]) -> Result<(), String> {
    let mut told: HashMap<PathBuf, Option<String>> = HashMap::new();
    for line in about(watched, lines) {
        let path = PathBuf::from(line["file"]["path"].as_str().unwrap_or_default());
        let hash = line["file"]["hash"]["blake3"].as_str().map(str::to_owned);
        told.insert(path, hash.filter(|_| action(line) != "deleted"));
    }
    let mut there = 0;
    for entry in fs::read_dir(watched.join("many")).map_err(|error| error.to_string())?.flatten() {
        let path = entry.path();
        let content = fs::read(&path).map_err(|error| error.to_string())?;
        let hash = blake3::hash(&content).to_hex().to_string();
        if told.remove(&path) != Some(Some(hash)) {
            return Err(format!("the last line of {} is not what is in it", path.display()));
        }
        there += 1;
    }
    let gone = told.iter().find(|(path, hash)| hash.is_some() && !path.exists());
    match gone {
        Some((path, _)) => Err(format!("{} is gone and no line says so", path.display())),
        None if there == 0 => Err("nothing is there".to_owned()),
        None => Ok(()),
    }
}

/// Each loss is said, with its number, and closed.
fn gaps(name: &str, watched: &Path, lines: &[Value]) -> Result<(), String> {
    let of = |word| lines.iter().filter(move |line| action(line) == word).map(|line| &line["fim"]["gap"]);
    if of("coverage_gap").count() != of("gap_closed").count() {
        return Err("a gap was not closed".to_owned());
    }
    let is_said = |cause, is_scope: &dyn Fn(&str) -> bool| {
        of("coverage_gap").any(|gap| {
            gap["cause"] == cause
                && gap["lost"].as_u64() > Some(0)
                && gap["scope"].as_str().is_some_and(is_scope)
        })
    };
    let said = match name {
        "ring" => is_said("ring_full", &|scope| scope == "all"),
        // The barriers may have found no room either.
        "room" => is_said("marks_full", &|scope| Path::new(scope).starts_with(watched)),
        // Eight megabytes may hold it all.
        _ => true,
    };
    if said { Ok(()) } else { Err(format!("no such gap: {:?}", of("coverage_gap").collect::<Vec<_>>())) }
}
