//! `fim` of a change: what ECS has no name for.

use super::super::names::Names;
use super::super::secret::{HIDDEN, Redactor, is_digest, keeps_hash};
use super::actor::{OneOfMany, login_uid};
use super::file::Attributes;
use super::hex;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fim_core::{Change, Explanation, Facts, Finding, Value};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

#[derive(serde::Serialize)]
pub struct FimChange {
    consumer: &'static str,
    detected: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<&'static str>,
    changes: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explained_by: Option<ExplainedBy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Look>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Look>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<Previous>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_to_raw: Option<String>,
    hash_state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    login_uid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    writes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_path: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actors: Vec<OneOfMany>,
}

/// `fim.before` and `fim.after`.
#[derive(serde::Serialize)]
struct Look {
    #[serde(flatten)]
    facts: Attributes,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_path_raw: Option<String>,
    links: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    rdev: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    xattrs: BTreeMap<String, String>,
}

#[derive(serde::Serialize)]
struct Previous {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_raw: Option<String>,
}

impl FimChange {
    pub fn of(finding: &Finding, file_names: &Names, names: &Names, redactor: &Redactor) -> Self {
        let secret = keeps_hash(finding);
        let look = |facts: &Option<Facts>| facts.as_ref().map(|facts| Look::of(facts, secret, file_names));
        let previous = finding.previous_path.as_deref();
        let moved_to = finding.moved_to.as_deref();
        let several = if finding.actors.len() > 1 { finding.actors.as_slice() } else { &[] };
        Self {
            consumer: finding.consumer,
            detected: finding.detected.as_str(),
            via: finding.via.map(fim_core::Via::as_str),
            changes: finding.changes.iter().map(|change| Shown { change: change.clone(), secret }).collect(),
            explained_by: finding.explained_by.clone().map(ExplainedBy),
            before: look(&finding.before),
            after: look(&finding.after),
            diff: finding.diff.clone(),
            previous: previous
                .map(|path| Previous { path: path.to_string_lossy().into_owned(), path_raw: raw(path) }),
            moved_to: moved_to.map(|path| path.to_string_lossy().into_owned()),
            moved_to_raw: moved_to.and_then(raw),
            hash_state: finding.hash_state.as_str(),
            login_uid: finding.actors.last().and_then(|actor| login_uid(actor)),
            writes: (finding.writes > 0).then_some(finding.writes),
            raw_path: raw(&finding.path),
            actors: several.iter().map(|actor| OneOfMany::of(actor, names, redactor)).collect(),
        }
    }
}

impl Look {
    fn of(facts: &Facts, secret: bool, names: &Names) -> Self {
        Self {
            facts: Attributes::of(facts, secret, names),
            target_path_raw: facts.target.as_deref().and_then(raw),
            links: facts.links,
            rdev: (facts.rdev != 0)
                .then(|| format!("{}:{}", rustix::fs::major(facts.rdev), rustix::fs::minor(facts.rdev))),
            attributes: flags(facts.flags),
            xattrs: facts.xattrs.iter().map(|xattr| (xattr.name.clone(), hex(&xattr.digest))).collect(),
        }
    }
}

/// The bytes of a path that is not UTF-8.
fn raw(path: &Path) -> Option<String> {
    match path.to_str() {
        Some(_) => None,
        None => Some(STANDARD.encode(path.as_os_str().as_bytes())),
    }
}

/// Inode flags by the words of chattr(1), without those that only say how a file system lays out the file.
fn flags(flags: u32) -> Vec<String> {
    const LAYOUT: u32 = 0x0008_0000 | 0x0000_1000 | 0x1000_0000;
    const WORDS: [(u32, &str); 14] = [
        (0x0000_0001, "secure_deletion"),
        (0x0000_0002, "undelete"),
        (0x0000_0004, "compressed"),
        (0x0000_0008, "sync"),
        (0x0000_0010, "immutable"),
        (0x0000_0020, "append_only"),
        (0x0000_0040, "no_dump"),
        (0x0000_0080, "no_atime"),
        (0x0000_0800, "encrypted"),
        (0x0001_0000, "dirsync"),
        (0x0010_0000, "verity"),
        (0x0080_0000, "no_cow"),
        (0x0200_0000, "dax"),
        (0x4000_0000, "casefold"),
    ];
    let mut rest = flags & !LAYOUT;
    let mut words = Vec::new();
    for (bit, word) in WORDS {
        if rest & bit != 0 {
            words.push(word.to_owned());
            rest &= !bit;
        }
    }
    if rest != 0 {
        words.push(format!("0x{rest:x}"));
    }
    words
}

/// `{"by":…, further names}`.
struct ExplainedBy(Explanation);

impl Serialize for ExplainedBy {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("by", self.0.by)?;
        for (name, value) in &self.0.of {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// One of `fim.changes`: `{"what":…, further names, "before":…, "after":…}`.
struct Shown {
    change: Change,
    secret: bool,
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Change { what, of, before, after } = &self.change;
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("what", what)?;
        for (name, value) in of {
            let taken = matches!(name.as_str(), "what" | "before" | "after");
            let name = if taken { &format!("of_{name}") } else { name };
            map.serialize_entry(name, &self.shown(value))?;
        }
        if let Some(before) = before {
            map.serialize_entry("before", &self.shown(before))?;
        }
        if let Some(after) = after {
            map.serialize_entry("after", &self.shown(after))?;
        }
        map.end()
    }
}

impl Shown {
    const fn shown<'a>(&self, value: &'a Value) -> ShownValue<'a> {
        ShownValue { value, secret: self.secret }
    }
}

struct ShownValue<'a> {
    value: &'a Value,
    secret: bool,
}

impl Serialize for ShownValue<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Bool(yes) => to.serialize_bool(*yes),
            Value::Number(number) => to.serialize_i64(*number),
            Value::Text(text) if self.secret && is_digest(text) => to.serialize_str(HIDDEN),
            Value::Text(text) => to.serialize_str(text),
            Value::List(values) => {
                let mut list = to.serialize_seq(Some(values.len()))?;
                for value in values {
                    list.serialize_element(&Self { value, secret: self.secret })?;
                }
                list.end()
            }
            _ => to.serialize_unit(),
        }
    }
}
