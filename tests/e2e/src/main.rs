//! Drives the real `fim` with real tools on real files and asserts the lines it prints.
//!
//! ```text
//! fim-e2e suite FIM WATCHER DIR [--lines FILE]   all cases below DIR; prints ok, FAIL or skip for each
//! fim-e2e changes FIM WATCHER DIR       those of them that need but one start
//! fim-e2e losses FIM WATCHER DIR        too little room for records and files, and a watcher that is stopped
//! fim-e2e reload FIM WATCHER DIR        another configuration in a storm, which is one of the cases
//! fim-e2e consumers FIM WATCHER DIR     the tools that administer accounts, keys and rules, on files of their own
//! fim-e2e stress FIM WATCHER DIR SEED…  changes at random, and what is told of them
//! fim-e2e stress-work DIR SEED N COUNT  one process of it
//! fim-e2e packages FIM WATCHER DIR      packages upgraded and installed anew, and one file that is not what it should be
//! fim-e2e cost FIM WATCHER DIR          what a 1-byte write to an unwatched file costs with fim and without
//! fim-e2e writes FILE                   the part of it that is measured
//! fim-e2e act KIND DIR                  make one kind of change (what the cases start, so that it has an actor)
//! fim-e2e meddle empty|fill PIN         take the entries out of a pinned map, or fill it
//! ```
//! Nothing here waits for time to pass: after each case a file of its own is made, and its line awaited.
#![allow(clippy::indexing_slicing)] // of JSON values, which answer null

mod act;
mod agent;
mod cases;
mod consumers;
mod cost;
mod expect;
mod lifecycle;
mod losses;
mod meddle;
mod packages;
mod reasons;
mod reload;
mod score;
mod stress;
mod tools;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["suite", fim, watcher, dir] => cases::run(fim, watcher, &PathBuf::from(dir), None),
        ["suite", fim, watcher, dir, "--lines", lines] => {
            cases::run(fim, watcher, &PathBuf::from(dir), Some(&PathBuf::from(lines)))
        }
        ["changes", fim, watcher, dir] => {
            let mut score = score::Score::new((*dir).to_string());
            cases::changes(fim, watcher, &PathBuf::from(dir), None, &mut score).map(|()| score.failed)
        }
        ["losses", fim, watcher, dir] => losses::run(fim, watcher, &PathBuf::from(dir)),
        ["reload", fim, watcher, dir] => {
            let mut score = score::Score::new((*watcher).to_string());
            reload::run(fim, watcher, &PathBuf::from(dir), &mut score).map(|()| score.failed)
        }
        ["consumers", fim, watcher, dir] => consumers::run(fim, watcher, &PathBuf::from(dir)),
        ["stress", fim, watcher, dir, seeds @ ..] => {
            numbers(seeds).and_then(|seeds| stress::run(fim, watcher, &PathBuf::from(dir), &seeds))
        }
        ["stress-work", dir, numbered @ ..] => numbers(numbered).and_then(|numbers| match numbers[..] {
            [seed, worker, count] => stress::work(&PathBuf::from(dir), seed, worker, count).map(|()| 0),
            _ => Err(io::Error::other("a seed, a number and a count")),
        }),
        ["packages", fim, watcher, dir] => packages::run(fim, watcher, &PathBuf::from(dir)),
        ["cost", fim, watcher, dir] => cost::run(fim, watcher, &PathBuf::from(dir)),
        ["writes", file] => cost::writes(&PathBuf::from(file)),
        ["meddle", how, pin] => meddle::meddle(how, pin).map(|()| 0),
        ["act", kind, dir] => act::act(kind, &PathBuf::from(dir)).map(|()| 0),
        _ => {
            eprintln!(
                "usage: fim-e2e suite|changes|losses|reload|consumers|packages|stress|cost FIM WATCHER DIR | act KIND DIR"
            );
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("fim-e2e: {error}");
            ExitCode::from(2)
        }
    }
}

fn numbers(words: &[&str]) -> io::Result<Vec<u64>> {
    words
        .iter()
        .map(|word| word.parse().map_err(|_| io::Error::other(format!("no number: {word}"))))
        .collect()
}
