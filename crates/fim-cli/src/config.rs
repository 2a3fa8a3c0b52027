//! The configuration: what can be said in it, and what holds when nothing is said.
//!
//! Reading it is in [`mod@load`], what it comes to is in [`plan`]. Knows nothing of arguments or watching.

pub mod difference;
pub mod from_bpfink;
mod layers;
pub mod load;
mod metrics;
pub mod origin;
pub mod plan;
mod section;
mod size;
mod span;

pub use load::{ConfigError, load};
pub use metrics::{Graphite, Metrics, Role};
pub use plan::Plan;
pub use section::Section;
pub use size::Size;
pub use span::Span;

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A commented file with every default.
pub const DEFAULT: &str = include_str!("config/default.toml");

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder the state is kept in.
    pub state: PathBuf,
    /// By what means to watch.
    pub watcher: WatcherChoice,
    /// In what form to report.
    pub format: Format,
    /// Prefix of every configured path.
    pub root: PathBuf,
    /// Bounds.
    pub limits: Limits,
    /// When everything is looked at again.
    pub scan: Scan,
    /// Where metrics go.
    pub metrics: Metrics,
    /// How lines prove that they are whole.
    pub evidence: Evidence,
    /// Accounts and keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<Users>,
    /// Access rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// Files of which lines are compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub generic_diff: Vec<GenericDiff>,
    /// Files of which hashes and metadata are compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub generic: Vec<Generic>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            state: PathBuf::from("/var/lib/fim"),
            watcher: WatcherChoice::Auto,
            format: Format::Json,
            root: PathBuf::from("/"),
            limits: Limits::default(),
            scan: Scan::default(),
            metrics: Metrics::default(),
            evidence: Evidence::default(),
            users: None,
            access: None,
            generic_diff: Vec::new(),
            generic: Vec::new(),
        }
    }
}

impl Config {
    /// Gives a configuration that names nothing to watch the built-in answer: accounts, access rules, `/etc`.
    pub fn or_builtin(mut self) -> Self {
        let names_nothing = self.users.is_none()
            && self.access.is_none()
            && self.generic_diff.is_empty()
            && self.generic.is_empty();
        if names_nothing {
            self.users = Some(Users::default());
            self.access = Some(Access::default());
            self.generic.push(Generic { paths: vec!["/etc".to_owned()], ..Generic::default() });
        }
        self
    }
}

/// `[limits]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Larger files are not hashed.
    pub max_file_size: Size,
    /// Room for records between the kernel and the BPF watcher.
    pub ring_bytes: Size,
    /// Files and directories the BPF watcher has room for at least; more if more are there at the start.
    pub watch_room: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_file_size: Size(1 << 30), ring_bytes: Size(8 << 20), watch_room: 131_072 }
    }
}

/// `[scan]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scan {
    /// Between two scans of the metadata.
    pub metadata_every: Span,
    /// Between two scans that read every byte.
    pub full_every: Span,
    /// Between two scans of remote file systems.
    pub remote_every: Span,
    /// Files looked at in a second.
    pub files_per_second: u32,
    /// Bytes read in a second.
    pub bytes_per_second: Size,
}

impl Default for Scan {
    fn default() -> Self {
        let scan = fim_core::Scan::default();
        Self {
            metadata_every: Span(scan.metadata_every),
            full_every: Span(scan.full_every),
            remote_every: Span(scan.remote_every),
            files_per_second: scan.files_per_second,
            bytes_per_second: Size(scan.bytes_per_second),
        }
    }
}

impl fmt::Display for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let every = [
            ("metadata", self.metadata_every),
            ("every byte", self.full_every),
            ("remote file systems", self.remote_every),
        ];
        for (what, span) in every {
            if span.0.is_zero() {
                write!(f, "{what} never, ")?;
            } else {
                write!(f, "{what} each {span}, ")?;
            }
        }
        write!(f, "at {} files and {} a second", self.files_per_second, self.bytes_per_second)
    }
}

/// `[evidence]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Evidence {
    /// Lines are sealed under the key of this installation.
    pub keyed: bool,
}

