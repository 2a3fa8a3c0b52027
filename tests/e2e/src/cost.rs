//! What a 1-byte write to a file nobody watches costs with `fim` running, as a ratio to the same without.
//!
//! Means something only where time follows instructions (QEMU's `-icount`).

use crate::agent::Agent;
use rustix::process::Signal;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const WRITES: u32 = 50_000;
const WATCHED: u32 = 1_000;

/// Prints the ratio; fails above 1.25.
pub fn run(fim: &str, watcher: &str, dir: &Path) -> io::Result<u32> {
    let (watched, state) = (dir.join("watched"), dir.join("state"));
    fs::create_dir_all(watched.join("barrier"))?;
    for file in 0..WATCHED {
        fs::write(watched.join(file.to_string()), "x")?;
    }
    let file = dir.join("unwatched");
    let without = measure(&file)?;
    let agent = Agent::start(fim, watcher, &state, &watched)?;
    let with = measure(&file)?;
    drop(agent.stop(Signal::TERM)?);
    let after = measure(&file)?;
    let ratio = 2.0 * with / (without + after);
    println!(
        "cost {}: {ratio:.3} ({with:.0} ns a write with fim, {without:.0} before, {after:.0} after)",
        dir.display()
    );
    Ok(u32::from(ratio > 1.25))
}

/// Nanoseconds a write, measured by a process of its own: the kernel takes longer for one with threads, as
/// this one is while it listens to fim.
fn measure(file: &Path) -> io::Result<f64> {
    let output = Command::new(std::env::current_exe()?).arg("writes").arg(file).output()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().map_err(io::Error::other)
}

/// Prints the least of five rounds, since what the kernel puts off, as freeing maps, falls into one.
pub fn writes(file: &Path) -> io::Result<u32> {
    let file = File::create(file)?;
    let mut least = f64::MAX;
    for _ in 0..5 {
        least = least.min(round(&file)?);
    }
    println!("{least}");
    Ok(0)
}

fn round(file: &File) -> io::Result<f64> {
    let start = Instant::now();
    for _ in 0..WRITES {
        file.write_at(b"x", 0)?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e9 / f64::from(WRITES))
}
