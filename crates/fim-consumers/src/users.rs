//! Accounts, passwords, groups and the keys that let someone in: what changed, for whom, and how much that
//! matters.
//!
//! Reads no file by itself. Of a password it knows the state, the scheme, and whether it is another; what is
//! kept of it cannot be tried out without the installation's key.
//!
//! | file | what is said |
//! |---|---|
//! | `passwd` | `account_created` `account_removed` `account_renamed` `uid` `gid` `gecos` `home` `shell` `duplicate_user` `duplicate_uid` |
//! | `passwd`, `shadow` | `password_set` `password_changed` `password_scheme` (with `downgrade`) `password_locked` `password_unlocked` `password_removed` `password_emptied` `password_shadowed` (moved to the shadow file) |
//! | `shadow` | `password_entry_added` `password_entry_removed` `password_entry_renamed` `password_expired` (to be changed at the next login) `last_change` `min_days` `max_days` `warn_days` `inactive_days` `expires` `reserved` |
//! | `group` | `group_created` `group_removed` `group_renamed` `gid` `duplicate_group` `duplicate_gid` |
//! | `group`, `gshadow` | `member_added` `member_removed`, `group_password_…` as for accounts |
//! | `gshadow` | `group_password_entry_added` `…_removed` `…_renamed` `group_admin_added` `group_admin_removed` |
//! | keys | `key_added` `key_removed` `key_options` `key_options_hidden` (something in them that is not told) `key_comment`, with `authority` of keys that sign certificates |
//! | principals | `principal_added` `principal_removed` `principal_options` `principal_options_hidden` |
//! | revoked keys | `content` |
//! | sshd's configuration | `sshd_option` |
//! | any | `broken_line` `broken_line_removed` `nis_line_added` `nis_line_removed` `order` `content` (nothing of the above) `more_changes` (so many were left out) `secrets_not_compared` (the key of the installation is another) `too_big` `unreadable` `unstable` (not understood this time), and the words for metadata of the consumer `generic` with `exposed` (created so that others can read or write it) |
//!
//! | severity | what |
//! |---|---|
//! | critical | an account becomes or is created with uid 0, or shares it; a password is emptied that someone can log in with; a key for root is added, becomes an authority or is bound to no command or another, or no longer `restrict`ed; a name that a certificate for root may have is added |
//! | high | any key or principal added, or an option that held one back is gone; revoked keys are others; entry to a group with power; a password set, unlocked or changed for root or an account of the system, or a later day on which it expires; a weaker scheme; another uid; a login shell where there was none; home, shell or name of root; duplicate names and numbers; lines for NIS, and with a zero byte; what sshd asks of whom; files that others can read or write now; files that could not be read |
//! | notable | the rest |
//! | routine | gecos, comments of keys, the day of the last change |

mod group;
mod gshadow;
mod kept;
mod key_files;
mod keys;
mod look;
mod metadata;
mod odd;
mod options;
mod pairs;
mod passwd;
mod places;
mod power;
mod principals;
mod secret;
mod shadow;
mod shared;
mod sshd;
mod template;

use crate::generic::changes::content_differs;
use crate::parse::sshd_config::Directive;
use crate::said::Said;
use fim_core::{
    Change, Consumer, ConsumerError, Context, FileKind, HashState, Interest, Key, Severity, Snapshot,
};
use kept::{Item, Table};
use look::Look;
use metadata::Guard;
use places::{Base, Places, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use template::Holds;

/// Which files hold accounts, and how they are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsersConfig {
    /// The account file; as the other paths below `root`, and not watched if empty.
    pub passwd: String,
    /// Its secrets.
    pub shadow: String,
    /// The group file.
    pub group: String,
    /// Its secrets.
    pub gshadow: String,
    /// Files of keys besides those sshd's configuration names, in its syntax: relative to each home or
    /// absolute, with `%h`, `%u`, `%U` and `%%`.
    pub authorized_keys: Vec<String>,
    /// sshd's configuration; relative `Include`s are taken to be beside it.
    pub sshd_config: String,
    /// Another consumer tells what changes in sshd's configuration: it is read for where keys are, no more.
    pub overhear_sshd: bool,
    /// In front of every path; empty for none.
    pub root: PathBuf,
    /// What digests of secrets are made with.
    pub key: Key,
    /// Larger files are not read, in bytes.
    pub max_bytes: u64,
}

impl UsersConfig {
    /// The usual files of a Linux system, up to 128 MiB each.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self {
            passwd: "/etc/passwd".to_owned(),
            shadow: "/etc/shadow".to_owned(),
            group: "/etc/group".to_owned(),
            gshadow: "/etc/gshadow".to_owned(),
            authorized_keys: vec![".ssh/authorized_keys".to_owned(), ".ssh/authorized_keys2".to_owned()],
            sshd_config: "/etc/ssh/sshd_config".to_owned(),
            overhear_sshd: false,
            root: PathBuf::new(),
            key,
            max_bytes: 128 << 20,
        }
    }
}

