//! Passwords as far as they may be known: what state they are in, and whether two are the same.
//!
//! The only place where hashes are touched. What leaves it is a digest under the installation's key.

use crate::parse::password::{Password, Scheme};
use crate::redact::{HIDDEN, has_crypt};
use crate::said::Said;
use fim_core::{Change, Key, Severity};

/// First bytes of a digest under the installation's key.
pub(super) type Digest = [u8; 16];

const PASSWORD: &str = "fim 2026 users password hash";
const LINE: &str = "fim 2026 users line";

/// A password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secret {
    Elsewhere,
    Empty,
    Unusable,
    Set { scheme: Scheme, locked: bool, digest: Digest },
}

impl Secret {
    pub fn of(password: Password<'_>, key: &Key) -> Self {
        match password {
            Password::Elsewhere => Self::Elsewhere,
            Password::Empty => Self::Empty,
            Password::Unusable => Self::Unusable,
            Password::Hash { hash, scheme, locked } => {
                Self::Set { scheme, locked, digest: digest(key, PASSWORD, hash) }
            }
        }
    }

    /// Whether a password lets someone in.
    pub const fn opens(&self) -> bool {
        matches!(self, Self::Empty | Self::Set { locked: false, .. })
    }

    /// Adds its state to what is said of a new entry.
    pub fn describe(&self, change: Change) -> Change {
        match self {
            Self::Elsewhere => change,
            Self::Empty => change.of("password", "empty"),
            Self::Unusable => change.of("password", "none"),
            Self::Set { scheme, locked, .. } => {
                change.of("password", if *locked { "locked" } else { "set" }).of("scheme", scheme.as_str())
            }
        }
    }
}

/// A field that is told and kept as it is, unless the hash of a password slipped into it: then all of it is hidden.
pub(super) fn shown(field: &[u8]) -> &[u8] {
    if has_crypt(field) { HIDDEN.as_bytes() } else { field }
}

/// Tells one line from another without saying anything of either.
pub(super) fn of_line(key: &Key, line: &[u8]) -> Digest {
    digest(key, LINE, line)
}

fn digest(key: &Key, purpose: &str, bytes: &[u8]) -> Digest {
    let [digest @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = key.derive(purpose, bytes);
    digest
}

/// How much the states of a password matter for one account or group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weight {
    /// It can be used without one.
    pub emptied: Severity,
    /// It can be used again, or for the first time.
    pub opened: Severity,
    /// It is another.
    pub changed: Severity,
}

/// What became of a password: `{prefix}_set`, `_changed`, `_locked`, … of the user or group `of`. Hashes are
/// compared only if both digests are of the same key.
pub(super) fn compare(
    (old, new): (&Secret, &Secret),
    same_key: bool,
    prefix: &str,
    of: (&str, &str),
    weight: Weight,
    said: &mut Said,
) {
    let mut say = |severity: Severity, word: &str| {
        said.say(severity, || {
            let change = Change::new(format!("{prefix}_{word}")).of(of.0, of.1);
            match new {
                Secret::Set { scheme, .. } if matches!(word, "set" | "changed") => {
                    change.of("scheme", scheme.as_str())
                }
                _ => change,
            }
        });
    };
    match (old, new) {
        (
            Secret::Set { scheme: from, locked: was, digest: before },
            Secret::Set { scheme: to, locked: is, digest: after },
        ) => {
            if from != to || (same_key && before != after) {
                say(weight.changed, "changed");
            }
            match (was, is) {
                (false, true) => say(Severity::Notable, "locked"),
                (true, false) => say(weight.opened, "unlocked"),
                _ => {}
            }
            if from != to {
                let weaker = to < from;
                said.say(if weaker { Severity::High } else { Severity::Routine }, || {
                    Change::from_to(format!("{prefix}_scheme"), from.as_str(), to.as_str())
                        .of(of.0, of.1)
                        .of("downgrade", weaker)
                });
            }
        }
        (_, Secret::Set { locked, .. }) => {
            say(if *locked { Severity::Notable } else { weight.opened }, "set");
            if *locked {
                say(Severity::Notable, "locked");
            }
        }
        (Secret::Empty, Secret::Empty) | (Secret::Unusable, Secret::Unusable) => {}
        (Secret::Elsewhere, Secret::Elsewhere) => {}
        (_, Secret::Empty) => say(weight.emptied, "emptied"),
        (Secret::Set { locked: false, .. }, Secret::Unusable) => say(Severity::Notable, "removed"),
        (Secret::Set { locked: true, .. }, Secret::Unusable) => say(Severity::Routine, "removed"),
        (_, Secret::Unusable) => say(Severity::Notable, "locked"),
        // The password in the shadow file counts again, if there is one.
        (Secret::Unusable, Secret::Elsewhere) => say(weight.opened, "unlocked"),
        (Secret::Set { locked: true, .. }, Secret::Elsewhere) => say(weight.opened, "shadowed"),
        (_, Secret::Elsewhere) => say(Severity::Notable, "shadowed"),
    }
}
