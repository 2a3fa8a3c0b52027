//! What a configuration comes to: flags over file over defaults, absolute paths, and the interests to watch.

use super::load::Loaded;
use super::origin::Origin;
use super::{Config, ConfigError, Section};
use crate::args::Shared;
use fim_core::{Interest, WatchSet, escape};
use regex::bytes::Regex;
use std::path::{Component, Path, PathBuf};

/// A configuration ready to be acted on.
#[derive(Debug)]
pub struct Plan {
    /// The effective configuration.
    pub config: Config,
    /// Patterns of what to hide in arguments of processes.
    pub redact: Vec<Regex>,
    loaded: Loaded,
}

impl Plan {
    /// Puts the options over the file and checks all values.
    ///
    /// # Errors
    /// The first value that cannot be used.
    pub fn new(mut loaded: Loaded, options: &Shared) -> Result<Self, ConfigError> {
        let mut config = loaded.config.clone();
        let of_option = |what: String| ConfigError::new(what);
        let mut said = |key: &str, option| loaded.origins.set(key, Origin::Option(option));
        if let Some(state) = &options.state {
            config.state = PathBuf::from(state);
            said("state", "--state");
        }
        if let Some(root) = &options.root {
            config.root = PathBuf::from(root);
            said("root", "--root");
        }
        if let Some(watcher) = &options.watcher {
            config.watcher = watcher.parse().map_err(of_option)?;
            said("watcher", "--watcher");
        }
        if let Some(format) = &options.format {
            config.format = format.parse().map_err(of_option)?;
            said("format", "--format");
        }
        config.state = absolute(&config.state)?;
        config.root = absolute(&config.root)?;

        let mut plan = Self { redact: Vec::new(), config, loaded };
        plan.check()?;
        plan.check_reasons()?;
        Ok(plan)
    }

    fn check(&mut self) -> Result<(), ConfigError> {
        let config = &self.config;
        let absolute = config.paths().find(|path| !path.starts_with('/'));
        if let Some(path) = absolute {
            return Err(self.loaded.fault(path, format!("the path \"{path}\" is not absolute")));
        }
        let sections = config.generic.iter().map(|generic| &generic.paths);
        let sections = sections.chain(config.generic_diff.iter().map(|diff| &diff.paths));
        if sections.clone().any(Vec::is_empty) {
            return Err(self.loaded.fault("paths", "`paths` is empty: name at least one path"));
        }
        if config.access.as_ref().is_some_and(|access| access.fieldsep.is_empty()) {
            return Err(self.loaded.fault("fieldsep", "`fieldsep` is empty: no line would be a rule"));
        }
        for pattern in config.generic_diff.iter().flat_map(|diff| &diff.redact) {
            let regex = Regex::new(pattern).map_err(|error| self.bad_pattern(pattern, &error.to_string()))?;
            self.redact.push(regex);
        }
        // Homes come from the accounts, not from the configuration: no fault of it.
        if let Err(error) = WatchSet::new(self.watched(&[])) {
            let root = escape(&self.config.root.to_string_lossy());
            let written = error.pattern.strip_prefix(root.trim_end_matches('/'));
            return Err(self.bad_pattern(written.unwrap_or(&error.pattern), &error.reason));
        }
        Ok(())
    }

    /// An error about a value of the configuration, with the line it stands on.
    pub(super) fn fault(&self, value: &str, what: impl Into<String>) -> ConfigError {
        self.loaded.fault(value, what)
    }

    fn bad_pattern(&self, pattern: &str, reason: &str) -> ConfigError {
        let reason = reason.lines().last().unwrap_or(reason);
        self.loaded.fault(pattern, format!("cannot use the pattern \"{pattern}\": {reason}"))
    }

    /// The interests of the configuration, in order of precedence.
    pub fn watched(&self, homes: &[PathBuf]) -> Vec<Interest> {
        self.config.sections(homes).into_iter().map(|section| section.interest).collect()
    }

    /// Where a text value of a section stands, by the keys it may be a value of.
    pub fn place(&self, section: &Section, keys: &[&str], value: &str) -> Origin {
        for key in keys {
            let name = match section.index {
                Some(index) => format!("{}[{index}].{key}", section.name),
                None => format!("{}.{key}", section.name),
            };
            if let Origin::File(file, line) = self.loaded.origins.of(&name)
                && let Some(line) = self.loaded.line_behind(file, *line, value)
            {
                return Origin::File(file.clone(), line);
            }
        }
        match self.loaded.place(value) {
            Some((file, line)) => Origin::File(file.to_owned(), line),
            None => Origin::Default,
        }
    }

    /// The effective configuration as TOML, with where each value came from.
    ///
    /// # Errors
    /// When a value cannot be written as TOML.
    pub fn print(&self) -> Result<String, toml::ser::Error> {
        Ok(self.loaded.origins.annotate(&toml::to_string(&self.config)?))
    }
}

