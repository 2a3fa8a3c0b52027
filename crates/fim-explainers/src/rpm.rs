//! rpm: a change is explained when the database has that very content for that very path, by the digest that came with
//! the package.
//!
//! Read is the database that is SQLite, by a reader of its own: SQLite's library would take locks, write beside the
//! database, and be C in a process that reads what others wrote. Nor are modes and owners held against it, though it has
//! them: that one of them changed is no package's content.

mod database;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod header;
mod lock;
mod owner;
mod package;
mod pages;
mod sqlite;
#[cfg(test)]
mod tests;
mod wal;

use crate::packages::{self, aliases};
use database::{Database, Refreshed};
use fim_core::{Change, Checksum, Checksums, Explainer, FileKind, Reason, Severity, Sight};
use lock::Transaction;
use package::{File, Identity, Kind};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the database is; on older systems in the second, which is a link to the first on newer ones.
const PLACES: [&str; 2] = ["usr/lib/sysimage/rpm", "var/lib/rpm"];
/// What rpm lays beside a configuration file that was edited, or does away with.
const BESIDE: [&[u8]; 3] = [b".rpmnew", b".rpmsave", b".rpmorig"];

/// Explains changes by rpm's database.
///
/// ```
/// use fim_explainers::{Explainers, Rpm};
///
/// let mut explainers = Explainers::default();
/// if let Some(mut rpm) = Rpm::below("/".as_ref())? {
///     rpm.prepare();
///     explainers.push(rpm);
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Rpm {
    root: PathBuf,
    database: Database,
}

/// A package that has a path, and what it has there.
type Claim = (Arc<Identity>, File);

impl Rpm {
    /// By the database below this root, if there is one there that is SQLite's.
    ///
    /// # Errors
    /// When `/proc/self/fd` cannot be opened.
    pub fn below(root: &Path) -> io::Result<Option<Self>> {
        for folder in PLACES {
            if let Some(database) = Database::open(packages::place(root, folder))? {
                return Ok(Some(Self { root: root.to_owned(), database }));
            }
        }
        Ok(None)
    }

    /// Reads the database now, not when it is first needed: what a package had before it is replaced is known only to
    /// who looked before.
    pub fn prepare(&mut self) {
        self.database.refresh();
    }

    /// What packages have at a path, under each of its names.
    fn claims(&mut self, path: &[u8]) -> Vec<Claim> {
        let names = aliases(path);
        names.iter().flat_map(|name| self.database.claims(name)).collect()
    }

    fn is_owned(&self, path: &[u8]) -> bool {
        aliases(path).iter().any(|name| self.database.is_owned(name))
    }

    fn content(&mut self, path: &[u8], change: &Sight<'_>, checksums: &mut dyn Checksums) -> Reason {
        let mut claims = self.claims(path);
        let beside = BESIDE.iter().find_map(|suffix| path.strip_suffix(*suffix));
        if let Some(original) = beside.filter(|_| claims.is_empty()) {
            claims = self.claims(original);
            claims.retain(|(_, file)| file.is_config);
        }
        claims.retain(|(_, file)| file.is_installed && !file.is_ghost && file.digest.is_some());
        let mut found: Vec<(Checksum, Option<Vec<u8>>)> = Vec::new();
        for (identity, file) in &claims {
            let Some((checksum, digest)) = &file.digest else { continue };
            if !found.iter().any(|(known, _)| known == checksum) {
                found.push((*checksum, checksums.of_content(*checksum)));
            }
            let is_same = |(known, of_file): &(Checksum, Option<Vec<u8>>)| {
                known == checksum && of_file.as_ref() == Some(digest)
            };
            if found.iter().any(is_same) {
                return known(identity, !change.has_other_metadata());
            }
        }
        let may_be_edited = beside.is_some() || claims.iter().any(|(_, file)| file.may_change);
        match claims.first() {
            // What cannot be read is not another content.
            Some((identity, _))
                if !may_be_edited
                    && change.has_other_content()
                    && found.iter().all(|(_, digest)| digest.is_some()) =>
            {
                let odd = Change::new("package_mismatch").of("package", identity.name.as_str());
                Reason::odd(odd.of("version", identity.version.as_str()), Severity::High)
            }
            _ => Reason::default(),
        }
    }

