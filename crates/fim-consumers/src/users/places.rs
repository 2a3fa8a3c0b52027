//! Which files are wanted and what each of them is, by the configuration, the accounts and what sshd is told.
//!
//! Knows nothing of what changes mean.

use super::UsersConfig;
use super::key_files::{KeyFiles, Owners};
use super::sshd;
use super::template::{Holds, Template, below};
use crate::parse::passwd::Account;
use crate::parse::sshd_config::Directive;
use fim_core::{Interest, WatchSet, escape};
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// An account file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Base {
    Passwd,
    Shadow,
    Group,
    Gshadow,
}

/// What a path is to this consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Base(Base),
    Keys(Holds),
    Sshd,
    /// A link on the way, or a file in a directory where a file was looked for.
    Other,
}

/// All places.
#[derive(Debug)]
pub(super) struct Places {
    root: PathBuf,
    /// The account files and sshd's main file.
    fixed: Vec<(Role, PathBuf)>,
    /// Where relative `Include`s are.
    sshd_dir: String,
    /// Files of keys by the configuration.
    templates: Vec<Template>,
    /// What is set in each file of sshd's configuration.
    sshd: BTreeMap<PathBuf, Vec<Directive>>,
    includes: Vec<String>,
    included: WatchSet,
    key_files: BTreeMap<Holds, KeyFiles>,
}

impl Places {
    pub fn new(config: &UsersConfig) -> Self {
        let files = [
            (Role::Base(Base::Passwd), &config.passwd),
            (Role::Base(Base::Shadow), &config.shadow),
            (Role::Base(Base::Group), &config.group),
            (Role::Base(Base::Gshadow), &config.gshadow),
            (Role::Sshd, &config.sshd_config),
        ];
        let wanted = files.into_iter().filter(|(_, path)| !path.is_empty());
        let templates = config.authorized_keys.iter().filter(|path| !path.is_empty());
        let mut places = Self {
            root: config.root.clone(),
            fixed: wanted
                .filter_map(|(role, path)| Some((role, below(&config.root, path.as_bytes())?)))
                .collect(),
            sshd_dir: config.sshd_config.rsplit_once('/').map_or("", |(dir, _)| dir).to_owned(),
            templates: templates
                .map(|path| Template {
                    path: path.as_bytes().to_vec(),
                    holds: Holds::Keys,
                    users: Vec::new(),
                })
                .collect(),
            sshd: BTreeMap::new(),
            includes: Vec::new(),
            included: WatchSet::default(),
            key_files: BTreeMap::new(),
        };
        places.find_keys::<()>(&[]);
        places
    }

    /// Accounts and keys, as patterns.
    pub fn own(&self) -> Vec<String> {
        let fixed = self.fixed.iter().filter(|(role, _)| *role != Role::Sshd).map(|(_, path)| path.as_path());
        fixed.chain(self.key_files.values().flat_map(KeyFiles::paths)).map(literal).collect()
    }

    /// sshd's configuration, as patterns.
    pub fn of_sshd(&self) -> Vec<String> {
        let main = self.fixed.iter().filter(|(role, _)| *role == Role::Sshd);
        main.map(|(_, path)| literal(path)).chain(self.includes.iter().cloned()).collect()
    }

    pub fn role(&self, path: &Path) -> Role {
        let fixed = self.fixed.iter().find(|(_, fixed)| fixed == path).map(|(role, _)| *role);
        fixed.unwrap_or_else(|| {
            if let Some((holds, _)) = self.key_files.iter().find(|(_, files)| files.has(path)) {
                Role::Keys(*holds)
            } else if self.included.owner(path).is_some() {
                Role::Sshd
            } else {
                Role::Other
            }
        })
    }

    /// Whom a file of this kind lets in.
    pub fn owners(&self, path: &Path, holds: Holds) -> Option<Owners> {
        let mut owners = self.key_files.get(&holds)?.owners(path)?;
        owners.authority = holds == Holds::Authorities;
        Some(owners)
    }

    /// Takes in what one of sshd's files says now, if it is there; whether more is wanted than before. Where
    /// keys are is to be [found](Self::find_keys) anew.
    pub fn set_sshd(&mut self, path: &Path, directives: Option<Vec<Directive>>) -> bool {
        match directives {
            Some(directives) => drop(self.sshd.insert(path.to_owned(), directives)),
            None => drop(self.sshd.remove(path)),
        }
        let of_all = self.sshd.values();
        let mut includes: Vec<String> =
            of_all.flat_map(|directives| sshd::includes(directives, &self.sshd_dir, &self.root)).collect();
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

    /// Where the keys of these accounts are; whether more is wanted than before.
    pub fn find_keys<P>(&mut self, accounts: &[Account<'_, P>]) -> bool {
        let mut templates: BTreeMap<Holds, Vec<Template>> = BTreeMap::new();
        let of_sshd = self.sshd.values().flat_map(|directives| sshd::templates(directives));
        for template in self.templates.iter().cloned().chain(of_sshd) {
            let known = templates.entry(template.holds).or_default();
            if !known.contains(&template) {
                known.push(template);
            }
        }
        for holds in templates.keys() {
            self.key_files.entry(*holds).or_default();
        }
        let mut more = false;
        for (holds, files) in &mut self.key_files {
            let templates = templates.get(holds).map_or(&[][..], Vec::as_slice);
            more |= files.update(accounts, templates, &self.root);
        }
        more
    }
}

/// The pattern that matches this path: a name that is not UTF-8 has `?` for each byte that is not.
fn literal(path: &Path) -> String {
    let mut pattern = String::with_capacity(path.as_os_str().len());
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        pattern.push_str(&escape(chunk.valid()));
        pattern.extend(std::iter::repeat_n('?', chunk.invalid().len()));
    }
    pattern
}
