//! What became of passwords and their ages: `shadow`.

use super::kept::{Item, Reader, Table, Writer};
use super::pairs::pairs;
use super::power::{Accounts, Kind};
use super::secret::{self, Secret, Weight};
use super::{odd, shared};
use crate::parse::shadow::{self, Ages, Entry};
use crate::said::{Said, text};
use fim_core::{Change, Key, Severity, Value};

pub(super) type Passwords<'a> = Table<'a, Entry<'a, Secret>>;

impl<'a> Item<'a> for Entry<'a, Secret> {
    const KIND: u8 = 2;

    fn put(&self, to: &mut Writer) {
        to.bytes(self.name);
        to.secret(&self.password);
        for age in self.ages.all() {
            to.optional(age);
        }
    }

    fn take(from: &mut Reader<'a>) -> Option<Self> {
        let (name, password) = (from.bytes()?, from.secret()?);
        let mut ages = [None; 7];
        for age in &mut ages {
            *age = from.optional()?;
        }
        Some(Self { name, password, ages: Ages::from_all(ages) })
    }

    fn has_secret(&self) -> bool {
        matches!(self.password, Secret::Set { .. })
    }
}

/// What a file holds, given the names of accounts.
pub(super) fn read<'a>(content: &'a [u8], accounts: &Accounts<'_>, key: &Key) -> Passwords<'a> {
    let file = shadow::parse(content, |name| accounts.has(name));
    let with_secret = |entry: Entry<'a>| Entry {
        name: entry.name,
        password: Secret::of(entry.password, key),
        ages: entry.ages,
    };
    Table {
        key_id: key.id(),
        odd: odd::lines(&file.odd, key),
        items: file.entries.into_iter().map(with_secret).collect(),
    }
}

/// Says what is different; whether the order of what is in both is.
pub(super) fn compare(
    old: &Passwords<'_>,
    new: &Passwords<'_>,
    accounts: &Accounts<'_>,
    said: &mut Said,
) -> bool {
    let same_key = old.key_id == new.key_id;
    let renamed = |entry: &Entry<'_, Secret>| match entry.password {
        Secret::Set { digest, .. } => Some(digest),
        _ => None,
    };
    let pairs = pairs(&old.items, &new.items, |entry| entry.name, renamed);
    for pair in pairs.all {
        match pair {
            (None, Some(new)) => added(new, accounts, said),
            (Some(old), None) => said
                .say(Severity::Notable, || Change::new("password_entry_removed").of("user", text(old.name))),
            (Some(old), Some(new)) => changed(old, new, same_key, accounts, said),
            (None, None) => {}
        }
    }
    shared::compare_names(
        old.items.iter().map(|entry| entry.name),
        new.items.iter().map(|entry| entry.name),
        ("duplicate_user", "user"),
        said,
    );
    odd::compare(&old.odd, &new.odd, same_key, said);
    pairs.reordered
}

/// Fields of an entry: their names in reports, and whether they are days since 1970-01-01.
const AGES: [(&str, bool); 7] = [
    ("last_change", true),
    ("min_days", false),
    ("max_days", false),
    ("warn_days", false),
    ("inactive_days", false),
    ("expires", true),
    ("reserved", false),
];

fn added(entry: &Entry<'_, Secret>, accounts: &Accounts<'_>, said: &mut Said) {
    let weight = weight(entry.name, accounts);
    let severity = match entry.password {
        Secret::Empty => weight.emptied,
        _ if entry.password.opens() => weight.opened,
        _ => Severity::Notable,
    };
    said.say(severity, || {
        let mut change =
            entry.password.describe(Change::new("password_entry_added").of("user", text(entry.name)));
        for ((name, is_day), age) in AGES.into_iter().zip(entry.ages.all()) {
            if age.is_some() {
                change = change.of(name, shown(age, is_day));
            }
        }
        change
    });
}

fn changed(
    old: &Entry<'_, Secret>,
    new: &Entry<'_, Secret>,
    same_key: bool,
    accounts: &Accounts<'_>,
    said: &mut Said,
) {
    let user = || text(new.name);
    if old.name != new.name {
        said.say(Severity::Notable, || Change::from_to("password_entry_renamed", text(old.name), user()));
    }
    let (weight, passwords) = (weight(new.name, accounts), (&old.password, &new.password));
    secret::compare(passwords, same_key, "password", ("user", &user()), weight, said);
    if new.ages.last_change == Some(0) && old.ages.last_change != Some(0) {
        said.say(Severity::Notable, || Change::new("password_expired").of("user", user()));
    }
    for ((name, is_day), (before, after)) in
        AGES.into_iter().zip(old.ages.all().into_iter().zip(new.ages.all()))
    {
        if before != after {
            let severity = match name {
                "last_change" => Severity::Routine,
                "expires" if end(after) > end(before) => weight.opened,
                _ => Severity::Notable,
            };
            said.say(severity, || {
                Change::from_to(name, shown(before, is_day), shown(after, is_day)).of("user", user())
            });
        }
    }
}

/// The day on which an account ends. A later one may let someone in again: what day it is now is not known here.
fn end(expires: Option<i32>) -> i32 {
    // -1 is never, as in `struct spwd`.
    expires.filter(|day| *day != -1).unwrap_or(i32::MAX)
}

/// A day as a date, where there is one: `2024-03-01`.
fn shown(age: Option<i32>, is_day: bool) -> Value {
    let Some(age) = age else {
        return Value::Null;
    };
    let date =
        || jiff::civil::Date::new(1970, 1, 1).ok()?.checked_add(jiff::Span::new().try_days(age).ok()?).ok();
    match if is_day { date() } else { None } {
        Some(date) => date.to_string().into(),
        None => Value::Number(i64::from(age)),
    }
}

fn weight(name: &[u8], accounts: &Accounts<'_>) -> Weight {
    let kind = accounts.kind(name);
    let personal = if kind == Kind::Person { Severity::Notable } else { Severity::High };
    let is_safe = kind == Kind::Service && !accounts.can_log_in(name);
    Weight {
        emptied: if is_safe { Severity::High } else { Severity::Critical },
        opened: personal,
        changed: personal,
    }
}
