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
//! | keys | `key_added` `key_removed` `key_options` `key_environment` `key_comment` |
//! | sshd's configuration | `sshd_option` |
//! | any | `broken_line` `broken_line_removed` `nis_line_added` `nis_line_removed` `order` `content` (nothing of the above) `more_changes` (so many were left out) `secrets_not_compared` (the key of the installation is another) `too_big` `unreadable` `unstable` (not understood this time), and the words for metadata of the consumer `generic` with `exposed` (created so that others can read or write it) |
//!
//! | severity | what |
//! |---|---|
//! | critical | an account becomes or is created with uid 0, or shares it; a password is emptied that someone can log in with; a key for root is added |
//! | high | any key added, or an option that held one back is gone; entry to a group with power; a password set, unlocked or changed for root or an account of the system; a weaker scheme; another uid; a login shell where there was none; home, shell or name of root; duplicate names and numbers; lines for NIS; what sshd asks of whom; files that others can read or write now; files that could not be read |
//! | notable | the rest |
//! | routine | gecos, comments of keys, the day of the last change |

mod group;
mod gshadow;
mod kept;
mod key_files;
mod keys;
mod metadata;
mod odd;
mod pairs;
mod passwd;
mod power;
mod said;
mod secret;
mod shadow;
mod shared;
mod sshd;

use crate::generic::changes::content_differs;
use crate::parse::sshd_config::Directive;
use fim_core::{
    Change, Consumer, ConsumerError, Context, Facts, FileKind, HashState, Interest, Key, Severity, Snapshot,
    WatchSet, escape,
};
use kept::{Item, Table};
use key_files::{KeyFiles, Template, below};
use metadata::Guard;
use said::Said;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

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
#[derive(Debug)]
pub struct Users {
    config: UsersConfig,
    /// What was last kept of the account files.
    last: BTreeMap<Base, Vec<u8>>,
    /// Account files that went while this watched: what was last kept is what they are compared with when
    /// they come back, so that not every account is told.
    gone: BTreeSet<Base>,
    /// What is set in each file of sshd's configuration.
    sshd: BTreeMap<PathBuf, Vec<Directive>>,
    includes: Vec<String>,
    included: WatchSet,
    key_files: KeyFiles,
}

/// An account file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Base {
    Passwd,
    Shadow,
    Group,
    Gshadow,
}

/// What a path is to this consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Base(Base),
    Keys,
    Sshd,
    /// A link on the way, or a file in a directory where a file was looked for.
    Other,
}

impl Users {
    /// A consumer for these files.
    #[must_use]
    pub fn new(config: UsersConfig) -> Self {
        let mut users = Self {
            config,
            last: BTreeMap::new(),
            gone: BTreeSet::new(),
            sshd: BTreeMap::new(),
            includes: Vec::new(),
            included: WatchSet::default(),
            key_files: KeyFiles::default(),
        };
        users.find_key_files();
        users
    }

    fn path(&self, configured: &str) -> Option<PathBuf> {
        if configured.is_empty() { None } else { below(&self.config.root, configured.as_bytes()) }
    }

    /// The account files and sshd's main file.
    fn fixed(&self) -> impl Iterator<Item = (Role, PathBuf)> {
        let config = &self.config;
        [
            (Role::Base(Base::Passwd), &config.passwd),
            (Role::Base(Base::Shadow), &config.shadow),
            (Role::Base(Base::Group), &config.group),
            (Role::Base(Base::Gshadow), &config.gshadow),
            (Role::Sshd, &config.sshd_config),
        ]
        .into_iter()
        .filter_map(|(role, path)| Some((role, self.path(path)?)))
    }

    fn role(&self, path: &Path) -> Role {
        let fixed = self.fixed().find(|(_, fixed)| fixed == path).map(|(role, _)| role);
        fixed.unwrap_or_else(|| {
            if self.key_files.owners(path).is_some() {
                Role::Keys
            } else if self.included.owner(path).is_some() {
                Role::Sshd
            } else {
                Role::Other
            }
        })
    }

    /// Where keys are, by what is known of accounts and sshd; whether there are files that were not known.
    fn find_key_files(&mut self) -> bool {
        let configured = self.config.authorized_keys.iter();
        let mut templates: Vec<Template> = configured
            .filter(|path| !path.is_empty())
            .map(|path| Template { path: path.as_bytes().to_vec(), users: Vec::new() })
            .collect();
        for template in self.sshd.values().flat_map(|directives| sshd::templates(directives)) {
            if !templates.contains(&template) {
                templates.push(template);
            }
        }
        let kept = self.last.get(&Base::Passwd).and_then(|kept| passwd::Accounts::decode(kept));
        let accounts = kept.map_or_else(Vec::new, |table| table.items);
        self.key_files.update(&accounts, &templates, &self.config.root)
    }