impl Config {
    /// Every path that must be absolute.
    fn paths(&self) -> impl Iterator<Item = &String> {
        let generic = self.generic.iter().flat_map(|generic| &generic.paths);
        let diff = self.generic_diff.iter().flat_map(|diff| &diff.paths);
        let access = self.access.iter().flat_map(|access| &access.paths);
        let users =
            self.users.iter().flat_map(|users| [&users.passwd, &users.shadow, &users.group, &users.gshadow]);
        generic.chain(diff).chain(access).chain(users)
    }
}

/// Interest in paths given as arguments.
///
/// # Errors
/// When the current directory is unknown.
pub fn arguments(paths: &[String]) -> Result<(Interest, Vec<PathBuf>), ConfigError> {
    let mut patterns = Vec::new();
    let mut plain = Vec::new();
    for path in paths {
        let path = absolute(Path::new(path))?;
        // A name, even one with a star in it: globs were the shell's to expand.
        patterns.push(escape(&path.to_string_lossy()));
        plain.push(path);
    }
    Ok((Interest::in_paths(patterns), plain))
}

/// Absolute, without `.` and `..`, and without following links: the name counts, not where it leads now.
fn absolute(path: &Path) -> Result<PathBuf, ConfigError> {
    let path = std::path::absolute(path)
        .map_err(|error| ConfigError::new(format!("cannot use the path \"{}\": {error}", path.display())))?;
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            part => clean.push(part),
        }
    }
    Ok(clean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    fn plan(text: &str, options: &Shared) -> Result<Plan, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("fim.toml");
        std::fs::write(&file, text).unwrap();
        Plan::new(load(Some(&file)).unwrap(), options)
    }

    #[test]
    fn flags_win_over_the_file() {
        let options = Shared {
            state: Some("/b".into()),
            watcher: Some("bpf".into()),
            format: Some("pretty".into()),
            root: Some("/r/../q/.".into()),
            ..Shared::default()
        };
        let config = plan("state='/a'\nwatcher='auto'\nroot='/'\n", &options).unwrap().config;
        assert_eq!(config.state, Path::new("/b"));
        assert_eq!(config.watcher.to_string(), "bpf");
        assert_eq!(config.format.to_string(), "pretty");
        assert_eq!(config.root, Path::new("/q"));
    }

    #[test]
    fn values_that_cannot_be_used() {
        for (text, said) in [
            ("[[generic]]\npaths = ['etc']", ":2: the path \"etc\" is not absolute"),
            ("[[generic]]\npaths = []", ":2: `paths` is empty"),
            ("[[generic]]\npaths = ['/']\nexclude_regex = ['(']", ":3: cannot use the pattern \"(\""),
            ("[access]\nfieldsep = ''", ":2: `fieldsep` is empty"),
            ("[[generic_diff]]\npaths = ['/']\nredact = ['(']", ":3: cannot use the pattern \"(\""),
        ] {
            let error = plan(text, &Shared::default()).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        for (watcher, format, said) in [
            (Some("kqueue"), None, "unknown watcher \"kqueue\"; it is one of auto, bpf, fanotify"),
            (None, Some("xml"), "unknown format \"xml\""),
        ] {
            let options = Shared {
                watcher: watcher.map(str::to_owned),
                format: format.map(str::to_owned),
                ..Shared::default()
            };
            let error = plan("", &options).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn every_section_is_watched_below_the_root() {
        let text = "root = '/r*'\n[users]\n[access]\n\
            [[generic_diff]]\npaths = ['/etc/sudoers']\n\
            [[generic]]\npaths = ['/etc', '/usr/**']\nexclude = ['**/*.swp', '/etc/x']\nhash = ['sha256']\n";
        let plan = plan(text, &Shared::default()).unwrap();
        let watched = plan.watched(&[PathBuf::from("/home/[b]ob")]);
        assert_eq!(watched.len(), 4);
        assert_eq!(watched[0].paths[0], "/r\\*/etc/security/access.conf");
        assert!(watched[1].paths.contains(&"/r\\*/home/\\[b]ob/.ssh/authorized_keys".to_owned()));
        assert_eq!(watched[3].paths, ["/r\\*/etc", "/r\\*/usr/**"]);
        assert_eq!(watched[3].exclude, ["**/*.swp", "/r\\*/etc/x"]);
        assert!(watched[3].need.sha256);
    }

    #[test]
    fn arguments_are_absolute_names() {
        let (interest, plain) = arguments(&["/w/./a*".into(), "/w/b/../c".into()]).unwrap();
        assert_eq!(interest.paths, ["/w/a\\*", "/w/c"]);
        assert_eq!(plain, [Path::new("/w/a*"), Path::new("/w/c")]);
        let (interest, _) = arguments(&["x".into()]).unwrap();
        assert!(interest.paths[0].starts_with('/') && interest.paths[0].ends_with("/x"));
    }
}
