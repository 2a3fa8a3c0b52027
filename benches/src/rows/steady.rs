//! Steady work and no work (B12): processor time at 5,000 changes a second, and wake-ups when nothing happens.

use super::Bench;
use crate::Failure;
use crate::agent::Agent;
use crate::cost::{self, Cost};
use crate::figure::Figure;
use crate::pairs::compare;
use crate::tree;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// How many files are changed, and how often.
#[derive(Clone, Copy)]
struct Pace {
    files: u64,
    a_second: u64,
    seconds: u64,
}

const IDLE: Duration = Duration::from_secs(10);
/// So long the pace is kept before it is measured: by then whoever looks less often at what changes all the time does.
const WARM_UP: u64 = 4;

pub(super) fn run(bench: &Bench, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
    // On tmpfs: ext4 writes a file that was emptied to the disk when it is closed, and no pace can be kept.
    let on_tmpfs = bench.scratch_on("/dev/shm")?;
    let top = on_tmpfs.join("steady");
    let seconds = if bench.full { 10 } else { 4 };
    let pace = Pace { files: 2000 / bench.slower_by(), a_second: 5000 / bench.slower_by(), seconds };
    tree::make(&top, pace.files)?;
    let config = bench.config("steady", &top)?;
    let state = on_tmpfs.join("steady-state");
    let mut of_loop = || {
        let agent = Agent::start(Command::new(&bench.own).arg("loop").arg(&top), "ready")?;
        work(agent, &top, pace)
    };
    let mut of_fim = || {
        drop(fs::remove_dir_all(&state));
        work(Agent::fim(&bench.fim, &state, &config)?, &top, pace)
    };
    let pairs = compare(bench.rounds.min(3), &mut of_loop, &mut of_fim)?;
    let least =
        |costs: &[Cost]| costs.iter().map(|cost| cost.cpu).fold(f64::INFINITY, f64::min) / seconds as f64;
    let note =
        format!("at best {:.0} % ÷ {:.0} % of a processor", least(&pairs.b) * 100.0, least(&pairs.a) * 100.0);
    let Pace { files, a_second, .. } = pace;
    let name = format!("{a_second} changes a second over {files} files ÷ inotify loop, CPU");
    tell(Figure::of("B12", name, &pairs.cpu).to_be(1.0, 2.0).note(note));

    let agent = Agent::fim(&bench.fim, &state, &config)?;
    // What the start left to do is done.
    std::thread::sleep(Duration::from_secs(3));
    let mut rates = Vec::new();
    for _ in 0..2 {
        let (before, cpu) = (cost::switches_of(agent.pid())?, agent.cpu()?);
        std::thread::sleep(IDLE);
        rates.push((cost::switches_of(agent.pid())? - before) as f64 / IDLE.as_secs_f64());
        eprintln!("bench: idle: {:.1} ms of a processor in {IDLE:?}", (agent.cpu()? - cpu) * 1e3);
    }
    agent.stop()?;
    fs::remove_dir_all(&on_tmpfs)?;
    tell(Figure::new("B12", "wake-ups a second, idle", rates).to_be(1.0, 10.0));
    Ok(())
}

/// What a program takes for changes at a steady pace, until it is at rest again.
fn work(agent: Agent, top: &Path, pace: Pace) -> Result<Cost, Failure> {
    change(top, Pace { seconds: WARM_UP, ..pace })?;
    let before = agent.cpu()?;
    let wall = change(top, pace)?;
    let (_, lines) = agent.until_quiet(Duration::from_secs(4))?;
    let cpu = agent.cpu()? - before;
    if wall > pace.seconds as f64 * 1.1 {
        eprintln!("bench: the pace was not kept: {wall:.1} s");
    }
    if (lines.len() as u64) < pace.files {
        return Err(format!("only {} lines", lines.len()).into());
    }
    agent.stop()?;
    Ok(Cost { wall, cpu, peak: 0 })
}

/// Changes files at this pace; how long it took.
fn change(top: &Path, pace: Pace) -> Result<f64, Failure> {
    let Pace { files, a_second, seconds } = pace;
    let begun = Instant::now();
    let paths: Vec<_> = (0..files).map(|number| tree::path_of(top, number)).collect();
    for (change, path) in (0..a_second * seconds).zip(paths.iter().cycle()) {
        // A hundred times a second.
        if change % (a_second / 100) == 0 {
            let due = begun + Duration::from_secs(1) * u32::try_from(change)? / u32::try_from(a_second)?;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        fs::write(path, format!("changed {change} at {begun:?}\n"))?;
    }
    Ok(begun.elapsed().as_secs_f64())
}
