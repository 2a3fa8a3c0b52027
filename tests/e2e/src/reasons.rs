//! Trusted writers and windows: who is what he says, and when.

use crate::agent::Agent;
use crate::score::Score;
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

pub fn run(fim: &str, watcher: &str, dir: &Path, score: &mut Score) -> io::Result<()> {
    drop(fs::remove_dir_all(dir));
    let watched = dir.join("watched");
    fs::create_dir_all(watched.join("barrier"))?;
    // One that lives on: who has ended is trusted by nobody.
    let mut shell = Command::new("sh").stdin(Stdio::piped()).spawn()?;
    let sum = Command::new("sha256sum").arg(format!("/proc/{}/exe", shell.id())).output()?.stdout;
    let sum = String::from_utf8_lossy(&sum).split_whitespace().next().unwrap_or_default().to_owned();
    let config = dir.join("fim.toml");
    let at_work = dir.join("at-work");
    let text = format!(
        "[[generic]]\npaths = [{watched:?}]\n\
         [[writer]]\nname = \"tests\"\nsha256 = [\"{sum}\"]\nlower = true\n\
         [[maintenance]]\nname = \"works\"\nwhile_exists = {at_work:?}\n"
    );
    fs::write(&config, text)?;
    let mut agent = Agent::start_by(fim, watcher, &dir.join("state"), &config, watched.join("barrier"))?;
    // A program, so that a change of it is notable.
    let write = |name: &str| {
        Command::new("install").args(["-m", "755", "/dev/null"]).arg(watched.join(name)).status()
    };
    write("stranger")?;
    agent.barrier()?;
    fs::write(&at_work, "")?;
    write("worker")?;
    agent.barrier()?;
    fs::remove_file(&at_work)?;
    write("late")?;
    if let Some(stdin) = &mut shell.stdin {
        writeln!(stdin, "echo x > '{}'", watched.join("trusted").display())?;
    }
    agent.wait_until_seen(|line| line["file"]["name"] == "trusted")?;
    agent.barrier()?;
    drop(shell.stdin.take());
    shell.wait()?;
    let (_, lines) = agent.stop(Signal::TERM)?;
    let by = |name: &str| -> Vec<&Value> {
        let shown = watched.join(name).display().to_string();
        let told = lines.iter().filter(|line| line["file"]["path"] == shown);
        told.map(|line| &line["fim"]["explained_by"]).collect()
    };
    let are = |name: &str, word: &str| {
        let found = by(name);
        let is_so = |by: &&Value| by["by"].as_str().unwrap_or_default() == word;
        let all = !found.is_empty() && found.iter().all(is_so);
        if all { Ok(()) } else { Err(format!("{name} is to be by {word:?}: {found:?}")) }
    };
    score.say("writer", are("trusted", "writer").and_then(|()| are("stranger", "")));
    score.say("window", are("worker", "window").and_then(|()| are("late", "")));
    Ok(())
}
