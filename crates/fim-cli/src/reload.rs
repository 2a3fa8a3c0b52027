//! Another configuration while `fim run` runs: on SIGHUP, and when a file of it changes.
//!
//! The files are asked for their stat every two seconds: they may lie on any file system, be links that are swung
//! around, or not be there yet, and fim itself may not be allowed to watch them. What is read is acted on only
//! once it has stayed the same for as long, so that nothing half-written is tried.

use crate::args::Shared;
use crate::config::{self, Plan};
use crate::consumers::Watched;
use crate::output::Redactor;
use crate::wiring::{self, Equipment};
use fim_core::{Control, Key};
use fim_explainers::Programs;
use std::fs::metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

const TICK: Duration = Duration::from_secs(2);

/// What is reloaded, and for whom.
#[derive(Debug)]
pub struct Reloader {
    /// The engine.
    pub control: Control,
    /// What hides secrets in its lines.
    pub redactor: Redactor,
    /// The key of the state.
    pub key: Key,
    /// The options of the command line, which stay.
    pub options: Shared,
    /// What is watched: what the configuration says, or the paths that were given.
    pub watched: Watched,
    /// Who tells what a process runs: started with the watch, or not at all.
    pub programs: Option<Programs>,
}

impl Reloader {
    /// Loads whenever `asked` says so, or a file changes after now; on a thread of its own. `plan` is what
    /// holds.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(self, plan: &Plan, asked: Receiver<()>) -> std::io::Result<()> {
        let fixed = Fixed::of(plan);
        let named = self.options.config.clone().map(PathBuf::from);
        let mut files = Files::now(named.as_deref());
        std::thread::Builder::new().name("reload".to_owned()).spawn(move || {
            loop {
                match asked.recv_timeout(TICK) {
                    Ok(()) => files.take(named.as_deref()),
                    Err(RecvTimeoutError::Timeout) if files.have_settled(named.as_deref()) => {}
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
                if let Err(error) = self.load(named.as_deref(), &fixed) {
                    self.control.refused(error);
                }
            }
        })?;
        Ok(())
    }

    fn load(&self, named: Option<&Path>, fixed: &Fixed) -> Result<(), String> {
        log::info!("loading the configuration anew");
        let loaded = config::load(named).map_err(|error| error.to_string())?;
        let plan = Plan::new(loaded, &self.options).map_err(|error| error.to_string())?;
        let mut notes = fixed.keep(&Fixed::of(&plan))?;
        if plan.config.asks_for_programs() && self.programs.is_none() {
            notes.push(
                "the first `sha256` of a [[writer]] takes a restart: nobody is trusted by it until then"
                    .to_owned(),
            );
        }
        for note in &notes {
            log::warn!("{note}");
        }
        let reload = wiring::reload(
            &plan,
            &self.key,
            &self.watched,
            Equipment { notes, programs: self.programs.clone(), lasts: true },
        )
        .map_err(|error| error.to_string())?;
        // Before anything is reported by it.
        self.redactor.set(plan.redact.clone());
        self.control.reload(reload);
        Ok(())
    }
}

