//! What became of the keys that let someone in: `authorized_keys`.

use super::kept::{Item, Reader, Table, Writer};
use super::key_files::Owners;
use super::odd;
use super::options::Options;
use super::pairs::pairs;
use super::secret;
use crate::parse::authorized_keys;
use crate::parse::ssh_key::fingerprint;
use crate::redact::Redactor;
use crate::said::{Said, text};
use fim_core::{Change, Key, Severity};

/// One key and what it may be used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    sha256: [u8; 32],
    kind: &'a [u8],
    /// 0 if it is not known.
    bits: u32,
    options: Options<'a>,
    comment: &'a [u8],
}

pub(super) type Keys<'a> = Table<'a, Entry<'a>>;

impl<'a> Item<'a> for Entry<'a> {
    const KIND: u8 = 5;

    fn put(&self, to: &mut Writer) {
        to.array(&self.sha256);
        to.bytes(self.kind);
        to.number(self.bits);
        self.options.put(to);
        to.bytes(self.comment);
    }

    fn take(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self {
            sha256: from.array()?,
            kind: from.bytes()?,
            bits: from.number()?,
            options: Options::take(from)?,
            comment: from.bytes()?,
        })
    }

    fn has_secret(&self) -> bool {
        self.options.has_secret()
    }
}

/// What a file holds.
pub(super) fn read<'a>(content: &'a [u8], key: &Key) -> Keys<'a> {
    let file = authorized_keys::parse(content);
    let redactor = Redactor::default();
    let entry = |entry: authorized_keys::Entry<'a>| Entry {
        sha256: entry.key.sha256,
        kind: entry.kind,
        bits: entry.key.bits.unwrap_or_default(),
        options: Options::read(&entry.options, &redactor, key),
        comment: secret::shown(entry.comment),
    };
    Table {
        key_id: key.id(),
        odd: odd::lines(&file.odd, key),
        items: file.entries.into_iter().map(entry).collect(),
    }
}

/// Says what is different; whether the order of what is in both is.
pub(super) fn compare(old: &Keys<'_>, new: &Keys<'_>, owners: &Owners, said: &mut Said) -> bool {
    let same_key = old.key_id == new.key_id;
    let pairs = pairs(&old.items, &new.items, |entry| (entry.kind, entry.sha256), |_| None::<()>);
    for pair in pairs.all {
        match pair {
            (None, Some(new)) => said.say(owners.severity_of_new(), || {
                whole(new.describe(owners.describe(Change::new("key_added"))), new)
            }),
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
    entry.options.describe(change.of("comment", text(entry.comment)))
}

fn changed(old: &Entry<'_>, new: &Entry<'_>, same_key: bool, owners: &Owners, said: &mut Said) {
    let describe = |change| new.describe(owners.describe(change));
    old.options.compare(&new.options, "key_options", (same_key, owners.severity_of_new()), describe, said);
    if old.comment != new.comment {
        said.say(Severity::Routine, || {
            describe(Change::from_to("key_comment", text(old.comment), text(new.comment)))
        });
    }
}

impl Entry<'_> {
    fn describe(&self, change: Change) -> Change {
        let change = change.of("type", text(self.kind));
        let change = if self.bits == 0 { change } else { change.of("bits", self.bits) };
        change.of("fingerprint", fingerprint(&self.sha256))
    }
}