/// The consumer `users`.
///
/// ```
/// use fim_consumers::{Users, UsersConfig};
/// use fim_core::{Consumer, Context, Facts, FileKind, Key, Snapshot};
///
/// // The installation's key: digests of secrets are kept under it, never the secrets.
/// let mut users = Users::new(UsersConfig::new(Key::new([7; 32])));
/// let facts = Facts::new(FileKind::File);
/// let file = Snapshot::new("/etc/passwd", facts, Some(b"toor:x:0:0::/root:/bin/sh\n".to_vec()));
/// let mut cx = Context::new(None, None);
/// users.inspect(&file, &mut cx)?;
/// assert!(cx.into_answer().changes.iter().any(|change| change.what == "account_created"));
/// # Ok::<(), fim_core::ConsumerError>(())
/// ```
#[derive(Debug)]
pub struct Users {
    config: UsersConfig,
    /// What was last kept of the account files.
    last: BTreeMap<Base, Vec<u8>>,
    /// Account files that went while this watched: what was last kept is what they are compared with when
    /// they come back, so that not every account is told.
    gone: BTreeSet<Base>,
    places: Places,
}

impl Users {
    /// A consumer for these files.
    #[must_use]
    pub fn new(config: UsersConfig) -> Self {
        let places = Places::new(&config);
        Self { config, last: BTreeMap::new(), gone: BTreeSet::new(), places }
    }

