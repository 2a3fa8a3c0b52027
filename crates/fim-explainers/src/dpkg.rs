//! dpkg: a change is explained when the database has that very content for that very path, by the MD5 that came
//! with the package.
//!
//! MD5 is what dpkg has. It tells a file that is another one; against somebody who makes two packages of the same
//! digest, or who may write to the database, it proves nothing. Nor does the database know modes, owners or links.

mod database;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod owner;
mod parse;
#[cfg(test)]
mod tests;

use crate::packages::{self, aliases};
use database::Database;
use fim_core::{Change, Checksum, Checksums, Explainer, FileKind, Reason, Severity, Sight};
use parse::{Md5, Stage};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Configuration files that wait for a decision, or for the package to be configured, lie beside the real one.
const BESIDE: [&[u8]; 2] = [b".dpkg-dist", b".dpkg-new"];

/// Explains changes by dpkg's database.
///
/// ```
/// use fim_explainers::{Dpkg, Explainers};
///
/// let mut explainers = Explainers::default();
/// if let Some(mut dpkg) = Dpkg::below("/".as_ref())? {
///     dpkg.prepare();
///     explainers.push(dpkg);
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Dpkg {
    root: PathBuf,
    database: Database,
}

/// A package that claims a path.
#[derive(Debug)]
struct Claim {
    stem: String,
    version: Option<String>,
    digest: Option<Md5>,
    /// It may be edited.
    is_conffile: bool,
    /// The package is in the middle of something.
    is_moving: bool,
    /// The version is yet to be written down: the digests of a new one are there before it.
    is_half_installed: bool,
}

impl Dpkg {
    /// By the database below this root, if there is one there.
    ///
    /// # Errors
    /// When `/proc/self/fd` cannot be opened.
    pub fn below(root: &Path) -> io::Result<Option<Self>> {
        let database = Database::open(packages::place(root, "var/lib/dpkg"))?;
        Ok(database.map(|database| Self { root: root.to_owned(), database }))
    }

    /// Reads the database now, not when it is first needed: what a package had before it is replaced is known only to
    /// who looked before.
    pub fn prepare(&mut self) {
        self.database.refresh();
    }

    /// The packages that claim the file at this path, those first whose word is the newest.
    fn claims(&mut self, path: &[u8]) -> Vec<Claim> {
        let incoming = self.database.incoming();
        let mut claims = Vec::new();
        for name in self.database.names(path) {
            if incoming.is_none() && !self.database.may_have(&name) {
                continue;
            }
            if let Some(incoming) = &incoming
                && let Some(digest) = incoming.digest(&name)
            {
                let (stem, version) = (incoming.stem.clone(), Some(incoming.version.clone()));
                let digest = Some(digest);
                claims.push((
                    name.clone(),
                    Claim {
                        stem,
                        version,
                        digest,
                        is_conffile: false,
                        is_moving: true,
                        is_half_installed: false,
                    },
                ));
            }
            let owners = self.database.owners(&name);
            let owners: Vec<_> =
                owners.into_iter().map(|stem| (self.database.digest(&stem, &name), stem)).collect();
            let owners = owners.into_iter().filter(|(digest, _)| digest.is_some());
            let owners = owners.map(|(digest, stem)| (stem, digest, false));
            let configured = self.database.configured(&name).into_iter();
            let configured = configured.map(|(stem, digest)| (stem, digest, true));
            for (stem, digest, is_conffile) in owners.chain(configured) {
                let version = self.version(&stem);
                let is_coming = incoming.as_ref().is_some_and(|it| it.stem == stem);
                let is_half_installed = self.is_half_installed(&stem);
                let is_moving = is_coming || self.is_between(&stem);
                let claim = Claim { stem, version, digest, is_conffile, is_moving, is_half_installed };
                claims.push((name.clone(), claim));
            }
        }
        let is_here = |name: &[u8], stem: &str| aliases(path).contains(&self.database.location(name, stem));
        claims
            .into_iter()
            .filter(|(name, claim)| is_here(name, &claim.stem))
            .map(|(_, claim)| claim)
            .collect()
    }

    fn content(&mut self, path: &[u8], change: &Sight<'_>, checksums: &mut dyn Checksums) -> Reason {
        let mut claims = self.claims(path);
        let beside = BESIDE.iter().find_map(|suffix| path.strip_suffix(*suffix));
        if let Some(original) = beside.filter(|_| claims.is_empty()) {
            claims = self.claims(original);
            claims.retain(|claim| claim.is_conffile);
        }
        if claims.is_empty() {
            return Reason::default();
        }
        let Some(digest) = checksums.of_content(Checksum::Md5) else { return Reason::default() };
        if let Some(claim) = claims.iter().find(|claim| claim.digest.is_some_and(|known| known[..] == digest))
        {
            let lowers = !change.has_other_metadata();
            let explanation = packages::explanation("dpkg", &claim.stem, claim.version.as_deref(), lowers);
            let reason = Reason::known(explanation);
            return if claim.is_half_installed { reason.open() } else { reason };
        }
        let mut reason = Reason::default();
        let may_be_edited = beside.is_some() || claims.iter().any(|claim| claim.is_conffile);
        if let Some(claim) = claims.first().filter(|_| !may_be_edited && change.has_other_content()) {
            let odd = Change::new("package_mismatch").of("package", claim.stem.as_str());
            let odd = claim.version.iter().fold(odd, |odd, version| odd.of("version", version.as_str()));
            reason = Reason::odd(odd, Severity::High);
        }
        if claims.iter().any(|claim| claim.is_moving) { reason.open() } else { reason }
    }

