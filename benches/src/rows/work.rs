//! Ordinary work beside `fim`: where nobody watches (B5), and where the whole tree is watched and hashed (B6), against
//! auditd where it can be had and against inotify, a hash and a line in one loop.

use super::Bench;
use crate::Failure;
use crate::agent::{Agent, pid_of, signal};
use crate::cost::{self, Cost};
use crate::figure::Figure;
use crate::pairs::{Pairs, compare};
use crate::tree::Random;
use rustix::process::Signal;
use std::cell::Cell;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// By then an agent has begun what it does about the last change.
const SETTLE: Duration = Duration::from_millis(500);

/// Its process.
const AUDITD: &str = "auditd";
/// The thread of the kernel that hands it what it writes down: it works for nobody else.
const KAUDITD: &str = "kauditd";
/// Who slows the work by less than this is not to be told from nobody: nothing is to be divided by it.
const NOISE: f64 = 0.02;

/// A source tree: packed, as a repository, and what of it is compiled.
struct Work {
    packed: PathBuf,
    repository: PathBuf,
    sources: Vec<PathBuf>,
    /// Where it is done: each time in a directory of its own. Nothing is deleted in between: for minutes ext4 looks for new inodes
    /// past all that were deleted lately, which takes longer than the work.
    at: PathBuf,
    /// How often it was done.
    times: Cell<u32>,
}

/// Who watches meanwhile.
#[derive(Clone, Copy)]
enum Watcher {
    Nobody,
    Fim,
    Loop,
    Auditd,
}

pub(super) fn run(bench: &Bench, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
    let files = if bench.full { 6000 } else { 2000 };
    let work = Work::prepare(&bench.scratch, files)?;
    let elsewhere = bench.scratch.join("elsewhere");
    crate::tree::make(&elsewhere, 1000)?;
    let done = |watcher: Watcher, watched: Option<&Path>| work.beside(bench, watcher, watched);
    if bench.wants(&["B5"]) {
        let mut with = || done(Watcher::Fim, Some(&elsewhere));
        let pairs = compare(bench.rounds, &mut || done(Watcher::Nobody, None), &mut with)?;
        tell_pairs("B5", "unwatched work (unpack, checkout, compile), with ÷ without fim", &pairs, tell);
    }
    if bench.wants(&["B6"]) {
        let peer = if audit_is_there() { Watcher::Auditd } else { Watcher::Loop };
        let against = if matches!(peer, Watcher::Auditd) { "auditd" } else { "an inotify loop" };
        let ran_before = pid_of(AUDITD).is_some();
        let mut nobody = || done(Watcher::Nobody, None);
        let own = compare(bench.rounds, &mut nobody, &mut || done(Watcher::Fim, None))?;
        let other = compare(bench.rounds, &mut nobody, &mut || done(peer, None))?;
        // One that was started for this is not left behind: the kernel goes on asking it about every call.
        if let Some(pid) = pid_of(AUDITD).filter(|_| !ran_before) {
            signal(pid, Signal::TERM)?;
        }
        for (how, own, other) in [("CPU", &own.cpu, &other.cpu), ("wall", &own.wall, &other.wall)] {
            let median = |ratios: &crate::pairs::Ratios| Figure::of("", "", ratios).median;
            let (own, other) = (median(own), median(other));
            let name = format!("watched work, slow-down by fim ÷ by {against}, {how}");
            let figure = Figure::new("B6", name, vec![(own - 1.0) / (other - 1.0)]);
            let mut figure = if matches!(peer, Watcher::Auditd) { figure.to_be(0.2, 0.5) } else { figure };
            if other - 1.0 < NOISE {
                (figure.rounds, figure.void) = (0, 1);
            }
            tell(figure.note(format!("work with ÷ without: fim {own:.3}, {against} {other:.3}")));
        }
    }
    Ok(())
}

fn tell_pairs(row: &str, what: &str, pairs: &Pairs, tell: &mut dyn FnMut(Figure)) {
    for (how, ratios) in [("CPU", &pairs.cpu), ("wall", &pairs.wall)] {
        tell(Figure::of(row, format!("{what}, {how}"), ratios).to_be(1.01, 1.04));
    }
}

fn audit_is_there() -> bool {
    let asked = Command::new("/usr/sbin/auditctl").arg("-s").output();
    asked.is_ok_and(|output| output.status.success() && output.stdout.starts_with(b"enabled"))
}

