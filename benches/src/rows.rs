//! What is measured: a module for each group of rows that share what they are measured on.

pub mod diff;
pub mod flood;
pub mod guest;
pub mod latency;
pub mod steady;
pub mod storm;
pub mod trees;
pub mod work;
pub mod writes;

use crate::Failure;
use crate::figure::Figure;
use std::path::{Path, PathBuf};

/// Where and how much.
#[derive(Clone, Debug)]
pub struct Bench {
    /// The command that is measured.
    pub fim: PathBuf,
    /// This program, for references that run in processes of their own.
    pub own: PathBuf,
    /// A directory that is removed afterwards.
    pub scratch: PathBuf,
    /// The long version.
    pub full: bool,
    /// Good rounds that are wanted of each pair.
    pub rounds: usize,
    /// Rows that were asked for; none: all.
    pub rows: Vec<String>,
    /// Files in large trees.
    pub files: u64,
    /// The kernel of guests.
    pub kernel: String,
    /// Only what is measured in guests, which may share the machine with others.
    pub guests_only: bool,
    /// This is a guest.
    pub in_guest: bool,
}

impl Bench {
    /// Whether one of these rows is wanted.
    #[must_use]
    pub fn wants(&self, rows: &[&str]) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|row| rows.contains(&row.as_str()))
    }

    /// By how much fewer changes are made here: an emulated machine is as much slower.
    const fn slower_by(&self) -> u64 {
        if self.in_guest { 10 } else { 1 }
    }

    /// A directory on another file system, to be removed by who asked for it.
    fn scratch_on(&self, dir: &str) -> Result<PathBuf, Failure> {
        let name = self.scratch.file_name().ok_or("no scratch directory")?;
        let path = Path::new(dir).join(name);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// A configuration that watches this tree as a whole, by hash and metadata.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn config(&self, name: &str, watched: &Path) -> Result<PathBuf, Failure> {
        let file = self.scratch.join(format!("{name}.toml"));
        std::fs::write(&file, format!("[[generic]]\npaths = [{watched:?}]\n"))?;
        Ok(file)
    }

    /// All rows that are wanted and can be measured here; each is told when it is there. One that cannot be measured
    /// does not keep the others from it.
    ///
    /// # Errors
    /// When there was such a one.
    pub fn run(&self, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
        let flood: [(&[&str], Row); 1] = [(&["B8"], flood::run)];
        let guests: [(&[&str], Row); 5] = [
            (&["B1", "B2", "B3", "B4"], guest::writes),
            (&["B5", "B6"], guest::work),
            (&["B7", "B8", "B12"], guest::changes),
            (&["B8"], guest::flood),
            (&["B9", "B10", "B11", "B13"], guest::trees),
        ];
        let native = ANYWHERE.into_iter().chain(flood).filter(|_| !self.guests_only);
        self.run_each(native.chain(guests), tell)
    }

    /// The rows that are wanted of those that a guest with one processor measures too.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_inside(&self, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
        self.run_each(ANYWHERE.into_iter(), tell)
    }

    fn run_each(
        &self,
        all: impl Iterator<Item = (&'static [&'static str], Row)>,
        tell: &mut dyn FnMut(Figure),
    ) -> Result<(), Failure> {
        let mut missing: Vec<&str> = Vec::new();
        for (rows, run) in all {
            if self.wants(rows)
                && let Err(error) = run(self, tell)
            {
                eprintln!("bench: {}: {error}", rows.join(", "));
                missing.extend(rows.iter().copied());
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(format!("not whole: {}", missing.join(", ")).into()) }
    }
}

type Row = fn(&Bench, &mut dyn FnMut(Figure)) -> Result<(), Failure>;

/// Measured on the machine itself and in a guest.
const ANYWHERE: [(&[&str], Row); 6] = [
    (&["B5", "B6"], work::run),
    (&["B7"], storm::run),
    (&["B8"], latency::run),
    (&["B9", "B10", "B11"], trees::run),
    (&["B12"], steady::run),
    (&["B13"], diff::run),
];
