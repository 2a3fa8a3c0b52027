//! What writes cost (B1 to B4), inside a guest in which time follows the instructions executed: 1-byte writes to what
//! nobody watches and to one hot watched file, in units of one empty program on `vfs_write` too.

use super::guest as outside;
use crate::Failure;
use crate::agent::{Agent, pid_of, signal};
use crate::figure::Figure;
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::Signal;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const WRITES: u32 = 50_000;
/// What is put into a pipe or a socket is taken out again after so many writes.
const DRAIN: u32 = 64;

/// What is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Tmpfs,
    Ext4,
    Pipe,
    Socket,
    Null,
    Hot,
}

const TARGETS: [(Target, &str); 6] = [
    (Target::Tmpfs, "tmpfs"),
    (Target::Ext4, "ext4"),
    (Target::Pipe, "pipe"),
    (Target::Socket, "socket"),
    (Target::Null, "/dev/null"),
    (Target::Hot, "hot"),
];

/// Nanoseconds a write to each target.
type Costs = Vec<(Target, f64)>;

/// Where the guest keeps what.
struct Guest {
    own: PathBuf,
    fim: PathBuf,
    watched: PathBuf,
    files: u64,
}

/// Measures with so many files watched, and prints the figures as JSON.
///
/// # Errors
/// When something cannot be started or measured.
pub fn in_guest(fim: &Path, files: u64, peers: bool) -> Result<(), Failure> {
    let guest = Guest {
        own: std::env::current_exe()?,
        fim: fim.to_owned(),
        watched: PathBuf::from("/tmp/watched"),
        files,
    };
    // As many as memory has room for: by itself a tmpfs takes an inode for every two pages.
    let more = Command::new("mount").args(["-o", "remount,nr_inodes=0", "/tmp"]).status()?;
    if !more.success() {
        return Err("/tmp could not be given more inodes".into());
    }
    for dir in 0..files.div_ceil(1000) {
        let at = guest.watched.join(dir.to_string());
        fs::create_dir_all(&at)?;
        for file in 0..files.min(1000) {
            File::create(at.join(file.to_string()))?;
        }
    }
    let before = guest.costs()?;
    let unit = guest.with_empty_program()?;
    let (with, kernel) = guest.with_fim()?;
    let after = guest.costs()?;
    let mut figures = figures(files, &before, &after, &unit, &with);
    figures.push(Figure::new("B10", format!("bytes a file in the kernel, BPF, {files} files"), vec![kernel]));
    figures.iter().try_for_each(outside::print)?;
    if peers {
        let mut figures = Vec::new();
        for (name, costs) in
            [("auditd -w -p wa", guest.with_auditd()?), ("inotifywait -m -r", guest.with_inotifywait()?)]
        {
            let base = guest.costs()?;
            for (target, what) in
                [(Target::Tmpfs, "tmpfs, unwatched"), (Target::Hot, "tmpfs, watched and hot")]
            {
                let ratio = of(&costs, target) / of(&base, target);
                figures.push(Figure::new(
                    "B1",
                    format!("peer: 1-byte write, {what}, with ÷ without {name}"),
                    vec![ratio],
                ));
            }
        }
        figures.iter().try_for_each(outside::print)?;
    }
    Ok(())
}

fn of(costs: &Costs, wanted: Target) -> f64 {
    costs.iter().find(|(target, _)| *target == wanted).map_or(f64::NAN, |(_, cost)| *cost)
}

fn figures(files: u64, before: &Costs, after: &Costs, unit: &Costs, with: &Costs) -> Vec<Figure> {
    let without = |target| (of(before, target) + of(after, target)) / 2.0;
    let empty = of(unit, Target::Tmpfs) - without(Target::Tmpfs);
    let mut figures = Vec::new();
    let many = files >= 1_000_000;
    for (target, what) in TARGETS {
        let (base, with) = (without(target), of(with, target));
        let drift = of(after, target) / of(before, target);
        let note =
            format!("{with:.0} ÷ {base:.0} ns, after ÷ before {drift:.3}, empty program {empty:.0} ns");
        let ratio = |row, name: String| Figure::new(row, name, vec![with / base]).note(&note);
        let units = |row, name: String| Figure::new(row, name, vec![(with - base) / empty]).note(&note);
        match target {
            Target::Tmpfs | Target::Ext4 => {
                let (row, bound) = if many { ("B2", 1.13) } else { ("B1", 1.12) };
                figures.push(
                    ratio(row, format!("1-byte write, {what}, unwatched, {files} watched, with ÷ without"))
                        .to_be(bound, 1.25),
                );
                let units = units(
                    row,
                    format!("1-byte write, {what}, unwatched, {files} watched, added ÷ empty program"),
                );
                figures.push(if many { units } else { units.to_be(1.75, 3.0) });
            }
            Target::Pipe | Target::Socket | Target::Null => {
                let units =
                    units("B3", format!("1-byte write, {what}, {files} watched, added ÷ empty program"));
                figures.push(if many { units } else { units.to_be(1.75, 2.5) });
            }
            Target::Hot => {
                figures.push(
                    ratio("B4", format!("1-byte writes to one hot file, {files} watched, with ÷ without"))
                        .to_be(1.25, 1.6),
                );
            }
        }
    }
    figures
}

