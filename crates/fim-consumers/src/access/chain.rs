//! Which files `pam_access` reads one after the other, as though they were one: access.conf, then what is in
//! access.d beside it, by name. Any other file stands alone, as with its option `accessfile`.

use crate::parse::access::{AccessFile, Rule};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The rules of every file as they were last seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    files: BTreeMap<PathBuf, AccessFile>,
}

/// A rule, and the file it is in if that is another one than the file in question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link<'a> {
    pub rule: &'a Rule,
    pub elsewhere: Option<&'a Path>,
}

impl Chain {
    /// Remembers a file; one that is gone has no rules.
    pub(super) fn set(&mut self, path: &Path, file: Option<AccessFile>) {
        match file {
            Some(file) => self.files.insert(path.to_owned(), file),
            None => self.files.remove(path),
        };
    }

    /// All rules in the order they are tried, if `path` held this.
    pub(super) fn with<'a>(&'a self, path: &Path, file: &'a AccessFile) -> Vec<Link<'a>> {
        let mut files = vec![(place(path), None, file)];
        if let Some(own) = place(path) {
            let others = self.files.iter().filter(|(other, _)| *other != path);
            let others = others.filter_map(|(path, file)| Some((place(path)?, path.as_path(), file)));
            let beside = others.filter(|(place, _, _)| place.dir == own.dir);
            files.extend(beside.map(|(place, path, file)| (Some(place), Some(path), file)));
        }
        files.sort_by(|one, other| one.0.cmp(&other.0));
        let links = |(_, elsewhere, file): (_, _, &'a AccessFile)| {
            file.rules.iter().map(move |rule| Link { rule, elsewhere })
        };
        files.into_iter().flat_map(links).collect()
    }
}

/// Where a file stands: access.conf has no name in access.d and is first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    dir: PathBuf,
    name: Option<Vec<u8>>,
}

fn place(path: &Path) -> Option<Place> {
    let (dir, name) = (path.parent()?, path.file_name()?.as_bytes());
    if name == b"access.conf" {
        return Some(Place { dir: dir.to_owned(), name: None });
    }
    let is_read = dir.file_name() == Some(OsStr::new("access.d"))
        && name.ends_with(b".conf")
        && !name.starts_with(b".");
    is_read.then(|| Some(Place { dir: dir.parent()?.to_owned(), name: Some(name.to_owned()) }))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::access::{Separators, parse};

    #[test]
    fn files_in_the_order_they_are_read() {
        let file = |user: &str| parse(format!("+:{user}:ALL\n").as_bytes(), &Separators::default());
        let mut chain = Chain::default();
        for (path, user) in [
            ("/etc/security/access.d/20.conf", "third"),
            ("/etc/security/access.d/10.conf", "second"),
            ("/etc/security/access.d/10.conf~", "never"),
            ("/etc/security/access.d/.x.conf", "never"),
            ("/etc/security/sshd.conf", "never"),
            ("/other/access.d/10.conf", "never"),
            ("/etc/security/access.conf", "old"),
        ] {
            chain.set(Path::new(path), Some(file(user)));
        }
        let first = file("first");
        let links = chain.with(Path::new("/etc/security/access.conf"), &first);
        let shown: Vec<_> =
            links.iter().map(|link| (link.rule.users[0].as_str(), link.elsewhere.is_some())).collect();
        assert_eq!(shown, [("first", false), ("second", true), ("third", true)]);

        chain.set(Path::new("/etc/security/access.d/20.conf"), None);
        let links = chain.with(Path::new("/etc/security/access.d/15.conf"), &first);
        let shown: Vec<_> = links.iter().map(|link| link.rule.users[0].as_str()).collect();
        assert_eq!(shown, ["old", "second", "first"]);
        assert_eq!(chain.with(Path::new("/etc/security/sshd.conf"), &first).len(), 1);
    }
}
