//! The sections that name paths, in order of precedence, each as what it wants to see and as it was written.

use super::{Config, Generic, GenericDiff, Hash, Users};
use fim_core::{Interest, escape};
use std::fmt;
use std::path::{Path, PathBuf};

/// What was named on the command line of the agent, in place of all sections.
pub const ARGUMENTS: &str = "PATH";

/// One section that names paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name: `access`, `users`, `generic_diff`, `generic`; or [`ARGUMENTS`], which no configuration has.
    pub name: &'static str,
    /// Which of several, from 0.
    pub index: Option<usize>,
    /// What it wants to see, below the root.
    pub interest: Interest,
    /// The paths of the interest, one by one, as they were written.
    pub written: Vec<String>,
    /// What it leaves out, likewise.
    pub exclude: Vec<String>,
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            None if self.name == ARGUMENTS => f.write_str("the PATHs that the agent was started with"),
            None => write!(f, "[{}]", self.name),
            Some(0) => write!(f, "[[{}]]", self.name),
            Some(index) => write!(f, "[[{}]] number {}", self.name, index + 1),
        }
    }
}

impl Config {
    /// The sections, the one that wins first; `homes` are those of the users.
    pub fn sections(&self, homes: &[PathBuf]) -> Vec<Section> {
        let mut sections = Vec::new();
        if let Some(access) = &self.access {
            sections.push(Section::new("access", None, Interest::in_paths(&access.paths)));
        }
        if let Some(users) = &self.users {
            let (written, paths): (Vec<_>, Vec<_>) = user_paths(users, homes).into_iter().unzip();
            let section = Section::new("users", None, Interest::in_paths(paths));
            sections.push(Section { written, ..section });
        }
        for (index, diff) in self.generic_diff.iter().enumerate() {
            sections.push(Section::new("generic_diff", Some(index), diff_interest(diff)));
        }
        for (index, generic) in self.generic.iter().enumerate() {
            sections.push(Section::new("generic", Some(index), generic_interest(generic)));
        }
        for section in &mut sections {
            below(&self.root, &mut section.interest.paths);
            below(&self.root, &mut section.interest.exclude);
        }
        sections
    }
}

impl Section {
    /// Paths of the command line, as they are on disk.
    pub fn of_arguments(paths: &[PathBuf]) -> Self {
        let written = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        let patterns: Vec<String> = paths.iter().map(|path| escape(&path.to_string_lossy())).collect();
        Self { written, ..Self::new(ARGUMENTS, None, Interest::in_paths(patterns)) }
    }

    fn new(name: &'static str, index: Option<usize>, interest: Interest) -> Self {
        let (written, exclude) = (interest.paths.clone(), interest.exclude.clone());
        Self { name, index, interest, written, exclude }
    }
}

fn generic_interest(generic: &Generic) -> Interest {
    let mut interest = Interest::in_paths(&generic.paths).excluding(&generic.exclude);
    interest.exclude_regex.clone_from(&generic.exclude_regex);
    if generic.hash.contains(&Hash::Sha256) {
        interest = interest.with_sha256();
    }
    interest
}

fn diff_interest(diff: &GenericDiff) -> Interest {
    let mut interest = Interest::in_paths(&diff.paths).excluding(&diff.exclude);
    interest.exclude_regex.clone_from(&diff.exclude_regex);
    interest
}

/// Each path as it is written, and as a pattern.
fn user_paths(users: &Users, homes: &[PathBuf]) -> Vec<(String, String)> {
    let alike = |path: &String| (path.clone(), path.clone());
    let mut paths: Vec<_> =
        [&users.passwd, &users.shadow, &users.group, &users.gshadow].into_iter().map(alike).collect();
    for file in &users.authorized_keys {
        if file.starts_with('/') {
            paths.push(alike(file));
        } else {
            let in_homes = homes.iter().filter_map(|home| home.join(file).to_str().map(escape));
            paths.extend(in_homes.map(|path| (file.clone(), path)));
        }
    }
    paths
}

/// Puts absolute patterns below the root; what begins with a wildcard matches there anyway.
fn below(root: &Path, patterns: &mut [String]) {
    let root = escape(&root.to_string_lossy());
    let root = root.trim_end_matches('/');
    for pattern in patterns.iter_mut().filter(|pattern| pattern.starts_with('/')) {
        pattern.insert_str(0, root);
    }
}
