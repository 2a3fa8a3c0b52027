//! `file`: the file a line is about, and the same words for how it was before and is after.

use super::super::names::Names;
use super::super::{secret, time};
use super::hex;
use fim_core::{Facts, FileKind, Finding};
use rustix::fs::{major, minor};
use serde::Serialize;
use std::ffi::OsStr;

#[derive(Serialize)]
pub struct File {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extension: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    attributes: Option<Attributes>,
}

/// What a look found, in the words of ECS.
#[derive(Serialize)]
pub struct Attributes {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_path: Option<String>,
    inode: String,
    device: String,
    uid: String,
    gid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    mode: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    mtime: String,
    ctime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<Hash>,
}

#[derive(Serialize)]
pub struct Hash {
    #[serde(skip_serializing_if = "Option::is_none")]
    blake3: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

impl File {
    /// The file of a finding: as it is now, or as it was last if it is gone.
    pub fn of(finding: &Finding, names: &Names) -> Self {
        let path = finding.path.as_path();
        let facts = finding.after.as_ref().or(finding.before.as_ref());
        let is_dir = facts.is_some_and(|facts| facts.kind == FileKind::Dir);
        let lossy = |text: &OsStr| text.to_string_lossy().into_owned();
        Self {
            path: lossy(path.as_os_str()),
            name: path.file_name().map(lossy),
            directory: path.parent().map(|dir| lossy(dir.as_os_str())),
            extension: path.extension().filter(|_| !is_dir).map(lossy),
            attributes: facts.map(|facts| Attributes::of(facts, secret::keeps_hash(finding), names)),
        }
    }
}

impl Attributes {
    pub fn of(facts: &Facts, keep_secret: bool, names: &Names) -> Self {
        Self {
            kind: facts.kind.as_str(),
            target_path: facts.target.as_ref().map(|target| target.to_string_lossy().into_owned()),
            inode: facts.inode.to_string(),
            device: format!("{}:{}", major(facts.device), minor(facts.device)),
            uid: facts.uid.to_string(),
            gid: facts.gid.to_string(),
            owner: names.user(facts.uid).map(str::to_owned),
            group: names.group(facts.gid).map(str::to_owned),
            mode: format!("{:04o}", facts.mode & 0o7777),
            size: (facts.kind != FileKind::Dir).then_some(facts.size),
            mtime: time::of_file(facts.mtime),
            ctime: time::of_file(facts.ctime),
            hash: if keep_secret { None } else { Hash::of(facts) },
        }
    }
}

impl Hash {
    fn of(facts: &Facts) -> Option<Self> {
        if facts.blake3.is_none() && facts.sha256.is_none() {
            return None;
        }
        Some(Self {
            blake3: facts.blake3.as_ref().map(|hash| hex(hash)),
            sha256: facts.sha256.as_ref().map(|hash| hex(hash)),
        })
    }
}
