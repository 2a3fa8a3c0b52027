//! Whether a processor full of writes to what nobody watches keeps a change waiting (B8): from the return of the write to
//! the whole line, beside such a load and without it.

use super::Bench;
use super::latency::{Latency, of_fim};
use crate::Failure;
use crate::figure::Figure;
use crate::tree;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command};

const FILES: u64 = 1000;

/// Measures.
///
/// # Errors
/// When something cannot be started or measured.
pub fn run(bench: &Bench, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
    let on_tmpfs = bench.scratch_on("/dev/shm")?;
    let top = on_tmpfs.join("flood");
    tree::make(&top, FILES)?;
    let config = bench.config("flood", &top)?;
    let state = on_tmpfs.join("flood-state");
    let rounds = if bench.full { 5 } else { 2 };
    let (mut beside, mut without): (Vec<f64>, Vec<f64>) = Default::default();
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        // On the same file system: with fanotify the agent is woken for such writes too.
        let load = || Load::start(bench, &on_tmpfs.join("unwatched"));
        let alone = || of_fim(bench, &top, &state, &config);
        let [_, a1] = alone()?;
        let [_, b1] = with(load()?, alone)?;
        let [_, b2] = with(load()?, alone)?;
        let [_, a2] = alone()?;
        ratios.push((b1 + b2) / (a1 + a2));
        without.extend([a1, a2]);
        beside.extend([b1, b2]);
    }
    fs::remove_dir_all(&on_tmpfs)?;
    let least = |all: &[f64]| all.iter().copied().fold(f64::INFINITY, f64::min) * 1e6;
    let note = format!("at best {:.0} µs ÷ {:.0} µs", least(&beside), least(&without));
    let name = "write to line, p99, beside a processor full of unwatched writes ÷ without";
    tell(Figure::new("B8", name, ratios).to_be(1.0, 2.0).note(note));
    Ok(())
}

fn with(load: Load, measure: impl FnOnce() -> Result<Latency, Failure>) -> Result<Latency, Failure> {
    let outcome = measure();
    drop(load);
    outcome
}

/// A process that does nothing but write.
struct Load(Child);

impl Load {
    fn start(bench: &Bench, file: &Path) -> Result<Self, Failure> {
        Ok(Self(Command::new(&bench.own).arg("load").arg(file).spawn()?))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Writes one byte to a file again and again, until it is killed.
///
/// # Errors
/// When it cannot be written.
pub fn load(file: &Path) -> Result<(), Failure> {
    let file = File::create(file)?;
    loop {
        file.write_all_at(b"x", 0)?;
    }
}
