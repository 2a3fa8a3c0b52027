//! Attempts on the watch itself: what is said of them, and which files are the agent's own.
//!
//! Pure: who notices is elsewhere.

use crate::finding::{Finding, Severity};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Something was done to the watch itself, or to what it depends on.
///
/// ```
/// use fim_core::{Severity, Tampering};
///
/// let told = Tampering::new("clock", "the clock was set back");
/// assert_eq!((told.severity, told.path), (Severity::Critical, None));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tampering {
    /// Against what: `process`, `clock`, `watcher`, `binary`, `configuration`, `unit`, `state`.
    pub against: String,
    /// What was noticed, in words.
    pub reason: String,
    /// How much it matters.
    pub severity: Severity,
    /// The file, where it was done to one.
    pub path: Option<PathBuf>,
    /// For how long, where it lasted; of a clock, how far it was moved.
    pub lasted: Option<Duration>,
    /// The id of the change that this speaks of: its line says who made it.
    pub change: Option<[u8; 16]>,
}

impl Tampering {
    /// A critical one of which no more is known.
    #[must_use]
    pub fn new(against: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            against: against.into(),
            reason: reason.into(),
            severity: Severity::Critical,
            path: None,
            lasted: None,
            change: None,
        }
    }
}

/// The agent's own files. A change of one is reported as any other, and as [`Tampering`] besides.
///
/// ```
/// use fim_core::{Engine, Guard, Severity};
///
/// let own = Guard::default()
///     .of("/usr/bin/my-agent", "binary", Severity::Critical)
///     .of("/etc/my-agent", "configuration", Severity::High);
/// let builder = Engine::builder().guard(own);
/// # drop(builder);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard(Vec<(PathBuf, &'static str, Severity)>);

impl Guard {
    /// Guards a file, or everything below a directory: what it is, and how much a change of it matters.
    #[must_use]
    pub fn of(mut self, path: impl Into<PathBuf>, what: &'static str, severity: Severity) -> Self {
        // As the engine writes its paths, which are compared as bytes: every change is.
        self.0.push((path.into().components().collect(), what, severity));
        self
    }

    /// What is to be said of a change besides.
    pub(crate) fn tampering(&self, finding: &Finding) -> Option<Tampering> {
        // Whoever writes the same bytes again, as a tool that manages configurations does, changed nothing.
        if finding.changes.iter().any(|change| change.what == "touched") {
            return None;
        }
        let paths = [Some(&finding.path), finding.previous_path.as_ref()];
        let mut touched = paths.into_iter().flatten().filter_map(|path| Some((path, self.find(path)?)));
        let (path, (what, severity)) = touched.next()?;
        let mut tampering = Tampering::new(
            what,
            format!("the {what} of fim was changed: {}", finding.action.as_str().replace('_', " ")),
        );
        (tampering.severity, tampering.path, tampering.change) =
            (severity, Some(path.clone()), Some(finding.id));
        Some(tampering)
    }

    fn find(&self, path: &Path) -> Option<(&'static str, Severity)> {
        self.0
            .iter()
            .find(|(own, ..)| is_at_or_below(path, own))
            .map(|(_, what, severity)| (*what, *severity))
    }
}

/// As [`Path::starts_with`], of paths that are written in one way.
fn is_at_or_below(path: &Path, top: &Path) -> bool {
    let (path, top) = (path.as_os_str().as_bytes(), top.as_os_str().as_bytes());
    path.strip_prefix(top)
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'/')) || top.ends_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Action, Change};
    use std::time::SystemTime;

    #[test]
    fn own_files_are_told_from_others_by_either_name() {
        let guard = Guard::default().of("/usr/bin/fim", "binary", Severity::Critical).of(
            "/etc/fim/conf.d",
            "configuration",
            Severity::High,
        );
        let changed = |path: &str| Finding::new(Action::Updated, "generic", path, SystemTime::UNIX_EPOCH);
        assert_eq!(guard.tampering(&changed("/usr/bin/fim2")), None);
        assert!(Guard::default().of("/", "all", Severity::High).tampering(&changed("/a")).is_some());
        assert!(Guard::default().of("/a//b/", "b", Severity::High).tampering(&changed("/a/b")).is_some());
        let told = guard.tampering(&changed("/etc/fim/conf.d/x.toml")).unwrap();
        assert_eq!((told.against.as_str(), told.severity), ("configuration", Severity::High));
        let mut touched = changed("/usr/bin/fim");
        touched.changes.push(Change::new("touched"));
        assert_eq!(guard.tampering(&touched), None);
        let mut away = changed("/tmp/x");
        (away.action, away.previous_path) = (Action::Moved, Some("/usr/bin/fim".into()));
        let told = guard.tampering(&away).unwrap();
        assert_eq!((told.path, told.change), (Some("/usr/bin/fim".into()), Some([0; 16])));
        assert_eq!(told.reason, "the binary of fim was changed: moved");
    }
}
