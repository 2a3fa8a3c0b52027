//! A large tree: its first baseline (B9), what watching it takes of memory (B10), and a restart (B11).

use super::Bench;
use crate::Failure;
use crate::agent::Agent;
use crate::cost::{self, Cost};
use crate::figure::Figure;
use crate::pairs::{Pairs, compare};
use crate::tree;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// So many are measured wherever they are; more of them on a disk alone, and in fewer rounds.
const SOME_FILES: u64 = 100_000;

/// What is done with one tree.
struct Tree<'b> {
    bench: &'b Bench,
    /// "ext4", "tmpfs".
    place: &'static str,
    top: PathBuf,
    list: PathBuf,
    state: PathBuf,
    config: PathBuf,
    files: u64,
}

pub(super) fn run(bench: &Bench, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
    let on_tmpfs = bench.scratch_on("/dev/shm")?;
    let some = bench.files.min(SOME_FILES);
    let mut places = vec![("ext4", bench.scratch.clone(), some), ("tmpfs", on_tmpfs.clone(), some)];
    // On tmpfs they would fill the memory.
    if bench.files > some {
        places.push(("ext4", bench.scratch.clone(), bench.files));
    }
    let outcomes = places.into_iter().map(|(place, scratch, files)| -> Result<(), Failure> {
        let top = scratch.join("tree");
        eprintln!("bench: making {files} files on {place}");
        let list = tree::make(&top, files)?;
        let config = bench.config(place, &top)?;
        let state = scratch.join("state");
        let tree = Tree { bench, place, top, list, state, config, files };
        let outcome = tree.rows(tell);
        fs::remove_dir_all(&tree.top)?;
        outcome
    });
    let outcome = outcomes.fold(Ok(()), Result::and);
    fs::remove_dir_all(&on_tmpfs)?;
    outcome
}

