//! What became of passwords, administrators and members of groups: `gshadow`.

use super::group::members;
use super::kept::{Item, Reader, Table, Writer};
use super::pairs::pairs;
use super::power::is_powerful;
use super::secret::{self, Secret, Weight};
use super::{odd, shared};
use crate::parse::gshadow::{self, Entry};
use crate::said::{Said, list, text};
use fim_core::{Change, Key, Severity};
use std::collections::HashSet;

pub(super) type GroupPasswords<'a> = Table<'a, Entry<'a, Secret>>;

impl<'a> Item<'a> for Entry<'a, Secret> {
    const KIND: u8 = 4;

    fn put(&self, to: &mut Writer) {
        to.bytes(self.name);
        to.secret(&self.password);
        to.list(&self.admins, |to, admin| to.bytes(admin));
        to.list(&self.members, |to, member| to.bytes(member));
    }

    fn take(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self {
            name: from.bytes()?,
            password: from.secret()?,
            admins: from.list(Reader::bytes)?,
            members: from.list(Reader::bytes)?,
        })
    }

    fn has_secret(&self) -> bool {
        matches!(self.password, Secret::Set { .. })
    }
}

/// What a file holds, given the names of groups.
pub(super) fn read<'a>(content: &'a [u8], groups: &HashSet<&[u8]>, key: &Key) -> GroupPasswords<'a> {
    let file = gshadow::parse(content, |name| groups.contains(name));
    let with_secret = |entry: Entry<'a>| Entry {
        name: entry.name,
        password: Secret::of(entry.password, key),
        admins: entry.admins,
        members: entry.members,
    };
    Table {
        key_id: key.id(),
        odd: odd::lines(&file.odd, key),
        items: file.entries.into_iter().map(with_secret).collect(),
    }
}

/// Says what is different; whether the order of what is in both is.
pub(super) fn compare(old: &GroupPasswords<'_>, new: &GroupPasswords<'_>, said: &mut Said) -> bool {
    let same_key = old.key_id == new.key_id;
    let renamed = |entry: &Entry<'_, Secret>| match entry.password {
        Secret::Set { digest, .. } => Some(digest),
        _ => None,
    };
    let severity = |name: &[u8]| if is_powerful(name) { Severity::High } else { Severity::Notable };
    let pairs = pairs(&old.items, &new.items, |entry| entry.name, renamed);
    for pair in pairs.all {
        match pair {
            (None, Some(new)) => said.say(severity(new.name), || {
                let change = Change::new("group_password_entry_added").of("group", text(new.name));
                new.password
                    .describe(change)
                    .of("admins", list(new.admins.iter().copied()))
                    .of("members", list(new.members.iter().copied()))
            }),
            (Some(old), None) => said.say(Severity::Notable, || {
                Change::new("group_password_entry_removed").of("group", text(old.name))
            }),
            (Some(old), Some(new)) => changed(old, new, same_key, severity(new.name), said),
            (None, None) => {}
        }
    }
    shared::compare_names(
        old.items.iter().map(|entry| entry.name),
        new.items.iter().map(|entry| entry.name),
        ("duplicate_group", "group"),
        said,
    );
    odd::compare(&old.odd, &new.odd, same_key, said);
    pairs.reordered
}

fn changed(
    old: &Entry<'_, Secret>,
    new: &Entry<'_, Secret>,
    same_key: bool,
    severity: Severity,
    said: &mut Said,
) {
    if old.name != new.name {
        said.say(severity, || {
            Change::from_to("group_password_entry_renamed", text(old.name), text(new.name))
        });
    }
    let weight = Weight { emptied: severity, opened: severity, changed: severity };
    let (of, passwords) = (text(new.name), (&old.password, &new.password));
    secret::compare(passwords, same_key, "group_password", ("group", &of), weight, said);
    let words = ("group_admin_added", "group_admin_removed");
    members(words, new.name, &old.admins, &new.admins, severity, said);
    members(("member_added", "member_removed"), new.name, &old.members, &new.members, severity, said);
}
