//! What became of the names that a certificate may be for to log in as someone: `AuthorizedPrincipalsFile`.

use super::kept::{Item, Reader, Table, Writer};
use super::key_files::Owners;
use super::odd;
use super::options::Options;
use super::pairs::pairs;
use super::secret;
use crate::parse::authorized_principals;
use crate::redact::Redactor;
use crate::said::{Said, text};
use fim_core::{Change, Key, Severity};

/// One name and what it may be used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Principal<'a> {
    name: &'a [u8],
    options: Options<'a>,
}

pub(super) type Principals<'a> = Table<'a, Principal<'a>>;

impl<'a> Item<'a> for Principal<'a> {
    const KIND: u8 = 7;

    fn put(&self, to: &mut Writer) {
        to.bytes(self.name);
        self.options.put(to);
    }

    fn take(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self { name: from.bytes()?, options: Options::take(from)? })
    }

    fn has_secret(&self) -> bool {
        self.options.has_secret()
    }
}

/// What a file holds.
pub(super) fn read<'a>(content: &'a [u8], key: &Key) -> Principals<'a> {
    let file = authorized_principals::parse(content);
    let redactor = Redactor::default();
    let items = file.entries.iter().map(|entry| Principal {
        name: secret::shown(entry.name),
        options: Options::read(&entry.options, &redactor, key),
    });
    Table { key_id: key.id(), items: items.collect(), odd: odd::lines(&file.odd, key) }
}

/// Says what is different; whether the order of what is in both is.
pub(super) fn compare(old: &Principals<'_>, new: &Principals<'_>, owners: &Owners, said: &mut Said) -> bool {
    let same_key = old.key_id == new.key_id;
    let pairs = pairs(&old.items, &new.items, |principal| principal.name, |_| None::<()>);
    for pair in pairs.all {
        let describe = |change, one: &Principal<'_>| owners.describe(change).of("principal", text(one.name));
        match pair {
            (None, Some(new)) => said.say(owners.severity_of_new(), || {
                new.options.describe(describe(Change::new("principal_added"), new))
            }),
            (Some(old), None) => said.say(Severity::Notable, || {
                old.options.describe(describe(Change::new("principal_removed"), old))
            }),
            (Some(old), Some(new)) => {
                let describe = |change| describe(change, new);
                old.options.compare(
                    &new.options,
                    "principal_options",
                    (same_key, owners.severity_of_new()),
                    describe,
                    said,
                );
            }
            (None, None) => {}
        }
    }
    odd::compare(&old.odd, &new.odd, same_key, said);
    pairs.reordered
}
