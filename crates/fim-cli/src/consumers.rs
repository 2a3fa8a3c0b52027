//! The consumers a configuration asks for, in order of precedence: access, users, generic_diff, generic.

use crate::config::{GenericDiff, Plan, Section};
use crate::failure::Failure;
use crate::own::Own;
use fim_consumers::parse::access::Separators;
use fim_consumers::redact::Redactor;
use fim_consumers::{
    Access, AccessConfig, Generic, GenericConfig, GenericDiffConfig, Users, UsersConfig, secrets,
};
use fim_core::{Consumer, EngineError, Interest, Key, Secrecy, WatchSet};
use std::path::{Path, PathBuf};

/// What a subcommand is about.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// The sections of the configuration.
    pub configured: bool,
    /// Paths given besides, for the generic consumer.
    pub paths: Option<Interest>,
    /// The agent's own files, while it runs.
    pub own: Option<Own>,
}

impl Watched {
    /// What the configuration says.
    pub const fn configured() -> Self {
        Self { configured: true, paths: None, own: None }
    }

    fn sections(&self, plan: &Plan) -> Vec<Section> {
        if self.configured { plan.config.sections(&[]) } else { Vec::new() }
    }

    /// The consumers for it.
    ///
    /// # Errors
    /// A pattern that cannot be used.
    pub fn consumers(&self, plan: &Plan, key: &Key) -> Result<Vec<Box<dyn Consumer>>, Failure> {
        let sections = self.sections(plan);
        let mut consumers: Vec<Box<dyn Consumer>> = Vec::new();
        for section in &sections {
            match (section.name, section.index.and_then(|index| plan.config.generic_diff.get(index))) {
                ("access", _) => consumers.extend(access(plan, &section.interest)),
                ("users", _) => consumers.extend(users(plan, key, &sections)),
                ("generic_diff", Some(diff)) => {
                    consumers.push(Box::new(generic_diff(plan, diff, section.interest.clone(), key)?));
                }
                _ => consumers.push(Box::new(generic(plan, section.interest.clone()))),
            }
        }
        let others = self.paths.clone().into_iter().chain(self.own.as_ref().map(Own::interest));
        consumers.extend(others.map(|paths| Box::new(generic(plan, paths)) as Box<dyn Consumer>));
        Ok(consumers)
    }

    /// Which files have a secret in them: of those compared line by line, all in which something is hidden.
    ///
    /// # Errors
    /// As [`Self::consumers`].
    pub fn secrecy(&self, plan: &Plan, key: Key) -> Result<Secrecy, Failure> {
        let diffs: Vec<Section> =
            self.sections(plan).into_iter().filter(|section| section.name == "generic_diff").collect();
        let interests =
            diffs.iter().map(|section| section.interest.clone().resolved_below(&plan.config.root)).collect();
        let claims = WatchSet::new(interests).map_err(EngineError::from)?;
        let redactors = plan.config.generic_diff.iter().map(redactor);
        let redactors = if diffs.is_empty() { Vec::new() } else { redactors.collect::<Result<_, _>>()? };
        Ok(secrets::secrecy(key, redactors, move |path| claims.owner(path)))
    }
}

/// Every section with the name of its consumer, and what that wants to see besides what is written.
pub fn claims(plan: &Plan, homes: &[PathBuf]) -> Vec<(Section, &'static str)> {
    // What a consumer wants does not depend on the key, and every pattern of a plan was tried.
    let consumers = Watched::configured().consumers(plan, &Key::new([0; 32])).unwrap_or_default();
    let sections = plan.config.sections(homes).into_iter().zip(consumers);
    sections
        .map(|(mut section, consumer)| {
            let asked = consumer.interest();
            for path in asked.paths {
                if !section.interest.paths.contains(&path) {
                    section.written.push(path.clone());
                    section.interest.paths.push(path);
                }
            }
            (section.interest.overhears, section.interest.need) = (asked.overhears, asked.need);
            (section, consumer.name())
        })
        .collect()
}

fn access(plan: &Plan, interest: &Interest) -> Option<Box<dyn Consumer>> {
    let section = plan.config.access.as_ref()?;
    Some(Box::new(Access::new(AccessConfig {
        paths: interest.paths.clone(),
        separators: Separators { fields: section.fieldsep.clone(), lists: section.listsep.clone() },
        nodefgroup: section.nodefgroup,
        root: root(plan),
    })))
}

/// Where the watched system begins; nothing where that is the root of the file system.
fn root(plan: &Plan) -> PathBuf {
    Some(&plan.config.root).filter(|root| *root != Path::new("/")).map_or_else(PathBuf::new, Clone::clone)
}

fn generic(plan: &Plan, interest: Interest) -> Generic {
    Generic::new(GenericConfig {
        paths: interest.paths,
        exclude: interest.exclude,
        exclude_regex: interest.exclude_regex,
        sha256: interest.need.sha256,
        root: root(plan),
    })
}

fn redactor(diff: &GenericDiff) -> Result<Redactor, Failure> {
    Redactor::parse(&diff.redact).map_err(|error| Failure::new(error.to_string()))
}

fn generic_diff(
    plan: &Plan,
    diff: &GenericDiff,
    interest: Interest,
    key: &Key,
) -> Result<fim_consumers::GenericDiff, Failure> {
    let mut config = GenericDiffConfig::new(interest.paths, key.clone());
    config.exclude = interest.exclude;
    config.exclude_regex = interest.exclude_regex;
    config.redact = redactor(diff)?;
    config.ignore_comments = diff.ignore_comments;
    config.ignore_blank = diff.ignore_blank;
    config.keep_text = diff.keep_text;
    config.limits.file_bytes = diff.max_file_size.0;
    config.limits.lines = diff.max_lines;
    config.root = root(plan);
    Ok(fim_consumers::GenericDiff::new(config))
}

fn users(plan: &Plan, key: &Key, sections: &[Section]) -> Option<Box<dyn Consumer>> {
    let section = plan.config.users.as_ref()?;
    let mut config = UsersConfig::new(key.clone());
    config.passwd.clone_from(&section.passwd);
    config.shadow.clone_from(&section.shadow);
    config.group.clone_from(&section.group);
    config.gshadow.clone_from(&section.gshadow);
    config.authorized_keys.clone_from(&section.authorized_keys);
    config.root = root(plan);
    let sshd = Path::new("/").join(&config.root).join(config.sshd_config.trim_start_matches('/'));
    let diffs = sections.iter().filter(|section| section.name == "generic_diff");
    let diffs = WatchSet::new(diffs.map(|section| section.interest.clone()).collect()).unwrap_or_default();
    config.overhear_sshd = diffs.owner(&sshd).is_some();
    Some(Box::new(Users::new(config)))
}
