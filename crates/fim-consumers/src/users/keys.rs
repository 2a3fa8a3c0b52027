//! What became of the keys that let someone in: `authorized_keys`.

use super::kept::{Item, Reader, Table, Writer};
use super::key_files::Owners;
use super::odd;
use super::pairs::pairs;
use super::said::{Said, list, text};
use super::secret::{self, Digest, of_line};
use crate::parse::authorized_keys;
use crate::parse::ssh_key::fingerprint;
use crate::redact::{HIDDEN, Redactor};
use fim_core::{Change, Key, Severity, Value};
use std::borrow::Cow;

/// One key and what it may be used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    sha256: [u8; 32],
    kind: &'a [u8],
    /// 0 if it is not known.
    bits: u32,
    /// As written, but for secrets and the values of variables.
    options: Vec<Cow<'a, [u8]>>,
    /// Of what is hidden in the options, if anything is.
    hidden: Option<Digest>,
    comment: &'a [u8],
}

pub(super) type Keys<'a> = Table<'a, Entry<'a>>;

impl<'a> Item<'a> for Entry<'a> {
    const KIND: u8 = 5;

    fn put(&self, to: &mut Writer) {
        to.array(&self.sha256);
        to.bytes(self.kind);
        to.number(self.bits);
        to.list(&self.options, |to, option| to.bytes(option));
        to.byte(u8::from(self.hidden.is_some()));
        if let Some(hidden) = &self.hidden {
            to.digest(hidden);
        }
        to.bytes(self.comment);
    }

    fn take(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self {
            sha256: from.array()?,
            kind: from.bytes()?,
            bits: from.number()?,
            options: from.list(|from| from.bytes().map(Cow::Borrowed))?,
            hidden: if from.flag()? { Some(from.array()?) } else { None },
            comment: from.bytes()?,
        })
    }

    fn has_secret(&self) -> bool {
        self.hidden.is_some()
    }
}

/// What a file holds.
pub(super) fn read<'a>(content: &'a [u8], key: &Key) -> Keys<'a> {
    let file = authorized_keys::parse(content);
    let redactor = Redactor::default();
    let entry = |entry: authorized_keys::Entry<'a>| {
        let options: Vec<_> = entry.options.iter().map(|option| shown(option, &redactor)).collect();
        let is_hidden = options.iter().any(|option| matches!(option, Cow::Owned(_)));
        Entry {
            sha256: entry.key.sha256,
            kind: entry.kind,
            bits: entry.key.bits.unwrap_or_default(),
            options,
            hidden: is_hidden.then(|| of_line(key, &entry.options.join(&b','))),
            comment: secret::shown(entry.comment),
        }
    };
    Table {
        key_id: key.id(),
        odd: odd::lines(&file.odd, key),
        items: file.entries.into_iter().map(entry).collect(),
    }
}

/// An option as it may be told. The value of a variable may be a secret whatever it looks like.
fn shown<'a>(option: &'a [u8], redactor: &Redactor) -> Cow<'a, [u8]> {
    if let Some(name) = variable(option) {
        Cow::Owned([b"environment=\"", name, b"=", HIDDEN.as_bytes(), b"\""].concat())
    } else if redactor.hits(option) {
        Cow::Owned(redactor.redact(option))
    } else {
        Cow::Borrowed(option)
    }
}

/// The name of the variable that an option sets.
fn variable(option: &[u8]) -> Option<&[u8]> {
    let (name, value) = option.split_at_checked(b"environment=".len())?;
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    let name = name.eq_ignore_ascii_case(b"environment=").then_some(value)?;
    name.split(|byte| *byte == b'=').next()
}

/// Says what is different; whether the order of what is in both is.
pub(super) fn compare(old: &Keys<'_>, new: &Keys<'_>, owners: &Owners, said: &mut Said) -> bool {
    let same_key = old.key_id == new.key_id;
    let pairs = pairs(&old.items, &new.items, |entry| (entry.kind, entry.sha256), |_| None::<()>);
    for pair in pairs.all {
        match pair {
            (None, Some(new)) => {
                let severity = if owners.has_root() { Severity::Critical } else { Severity::High };
                said.say(severity, || whole(new.describe(owners.describe(Change::new("key_added"))), new));
            }
            (Some(old), None) => said.say(Severity::Notable, || {
                whole(old.describe(owners.describe(Change::new("key_removed"))), old)
            }),
            (Some(old), Some(new)) => changed(old, new, same_key, owners, said),
            (None, None) => {}
        }
    }
    odd::compare(&old.odd, &new.odd, same_key, said);
    pairs.reordered
}

fn whole(change: Change, entry: &Entry<'_>) -> Change {
    let change = change.of("comment", text(entry.comment));
    if entry.options.is_empty() { change } else { change.of("options", entry.options()) }
}

fn changed(old: &Entry<'_>, new: &Entry<'_>, same_key: bool, owners: &Owners, said: &mut Said) {
    if old.options != new.options {
        let severity = if is_weaker(old, new) { Severity::High } else { Severity::Notable };
        said.say(severity, || {
            let change = Change::from_to("key_options", old.options(), new.options());
            new.describe(owners.describe(change))
        });
    } else if same_key && old.hidden != new.hidden {
        said.say(Severity::High, || new.describe(owners.describe(Change::new("key_options_hidden"))));
    }
    if old.comment != new.comment {
        said.say(Severity::Routine, || {
            let change = Change::from_to("key_comment", text(old.comment), text(new.comment));
            new.describe(owners.describe(change))
        });
    }
}

/// Whether the key can do more than before: a restriction is gone or another, or something is allowed.
fn is_weaker(old: &Entry<'_>, new: &Entry<'_>) -> bool {
    old.options.iter().any(|option| restricts(option) && !new.options.contains(option))
        || new.options.iter().any(|option| !restricts(option) && !old.options.contains(option))
}

/// Options that take something away from who holds the key; all others give.
fn restricts(option: &[u8]) -> bool {
    let name = option.split(|byte| *byte == b'=').next().unwrap_or_default().to_ascii_lowercase();
    match name.as_slice() {
        b"command" | b"expiry-time" | b"from" | b"permitlisten" | b"permitopen" | b"principals"
        | b"restrict" | b"verify-required" => true,
        b"no-touch-required" => false,
        name => name.starts_with(b"no-"),
    }
}

impl Entry<'_> {
    fn options(&self) -> Value {
        list(self.options.iter().map(AsRef::as_ref))
    }

    fn describe(&self, change: Change) -> Change {
        let change = change.of("type", text(self.kind));
        let change = if self.bits == 0 { change } else { change.of("bits", self.bits) };
        change.of("fingerprint", fingerprint(&self.sha256))
    }
}
