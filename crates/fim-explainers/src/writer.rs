//! Trusted writers: processes whose executable has a known digest, or that run in a known control group.
//!
//! Never by name: who writes a file can call himself what he likes. A process that has ended before its change
//! was looked at is not trusted: of what it ran only a path is left, and that may be another file by now.

use crate::process::Process;
use crate::program::{Busy, Programs};
use fim_core::{Actor, Checksums, Explainer, Explanation, Reason, Sight};

/// One trusted writer: what is said of it must hold, all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writer {
    /// What it is called in `fim.explained_by`.
    pub name: String,
    /// SHA-256 of its executable, one of these; any if there are none.
    pub sha256: Vec<[u8; 32]>,
    /// Its control group is one of these or below; any if there are none.
    pub cgroups: Vec<String>,
    /// A notable change it made is routine.
    pub lowers: bool,
}

/// Explains changes that nobody but a trusted writer had a hand in.
///
/// ```
/// use fim_explainers::{Programs, Writer, Writers};
///
/// let deploy = Writer { name: "deploy".into(), sha256: vec![[7; 32]], lowers: true, ..Writer::default() };
/// let writers = Writers::new(vec![deploy], Some(Programs::start()?));
/// # drop(writers);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Writers {
    writers: Vec<Writer>,
    programs: Option<Programs>,
}

impl Writers {
    /// These are trusted; without `programs` none by its executable. One of which neither digests nor control
    /// groups are named is nobody.
    #[must_use]
    pub const fn new(writers: Vec<Writer>, programs: Option<Programs>) -> Self {
        Self { writers, programs }
    }

    fn trusted(&self, actor: &Actor) -> Result<Option<&Writer>, Busy> {
        let Some(process) = Process::of(actor) else { return Ok(None) };
        let cgroup = process.cgroup();
        let digest = self.programs.as_ref().map_or(Ok(None), |programs| programs.digest_of(actor))?;
        Ok(self.writers.iter().find(|writer| writer.is(digest.as_ref(), cgroup.as_deref())))
    }
}

impl Writer {
    fn is(&self, digest: Option<&[u8; 32]>, cgroup: Option<&str>) -> bool {
        let runs = self.sha256.is_empty() || digest.is_some_and(|digest| self.sha256.contains(digest));
        let is_in = |group: &String| cgroup.is_some_and(|cgroup| is_at_or_below(cgroup, group));
        let lives = self.cgroups.is_empty() || self.cgroups.iter().any(is_in);
        runs && lives && !(self.sha256.is_empty() && self.cgroups.is_empty())
    }
}

fn is_at_or_below(cgroup: &str, group: &str) -> bool {
    let rest = cgroup.strip_prefix(group.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Explainer for Writers {
    fn explain(&mut self, change: &Sight<'_>, _: &mut dyn Checksums) -> Reason {
        let (mut by, mut lowers) = (None, true);
        for actor in change.actors {
            let writer = match self.trusted(actor) {
                Ok(Some(writer)) => writer,
                Ok(None) => return Reason::default(),
                Err(Busy) => return Reason::default().open(),
            };
            lowers &= writer.lowers;
            by = Some(Explanation { by: "writer", of: vec![("name", writer.name.clone())], lowers });
        }
        by.map_or_else(Reason::default, Reason::known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: [u8; 32] = [7; 32];

    fn writer(sha256: &[[u8; 32]], cgroups: &[&str]) -> Writer {
        let cgroups = cgroups.iter().map(|&group| group.to_owned()).collect();
        Writer { name: "x".to_owned(), sha256: sha256.to_vec(), cgroups, lowers: false }
    }

    #[test]
    fn all_that_is_said_must_hold() {
        let both = writer(&[DIGEST], &["/system.slice/x.service"]);
        for (digest, cgroup, is) in [
            (Some(&DIGEST), Some("/system.slice/x.service"), true),
            (Some(&DIGEST), Some("/system.slice/x.service/part"), true),
            (Some(&DIGEST), Some("/system.slice/x.service2"), false),
            (Some(&DIGEST), Some("/user.slice/system.slice/x.service"), false),
            (Some(&[8; 32]), Some("/system.slice/x.service"), false),
            (None, Some("/system.slice/x.service"), false),
            (Some(&DIGEST), None, false),
        ] {
            assert_eq!(both.is(digest, cgroup), is, "{digest:?} {cgroup:?}");
        }
        assert!(writer(&[DIGEST], &[]).is(Some(&DIGEST), None));
        assert!(writer(&[], &["/"]).is(None, Some("/anything")));
        assert!(!writer(&[], &[]).is(Some(&DIGEST), Some("/")), "of whom nothing is said is nobody");
    }
}
