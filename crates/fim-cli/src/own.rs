//! The agent's own files: the program, its configuration, its unit. Whoever changes one may be about to silence it.

use crate::config::load;
use fim_core::{Guard, Interest, Severity, escape};
use std::path::{Path, PathBuf};

/// Where systemd reads units from, the first wins: systemd.unit(5).
const UNITS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
const UNIT: &str = "fim.service";

/// The files, there or not yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own(Vec<(PathBuf, &'static str, Severity)>);

impl Own {
    /// Those of this process, which was given this configuration or none.
    pub fn here(config: Option<&Path>) -> Self {
        let mut own = Self::default();
        if let Ok(binary) = std::env::current_exe() {
            own.add(binary, "binary", Severity::Critical);
        }
        for path in load::places(config) {
            // A legitimate change is as likely.
            own.add(path, "configuration", Severity::High);
        }
        let cgroup = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let unit = unit(&cgroup);
        for dir in UNITS.map(Path::new) {
            // `/lib` is a link to `/usr/lib` on most.
            let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
            for name in [unit.to_owned(), format!("{unit}.d")] {
                own.add(dir.join(name), "unit", Severity::Critical);
            }
        }
        own
    }

    /// By its name, and by where that leads now.
    fn add(&mut self, path: PathBuf, what: &'static str, severity: Severity) {
        let Ok(path) = std::path::absolute(path) else { return };
        // One that is not there yet may lie in a folder that is a link.
        let leads = path
            .canonicalize()
            .ok()
            .or_else(|| Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?)));
        for path in std::iter::once(path).chain(leads) {
            if !self.0.iter().any(|(known, ..)| *known == path) {
                self.0.push((path, what, severity));
            }
        }
    }

    /// To watch them.
    pub fn interest(&self) -> Interest {
        Interest::in_paths(self.0.iter().filter_map(|(path, ..)| path.to_str()).map(escape))
    }

    /// What a path is to the agent, if it is its own.
    pub fn find(&self, path: &Path) -> Option<&'static str> {
        self.0.iter().find(|(own, ..)| path.starts_with(own)).map(|(_, what, _)| *what)
    }

    /// To say of them what they are.
    pub fn guard(&self) -> Guard {
        self.0.iter().fold(Guard::default(), |guard, (path, what, severity)| guard.of(path, what, *severity))
    }
}

/// The unit this process runs in, by `/proc/self/cgroup`, if it is one of fim's; else the usual one.
fn unit(cgroup: &str) -> &str {
    let names = cgroup.lines().filter_map(|line| line.rsplit('/').next());
    let mut ours = names.filter(|name| name.starts_with("fim") && name.ends_with(".service"));
    ours.next().unwrap_or(UNIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        for (cgroup, name) in [
            ("0::/system.slice/fim-agent.service\n", "fim-agent.service"),
            ("4:memory:/x\n1:name=systemd:/system.slice/fim@a.service\n", "fim@a.service"),
            ("0::/system.slice/cron.service", UNIT),
            ("0::/\n", UNIT),
            ("", UNIT),
        ] {
            assert_eq!(unit(cgroup), name);
        }
    }

    #[test]
    fn the_program_and_what_it_was_given_are_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        std::fs::create_dir(real.join("there")).unwrap();
        std::fs::write(real.join("there/fim.toml"), "").unwrap();
        std::os::unix::fs::symlink(real.join("there"), real.join("link")).unwrap();
        let own = Own::here(Some(&real.join("link/fim.toml")));
        let has = |path: &Path, what| own.0.iter().any(|(own, is, _)| own == path && *is == what);
        assert!(has(&std::env::current_exe().unwrap(), "binary"));
        for path in ["link/fim.toml", "there/fim.toml", "there/conf.d"] {
            assert!(has(&real.join(path), "configuration"), "{path}");
        }
        assert!(has(Path::new("/etc/systemd/system/fim.service.d"), "unit"));
        assert!(own.interest().paths.iter().any(|path| path.ends_with("/there/fim.toml")));
    }
}
