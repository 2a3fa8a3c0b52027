//! `fim` of a change: what ECS has no name for.

use super::super::json::{FIELDS, Fields, Written};
use super::super::names::Accounts;
use super::super::secret::{HIDDEN, Redactor, is_digest};
use super::super::short::{Short, device, hex};
use super::actor::{OneOfMany, login_uid};
use super::file::{Attributes, File, lossy};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fim_core::{Change, Explanation, Facts, Finding, Value};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

#[derive(serde::Serialize)]
pub struct FimChange<'a> {
    consumer: &'static str,
    detected: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<&'static str>,
    changes: Changes<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explained_by: Option<ExplainedBy<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Look<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Look<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<Previous<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_to: Option<Cow<'a, str>>,
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
    actors: Vec<OneOfMany<'a>>,
}

/// `fim.before` and `fim.after`.
struct Look<'a> {
    facts: &'a Facts,
    attributes: Cow<'a, Written>,
}

#[derive(serde::Serialize)]
struct Previous<'a> {
    path: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_raw: Option<String>,
}

impl<'a> FimChange<'a> {
    /// With what is known of the [`File`], if it is written already.
    ///
    /// # Errors
    /// When something cannot be written as JSON.
    pub fn of(
        finding: &'a Finding,
        secret: bool,
        accounts: &'a Accounts,
        redactor: &Redactor,
        of_file: Option<&'a Written>,
    ) -> serde_json::Result<Self> {
        let look = |facts: &'a Facts| {
            let is_of_file = File::facts(finding).is_some_and(|it| std::ptr::eq(it, facts));
            let attributes = match of_file.filter(|_| is_of_file) {
                Some(written) => Cow::Borrowed(written),
                None => Cow::Owned(Written::of(&Attributes::of(facts, secret, accounts.tree()))?),
            };
            Ok::<_, serde_json::Error>(Look { facts, attributes })
        };
        let previous = finding.previous_path.as_deref();
        let moved_to = finding.moved_to.as_deref();
        let several = if finding.actors.len() > 1 { finding.actors.as_slice() } else { &[] };
        Ok(Self {
            consumer: finding.consumer,
            detected: finding.detected.as_str(),
            via: finding.via.map(fim_core::Via::as_str),
            changes: Changes { changes: &finding.changes, secret },
            explained_by: finding.explained_by.as_ref().map(ExplainedBy),
            before: finding.before.as_ref().map(look).transpose()?,
            after: finding.after.as_ref().map(look).transpose()?,
            diff: finding.diff.as_deref(),
            previous: previous.map(|path| Previous { path: lossy(path), path_raw: raw(path) }),
            moved_to: moved_to.map(|path| lossy(path)),
            moved_to_raw: moved_to.and_then(raw),
            hash_state: finding.hash_state.as_str(),
            login_uid: finding.actors.last().and_then(|actor| login_uid(actor)),
            writes: (finding.writes > 0).then_some(finding.writes),
            raw_path: raw(&finding.path),
            actors: several.iter().map(|actor| OneOfMany::of(actor, accounts.machine(), redactor)).collect(),
        })
    }
}

impl Serialize for Look<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { facts, attributes } = self;
        let mut fields = to.serialize_struct("Look", 1)?;
        fields.serialize_field(FIELDS, &Fields(attributes))?;
        if let Some(target) = facts.target.as_deref().and_then(raw) {
            fields.serialize_field("target_path_raw", &target)?;
        }
        fields.serialize_field("links", &facts.links)?;
        if facts.rdev != 0 {
            fields.serialize_field("rdev", &device(facts.rdev))?;
        }
        let attributes = flags(facts.flags);
        if !attributes.is_empty() {
            fields.serialize_field("attributes", &attributes)?;
        }
        if !facts.xattrs.is_empty() {
            let digests = facts.xattrs.iter().map(|xattr| (xattr.name.as_str(), hex(&xattr.digest)));
            fields.serialize_field("xattrs", &digests.collect::<BTreeMap<&str, Short>>())?;
        }
        fields.end()
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
    if rest == 0 {
        return Vec::new();
    }
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
struct ExplainedBy<'a>(&'a Explanation);

impl Serialize for ExplainedBy<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("by", self.0.by)?;
        for (name, value) in &self.0.of {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// `fim.changes`.
struct Changes<'a> {
    changes: &'a [Change],
    secret: bool,
}

impl Serialize for Changes<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.changes.iter().map(|change| Shown { change, secret: self.secret }))
    }
}

/// One of them: `{"what":…, further names, "before":…, "after":…}`.
struct Shown<'a> {
    change: &'a Change,
    secret: bool,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Change { what, of, before, after } = self.change;
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

impl Shown<'_> {
    const fn shown<'v>(&self, value: &'v Value) -> ShownValue<'v> {
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
