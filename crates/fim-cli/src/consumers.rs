//! The consumers a configuration asks for, in order of precedence: access, users, generic_diff, generic.

use crate::config::{Plan, Section};
use fim_consumers::{Access, AccessConfig, Generic, GenericConfig, Users, UsersConfig};
use fim_core::{Consumer, Interest, Key, WatchSet};
use std::path::{Path, PathBuf};

/// What a subcommand is about.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// The sections of the configuration.
    pub configured: bool,
    /// Paths given besides, for the generic consumer.
    pub paths: Option<Interest>,
}

impl Watched {
    /// What the configuration says.
    pub const fn configured() -> Self {
        Self { configured: true, paths: None }
    }

    /// The consumers for it.
    pub fn consumers(&self, plan: &Plan, key: &Key) -> Vec<Box<dyn Consumer>> {
        let sections = if self.configured { plan.config.sections(&[]) } else { Vec::new() };
        let mut consumers: Vec<Box<dyn Consumer>> = Vec::new();
        for section in &sections {
            match section.name {
                "access" => consumers.push(Box::new(access(&section.interest))),
                "users" => consumers.extend(users(plan, key, &sections)),
                _ => consumers.push(Box::new(generic(section.interest.clone()))),
            }
        }
        consumers.extend(self.paths.clone().map(|paths| Box::new(generic(paths)) as Box<dyn Consumer>));
        consumers
    }
}

fn access(interest: &Interest) -> Access {
    Access::new(AccessConfig { paths: interest.paths.clone(), ..AccessConfig::default() })
}

fn generic(interest: Interest) -> Generic {
    Generic::new(GenericConfig {
        paths: interest.paths,
        exclude: interest.exclude,
        exclude_regex: interest.exclude_regex,
        sha256: interest.need.sha256,
    })
}

fn users(plan: &Plan, key: &Key, sections: &[Section]) -> Option<Box<dyn Consumer>> {
    let section = plan.config.users.as_ref()?;
    let mut config = UsersConfig::new(key.clone());
    config.passwd.clone_from(&section.passwd);
    config.shadow.clone_from(&section.shadow);
    config.group.clone_from(&section.group);
    config.gshadow.clone_from(&section.gshadow);
    config.authorized_keys.clone_from(&section.authorized_keys);
    // Below the root of the file system nothing need be put in front.
    config.root = Some(&plan.config.root)
        .filter(|root| *root != Path::new("/"))
        .map_or_else(PathBuf::new, Clone::clone);
    let sshd = Path::new("/").join(&config.root).join(config.sshd_config.trim_start_matches('/'));
    let diffs = sections.iter().filter(|section| section.name == "generic_diff");
    let diffs = WatchSet::new(diffs.map(|section| section.interest.clone()).collect()).unwrap_or_default();
    config.overhear_sshd = diffs.owner(&sshd).is_some();
    Some(Box::new(Users::new(config)))
}
