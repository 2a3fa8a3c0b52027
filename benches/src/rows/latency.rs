//! How soon a change is a line (B8): from the return of the write to the whole line, against inotify, a hash and a
//! line in one loop.

use super::Bench;
use crate::Failure;
use crate::agent::Agent;
use crate::figure::Figure;
use crate::tree;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const FILES: u64 = 1000;
const CHANGES: u64 = 500;
/// Between two changes: both programs are asleep again by then.
const PAUSE: Duration = Duration::from_millis(4);

/// p50 and p99, in seconds.
pub(super) type Latency = [f64; 2];

pub(super) fn run(bench: &Bench, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
    // On tmpfs: what a disk has to do at a close would be counted.
    let on_tmpfs = bench.scratch_on("/dev/shm")?;
    let top = on_tmpfs.join("latency");
    tree::make(&top, FILES)?;
    let config = bench.config("latency", &top)?;
    let state = on_tmpfs.join("latency-state");
    let rounds = if bench.full { 5 } else { 2 };
    let mut ratios: [Vec<f64>; 2] = Default::default();
    let (mut own, mut reference) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let a1 = of_loop(bench, &top)?;
        let b1 = of_fim(bench, &top, &state, &config)?;
        let b2 = of_fim(bench, &top, &state, &config)?;
        let a2 = of_loop(bench, &top)?;
        for (which, ratios) in ratios.iter_mut().enumerate() {
            let sum =
                |a: &Latency, b: &Latency| a.get(which).zip(b.get(which)).map_or(f64::NAN, |(a, b)| a + b);
            ratios.push(sum(&b1, &b2) / sum(&a1, &a2));
        }
        own.extend([b1, b2]);
        reference.extend([a1, a2]);
    }
    let [half, most] = ratios;
    let least =
        |all: &[Latency], of: fn(&Latency) -> f64| all.iter().map(of).fold(f64::INFINITY, f64::min) * 1e6;
    let note = |of: fn(&Latency) -> f64| {
        format!("at best {:.0} µs ÷ {:.0} µs", least(&own, of), least(&reference, of))
    };
    fs::remove_dir_all(&on_tmpfs)?;
    let name = |which| format!("write to line ÷ inotify loop, {which}");
    tell(Figure::new("B8", name("p50"), half).to_be(1.0, 2.0).note(note(|[p50, _]| *p50)));
    tell(Figure::new("B8", name("p99"), most).to_be(1.0, 5.0).note(note(|[_, p99]| *p99)));
    Ok(())
}

pub(super) fn of_fim(bench: &Bench, top: &Path, state: &Path, config: &Path) -> Result<Latency, Failure> {
    drop(fs::remove_dir_all(state));
    latency(Agent::fim(&bench.fim, state, config)?, top)
}

fn of_loop(bench: &Bench, top: &Path) -> Result<Latency, Failure> {
    latency(Agent::start(Command::new(&bench.own).arg("loop").arg(top), "ready")?, top)
}

fn latency(agent: Agent, top: &Path) -> Result<Latency, Failure> {
    let mut all = Vec::new();
    for change in 0..CHANGES {
        let path = tree::path_of(top, change % FILES);
        let mut file = File::create(&path)?;
        file.write_all(format!("changed {change} at {:?}\n", Instant::now()).as_bytes())?;
        let written = Instant::now();
        drop(file);
        let at = agent.wait_for(path.to_str().ok_or("not a name")?)?;
        all.push(at.saturating_duration_since(written).as_secs_f64());
        std::thread::sleep(PAUSE);
    }
    agent.stop()?;
    all.sort_by(f64::total_cmp);
    let at = |percent: usize| all.get(all.len() * percent / 100).copied().unwrap_or(f64::NAN);
    Ok([at(50), at(99)])
}