    fn kept_of<'a, T: Item<'a>>(&'a self, base: Base) -> Option<Table<'a, T>> {
        self.last.get(&base).and_then(|kept| Table::decode(kept))
    }

    fn base(&mut self, base: Base, look: &Look<'_>, cx: &mut Context<'_>, said: &mut Said) {
        let returns = self.gone.remove(&base) && look.before.is_none();
        let key = &self.config.key;
        let last = self.last.get(&base).map(Vec::as_slice);
        // Of a file that only now counts as this one, as where a link leads to now, what counted before is what it replaces.
        let before = if returns { last } else { cx.kept().or(last) };
        let kept = match base {
            Base::Passwd => {
                let groups = self.kept_of(Base::Group).map(|table: group::Groups<'_>| table.items);
                let groups = power::Groups::of(groups.as_deref().unwrap_or_default());
                let compare = |old: &_, new: &_, said: &mut _| passwd::compare(old, new, &groups, said);
                look.compare(before, &passwd::read(look.content, key), compare, said)
            }
            Base::Shadow => {
                let accounts = self.kept_of(Base::Passwd).map(|table: passwd::Accounts<'_>| table.items);
                let accounts = power::Accounts::of(accounts.as_deref().unwrap_or_default());
                let compare = |old: &_, new: &_, said: &mut _| shadow::compare(old, new, &accounts, said);
                look.compare(before, &shadow::read(look.content, &accounts, key), compare, said)
            }
            Base::Group => look.compare(before, &group::read(look.content, key), group::compare, said),
            Base::Gshadow => {
                let groups = self.kept_of(Base::Group).map(|table: group::Groups<'_>| table.items);
                let names = groups.iter().flatten().map(|group| group.name).collect();
                look.compare(before, &gshadow::read(look.content, &names, key), gshadow::compare, said)
            }
        };
        self.last.insert(base, kept.clone());
        cx.keep(kept);
        if base == Base::Passwd && self.find_keys() {
            cx.watch_anew();
        }
    }

    fn keys(&self, path: &Path, holds: Holds, look: &Look<'_>, cx: &mut Context<'_>, said: &mut Said) {
        let Some(owners) = self.places.owners(path, holds) else {
            return;
        };
        let key = &self.config.key;
        // Of a file that counts only now nothing was kept: all that is in it is new.
        let kept = match holds {
            Holds::Authorities | Holds::Keys => {
                let none = keys::read(b"", key).encode();
                let compare = |old: &_, new: &_, said: &mut _| keys::compare(old, new, &owners, said);
                look.compare(cx.kept().or(Some(&none)), &keys::read(look.content, key), compare, said)
            }
            Holds::Principals => {
                let none = principals::read(b"", key).encode();
                let compare = |old: &_, new: &_, said: &mut _| principals::compare(old, new, &owners, said);
                look.compare(cx.kept().or(Some(&none)), &principals::read(look.content, key), compare, said)
            }
            // A key that is revoked no more lets someone in, and which one that is the file may not show.
            Holds::Revoked => {
                if look.differs && look.before.is_some() {
                    said.say(Severity::High, || Change::new("content"));
                }
                return;
            }
        };
        cx.keep(kept);
    }

    fn sshd(&mut self, path: &Path, look: &Look<'_>, cx: &mut Context<'_>, said: &mut Said) {
        let new = sshd::read(look.content, &self.config.key);
        cx.keep(look.compare(cx.kept(), &new, sshd::compare, said));
        self.set_sshd(path, Some(new.items), cx);
    }

    fn set_sshd(&mut self, path: &Path, directives: Option<Vec<Directive>>, cx: &mut Context<'_>) {
        let (files, keys) = (self.places.set_sshd(path, directives), self.find_keys());
        if files || keys {
            cx.watch_anew();
        }
    }

    /// Where keys are, by what is known of accounts; whether there are files that were not known.
    fn find_keys(&mut self) -> bool {
        let kept = self.last.get(&Base::Passwd).and_then(|kept| passwd::Accounts::decode(kept));
        let accounts = kept.map_or_else(Vec::new, |table| table.items);
        self.places.find_keys(&accounts)
    }

    /// What went with a file that is gone.
    fn gone(&mut self, path: &Path, role: Role, cx: &mut Context<'_>, said: &mut Said) {
        let look = Look { before: None, differs: true, content: b"" };
        said.raise(Severity::Notable);
        match role {
            // Not every account is said to be gone: the finding is that the file is.
            Role::Base(base) => {
                self.gone.insert(base);
                said.raise(Severity::High);
            }
            Role::Keys(Holds::Revoked) => said.raise(Severity::High),
            Role::Keys(holds) => self.keys(path, holds, &look, cx, said),
            Role::Sshd => {
                let new = sshd::read(b"", &self.config.key);
                look.compare(cx.kept(), &new, sshd::compare, said);
                self.set_sshd(path, None, cx);
            }
            Role::Other => {}
        }
    }
}

impl Consumer for Users {
    fn name(&self) -> &'static str {
        "users"
    }

    fn interest(&self) -> Interest {
        let (own, sshd) = (self.places.own(), self.places.of_sshd());
        let interest = if self.config.overhear_sshd {
            Interest::in_paths(own).overhearing(sshd)
        } else {
            Interest::in_paths(own.into_iter().chain(sshd))
        };
        interest.with_content(self.config.max_bytes)
    }

    fn goes_by_name(&self) -> bool {
        true
    }

    fn overhear(&mut self, file: &Snapshot, cx: &mut Context<'_>) {
        if self.places.role(file.name()) != Role::Sshd {
            return;
        }
        let directives = match &file.content {
            Some(content) => Some(sshd::read(content, &self.config.key).items),
            None if file.facts.is_none() => None,
            // Not to be read this time: what was known stays.
            None => return,
        };
        self.set_sshd(file.name(), directives, cx);
    }

    fn recall(&mut self, path: &Path, kept: &[u8]) {
        match self.places.role(path) {
            Role::Base(base) => {
                self.last.insert(base, kept.to_vec());
                if base == Base::Passwd {
                    self.find_keys();
                }
            }
            // An included file may be recalled before the one that includes it.
            Role::Sshd | Role::Other => {
                if let Some(config) = Table::<Directive>::decode(kept) {
                    self.places.set_sshd(path, Some(config.items));
                    self.find_keys();
                }
            }
            Role::Keys(_) => {}
        }
    }

    fn inspect(&mut self, file: &Snapshot, cx: &mut Context<'_>) -> Result<(), ConsumerError> {
        let mut said = Said::default();
        let path = file.name();
        let role = self.places.role(path);
        match &file.facts {
            None => self.gone(path, role, cx, &mut said),
            Some(after) => {
                let guard = match role {
                    Role::Base(Base::Shadow | Base::Gshadow) => Guard::Secret,
                    _ => Guard::Trusted,
                };
                match (after.kind, role, &file.content) {
                    // A link is told by itself, what it leads to as well.
                    (FileKind::File, Role::Base(_) | Role::Keys(_) | Role::Sshd, content) => match content {
                        Some(content) => {
                            let differs = cx.before().is_none_or(|before| content_differs(before, after));
                            let look = Look { before: cx.before(), differs, content };
                            match role {
                                Role::Base(base) => self.base(base, &look, cx, &mut said),
                                Role::Keys(holds) => self.keys(path, holds, &look, cx, &mut said),
                                Role::Sshd | Role::Other => self.sshd(path, &look, cx, &mut said),
                            }
                        }
                        None => said.say(Severity::High, || Change::new(why_unread(after.hash_state))),
                    },
                    _ => said.raise(Severity::Notable),
                }
                metadata::compare((&self.config.root, path), guard, cx.before(), after, &mut said);
            }
        }
        said.tell(cx);
        Ok(())
    }
}

/// Why there is no content.
fn why_unread(state: HashState) -> &'static str {
    match state {
        // It was read, but is larger than what this consumer takes.
        HashState::Stable | HashState::TooBig => "too_big",
        other => other.as_str(),
    }
}

#[cfg(test)]
mod tests;