impl Work {
    fn prepare(scratch: &Path, files: u32) -> Result<Self, Failure> {
        let repository = scratch.join("repository");
        let mut random = Random(7);
        let mut sources = Vec::new();
        for number in 0..files {
            let dir = repository.join(format!("module-{:03}", number / 40));
            fs::create_dir_all(&dir)?;
            let mut text = String::new();
            for line in 0..20 + random.number() % 200 {
                writeln!(
                    text,
                    "int f{number}_{line}(int x) {{ return x * {} + {line}; }}",
                    random.number() % 1000
                )?;
            }
            let file = dir.join(format!("file-{number}.c"));
            fs::write(&file, text)?;
            if number % (files / 20) == 0 {
                sources.push(file.strip_prefix(&repository)?.to_owned());
            }
        }
        let packed = scratch.join("sources.tar");
        quiet(Command::new("tar").arg("cf").arg(&packed).arg("-C").arg(&repository).arg("."))?;
        let git = |args: &[&str]| {
            let mut command = Command::new("git");
            command.arg("-C").arg(&repository).args(["-c", "user.name=b", "-c", "user.email=b@example.org"]);
            quiet(command.args(args))
        };
        git(&["init", "-q"])?;
        git(&["add", "-A"])?;
        git(&["commit", "-q", "-m", "all"])?;
        let at = scratch.join("work");
        fs::create_dir_all(&at)?;
        Ok(Self { packed, repository, sources, at, times: Cell::new(0) })
    }

    /// The work with somebody beside it, who watches it or something else; what both took, from the first step until the other
    /// is at rest.
    fn beside(&self, bench: &Bench, watcher: Watcher, watched: Option<&Path>) -> Result<Cost, Failure> {
        self.times.set(self.times.get() + 1);
        let at = &self.at.join(self.times.get().to_string());
        let state = &self.at.with_extension(format!("state-{}", self.times.get()));
        fs::create_dir(at)?;
        // What one round left to be written to the disk is not to weigh on the next.
        rustix::fs::sync();
        let agent = match watcher {
            Watcher::Nobody => None,
            Watcher::Fim => {
                let config = bench.config("work", watched.unwrap_or(at))?;
                Some(Agent::fim(&bench.fim, state, &config)?)
            }
            Watcher::Loop => Some(Agent::start(Command::new(&bench.own).arg("loop").arg(at), "ready")?),
            Watcher::Auditd => {
                if pid_of(AUDITD).is_none() {
                    fs::create_dir_all("/var/log/audit")?;
                    quiet(&mut Command::new("/usr/sbin/auditd"))?;
                }
                quiet(Command::new("/usr/sbin/auditctl").arg("-w").arg(at).args(["-p", "wa"]))?;
                None
            }
        };
        let daemons: Vec<u32> = match (&agent, watcher) {
            (Some(agent), _) => vec![agent.pid()],
            (None, Watcher::Auditd) => [pid_of(AUDITD), pid_of(KAUDITD)].into_iter().flatten().collect(),
            _ => Vec::new(),
        };
        let spent = || -> Result<f64, Failure> {
            daemons.iter().try_fold(0.0, |sum, pid| Ok(sum + cost::cpu_of(*pid)?.as_secs_f64()))
        };
        let before = spent()?;
        let begun = Instant::now();
        let mut cost = self.run(at)?;
        cost.wall = begun.elapsed().as_secs_f64();
        loop {
            let seen = spent()?;
            std::thread::sleep(SETTLE);
            // A pause without work: less than a hundredth of it was spent.
            if spent()? - seen < SETTLE.as_secs_f64() / 100.0 {
                break;
            }
        }
        cost.cpu += spent()? - before;
        if let Some(agent) = agent {
            agent.stop()?;
        }
        if matches!(watcher, Watcher::Auditd) {
            quiet(Command::new("/usr/sbin/auditctl").arg("-D"))?;
        }
        Ok(cost)
    }

    fn run(&self, at: &Path) -> Result<Cost, Failure> {
        let unpacked = at.join("unpacked");
        fs::create_dir(&unpacked)?;
        let mut total =
            cost::run(Command::new("tar").arg("xf").arg(&self.packed).arg("-C").arg(&unpacked), &[0])?;
        let mut prefix = at.join("checkout").into_os_string();
        prefix.push("/");
        let mut argument = std::ffi::OsString::from("--prefix=");
        argument.push(prefix);
        let mut checkout = Command::new("git");
        checkout.arg("-C").arg(&self.repository).args(["checkout-index", "-a", "-f"]).arg(argument);
        total = total + cost::run(&mut checkout, &[0])?;
        // A guest has no compiler.
        if Path::new("/usr/bin/cc").exists() {
            for source in &self.sources {
                let mut compile = Command::new("cc");
                let object = unpacked.join(source).with_extension("o");
                compile.args(["-O1", "-c", "-o"]).arg(object).arg(unpacked.join(source));
                total = total + cost::run(compile.stderr(Stdio::null()), &[0])?;
            }
        }
        Ok(total)
    }
}

fn quiet(command: &mut Command) -> Result<(), Failure> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {text}").into()) }
}