impl Guest {
    /// Each measured by a process of its own: the kernel takes longer for one with threads.
    fn costs(&self) -> Result<Costs, Failure> {
        let mut costs = Vec::new();
        for (target, name) in TARGETS {
            let file = match target {
                Target::Tmpfs => PathBuf::from("/tmp/unwatched"),
                Target::Ext4 => PathBuf::from("/data/unwatched"),
                _ => self.watched.join("0/0"),
            };
            let output = Command::new(&self.own).args(["writes", name]).arg(file).output()?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            costs.push((target, text.trim().parse().map_err(|error| format!("{name}: {error}: {text}"))?));
        }
        Ok(costs)
    }

    fn with_fim(&self) -> Result<(Costs, f64), Failure> {
        let config = PathBuf::from("/tmp/fim.toml");
        fs::write(&config, format!("watcher = \"bpf\"\n[[generic]]\npaths = [{:?}]\n", self.watched))?;
        let begun = Instant::now();
        let agent = Agent::fim(&self.fim, Path::new("/data/state"), &config)?;
        eprintln!("bench: fim watches after {:.0} s of the guest's clock", begun.elapsed().as_secs_f64());
        let costs = self.costs()?;
        let kernel = crate::cost::kernel_memory_of(agent.pid())? as f64 / self.files as f64;
        agent.stop()?;
        Ok((costs, kernel))
    }

    fn with_empty_program(&self) -> Result<Costs, Failure> {
        let open = libbpf_rs::ObjectBuilder::default().open_file("/empty.bpf.o")?.load()?;
        let links = open.progs_mut().map(|program| program.attach()).collect::<Result<Vec<_>, _>>()?;
        let costs = self.costs();
        drop(links);
        costs
    }

    fn with_auditd(&self) -> Result<Costs, Failure> {
        fs::create_dir_all("/var/log/audit")?;
        let ok = |command: &mut Command| -> Result<(), Failure> {
            let output = command.output()?;
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {text}").into()) }
        };
        ok(&mut Command::new("/usr/sbin/auditd"))?;
        ok(Command::new("/usr/sbin/auditctl")
            .arg("-w")
            .arg(&self.watched)
            .args(["-p", "wa", "-k", "bench"]))?;
        let costs = self.costs();
        ok(Command::new("/usr/sbin/auditctl").arg("-D"))?;
        ok(Command::new("/usr/sbin/auditctl").args(["-e", "0"]))?;
        signal(pid_of("auditd").ok_or("auditd has ended")?, Signal::TERM)?;
        std::thread::sleep(Duration::from_secs(1));
        costs
    }

    fn with_inotifywait(&self) -> Result<Costs, Failure> {
        let mut command = Command::new("/usr/bin/inotifywait");
        let mut child = command
            .args(["-m", "-r", "-q"])
            .arg(&self.watched)
            .stdout(Stdio::null())
            .stdin(Stdio::null())
            .spawn()?;
        std::thread::sleep(Duration::from_secs(5));
        let costs = self.costs();
        child.kill()?;
        child.wait()?;
        costs
    }
}

/// Prints the nanoseconds a write takes: the least of five rounds, since what the kernel puts off falls into one; for a
/// hot file their mean, since who watches it is to be counted.
///
/// # Errors
/// When it cannot be written.
pub fn writes(target: &str, file: &Path) -> Result<(), Failure> {
    let open = || OpenOptions::new().create(true).truncate(false).write(true).open(file);
    let (to, from): (OwnedFd, Option<OwnedFd>) = match target {
        "pipe" => {
            let (from, to) = rustix::pipe::pipe()?;
            (to, Some(from))
        }
        "socket" => {
            let (from, to) = std::os::unix::net::UnixStream::pair()?;
            (to.into(), Some(from.into()))
        }
        "/dev/null" => (OpenOptions::new().write(true).open("/dev/null")?.into(), None),
        _ => (open()?.into(), None),
    };
    let rounds = (0..5).map(|_| round(to.as_fd(), from.as_ref())).collect::<Result<Vec<_>, _>>()?;
    let cost = if target == "hot" {
        rounds.iter().sum::<f64>() / 5.0
    } else {
        rounds.into_iter().fold(f64::INFINITY, f64::min)
    };
    println!("{cost}");
    Ok(())
}

fn round(to: rustix::fd::BorrowedFd<'_>, from: Option<&OwnedFd>) -> Result<f64, Failure> {
    let mut drained = [0; DRAIN as usize];
    let mut draining = Duration::ZERO;
    let begun = Instant::now();
    for write in 0..WRITES {
        match from {
            // Writes that follow each other would lengthen a file, and in the end fill the disk.
            None => drop(rustix::io::pwrite(to, b"x", 0)?),
            Some(from) => {
                rustix::io::write(to, b"x")?;
                if (write + 1).is_multiple_of(DRAIN) {
                    let since = Instant::now();
                    rustix::io::read(from, &mut drained)?;
                    draining += since.elapsed();
                }
            }
        }
    }
    Ok((begun.elapsed() - draining).as_secs_f64() * 1e9 / f64::from(WRITES))
}