impl Tree<'_> {
    fn rows(&self, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
        // A peer that is missing costs its own figures alone.
        let mut outcome = Ok(());
        if self.bench.wants(&["B9"]) {
            outcome = self.baseline(tell);
        }
        if self.bench.wants(&["B10"]) {
            outcome = outcome.and(self.memory(tell));
        }
        if self.bench.wants(&["B11"]) {
            outcome = outcome.and(self.restart(tell));
        }
        outcome
    }

    /// A pair of figures: by processor time and by the wall.
    fn tell_pair(
        &self,
        row: &str,
        what: &str,
        pairs: &Pairs,
        bounds: Option<(f64, f64)>,
        tell: &mut dyn FnMut(Figure),
    ) {
        let seconds = |of: fn(&Cost) -> f64| {
            let least = |costs: &[Cost]| costs.iter().map(of).fold(f64::INFINITY, f64::min);
            format!("at best {:.2} s ÷ {:.2} s", least(&pairs.b), least(&pairs.a))
        };
        let name = |how: &str| format!("{what}, {} files, {}, {how}", self.files, self.place);
        let bound = |figure: Figure| match bounds {
            Some((target, limit)) => figure.to_be(target, limit),
            None => figure,
        };
        tell(bound(Figure::of(row, name("CPU"), &pairs.cpu)).note(seconds(|cost| cost.cpu)));
        tell(bound(Figure::of(row, name("wall"), &pairs.wall)).note(seconds(|cost| cost.wall)));
    }

    fn fim_baseline(&self) -> Result<Cost, Failure> {
        drop(fs::remove_dir_all(&self.state));
        let mut command = Command::new(&self.bench.fim);
        command.args(["baseline", "-q", "--state"]).arg(&self.state).arg("--config").arg(&self.config);
        cost::run(command.stdout(Stdio::null()), &[0])
    }

    fn baseline(&self, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
        let mut b3sum = || {
            let mut command = Command::new("xargs");
            command.args(["-0", "-P2", "-n", "2000", "b3sum", "--num-threads", "1"]);
            cost::run(command.stdin(File::open(&self.list)?).stdout(Stdio::null()), &[0])
        };
        // Into the cache, and what was written out of the way.
        b3sum()?;
        rustix::fs::sync();
        let pairs = compare(self.bench.rounds, &mut b3sum, &mut || self.fim_baseline())?;
        self.tell_pair("B9", "baseline ÷ xargs -P2 b3sum", &pairs, Some((1.3, 2.0)), tell);

        // As Debian's package configures it, and with a single hash.
        self.against_aide("as Debian sets it up", "H", Some((0.2, 0.4)), tell)?;
        // A guest takes its time at either, and a million files take AIDE minutes.
        if !self.bench.in_guest && self.files <= SOME_FILES {
            self.against_aide("with SHA-256 alone", "sha256", None, tell)?;
        }
        Ok(())
    }

    fn against_aide(
        &self,
        how: &str,
        checksums: &str,
        bounds: Option<(f64, f64)>,
        tell: &mut dyn FnMut(Figure),
    ) -> Result<(), Failure> {
        let config = self.state.with_extension("aide");
        let database = self.state.with_extension("aide.db");
        fs::write(
            &config,
            format!(
                "database_out=file:{}\ngzip_dbout=yes\nreport_ignore_e2fsattrs=VNIE\n{} p+u+g+ftype+n+i+s+b+l+X+m+c+{checksums}\n",
                database.display(),
                self.top.display()
            ),
        )?;
        let mut aide = || {
            let mut command = Command::new("aide");
            command.arg("--init").arg("--config").arg(&config);
            cost::run(command.stdout(Stdio::null()), &[0])
        };
        let rounds = if self.bench.full && self.files <= SOME_FILES { 2 } else { 1 };
        let pairs = compare(rounds, &mut aide, &mut || self.fim_baseline())?;
        self.tell_pair("B9", &format!("baseline ÷ AIDE --init {how}"), &pairs, bounds, tell);
        fs::remove_file(database)?;
        Ok(())
    }

    fn memory(&self, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
        drop(fs::remove_dir_all(&self.state));
        let agent = Agent::fim(&self.bench.fim, &self.state, &self.config)?;
        let a_file = |bytes: u64| bytes as f64 / self.files as f64;
        let kernel = cost::kernel_memory_of(agent.pid())?;
        let peak = a_file(cost::memory_of(agent.pid(), "VmHWM:")? + kernel);
        std::thread::sleep(Duration::from_secs(5));
        let rest = a_file(cost::memory_of(agent.pid(), "VmRSS:")? + kernel);
        agent.stop()?;
        let note = format!("{:.0} of them in the kernel", a_file(kernel));
        let name = |when: &str| format!("bytes a file {when}, {} files, {}", self.files, self.place);
        // In a small tree the program itself outweighs the files.
        let bound = |figure: Figure, target| {
            if self.files >= 1_000_000 { figure.to_be(target, 500.0) } else { figure }
        };
        tell(bound(Figure::new("B10", name("at rest"), vec![rest]).note(&note), 250.0));
        tell(bound(
            Figure::new("B10", name("at the peak of the first start"), vec![peak]).note(&note),
            350.0,
        ));
        Ok(())
    }

    fn restart(&self, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
        Agent::fim(&self.bench.fim, &self.state, &self.config)?.stop()?;
        let mut find = || {
            let mut command = Command::new("find");
            command.arg(&self.top).args(["-printf", "%p %y %i %D %m %U %G %n %s %T@ %C@\\n"]);
            cost::run(command.stdout(Stdio::null()), &[0])
        };
        let mut restart = || {
            let agent = Agent::fim(&self.bench.fim, &self.state, &self.config)?;
            let start = agent.start;
            agent.stop()?;
            Ok(start)
        };
        let pairs = compare(self.bench.rounds, &mut find, &mut restart)?;
        // What a start with BPF does for any number of files, to load its programs, outweighs a few.
        let bounds = (self.files >= SOME_FILES).then_some((1.3, 2.0));
        self.tell_pair("B11", "restart ÷ find -printf", &pairs, bounds, tell);
        Ok(())
    }
}
