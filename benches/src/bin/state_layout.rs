//! How fast the state of a million files is loaded, opened again and read, and what memory and disk it takes.
//!
//! `state_layout DIR [FILES [FILES_IN_A_DIRECTORY]]`

use fim_core::{Facts, FileKind, FileRecord, FileTime, SledStore, State};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

const COMMIT_EVERY: u64 = 20_000;

fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let dir = PathBuf::from(args.next().ok_or("which folder?")?);
    let files: u64 = args.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let per_dir: u64 = args.next().map_or(Ok(100), |text| text.parse())?;

    let started = Instant::now();
    let mut state = State::open(Box::new(SledStore::open(&dir)?))?;
    tell("open", started);
    load(&mut state, "load", files, per_dir, 1)?;
    load(&mut state, "load again, changed", files, per_dir, 2)?;

    let started = Instant::now();
    let mut places = (0..files).step_by(50);
    for (count, number) in places.by_ref().map(|number| (number * 7919) % files).enumerate() {
        state.put(&path(number, per_dir), record(number, 3))?;
        if count % 100 == 0 {
            state.commit()?;
        }
    }
    state.commit()?;
    state.sync()?;
    tell("change 2 % in any order", started);

    drop(state);
    let started = Instant::now();
    let state = State::open(Box::new(SledStore::open(&dir)?))?;
    tell("open again", started);

    let started = Instant::now();
    let mut count = 0u64;
    state.walk(Path::new("/"), &mut |_, _| {
        count += 1;
        ControlFlow::Continue(())
    })?;
    tell("walk", started);
    if count != files {
        return Err(format!("{count} of {files} files are there").into());
    }

    let started = Instant::now();
    for number in (0..files).step_by(100) {
        state.get(&path((number * 7919) % files, per_dir))?.ok_or("a record is gone")?;
    }
    tell("get 1 % in any order", started);
    println!("on disk: {} MB", size(&dir)? / 1_000_000);
    Ok(())
}

fn load(state: &mut State, what: &str, files: u64, per_dir: u64, round: u64) -> Result<(), Failure> {
    let started = Instant::now();
    for number in 0..files {
        state.put(&path(number, per_dir), record(number, round))?;
        if number % COMMIT_EVERY == COMMIT_EVERY - 1 {
            state.commit()?;
        }
    }
    state.commit()?;
    state.sync()?;
    tell(what, started);
    Ok(())
}

fn path(number: u64, per_dir: u64) -> PathBuf {
    let dir = number / per_dir;
    format!("/usr/share/module-{:05}/part-{:05}/file-{:07}.conf", dir / 20, dir, number).into()
}

fn record(number: u64, round: u64) -> FileRecord {
    let mut facts = Facts::new(FileKind::File);
    facts.mode = 0o644;
    facts.size = 1000 + number % 5000;
    facts.inode = 2_000_000 + number;
    facts.device = 0x0010_0003;
    facts.mtime = FileTime { seconds: 1_780_000_000, nanos: 123_456_789 };
    facts.ctime = FileTime { seconds: 1_780_000_100, nanos: 223_456_789 };
    let mut hash = [0; 32];
    let mut seed = (number << 8) ^ round;
    for part in hash.chunks_exact_mut(8) {
        // SplitMix64: content that does not compress, at no cost.
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        part.copy_from_slice(&mixed.to_le_bytes());
    }
    facts.blake3 = Some(hash);
    FileRecord::new(facts, None)
}

fn tell(what: &str, since: Instant) {
    let seconds = since.elapsed().as_secs_f64();
    println!("{what:24} {seconds:6.2} s, memory {} (peak {})", memory("VmRSS:"), memory("VmHWM:"));
}

fn memory(field: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .and_then(|rest| rest.trim().split(' ').next()?.parse::<u64>().ok());
    kilobytes.map_or_else(|| "unknown".to_owned(), |kilobytes| format!("{} MB", kilobytes * 1024 / 1_000_000))
}

fn size(dir: &Path) -> std::io::Result<u64> {
    let mut total = 0;
    for entry in dir.read_dir()? {
        let entry = entry?;
        total += if entry.file_type()?.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(total)
}