/// `[users]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Users {
    /// The account file.
    pub passwd: String,
    /// Its secrets.
    pub shadow: String,
    /// The group file.
    pub group: String,
    /// Its secrets.
    pub gshadow: String,
    /// Key files: relative ones are below each home.
    pub authorized_keys: Vec<String>,
}

impl Default for Users {
    fn default() -> Self {
        Self {
            passwd: "/etc/passwd".to_owned(),
            shadow: "/etc/shadow".to_owned(),
            group: "/etc/group".to_owned(),
            gshadow: "/etc/gshadow".to_owned(),
            authorized_keys: vec![".ssh/authorized_keys".to_owned(), ".ssh/authorized_keys2".to_owned()],
        }
    }
}

/// `[access]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Access {
    /// Files and globs.
    pub paths: Vec<String>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            paths: vec!["/etc/security/access.conf".to_owned(), "/etc/security/access.d/*.conf".to_owned()],
        }
    }
}

/// One `[[generic]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Generic {
    /// Files, folders and globs.
    pub paths: Vec<String>,
    /// Globs to leave out.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Regular expressions to leave out.
    #[serde(default)]
    pub exclude_regex: Vec<String>,
    /// Hashes to compute: BLAKE3 in any case.
    #[serde(default = "blake3")]
    pub hash: Vec<Hash>,
}

impl Default for Generic {
    fn default() -> Self {
        Self { paths: Vec::new(), exclude: Vec::new(), exclude_regex: Vec::new(), hash: blake3() }
    }
}

fn blake3() -> Vec<Hash> {
    vec![Hash::Blake3]
}

/// One `[[generic_diff]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GenericDiff {
    /// Files, folders and globs.
    pub paths: Vec<String>,
    /// Globs to leave out.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Regular expressions to leave out.
    #[serde(default)]
    pub exclude_regex: Vec<String>,
    /// What to hide: the last group of each expression, or the whole match if it has none.
    #[serde(default)]
    pub redact: Vec<String>,
    /// Leave out changes of nothing but comments.
    #[serde(default)]
    pub ignore_comments: bool,
    /// Leave out changes of nothing but blank lines.
    #[serde(default)]
    pub ignore_blank: bool,
    /// Keep the redacted text for the next comparison.
    #[serde(default = "yes")]
    pub keep_text: bool,
    /// Larger files are told by their hash.
    #[serde(default = "one_mebibyte")]
    pub max_file_size: Size,
    /// Longer diffs are cut.
    #[serde(default = "thousand")]
    pub max_lines: usize,
}

const fn yes() -> bool {
    true
}

const fn one_mebibyte() -> Size {
    Size(1 << 20)
}

const fn thousand() -> usize {
    1000
}

/// A hash that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Hash {
    /// BLAKE3.
    Blake3,
    /// SHA-256.
    Sha256,
}

/// Declares a choice among words that is read alike from an option and from the configuration.
macro_rules! words {
    ($(#[$($meta:tt)*])* $name:ident, $what:literal { $($(#[$($variant_meta:tt)*])* $variant:ident = $word:literal,)* }) => {
        $(#[$($meta)*])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
        pub enum $name {
            $($(#[$($variant_meta)*])* #[serde(rename = $word)] $variant,)*
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word,)* })
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(format!(
                        "unknown {} \"{word}\"; it is one of {}", $what, [$($word),*].join(", ")
                    )),
                }
            }
        }
    };
}

words! {
    /// By what means to watch.
    WatcherChoice, "watcher" {
        /// BPF where it attaches, else fanotify.
        Auto = "auto",
        /// BPF or nothing.
        Bpf = "bpf",
        /// fanotify or nothing.
        Fanotify = "fanotify",
    }
}

words! {
    /// In what form to report.
    Format, "format" {
        /// Elastic Common Schema, one JSON object a line.
        Json = "json",
        /// One line for people.
        Pretty = "pretty",
        /// Open Cybersecurity Schema Framework.
        Ocsf = "ocsf",
        /// As bpfink prints.
        Bpfink = "bpfink",
    }
}