    /// A new folder is explained when a package has it: there is no more to it than its name.
    fn folder(&mut self, path: &[u8]) -> Reason {
        let incoming = self.database.incoming();
        for name in self.database.names(path) {
            if let Some(incoming) = incoming.as_ref().filter(|it| it.is_below(&name)) {
                return self.has(incoming.stem.clone(), Some(incoming.version.clone()));
            }
            if let Some(stem) = self.database.owners(&name).into_iter().next() {
                return self.has_now(stem);
            }
        }
        Reason::default()
    }

    /// A link is explained when a package has it and what it leads to: the database does not say where links of
    /// packages lead.
    fn link(&mut self, path: &[u8], target: &Path) -> Reason {
        let folder = Path::new(OsStr::from_bytes(path)).parent().unwrap_or(Path::new("/"));
        let target = clean(&folder.join(target));
        let names = aliases(path);
        let incoming = self.database.incoming();
        let mut is_open = false;
        for target in self.database.names(target.as_os_str().as_bytes()) {
            for stem in self.database.owners(&target) {
                if names.iter().any(|name| self.database.lists(&stem, name) == Some(true)) {
                    return self.has_now(stem);
                }
                is_open |= self.is_between(&stem);
            }
            // Its list is written when all of it is unpacked.
            is_open |= incoming.as_ref().is_some_and(|it| it.digest(&target).is_some());
        }
        if is_open { Reason::default().open() } else { Reason::default() }
    }

    /// A file that is gone is explained when its package has no such file any more, or is being removed.
    fn removal(&mut self, path: &[u8]) -> Reason {
        let incoming = self.database.incoming();
        for name in self.database.names(path) {
            let owners = self.database.owners(&name);
            let configured = self.database.configured(&name).into_iter().map(|(stem, _)| stem);
            let leaving = owners.iter().cloned().chain(configured).find(|stem| self.is_leaving(stem));
            if let Some(stem) = leaving {
                return self.has(stem, None);
            }
            // The list of the version that comes may be there before its digests are: by it the file is nobody's.
            if let Some(incoming) = &incoming
                && (owners.is_empty() || owners.contains(&incoming.stem))
                && self.database.had(&incoming.stem, &name)
                && incoming.digest(&name).is_none()
                && !incoming.is_below(&name)
            {
                return self.has(incoming.stem.clone(), Some(incoming.version.clone()));
            }
            if let Some(stem) = self.database.last_owner(&name).filter(|_| owners.is_empty()) {
                return self.has_now(stem.to_owned());
            }
        }
        Reason::default()
    }

    fn is_leaving(&self, stem: &str) -> bool {
        self.database.package(stem).is_some_and(|it| it.is_unwanted && it.stage != Stage::Installed)
    }

    fn has(&self, stem: String, version: Option<String>) -> Reason {
        let version = version.or_else(|| self.version(&stem));
        Reason::known(packages::explanation("dpkg", &stem, version.as_deref(), true))
    }

    /// By the version that is there, which may not be written down yet.
    fn has_now(&self, stem: String) -> Reason {
        let is_half_installed = self.is_half_installed(&stem);
        let reason = self.has(stem, None);
        if is_half_installed { reason.open() } else { reason }
    }

    fn is_half_installed(&self, stem: &str) -> bool {
        self.database.package(stem).is_some_and(|it| it.stage == Stage::HalfInstalled)
    }

    fn is_between(&self, stem: &str) -> bool {
        let stage = self.database.package(stem).map(|it| it.stage);
        matches!(stage, Some(Stage::Between | Stage::HalfInstalled))
    }

    fn version(&self, stem: &str) -> Option<String> {
        self.database.package(stem).map(|it| it.version.clone()).filter(|version| !version.is_empty())
    }
}

impl Explainer for Dpkg {
    fn explain(&mut self, change: &Sight<'_>, checksums: &mut dyn Checksums) -> Reason {
        // That a mode or an owner changed is no business of the database.
        let is_metadata_alone = change.has_other_metadata() && !change.has_other_content();
        let (Some(path), false) = (packages::below(&self.root, change.path), is_metadata_alone) else {
            return Reason::default();
        };
        let Some(facts) = change.after.or(change.before) else { return Reason::default() };
        self.database.refresh();
        match (facts.kind, &facts.target) {
            (FileKind::File | FileKind::Dir, _) if change.after.is_none() => self.removal(path),
            (FileKind::File, _) => self.content(path, change, checksums),
            (FileKind::Dir, _) => self.folder(path),
            (FileKind::Symlink, Some(target)) if change.after.is_some() => self.link(path, target),
            _ => Reason::default(),
        }
    }
}

/// A path without `.` and `..`, by its text alone.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(clean.pop()),
            Component::CurDir => {}
            part => clean.push(part),
        }
    }
    clean
}
