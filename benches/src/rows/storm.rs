//! Very many changes (B7): is the end state of every file in the lines, and how long after the last change is all told?

use super::Bench;
use crate::Failure;
use crate::agent::Agent;
use crate::figure::Figure;
use crate::tree;
use rustix::process::Signal;
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// So long without a line is rest: longer than anything hot backs off.
const QUIET: Duration = Duration::from_secs(6);
/// How long the agent is stopped in the variant.
const STOP: Duration = Duration::from_secs(2);

pub(super) fn run(bench: &Bench, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
    let (changes, trees) = if bench.full {
        (1_000_000, [(1, false), (10_000, true), (1_000_000, false)])
    } else {
        let all = 100_000 / bench.slower_by();
        (all, [(1, false), (all / 100, true), (all, false)])
    };
    for (files, also_stopped) in trees {
        let on_tmpfs = bench.scratch_on("/dev/shm")?;
        let top = on_tmpfs.join("storm");
        tree::make(&top, files)?;
        let outcome =
            [false, true].into_iter().filter(|stopped| !stopped || also_stopped).try_for_each(|stopped| {
                let (lost, rest, note) = storm(bench, &on_tmpfs, &top, files, changes, stopped)?;
                let name = |what| {
                    let stopped = if stopped { ", agent stopped for 2 s" } else { "" };
                    format!("{changes} changes over {files} files{stopped}: {what}")
                };
                tell(Figure::new("B7", name("end states lost"), vec![lost]).to_be(0.0, 0.0));
                tell(
                    Figure::new("B7", name("time to rest ÷ generator's time"), vec![rest])
                        .to_be(1.2, 2.0)
                        .note(note),
                );
                Ok::<(), Failure>(())
            });
        fs::remove_dir_all(&on_tmpfs)?;
        outcome?;
    }
    Ok(())
}

fn storm(
    bench: &Bench,
    scratch: &Path,
    top: &Path,
    files: u64,
    changes: u64,
    stopped: bool,
) -> Result<(f64, f64, String), Failure> {
    let config = bench.config("storm", top)?;
    let state = scratch.join("storm-state");
    drop(fs::remove_dir_all(&state));
    let agent = Agent::fim(&bench.fim, &state, &config)?;
    let before = agent.cpu()?;
    let begun = Instant::now();
    let mut generator = Command::new(&bench.own)
        .arg("change")
        .arg(top.with_extension("list"))
        .args([files.to_string(), changes.to_string()])
        .spawn()?;
    if stopped {
        std::thread::sleep(Duration::from_millis(200));
        agent.signal(Signal::STOP)?;
        std::thread::sleep(STOP);
        agent.signal(Signal::CONT)?;
    }
    // In a thread of its own: lines are read meanwhile.
    let generated = std::thread::spawn(move || generator.wait().map(|_| begun.elapsed().as_secs_f64()));
    let mut told = HashMap::new();
    let mut last = begun;
    loop {
        let (at, lines) = agent.until_quiet(QUIET)?;
        last = at.unwrap_or(last);
        lines.iter().for_each(|line| note(line, &mut told));
        if generated.is_finished() {
            break;
        }
    }
    let generated = generated.join().map_err(|_| "the generator's thread failed")??;
    let cpu = agent.cpu()? - before;
    let rest = agent.stop()?;
    let at_stop = rest.len().saturating_sub(1);
    rest.iter().for_each(|line| note(line, &mut told));
    let mut lost = 0_u32;
    for path in list(&top.with_extension("list"))? {
        let is = blake3::hash(&fs::read(&path)?).to_hex();
        if told.get(&path).is_none_or(|hash| *hash != is.as_str()) {
            lost += 1;
        }
    }
    let took = (last - begun).as_secs_f64();
    let note = format!(
        "{took:.1} s ÷ {generated:.1} s, fim used {cpu:.1} s of a processor, {at_stop} lines at the stop"
    );
    Ok((f64::from(lost), took / generated, note))
}

fn note(line: &str, told: &mut HashMap<PathBuf, String>) {
    let Ok(line) = serde_json::from_str::<Value>(line) else { return };
    let text = |pointer: &str| line.pointer(pointer).and_then(Value::as_str);
    if let (Some(path), Some(hash)) = (text("/file/path"), text("/file/hash/blake3")) {
        told.insert(path.into(), hash.to_owned());
    }
}

fn list(file: &Path) -> Result<Vec<PathBuf>, Failure> {
    let text = String::from_utf8(fs::read(file)?)?;
    Ok(text.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect())
}

/// Makes so many changes over these files, as fast as it can.
///
/// # Errors
/// When one cannot be written.
pub fn change(names: &Path, changes: u64) -> Result<(), Failure> {
    let paths = list(names)?;
    // What an earlier run left must not be what this one ends with: an agent that was stopped meanwhile would see no change.
    let run = std::process::id();
    for (number, path) in (0..changes).zip(paths.iter().cycle()) {
        fs::write(path, format!("change {number} of {run}\n"))?;
    }
    Ok(())
}
