//! Times one look at each of many files, as the first start takes it.
//!
//! `look THREADS < LIST`, where LIST names the files, each ended by a NUL (`find … -print0`).

use fim_core::{HashState, Limits, Need, Reader};
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("look: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let threads: usize = std::env::args().nth(1).ok_or("usage: look THREADS < LIST")?.parse()?;
    let mut list = Vec::new();
    std::io::stdin().read_to_end(&mut list)?;
    let paths: Vec<&Path> = list
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| Path::new(OsStr::from_bytes(name)))
        .collect();
    let started = Instant::now();
    let looks = std::thread::scope(|scope| {
        let running: Vec<_> = paths
            .chunks(paths.len().div_ceil(threads.max(1)).max(1))
            .map(|part| scope.spawn(move || looks(part)))
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().map_err(|_| "a thread failed")?.map_err(Into::into))
            .collect::<Result<Vec<_>, Box<dyn std::error::Error>>>()
    })?;
    let took = started.elapsed();
    println!(
        "{} files, {} hashed, {threads} threads: {:.3} s",
        paths.len(),
        looks.iter().sum::<usize>(),
        took.as_secs_f64()
    );
    Ok(())
}

/// Looks at each; how many were hashed.
fn looks(paths: &[&Path]) -> std::io::Result<usize> {
    let mut reader = Reader::new(Limits::default())?;
    let hashed = paths
        .iter()
        .map(|path| reader.look(path, Need::default()))
        .filter(|look| look.facts.as_ref().is_some_and(|facts| facts.blake3.is_some()))
        .filter(|look| look.hash_state() == HashState::Stable)
        .count();
    Ok(hashed)
}
