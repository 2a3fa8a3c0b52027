//! Reads the configuration file and says what is wrong with it: file, line, key, and what was meant.

use super::{Config, Format};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Read when no other is named; it may be missing.
pub const DEFAULT_FILE: &str = "/etc/fim/fim.toml";

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file, where the fault is in one.
    pub file: Option<PathBuf>,
    /// Its line, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong, and what to do.
    pub what: String,
}

impl ConfigError {
    /// A fault outside any file.
    pub fn new(what: impl Into<String>) -> Self {
        Self { file: None, line: None, what: what.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}:", file.display())?;
            if let Some(line) = self.line {
                write!(f, "{line}:")?;
            }
            f.write_str(" ")?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for ConfigError {}

/// A configuration and where it came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// The file, if there was one.
    pub file: Option<PathBuf>,
    text: String,
}

impl Loaded {
    /// An error about a value of the configuration, with the line it stands on.
    pub fn fault(&self, value: &str, what: impl Into<String>) -> ConfigError {
        ConfigError {
            line: self.file.as_ref().and_then(|_| line_with(&self.text, value)),
            file: self.file.clone(),
            what: what.into(),
        }
    }
}

/// Reads the named file, or the default one if there is one.
///
/// # Errors
/// When it cannot be read, or says what cannot be understood.
pub fn load(named: Option<&Path>) -> Result<Loaded, ConfigError> {
    let file = named.unwrap_or_else(|| Path::new(DEFAULT_FILE));
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == ErrorKind::NotFound => {
            return Ok(Loaded { config: Config::default().or_builtin(), file: None, text: String::new() });
        }
        Err(error) => {
            return Err(ConfigError {
                file: Some(file.to_owned()),
                line: None,
                what: format!("cannot read the configuration: {error}"),
            });
        }
    };
    let config =
        parse(&text).map_err(|(line, what)| ConfigError { file: Some(file.to_owned()), line, what })?;
    Ok(Loaded { config: config.or_builtin(), file: Some(file.to_owned()), text })
}

fn parse(text: &str) -> Result<Config, (Option<usize>, String)> {
    let config: Config = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_at(text, span.start));
        (line, explain(error.message()))
    })?;
    if !config.format.exists() {
        return Err((line_with(text, &config.format.to_string()), not_here(config.format)));
    }
    Ok(config)
}

/// Says that a format is known, but not made by this version.
pub fn not_here(format: Format) -> String {
    format!("the format \"{format}\" is not in this version; use \"json\" or \"pretty\"")
}

fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.iter().filter(|&&b| b == b'\n').count() + 1
}

/// The line on which a value stands, as a string of its own if there is one such.
fn line_with(text: &str, value: &str) -> Option<usize> {
    let find = |wanted: &str| {
        text.lines().position(|line| !line.trim_start().starts_with('#') && line.contains(wanted))
    };
    find(&format!("\"{value}\""))
        .or_else(|| find(&format!("'{value}'")))
        .or_else(|| find(value))
        .map(|index| index + 1)
}

/// Adds the nearest known word to the messages in which serde names an unknown one:
/// ``unknown field `a`, expected one of `b`, `c` ``.
fn explain(message: &str) -> String {
    let mut words = message.split('`').skip(1).step_by(2);
    let (Some(given), known) = (words.next(), words) else {
        return message.to_owned();
    };
    if let Some(of) = ["unknown field", "unknown variant"].iter().find(|start| message.starts_with(**start)) {
        let what = if *of == "unknown field" { "key" } else { "value" };
        let known: Vec<&str> = known.collect();
        let nearest = known
            .iter()
            .map(|word| (strsim::damerau_levenshtein(given, word), word))
            .min()
            .filter(|(distance, word)| *distance <= word.len().max(given.len()) / 2);
        return match nearest {
            Some((_, word)) => format!("unknown {what} `{given}`; did you mean `{word}`?"),
            None => format!("unknown {what} `{given}`; known here: {}", known.join(", ")),
        };
    }
    message.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Generic, Hash, Size, WatcherChoice};

    const WHOLE: &str = r#"
state   = "/s"
watcher = "fanotify"
format  = "pretty"
root    = "/r"

[limits]
max_file_size = "2 MiB"

[users]
passwd = "/etc/passwd"

[access]
paths = ["/etc/security/access.conf"]

[[generic]]
paths   = ["/etc", "/usr/local/bin/**"]
exclude = ["**/*.swp"]
exclude_regex = ["~$"]
hash    = ["blake3", "sha256"]

[[generic_diff]]
paths  = ["/etc/sudoers"]
redact = ['(?i)(password|secret|token)\s*=\s*(.*)']
"#;

    #[test]
    fn everything_and_back() {
        let config = parse(WHOLE).unwrap();
        assert_eq!(config.watcher, WatcherChoice::Fanotify);
        assert_eq!(config.limits.max_file_size, Size(2 << 20));
        assert_eq!(config.generic[0].hash, [Hash::Blake3, Hash::Sha256]);
        assert_eq!(config.users.as_ref().unwrap().shadow, "/etc/shadow");
        let printed = toml::to_string(&config).unwrap();
        assert_eq!(parse(&printed).unwrap(), config, "{printed}");
    }

    #[test]
    fn nothing_said_is_the_default() {
        let config = parse("").unwrap().or_builtin();
        assert_eq!(config.generic, [Generic { paths: vec!["/etc".into()], ..Generic::default() }]);
        let printed = toml::to_string(&config).unwrap();
        assert_eq!(parse(&printed).unwrap(), config, "{printed}");
        assert_eq!(parse("[access]\n").unwrap().or_builtin().generic, []);
    }

    #[test]
    fn faults_name_the_line_and_the_nearest_key() {
        for (text, line, said) in [
            ("stat = '/s'\n", 1, "unknown key `stat`; did you mean `state`?"),
            ("\n[[generic]]\npath = ['/etc']\n", 3, "unknown key `path`; did you mean `paths`?"),
            ("[limits]\nfrobnicate = 1\n", 2, "known here: max_file_size"),
            ("\nwatcher = 'bfp'\n", 2, "did you mean `bpf`?"),
            ("[[generic]]\nexclude = []\n", 1, "missing field `paths`"),
            ("[[generic]]\npaths = '/etc'\n", 2, "expected a sequence"),
            ("[limits]\nmax_file_size = 'big'\n", 2, "is no size"),
            ("[limits]\nmax_file_size = -1\n", 2, "never negative"),
            ("state = \n", 1, "value"),
            ("\n\nformat = 'ocsf'\n", 3, "not in this version"),
            ("state = '/a'\nstate = '/b'\n", 2, "duplicate key"),
            ("[[generic]]\npaths = ['/a']\nhash = ['md5']", 3, "unknown value `md5`"),
        ] {
            let (at, what) = parse(text).unwrap_err();
            assert!(what.contains(said), "{text}: {what}");
            assert_eq!(at, Some(line), "{text}: {what}");
        }
    }

    #[test]
    fn a_missing_file_matters_only_when_named() {
        let missing = Path::new("/nonexistent/fim.toml");
        let error = load(Some(missing)).unwrap_err().to_string();
        assert!(error.starts_with("/nonexistent/fim.toml: cannot read"), "{error}");
    }
}
