//! Killed at random moments while files change: what a reader builds from the lines is what is there.
//!
//! `FIM_CRASHES` says how often; scripts/crash does it a thousand times.

use crate::house::{House, is_root};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Numbers that look random: xorshift64*, for where to kill and what to change.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % sides
    }
}

fn crashes() -> u64 {
    std::env::var("FIM_CRASHES").ok().and_then(|count| count.parse().ok()).unwrap_or(12)
}

/// Changes, makes, renames and removes files until told to stop.
fn stir(house: &House, seed: u64, stop: &AtomicBool) {
    let mut dice = Dice(seed);
    let path = |number: u64| house.watched.join(format!("file{number:02}"));
    while !stop.load(Ordering::Relaxed) {
        let (one, other) = (path(dice.roll(40)), path(dice.roll(40)));
        // What is not there cannot be renamed or removed.
        match dice.roll(10) {
            0 => drop(fs::remove_file(&one)),
            1 => drop(fs::rename(&one, &other)),
            _ => fs::write(&one, format!("{}", dice.roll(u64::MAX))).unwrap(),
        }
        std::thread::sleep(Duration::from_micros(dice.roll(3_000)));
    }
}

/// The lines that count: a number that comes again voids what was told under it and after it.
fn counted(house: &House) -> Vec<Value> {
    let mut lines: Vec<Value> = Vec::new();
    let sequence = |line: &Value| line["event"]["sequence"].as_u64().unwrap();
    for line in house.lines() {
        // A line that a kill cut short may stand before another.
        let whole = line.rfind("{\"@timestamp\"").map_or("", |at| &line[at..]);
        let Ok(line) = serde_json::from_str(whole) else { continue };
        while lines.last().is_some_and(|last| sequence(last) >= sequence(&line)) {
            lines.pop();
        }
        lines.push(line);
    }
    lines
}

/// What a reader of the log believes to be there: names and hashes.
fn believed(house: &House) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for line in counted(house) {
        let action = line["event"]["action"].as_str().unwrap();
        assert!(action != "baseline_lost", "{line}");
        let Some(name) = line["file"]["name"].as_str().filter(|name| name.starts_with("file")) else {
            continue;
        };
        if let Some(previous) = line["fim"]["previous"]["path"].as_str() {
            files.remove(previous.rsplit('/').next().unwrap());
        }
        match line["file"]["hash"]["blake3"].as_str() {
            Some(hash) if action != "deleted" => drop(files.insert(name.to_owned(), hash.to_owned())),
            _ => drop(files.remove(name)),
        }
    }
    files
}

fn there(house: &House) -> BTreeMap<String, String> {
    let entries = fs::read_dir(&house.watched).unwrap().map(|entry| entry.unwrap());
    let name = |entry: &fs::DirEntry| entry.file_name().into_string().unwrap();
    entries
        .filter(|entry| name(entry).starts_with("file"))
        .map(|entry| (name(&entry), blake3::hash(&fs::read(entry.path()).unwrap()).to_string()))
        .collect()
}

#[test]
fn killed_at_any_moment_the_lines_tell_what_is_there() {
    if !is_root() {
        return;
    }
    let seed = u64::from(std::process::id()) | 1;
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let house = House::new();
    house.watch(&[]).stop();
    let stop = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| stir(&house, seed, &stop));
        for _ in 0..crashes() {
            let watch = house.begin(&[]);
            std::thread::sleep(Duration::from_millis(dice.roll(400)));
            watch.end(Signal::KILL);
        }
        stop.store(true, Ordering::Relaxed);
    });
    house.watch(&[]).stop();
    let (code, out, err) = house.verify(&[]);
    assert_eq!(code, 0, "{out}{err}");
    let (believed, there) = (believed(&house), there(&house));
    for name in believed.keys().chain(there.keys()) {
        let about: Vec<_> = house.lines().into_iter().filter(|line| line.contains(name.as_str())).collect();
        assert_eq!(believed.get(name), there.get(name), "{name}: {out}\n{}", about.join("\n"));
    }
    let told = house.lines().len();
    house.watch(&[]).stop();
    assert_eq!(house.lines().len(), told + 2, "nothing is left to tell");
}

#[test]
fn a_baseline_that_was_killed_is_whole_or_none() {
    if !is_root() {
        return;
    }
    let mut dice = Dice(u64::from(std::process::id()) | 1);
    let house = House::new();
    for number in 0..200 {
        house.write(&format!("file{number}"), &number.to_string());
    }
    let watched = house.watched.to_str().unwrap();
    let (mut whole, mut none) = (0, 0);
    for _ in 0..crashes() {
        drop(fs::remove_dir_all(&house.state));
        house.kill_after("baseline", Duration::from_millis(dice.roll(500)));
        // No state at all is none as well.
        match house.fim("check", &[watched]) {
            (0, _, _) => whole += 1,
            (2, out, err) if err.contains("fim baseline") => {
                assert_eq!(out, "");
                none += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    println!("{whole} whole, {none} none");
}
