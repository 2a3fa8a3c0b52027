//! `file`: the file a line is about, and the same words for how it was before and is after.

use super::super::json::{FIELDS, Fields, Written};
use super::super::names::Names;
use super::super::short::{decimal, device, hex, mode};
use super::super::time;
use fim_core::{Facts, FileKind, Finding};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;

/// The file of a finding: as it is now, or as it was last if it is gone.
pub struct File<'a> {
    finding: &'a Finding,
    attributes: Option<&'a Written>,
}

/// What a look found, in the words of ECS.
pub struct Attributes<'a> {
    facts: &'a Facts,
    keep_secret: bool,
    names: &'a Names,
}

/// `hash`.
struct Hash<'a>(&'a Facts);

/// Text for bytes that may be none.
pub fn lossy(text: &(impl AsRef<OsStr> + ?Sized)) -> Cow<'_, str> {
    let text = text.as_ref();
    // Nearly all are, and that is seen sooner than what is not.
    text.to_str().map_or_else(|| text.to_string_lossy(), Cow::Borrowed)
}

/// The directory and the name of a path, as [`Path::parent`] and [`Path::file_name`] have them. Nearly all are written
/// plainly, and cut in one go.
fn cut(path: &str) -> (Option<&str>, Option<&str>) {
    let is_odd = |dir: &str| dir.ends_with('/') || dir.ends_with("/.");
    match path.rsplit_once('/') {
        Some((dir, name)) if !is_odd(dir) && !matches!(name, "" | "." | "..") => {
            (Some(if dir.is_empty() { "/" } else { dir }), Some(name))
        }
        _ => {
            let path = Path::new(path);
            (path.parent().and_then(Path::to_str), path.file_name().and_then(OsStr::to_str))
        }
    }
}

/// As [`Path::extension`].
fn extension(name: &str) -> Option<&str> {
    name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, extension)| extension)
}

impl<'a> File<'a> {
    /// With what is known of it, written.
    pub const fn of(finding: &'a Finding, attributes: Option<&'a Written>) -> Self {
        Self { finding, attributes }
    }

    /// What is known of the file of a finding.
    pub fn facts(finding: &Finding) -> Option<&Facts> {
        finding.after.as_ref().or(finding.before.as_ref())
    }
}

impl Serialize for File<'_> {
    /// As a struct, for its names are known to need no escaping; how many there are is no matter to JSON.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { finding, attributes } = self;
        let path = finding.path.as_path();
        let is_dir = Self::facts(finding).is_some_and(|facts| facts.kind == FileKind::Dir);
        let mut fields = to.serialize_struct("File", 1)?;
        let shown = lossy(path);
        fields.serialize_field("path", &shown)?;
        let (dir, name) = cut(&shown);
        if let Some(name) = name {
            fields.serialize_field("name", name)?;
        }
        if let Some(dir) = dir {
            fields.serialize_field("directory", dir)?;
        }
        if let Some(extension) = name.and_then(extension).filter(|_| !is_dir) {
            fields.serialize_field("extension", extension)?;
        }
        if let Some(attributes) = attributes {
            fields.serialize_field(FIELDS, &Fields(attributes))?;
        }
        fields.end()
    }
}

impl<'a> Attributes<'a> {
    pub const fn of(facts: &'a Facts, keep_secret: bool, names: &'a Names) -> Self {
        Self { facts, keep_secret, names }
    }
}

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_struct("Attributes", 1)?;
        let Self { facts, keep_secret, names } = self;
        fields.serialize_field("type", facts.kind.as_str())?;
        if let Some(target) = &facts.target {
            fields.serialize_field("target_path", &lossy(target))?;
        }
        fields.serialize_field("inode", &decimal(facts.inode))?;
        fields.serialize_field("device", &device(facts.device))?;
        fields.serialize_field("uid", &decimal(facts.uid))?;
        fields.serialize_field("gid", &decimal(facts.gid))?;
        if let Some(owner) = names.user(facts.uid) {
            fields.serialize_field("owner", owner)?;
        }
        if let Some(group) = names.group(facts.gid) {
            fields.serialize_field("group", group)?;
        }
        fields.serialize_field("mode", &mode(facts.mode))?;
        if facts.kind != FileKind::Dir {
            fields.serialize_field("size", &facts.size)?;
        }
        fields.serialize_field("mtime", &time::of_file(facts.mtime))?;
        fields.serialize_field("ctime", &time::of_file(facts.ctime))?;
        if !keep_secret && (facts.blake3.is_some() || facts.sha256.is_some()) {
            fields.serialize_field("hash", &Hash(facts))?;
        }
        fields.end()
    }
}

impl Serialize for Hash<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_struct("Hash", 1)?;
        for (name, hash) in [("blake3", &self.0.blake3), ("sha256", &self.0.sha256)] {
            if let Some(hash) = hash {
                fields.serialize_field(name, &hex(hash))?;
            }
        }
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cut_as_the_library_does() {
        for path in [
            "/etc/ssh/sshd_config.d/a.conf",
            "/etc",
            "/",
            "/etc/",
            "/etc//passwd",
            "/a/.",
            "/a/..",
            "/a/./b",
            "/home/bob/.ssh",
            "/home/bob/.a.b",
            "/x.",
            "/.x/y",
            "name",
            "",
        ] {
            let (dir, name) = cut(path);
            let library = Path::new(path);
            assert_eq!(dir, library.parent().and_then(Path::to_str), "{path}");
            assert_eq!(name, library.file_name().and_then(OsStr::to_str), "{path}");
            assert_eq!(name.and_then(extension), library.extension().and_then(OsStr::to_str), "{path}");
        }
    }
}