    /// Which files sshd reads besides its main one; whether they are others than before.
    fn find_includes(&mut self) -> bool {
        let dir = self.config.sshd_config.rsplit_once('/').map_or("", |(dir, _)| dir);
        let directives = self.sshd.values();
        let mut includes: Vec<String> =
            directives.flat_map(|directives| sshd::includes(directives, dir, &self.config.root)).collect();
        includes.sort();
        includes.dedup();
        if includes == self.includes {
            return false;
        }
        // Each pattern was tried by itself; together they can only be too many.
        self.included = WatchSet::new(vec![Interest::in_paths(&includes)]).unwrap_or_default();
        self.includes = includes;
        true
    }

    fn kept_of<'a, T: Item<'a>>(&'a self, base: Base) -> Option<Table<'a, T>> {
        self.last.get(&base).and_then(|kept| Table::decode(kept))
    }

    fn base(&mut self, base: Base, look: &Look<'_>, cx: &mut Context<'_>, said: &mut Said) {
        let returns = self.gone.remove(&base) && look.before.is_none();
        let key = &self.config.key;
        let last = self.last.get(&base).map(Vec::as_slice);
        let before = if returns { last } else { cx.kept() };
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
                look.compare(before, &shadow::read(look.content, key), compare, said)
            }
            Base::Group => look.compare(before, &group::read(look.content, key), group::compare, said),
            Base::Gshadow => look.compare(before, &gshadow::read(look.content, key), gshadow::compare, said),
        };
        self.last.insert(base, kept.clone());
        cx.keep(kept);
        if base == Base::Passwd && self.find_key_files() {
            cx.watch_anew();
        }
    }

    fn keys(&self, path: &Path, look: &Look<'_>, cx: &mut Context<'_>, said: &mut Said) {
        let Some(owners) = self.key_files.owners(path) else {
            return;
        };
        let new = keys::read(look.content, &self.config.key);
        let compare = |old: &_, new: &_, said: &mut _| keys::compare(old, new, owners, said);
        cx.keep(look.compare(cx.kept(), &new, compare, said));
    }

    fn sshd(&mut self, path: &Path, look: &Look<'_>, cx: &mut Context<'_>, said: &mut Said) {
        let new = sshd::read(look.content, &self.config.key);
        cx.keep(look.compare(cx.kept(), &new, sshd::compare, said));
        self.sshd.insert(path.to_owned(), new.items);
        self.read_sshd(cx);
    }

    fn read_sshd(&mut self, cx: &mut Context<'_>) {
        let (files, keys) = (self.find_includes(), self.find_key_files());
        if files || keys {
            cx.watch_anew();
        }
    }

    /// What went with a file that is gone.
    fn gone(&mut self, path: &Path, role: Role, cx: &mut Context<'_>, said: &mut Said) {
        let look = Look { before: cx.before(), differs: true, content: b"" };
        match role {
            // Not every account is said to be gone: the finding is that the file is.
            Role::Base(base) => {
                self.gone.insert(base);
                said.raise(Severity::High);
            }
            Role::Keys => self.keys(path, &look, cx, said),
            Role::Sshd => {
                let new = sshd::read(b"", &self.config.key);
                look.compare(cx.kept(), &new, sshd::compare, said);
                self.sshd.remove(path);
                self.read_sshd(cx);
            }
            Role::Other => said.raise(Severity::Notable),
        }
    }
}

/// One look, as far as an account file goes.
struct Look<'a> {
    before: Option<&'a Facts>,
    /// Whether the content is another than before.
    differs: bool,
    content: &'a [u8],
}

