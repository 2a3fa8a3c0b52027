//! What became of groups and their members: `group`.

use super::kept::{Item, Reader, Table, Writer};
use super::pairs::pairs;
use super::power::{Groups as Known, is_powerful};
use super::secret::{self, Secret, Weight};
use super::{odd, shared};
use crate::parse::group::{self, Group};
use crate::said::{Said, list, text};
use fim_core::{Change, Key, Severity};
use std::collections::HashSet;

pub(super) type Groups<'a> = Table<'a, Group<'a, Secret>>;

impl<'a> Item<'a> for Group<'a, Secret> {
    const KIND: u8 = 3;

    fn put(&self, to: &mut Writer) {
        to.bytes(self.name);
        to.secret(&self.password);
        to.number(self.gid);
        to.list(&self.members, |to, member| to.bytes(member));
    }

    fn take(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self {
            name: from.bytes()?,
            password: from.secret()?,
            gid: from.number()?,
            members: from.list(Reader::bytes)?,
        })
    }

    fn has_secret(&self) -> bool {
        matches!(self.password, Secret::Set { .. })
    }
}

/// What a file holds.
pub(super) fn read<'a>(content: &'a [u8], key: &Key) -> Groups<'a> {
    let file = group::parse(content);
    let with_secret = |group: Group<'a>| Group {
        name: secret::shown(group.name),
        password: Secret::of(group.password, key),
        gid: group.gid,
        members: group.members.into_iter().map(secret::shown).collect(),
    };
    Table {
        key_id: key.id(),
        odd: odd::lines(&file.odd, key),
        items: file.groups.into_iter().map(with_secret).collect(),
    }
}

/// Says what is different; whether the order of what is in both is.
pub(super) fn compare(old: &Groups<'_>, new: &Groups<'_>, said: &mut Said) -> bool {
    let same_key = old.key_id == new.key_id;
    let known = Known::of(&new.items);
    let severity = |group: &Group<'_, Secret>| {
        let powerful = is_powerful(group.name) || known.is_powerful(group.gid);
        if powerful { Severity::High } else { Severity::Notable }
    };
    let pairs = pairs(&old.items, &new.items, |group| group.name, |group| Some(group.gid));
    for pair in pairs.all {
        match pair {
            (None, Some(new)) => said.say(severity(new), || {
                let change = Change::new("group_created").of("group", text(new.name)).of("gid", new.gid);
                new.password.describe(change.of("members", list(new.members.iter().copied())))
            }),
            (Some(old), None) => said.say(severity(old), || {
                Change::new("group_removed").of("group", text(old.name)).of("gid", old.gid)
            }),
            (Some(old), Some(new)) => changed(old, new, same_key, severity(new).max(severity(old)), said),
            (None, None) => {}
        }
    }
    shared::compare_names(
        old.items.iter().map(|group| group.name),
        new.items.iter().map(|group| group.name),
        ("duplicate_group", "group"),
        said,
    );
    shared::compare(
        old.items.iter().map(|group| (group.gid, group.name)),
        new.items.iter().map(|group| (group.gid, group.name)),
        said,
        |_| Severity::High,
        |names| list(names.iter().copied()),
        |gid, before, after| Change::from_to("duplicate_gid", before, after).of("gid", gid),
    );
    odd::compare(&old.odd, &new.odd, same_key, said);
    pairs.reordered
}

fn changed(
    old: &Group<'_, Secret>,
    new: &Group<'_, Secret>,
    same_key: bool,
    severity: Severity,
    said: &mut Said,
) {
    let group = || text(new.name);
    if old.name != new.name {
        said.say(severity, || Change::from_to("group_renamed", text(old.name), group()).of("gid", new.gid));
    }
    if old.gid != new.gid {
        said.say(severity, || Change::from_to("gid", old.gid, new.gid).of("group", group()));
    }
    members(("member_added", "member_removed"), new.name, &old.members, &new.members, severity, said);
    let weight = Weight { emptied: severity, opened: severity, changed: severity };
    let passwords = (&old.password, &new.password);
    secret::compare(passwords, same_key, "group_password", ("group", &group()), weight, said);
}

/// Who came and who went. Going is no gain of power.
pub(super) fn members(
    (added, removed): (&str, &str),
    group: &[u8],
    old: &[&[u8]],
    new: &[&[u8]],
    severity: Severity,
    said: &mut Said,
) {
    if old == new {
        return;
    }
    let before: HashSet<&[u8]> = old.iter().copied().collect();
    let after: HashSet<&[u8]> = new.iter().copied().collect();
    let of = |word: &str, user: &[u8]| Change::new(word).of("group", text(group)).of("user", text(user));
    for user in new.iter().filter(|user| !before.contains(*user)) {
        said.say(severity, || of(added, user));
    }
    for user in old.iter().filter(|user| !after.contains(*user)) {
        said.say(Severity::Notable, || of(removed, user));
    }
}