/// Settings that a running agent keeps.
#[derive(Debug, PartialEq, Eq)]
struct Fixed {
    root: String,
    kept: [(&'static str, String); 11],
}

impl Fixed {
    fn of(plan: &Plan) -> Self {
        let config = &plan.config;
        Self {
            root: config.root.display().to_string(),
            kept: [
                ("state", config.state.display().to_string()),
                ("watcher", config.watcher.to_string()),
                ("format", config.format.to_string()),
                (
                    "metrics",
                    toml::to_string(&config.metrics).unwrap_or_default().trim_end().replace('\n', ", "),
                ),
                ("evidence.keyed", config.evidence.keyed.to_string()),
                ("evidence.sign", format!("{}, {}", config.evidence.sign, config.evidence.sign_every)),
                ("process.confine", config.process.confine.to_string()),
                ("process.guard", config.process.guard.to_string()),
                ("pins.enabled", config.pins.enabled.to_string()),
                ("limits.ring_bytes", config.limits.ring_bytes.to_string()),
                ("limits.watch_room", config.limits.watch_room.to_string()),
            ],
        }
    }

    /// What is to be said of a configuration that wants others.
    ///
    /// # Errors
    /// When it stands for other files altogether.
    fn keep(&self, new: &Self) -> Result<Vec<String>, String> {
        if self.root != new.root {
            return Err(format!("root = \"{}\" takes a restart: it is \"{}\" now", new.root, self.root));
        }
        let pairs = self.kept.iter().zip(&new.kept).filter(|(old, new)| old != new);
        Ok(pairs
            .map(|((key, old), (_, new))| {
                format!("{key} = \"{new}\" takes a restart: \"{old}\" holds until then")
            })
            .collect())
    }
}

/// What stat(2) says of the files of a configuration.
type Print = Vec<(PathBuf, [u64; 4], [i64; 4])>;

/// The files as they were when they were loaded last, and as they were a moment ago.
struct Files {
    loaded: Print,
    seen: Print,
}

impl Files {
    fn now(named: Option<&Path>) -> Self {
        let print = print(named);
        Self { loaded: print.clone(), seen: print }
    }

    fn take(&mut self, named: Option<&Path>) {
        *self = Self::now(named);
    }

    /// Whether they are others than those that were loaded, and the same as at the last call.
    fn have_settled(&mut self, named: Option<&Path>) -> bool {
        let now = print(named);
        let settled = now == self.seen && now != self.loaded;
        if settled {
            self.loaded.clone_from(&now);
        }
        self.seen = now;
        settled
    }
}

fn print(named: Option<&Path>) -> Print {
    // A folder that cannot be listed is told by loading, not here.
    let files = config::load::files(named).unwrap_or_default();
    files
        .into_iter()
        .filter_map(|file| {
            let it = metadata(&file).ok()?;
            let numbers = [it.dev(), it.ino(), it.size(), u64::from(it.mode())];
            Some((file, numbers, [it.mtime(), it.mtime_nsec(), it.ctime(), it.ctime_nsec()]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_loaded_when_they_stay_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let main = dir.path().join("fim.toml");
        let named = Some(main.as_path());
        let mut files = Files::now(named);
        assert!(!files.have_settled(named));
        std::fs::write(&main, "a").unwrap();
        assert!(!files.have_settled(named), "it may be half written");
        assert!(files.have_settled(named));
        assert!(!files.have_settled(named));
        std::fs::create_dir(dir.path().join("conf.d")).unwrap();
        std::fs::write(dir.path().join("conf.d/x.toml"), "b").unwrap();
        assert!(!files.have_settled(named));
        assert!(files.have_settled(named));
        std::fs::remove_file(&main).unwrap();
        files.take(named);
        assert!(!files.have_settled(named), "asked for meanwhile");
    }

    #[test]
    fn what_takes_a_restart_is_said_and_another_root_is_refused() {
        let plan = |text: &str| {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("fim.toml");
            std::fs::write(&file, text).unwrap();
            Plan::new(config::load(Some(&file)).unwrap(), &Shared::default()).unwrap()
        };
        let old = Fixed::of(&plan("state = '/a'"));
        assert_eq!(old.keep(&Fixed::of(&plan("state = '/a'\n[limits]\nmax_file_size = 7"))), Ok(vec![]));
        let notes = old.keep(&Fixed::of(&plan("state = '/b'\nwatcher = 'bpf'\nformat = 'pretty'"))).unwrap();
        assert_eq!(notes.len(), 3);
        assert_eq!(notes[0], "state = \"/b\" takes a restart: \"/a\" holds until then");
        let room = plan("state = '/a'\n[limits]\nring_bytes = '16 MiB'\nwatch_room = 7");
        let notes = old.keep(&Fixed::of(&room)).unwrap();
        assert_eq!(notes[0], "limits.ring_bytes = \"16 MiB\" takes a restart: \"8 MiB\" holds until then");
        assert!(notes[1].starts_with("limits.watch_room = \"7\""), "{notes:?}");
        assert!(old.keep(&Fixed::of(&plan("state = '/a'\nroot = '/mnt'"))).is_err());
    }
}
