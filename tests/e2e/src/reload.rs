//! Another configuration in the middle of a storm: what the lines say in the end is what is there.

use crate::agent::{Agent, action};
use crate::score::Score;
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

const DIRS: [&str; 3] = ["kept", "old", "new"];
const FILES: u64 = 30;
const PACE: Duration = Duration::from_millis(20);

pub fn run(fim: &str, watcher: &str, dir: &Path, score: &mut Score) -> io::Result<()> {
    drop(fs::remove_dir_all(dir));
    fs::create_dir_all(dir.join("kept/barrier"))?;
    for name in DIRS {
        fs::create_dir_all(dir.join(name))?;
        (0..FILES).try_for_each(|file| fs::write(file_of(dir, name, file), "before"))?;
    }
    score.say("reload", storm(fim, watcher, dir)?);
    Ok(())
}

fn file_of(dir: &Path, name: &str, file: u64) -> PathBuf {
    dir.join(name).join(format!("f{file}"))
}

/// Puts a configuration in place that watches these directories.
fn configure(dir: &Path, names: &[&str]) -> io::Result<()> {
    let paths: Vec<String> = names.iter().map(|name| format!("{:?}", dir.join(name))).collect();
    replace(dir, &format!("[[generic]]\npaths = [{}]\n", paths.join(", ")))
}

fn replace(dir: &Path, text: &str) -> io::Result<()> {
    fs::write(dir.join("fim.toml.new"), text)?;
    fs::rename(dir.join("fim.toml.new"), dir.join("fim.toml"))
}

/// Writes all files of all directories again and again, in place and by replacing, with names that come and go.
struct Storm {
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<io::Result<()>>,
}

impl Storm {
    fn begin(dir: &Path) -> Self {
        let (stop, rounds) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (dir, stopped, counted) = (dir.to_owned(), Arc::clone(&stop), Arc::clone(&rounds));
        let thread = std::thread::spawn(move || {
            for round in 0.. {
                if stopped.load(Ordering::Acquire) {
                    break;
                }
                for (name, file) in DIRS.iter().flat_map(|name| (0..FILES).map(move |file| (name, file))) {
                    let path = file_of(&dir, name, file);
                    if (round + file) % 3 == 0 {
                        let part = path.with_extension("part");
                        fs::write(&part, format!("{name} {file} {round}"))?;
                        fs::rename(&part, &path)?;
                    } else {
                        fs::write(&path, format!("{name} {file} {round}"))?;
                    }
                }
                counted.fetch_add(1, Ordering::Release);
                // Some thousand changes a second: on a file system in memory there would be no end of them.
                std::thread::sleep(PACE);
            }
            Ok(())
        });
        Self { stop, rounds, thread }
    }

    /// Returns when everything was written once more.
    fn one_more_round(&self) {
        let wanted = self.rounds.load(Ordering::Acquire) + 2;
        while self.rounds.load(Ordering::Acquire) < wanted && !self.thread.is_finished() {
            std::thread::yield_now();
        }
    }

    fn end(self) -> io::Result<()> {
        self.stop.store(true, Ordering::Release);
        self.thread.join().map_err(|_| io::Error::other("the storm panicked"))?
    }
}

fn storm(fim: &str, watcher: &str, dir: &Path) -> io::Result<Result<(), String>> {
    let state = dir.join("state");
    let start = || Agent::start_by(fim, watcher, &state, &dir.join("fim.toml"), dir.join("kept/barrier"));
    let reloaded = |result: &'static str| {
        move |line: &Value| action(line) == "config_reloaded" && line["fim"]["reload"]["result"] == result
    };
    configure(dir, &["kept", "old"])?;
    let mut agent = start()?;
    let storm = Storm::begin(dir);
    storm.one_more_round();
    // By the file alone.
    configure(dir, &["kept", "new"])?;
    agent.wait_for(reloaded("applied"))?;
    storm.one_more_round();
    replace(dir, "[[generic]]\npath = [\"/\"]\n")?;
    agent.wait_for(reloaded("refused"))?;
    storm.one_more_round();
    configure(dir, &DIRS)?;
    agent.signal(Signal::HUP)?;
    agent.wait_for(reloaded("applied"))?;
    storm.one_more_round();
    storm.end()?;
    agent.barrier()?;
    let (status, told) = agent.stop(Signal::TERM)?;
    if status.code() != Some(0) {
        return Ok(Err(format!("exit {status}")));
    }
    for (name, file) in DIRS.iter().flat_map(|name| (0..FILES).map(move |file| (name, file))) {
        let path = file_of(dir, name, file);
        let hash = blake3::hash(&fs::read(&path)?).to_hex().to_string();
        let shown = path.display().to_string();
        let line = told.iter().rfind(|line| line["file"]["path"] == shown);
        if line.is_none_or(|line| line["file"]["hash"]["blake3"] != hash) {
            return Ok(Err(format!("the last line of {shown} is not what is in it: {line:?}")));
        }
    }
    // What is kept is what is there: nothing is found to have changed while nothing ran.
    let (_, again) = start()?.stop(Signal::TERM)?;
    let found = again.iter().find(|line| line["event"]["kind"] == "event");
    Ok(found.map_or(Ok(()), |line| Err(format!("found at the next start: {line}"))))
}