    /// A new folder is explained when a package has it: there is no more to it than its name.
    fn folder(&mut self, path: &[u8]) -> Reason {
        let claims = self.claims(path);
        let claim = claims.iter().find(|(_, file)| file.kind == Kind::Dir && file.is_installed);
        claim.map(|(identity, _)| known(identity, true)).unwrap_or_default()
    }

    /// A link is explained when a package has it, and it leads where it does there, to the letter.
    fn link(&mut self, path: &[u8], target: &Path) -> Reason {
        let target = target.as_os_str().as_bytes();
        let claims = self.claims(path);
        let is_same = |file: &File| {
            file.kind == Kind::Symlink && file.is_installed && !file.is_ghost && file.target == target
        };
        let claim = claims.iter().find(|(_, file)| is_same(file));
        claim.map(|(identity, _)| known(identity, true)).unwrap_or_default()
    }

    /// A file that is gone is explained when the package that had it is gone, or has it no more.
    fn removal(&self, path: &[u8]) -> Reason {
        if self.is_owned(path) {
            return Reason::default();
        }
        let names = aliases(path);
        let Some(last) = names.iter().find_map(|name| self.database.last_owner(name)) else {
            return Reason::default();
        };
        let now = self.database.installed(&last.name);
        known(now.as_ref().unwrap_or(last), true)
    }

    /// By what the database has now.
    fn reason(&mut self, change: &Sight<'_>, path: &[u8], checksums: &mut dyn Checksums) -> Reason {
        let Some(facts) = change.after.or(change.before) else { return Reason::default() };
        match (facts.kind, &facts.target) {
            (FileKind::File | FileKind::Dir | FileKind::Symlink, _) if change.after.is_none() => {
                self.removal(path)
            }
            (FileKind::File, _) => self.content(path, change, checksums),
            (FileKind::Dir, _) => self.folder(path),
            (FileKind::Symlink, Some(target)) => self.link(path, target),
            _ => Reason::default(),
        }
    }

    /// Whether a transaction may have to do with it: what is new may be of a package whose header is to come, and what
    /// was nobody's before hardly is.
    fn may_be_of_one(&self, change: &Sight<'_>, path: &[u8]) -> bool {
        let beside = BESIDE.iter().find_map(|suffix| path.strip_suffix(*suffix));
        change.before.is_none() || self.is_owned(path) || beside.is_some_and(|path| self.is_owned(path))
    }

    /// Headers are written when all files of a package are there, and removed when all are gone: in the middle of a
    /// transaction there is no telling that what it did is wrong.
    fn explain_unless(
        &mut self,
        change: &Sight<'_>,
        checksums: &mut dyn Checksums,
        transaction: impl FnOnce(&Database) -> Option<Transaction>,
    ) -> Reason {
        let Some(path) = packages::below(&self.root, change.path) else { return Reason::default() };
        self.database.refresh();
        let reason = self.reason(change, path, checksums);
        if reason.explanation.is_some() || !self.may_be_of_one(change, path) {
            return reason;
        }
        if transaction(&self.database).is_some_and(|it| !it.has_no_hand_in(change)) {
            return Reason::default().open();
        }
        // What was over before that was asked is in the database now. It is written to a little longer than it is locked.
        match self.database.refresh() {
            Refreshed::Same => reason,
            Refreshed::Anew => self.reason(change, path, checksums),
            Refreshed::NotYet => Reason::default().open(),
        }
    }
}

impl Explainer for Rpm {
    fn explain(&mut self, change: &Sight<'_>, checksums: &mut dyn Checksums) -> Reason {
        // That a mode or an owner changed is nothing that is held against the database.
        if change.has_other_metadata() && !change.has_other_content() {
            return Reason::default();
        }
        self.explain_unless(change, checksums, Database::transaction)
    }
}

fn known(identity: &Identity, lowers: bool) -> Reason {
    let (package, version) = (&identity.name, &identity.version);
    Reason::known(packages::explanation("rpm", package, Some(version), lowers))
}
