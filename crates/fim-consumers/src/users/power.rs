//! Which accounts and groups have power.

use crate::parse::group::Group;
use crate::parse::passwd::Account;
use std::collections::{HashMap, HashSet};

/// Groups whose members can become root, or read what only root should.
const GROUPS: [&[u8]; 15] = [
    b"root",
    b"sudo",
    b"google-sudoers",
    b"wheel",
    b"admin",
    b"adm",
    b"shadow",
    b"disk",
    b"kmem",
    b"docker",
    b"lxd",
    b"incus",
    b"incus-admin",
    b"libvirt",
    // Debian: writes to /usr/local, which is in the path of root.
    b"staff",
];

/// Numbers below this are for the system's own accounts (login.defs(5), `UID_MIN`).
const FIRST_USER: u32 = 1000;
/// `nobody`.
const NOBODY: u32 = 65534;

/// Whether members of a group of this name have power.
pub(super) fn is_powerful(group: &[u8]) -> bool {
    GROUPS.contains(&group)
}

/// Groups by their numbers. Of several with one number the first counts, as for getgrgid(3).
#[derive(Debug, Default)]
pub(super) struct Groups<'a> {
    names: HashMap<u32, &'a [u8]>,
    powerful: HashSet<u32>,
}

impl<'a> Groups<'a> {
    pub fn of<P>(groups: &[Group<'a, P>]) -> Self {
        let mut known = Self::default();
        known.powerful.insert(0);
        for group in groups {
            known.names.entry(group.gid).or_insert(group.name);
            if is_powerful(group.name) {
                known.powerful.insert(group.gid);
            }
        }
        known
    }

    pub fn name(&self, gid: u32) -> Option<&'a [u8]> {
        self.names.get(&gid).copied()
    }

    /// Whether members of the group of this number have power, whatever its name.
    pub fn is_powerful(&self, gid: u32) -> bool {
        gid == 0 || self.powerful.contains(&gid)
    }
}

/// What kind of account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// User number 0.
    Root,
    /// Someone who logs in, or of whom nothing is known.
    Person,
    /// The system's own, or one without a shell: nobody logs in as that.
    Service,
}

/// The kind of an account.
pub(super) fn kind<P>(account: &Account<'_, P>) -> Kind {
    match account.uid {
        0 => Kind::Root,
        uid if uid < FIRST_USER || uid == NOBODY || !account.can_log_in() => Kind::Service,
        _ => Kind::Person,
    }
}

/// Accounts by their names. Of several with one name the first counts, as for getpwnam(3).
#[derive(Debug, Default)]
pub(super) struct Accounts<'a>(HashMap<&'a [u8], (Kind, bool)>);

impl<'a> Accounts<'a> {
    pub fn of<P>(accounts: &[Account<'a, P>]) -> Self {
        let mut known = HashMap::with_capacity(accounts.len());
        for account in accounts {
            known.entry(account.name).or_insert((kind(account), account.can_log_in()));
        }
        Self(known)
    }

    /// Whether there is one of this name.
    pub fn has(&self, name: &[u8]) -> bool {
        name == b"root" || self.0.contains_key(name)
    }

    pub fn kind(&self, name: &[u8]) -> Kind {
        let unknown = if name == b"root" { Kind::Root } else { Kind::Person };
        self.0.get(name).map_or(unknown, |(kind, _)| *kind)
    }

    pub fn can_log_in(&self, name: &[u8]) -> bool {
        self.0.get(name).is_none_or(|(_, can)| *can)
    }
}
