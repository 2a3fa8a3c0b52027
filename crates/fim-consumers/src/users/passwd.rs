//! What became of accounts: `passwd`.

use super::kept::{Item, Reader, Table, Writer};
use super::pairs::pairs;
use super::power::{Groups, Kind, kind};
use super::secret::{self, Secret, Weight};
use super::{odd, shared};
use crate::parse::passwd::{self, Account};
use crate::redact::HIDDEN;
use crate::said::{Said, list, text};
use fim_core::{Change, Key, Severity, Value};

pub(super) type Accounts<'a> = Table<'a, Account<'a, Secret>>;

impl<'a> Item<'a> for Account<'a, Secret> {
    const KIND: u8 = 1;

    fn put(&self, to: &mut Writer) {
        to.bytes(self.name);
        to.secret(&self.password);
        to.number(self.uid);
        to.number(self.gid);
        to.bytes(self.gecos);
        to.bytes(self.home);
        to.bytes(self.shell);
    }

    fn take(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self {
            name: from.bytes()?,
            password: from.secret()?,
            uid: from.number()?,
            gid: from.number()?,
            gecos: from.bytes()?,
            home: from.bytes()?,
            shell: from.bytes()?,
        })
    }

    fn has_secret(&self) -> bool {
        matches!(self.password, Secret::Set { .. })
    }
}

/// What a file holds.
pub(super) fn read<'a>(content: &'a [u8], key: &Key) -> Accounts<'a> {
    let file = passwd::parse(content);
    let with_secret = |account: Account<'a>| Account {
        name: secret::shown(account.name),
        password: Secret::of(account.password, key),
        uid: account.uid,
        gid: account.gid,
        gecos: secret::shown(account.gecos),
        home: secret::shown(account.home),
        shell: shell(account.shell),
    };
    Table {
        key_id: key.id(),
        odd: odd::lines(&file.odd, key),
        items: file.accounts.into_iter().map(with_secret).collect(),
    }
}

/// A shell as it may be told. With a colon it is the start of what follows: of another line, whose end was lost,
/// and of the hash in that.
fn shell(field: &[u8]) -> &[u8] {
    if field.contains(&b':') { HIDDEN.as_bytes() } else { secret::shown(field) }
}

/// Says what is different; whether the order of what is in both is.
pub(super) fn compare(old: &Accounts<'_>, new: &Accounts<'_>, groups: &Groups<'_>, said: &mut Said) -> bool {
    let same_key = old.key_id == new.key_id;
    let renamed = |account: &Account<'_, _>| Some((account.uid, account.gid, account.home.to_vec()));
    let pairs = pairs(&old.items, &new.items, |account| account.name, renamed);
    for pair in pairs.all {
        match pair {
            (None, Some(new)) => created(new, groups, said),
            (Some(old), None) => removed(old, said),
            (Some(old), Some(new)) => changed(old, new, same_key, groups, said),
            (None, None) => {}
        }
    }
    shared_names_and_numbers(&old.items, &new.items, said);
    odd::compare(&old.odd, &new.odd, same_key, said);
    pairs.reordered
}

fn created(account: &Account<'_, Secret>, groups: &Groups<'_>, said: &mut Said) {
    let severity = match (kind(account), &account.password) {
        (Kind::Root, _) => Severity::Critical,
        (_, Secret::Empty) => weight(account).emptied,
        (_, Secret::Set { .. }) => Severity::High,
        _ if groups.is_powerful(account.gid) => Severity::High,
        _ => Severity::Notable,
    };
    said.say(severity, || {
        let mut change = Change::new("account_created")
            .of("user", text(account.name))
            .of("uid", account.uid)
            .of("gid", account.gid);
        if let Some(group) = groups.name(account.gid) {
            change = change.of("group", text(group));
        }
        let change = change
            .of("gecos", text(account.gecos))
            .of("home", text(account.home))
            .of("shell", text(account.shell))
            .of("login", account.can_log_in());
        account.password.describe(change)
    });
}

fn removed(account: &Account<'_, Secret>, said: &mut Said) {
    let severity = if kind(account) == Kind::Root { Severity::High } else { Severity::Notable };
    said.say(severity, || {
        Change::new("account_removed")
            .of("user", text(account.name))
            .of("uid", account.uid)
            .of("home", text(account.home))
    });
}

fn changed(
    old: &Account<'_, Secret>,
    new: &Account<'_, Secret>,
    same_key: bool,
    groups: &Groups<'_>,
    said: &mut Said,
) {
    let is_root = old.uid == 0 || new.uid == 0;
    let user = || text(new.name);
    let of_user =
        |what: &str, before: Value, after: Value| Change::from_to(what, before, after).of("user", user());
    let at_least = |severity: Severity| if is_root { Severity::High } else { severity };

    if old.name != new.name {
        said.say(at_least(Severity::Notable), || {
            Change::from_to("account_renamed", text(old.name), text(new.name)).of("uid", new.uid)
        });
    }
    if old.uid != new.uid {
        let severity = if new.uid == 0 { Severity::Critical } else { Severity::High };
        said.say(severity, || of_user("uid", old.uid.into(), new.uid.into()));
    }
    if old.gid != new.gid {
        let severity = if groups.is_powerful(new.gid) { Severity::High } else { Severity::Notable };
        said.say(severity, || {
            let mut change = of_user("gid", old.gid.into(), new.gid.into());
            for (name, gid) in [("group_before", old.gid), ("group", new.gid)] {
                if let Some(group) = groups.name(gid) {
                    change = change.of(name, text(group));
                }
            }
            change
        });
    }
    if old.gecos != new.gecos {
        said.say(Severity::Routine, || of_user("gecos", text(old.gecos).into(), text(new.gecos).into()));
    }
    if old.home != new.home {
        said.say(at_least(Severity::Notable), || {
            of_user("home", text(old.home).into(), text(new.home).into())
        });
    }
    if old.shell != new.shell {
        let gains = new.can_log_in() && !old.can_log_in();
        let severity = if gains { Severity::High } else { at_least(Severity::Notable) };
        said.say(severity, || {
            of_user("shell", text(old.shell).into(), text(new.shell).into()).of("login", new.can_log_in())
        });
    }
    let passwords = (&old.password, &new.password);
    secret::compare(passwords, same_key, "password", ("user", &user()), weight(new), said);
}

/// A password in `passwd` itself is readable by everyone.
fn weight(account: &Account<'_, Secret>) -> Weight {
    let usable = kind(account) == Kind::Root || account.can_log_in();
    let emptied = if usable { Severity::Critical } else { Severity::High };
    Weight { emptied, opened: Severity::High, changed: Severity::High }
}

fn shared_names_and_numbers(old: &[Account<'_, Secret>], new: &[Account<'_, Secret>], said: &mut Said) {
    shared::compare_names(
        old.iter().map(|account| account.name),
        new.iter().map(|account| account.name),
        ("duplicate_user", "user"),
        said,
    );
    shared::compare(
        old.iter().map(|account| (account.uid, account.name)),
        new.iter().map(|account| (account.uid, account.name)),
        said,
        |uid| if uid == 0 { Severity::Critical } else { Severity::High },
        |names| list(names.iter().copied()),
        |uid, before, after| Change::from_to("duplicate_uid", before, after).of("uid", uid),
    );
}