impl Look<'_> {
    /// Compares with what was kept, if that can be understood; and what is to be kept now. What changed
    /// without a word for it is said to be content.
    fn compare<'t, T: Item<'t>>(
        &self,
        kept: Option<&'t [u8]>,
        new: &Table<'t, T>,
        compare: impl FnOnce(&Table<'t, T>, &Table<'t, T>, &mut Said) -> bool,
        said: &mut Said,
    ) -> Vec<u8> {
        let nothing = || Table { key_id: new.key_id, items: Vec::new(), odd: Vec::new() };
        let old = match kept.and_then(Table::decode) {
            // All of a new file is new.
            None if self.before.is_none() => Some(nothing()),
            old => old,
        };
        if self.differs {
            let mut of_content = Said::new();
            if let Some(old) = old {
                let reordered = compare(&old, new, &mut of_content);
                if reordered {
                    of_content.say(Severity::Notable, || Change::new("order"));
                }
                if old.key_id != new.key_id && old.items.iter().any(Item::has_secret) {
                    of_content.say(Severity::Notable, || Change::new("secrets_not_compared"));
                }
            }
            if of_content.is_nothing() && self.before.is_some() {
                of_content.say(Severity::Notable, || Change::new("content"));
            }
            said.append(of_content);
        }
        new.encode()
    }
}

impl Consumer for Users {
    fn name(&self) -> &'static str {
        "users"
    }

    fn interest(&self) -> Interest {
        let (sshd, fixed): (Vec<_>, Vec<_>) = self.fixed().partition(|(role, _)| *role == Role::Sshd);
        let literals = |files: &[(Role, PathBuf)]| -> Vec<String> {
            files.iter().map(|(_, path)| literal(path)).collect()
        };
        let own = literals(&fixed).into_iter().chain(self.key_files.paths().into_iter().map(literal));
        let sshd = literals(&sshd).into_iter().chain(self.includes.iter().cloned());
        let interest = if self.config.overhear_sshd {
            Interest::in_paths(own).overhearing(sshd)
        } else {
            Interest::in_paths(own.chain(sshd))
        };
        interest.with_content(self.config.max_bytes)
    }

    fn overhear(&mut self, file: &Snapshot, cx: &mut Context<'_>) {
        if self.role(file.name()) != Role::Sshd {
            return;
        }
        match &file.content {
            Some(content) => {
                let read = sshd::read(content, &self.config.key);
                self.sshd.insert(file.name().to_owned(), read.items);
            }
            None if file.facts.is_none() => drop(self.sshd.remove(file.name())),
            // Not to be read this time: what was known stays.
            None => return,
        }
        self.read_sshd(cx);
    }

    fn recall(&mut self, path: &Path, kept: &[u8]) {
        match self.role(path) {
            Role::Base(base) => {
                self.last.insert(base, kept.to_vec());
                if base == Base::Passwd {
                    self.find_key_files();
                }
            }
            // An included file may be recalled before the one that includes it.
            Role::Sshd | Role::Other => {
                if let Some(config) = Table::<Directive>::decode(kept) {
                    self.sshd.insert(path.to_owned(), config.items);
                    self.find_includes();
                    self.find_key_files();
                }
            }
            Role::Keys => {}
        }
    }

    fn inspect(&mut self, file: &Snapshot, cx: &mut Context<'_>) -> Result<(), ConsumerError> {
        let mut said = Said::new();
        let path = file.name();
        let role = self.role(path);
        match &file.facts {
            None => self.gone(path, role, cx, &mut said),
            Some(after) => {
                let guard = match role {
                    Role::Base(Base::Shadow | Base::Gshadow) => Guard::Secret,
                    _ => Guard::Trusted,
                };
                match (after.kind, role, &file.content) {
                    // A link is told by itself, what it leads to as well.
                    (FileKind::File, Role::Base(_) | Role::Keys | Role::Sshd, content) => match content {
                        Some(content) => {
                            let differs = cx.before().is_none_or(|before| content_differs(before, after));
                            let look = Look { before: cx.before(), differs, content };
                            match role {
                                Role::Base(base) => self.base(base, &look, cx, &mut said),
                                Role::Keys => self.keys(path, &look, cx, &mut said),
                                Role::Sshd | Role::Other => self.sshd(path, &look, cx, &mut said),
                            }
                        }
                        None => said.say(Severity::High, || Change::new(why_unread(after.hash_state))),
                    },
                    _ => said.raise(Severity::Notable),
                }
                metadata::compare(path, guard, cx.before(), after, &mut said);
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

/// The pattern that matches this path: a name that is not UTF-8 has `?` for each byte that is not.
fn literal(path: &Path) -> String {
    let mut pattern = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        pattern.push_str(&escape(chunk.valid()));
        pattern.extend(std::iter::repeat_n('?', chunk.invalid().len()));
    }
    pattern
}

#[cfg(test)]
mod tests;
