//! Starts, stops and kills: what changed meanwhile is told, and nothing of the state is lost.

use crate::agent::{Agent, action};
use crate::expect::{about, compare, line};
use crate::score::Score;
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Output};

pub fn run(fim: &str, watcher: &str, dir: &Path, score: &mut Score) -> io::Result<()> {
    drop(fs::remove_dir_all(dir));
    let (watched, state) = (&dir.join("watched"), &dir.join("state"));
    fs::create_dir_all(watched.join("barrier"))?;
    for name in ["a", "b", "c"] {
        fs::write(watched.join(name), "old")?;
    }
    let fim_once = |words: &[&str]| {
        Command::new(fim).args(words).arg("--state").arg(state).arg(watched).env("RUST_LOG", "error").output()
    };

    let baseline = fim_once(&["baseline"])?;
    let clean = fim_once(&["check"])?;
    fs::write(watched.join("a"), "changed")?;
    let dirty = fim_once(&["check"])?;
    let again = fim_once(&["check"])?;
    let accepted = fim_once(&["baseline"])?;
    let accepted_clean = fim_once(&["check"])?;
    score.say(
        "check",
        codes(&[(&baseline, 0), (&clean, 0), (&dirty, 1), (&again, 1), (&accepted, 0), (&accepted_clean, 0)])
            .and_then(|()| compare(watched, &[line("updated", "a")], &lines(&dirty)))
            .and_then(|()| compare(watched, &[], &lines(&accepted_clean))),
    );

    fs::write(watched.join("b"), "changed while down")?;
    fs::remove_file(watched.join("c"))?;
    fs::write(watched.join("n"), "new")?;
    let agent = Agent::start(fim, watcher, state, watched)?;
    let (status, told) = agent.stop(Signal::INT)?;
    let expected = [line("updated", "b"), line("deleted", "c"), line("created", "n")];
    score.say(
        "startup",
        compare(watched, &expected, &told).and_then(|()| {
            let all = about(watched, &told).all(|line| line["fim"]["detected"] == "startup");
            if all && status.code() == Some(0) {
                Ok(())
            } else {
                Err(format!("exit {status}, or not `startup`"))
            }
        }),
    );
    score.say("kill", killed(fim, watcher, state, watched)?);
    Ok(())
}

/// Killed while it works, several times: at the end every file's last line is what is in it.
fn killed(fim: &str, watcher: &str, state: &Path, watched: &Path) -> io::Result<Result<(), String>> {
    let mut told: Vec<Value> = Vec::new();
    let files: Vec<_> = (0..50).map(|file| watched.join(format!("k{file}"))).collect();
    // A start takes a guest ten seconds.
    let rounds = if std::env::var_os("FIM_E2E_SLOW").is_some() { 2 } else { 5 };
    for round in 0..rounds {
        let mut agent = Agent::start(fim, watcher, state, watched)?;
        for (at, file) in files.iter().enumerate() {
            fs::write(file, format!("{round} {at}"))?;
            if at == round * 10 {
                agent.barrier()?;
            }
        }
        agent.signal(Signal::KILL)?;
        drop(agent.wait_for(|_| false));
        told.append(&mut agent.seen);
    }
    let agent = Agent::start(fim, watcher, state, watched)?;
    let (status, mut last) = agent.stop(Signal::TERM)?;
    told.append(&mut last);
    if status.code() != Some(0) {
        return Ok(Err(format!("exit {status}")));
    }
    for file in &files {
        let hash = blake3::hash(&fs::read(file)?).to_hex().to_string();
        let name = file.display().to_string();
        let line = told.iter().rfind(|line| line["file"]["path"] == name);
        if line.is_none_or(|line| line["file"]["hash"]["blake3"] != hash) {
            return Ok(Err(format!("the last line of {name} is not what is in it")));
        }
    }
    let lost = told.iter().any(|line| action(line) == "baseline_lost");
    Ok(if lost { Err("the baseline was lost".to_owned()) } else { Ok(()) })
}

fn lines(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn codes(all: &[(&Output, i32)]) -> Result<(), String> {
    for (output, code) in all {
        if output.status.code() != Some(*code) {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{} instead of {code}: {stderr}", output.status));
        }
    }
    Ok(())
}
