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
mod reasons;
#[cfg(test)]
mod reference;
mod section;
mod size;
mod span;
mod watched;

pub use load::{ConfigError, load};
pub use metrics::{Graphite, Metrics, Role};
pub use plan::Plan;
pub use reasons::{Maintenance, Packages, Writer};
pub use section::{ARGUMENTS, Section};
pub use size::Size;
pub use span::Span;
pub use watched::{Access, Generic, GenericDiff, Hash, Users};

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// A commented file with every default.
pub const DEFAULT: &str = include_str!("config/default.toml");

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder in which the state is kept. Also `--state`. Not below `root`.
    pub state: PathBuf,
    /// How to watch. The watcher chosen, and why, is reported on standard error and in `watch_started`. Also
    /// `--watcher`.
    pub watcher: WatcherChoice,
    /// Output format. Also `--format`.
    pub format: Format,
    /// Prefix of every configured path; account names of files are read from `etc/passwd` and `etc/group`
    /// below it, and absolute links below it lead from there. Also `--root`.
    pub root: PathBuf,
    /// Bounds.
    pub limits: Limits,
    /// When everything is looked at again.
    pub scan: Scan,
    /// Where metrics go.
    pub metrics: Metrics,
    /// How lines prove that they are whole.
    pub evidence: Evidence,
    /// What the process may do.
    pub process: Process,
    /// What goes on while no agent runs.
    pub pins: Pins,
    /// Whether changes are checked against the package manager's database.
    pub packages: Packages,
    /// When changes are expected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maintenance: Vec<Maintenance>,
    /// Who is expected to make changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub writer: Vec<Writer>,
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
            process: Process::default(),
            pins: Pins::default(),
            packages: Packages::default(),
            maintenance: Vec::new(),
            writer: Vec::new(),
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Larger files are not hashed: changes of their metadata are reported with `fim.hash_state: too_big`.
    /// A number of bytes, or like `"64 MiB"` or `"1GB"`.
    pub max_file_size: Size,
    /// Buffer for records from the kernel to the BPF watcher, allocated at the start. If it is full, a gap is
    /// reported and made up for by looking at every file that is marked dirty.
    pub ring_bytes: Size,
    /// How many files and directories the BPF watcher has room for, at least: about 90 bytes of kernel memory
    /// each, allocated at the start. If twice the number present is more, that is used.
    pub watch_room: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_file_size: Size(1 << 30), ring_bytes: Size(8 << 20), watch_room: 131_072 }
    }
}

/// `[scan]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Scan {
    /// Names, sizes, owners, modes and clocks of everything watched.
    pub metadata_every: Span,
    /// Every byte, read from the disk where the page cache can be dropped (what is mapped or dirty stays in
    /// it). The time counts across restarts.
    pub full_every: Span,
    /// Names and metadata on NFS, CIFS, FUSE, 9p and other file systems that can be changed from outside this
    /// kernel: `watch_started` and `doctor` name the watched directories on them.
    pub remote_every: Span,
    /// Limit for all scans together; 0 is no limit.
    pub files_per_second: u32,
    /// Limit on the bytes read from files; 0 is no limit.
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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Evidence {
    /// Seal the chain of lines ([events.md](events.md#the-chain)) with the key of this installation, `key` in
    /// the state folder. Then only a holder of that key can make lines that pass `fim verify`, or verify
    /// them: `fim verify --key FILE`.
    pub keyed: bool,
    /// Sign the chain (Ed25519) with `signing-key` in the state folder, made at the first start and
    /// accessible to its user alone. `fim verify --public-key signing-key.pub` (a copy of the file beside it,
    /// or its 64 digits) verifies that on another machine, where nobody can make such lines.
    pub sign: bool,
    /// The first line this long after the last signature is signed; with `0` each line is, at about 20 µs and
    /// 142 bytes. `watch_started` and `watch_stopped` are always signed. Lines after the last signature are
    /// protected by the chain alone.
    pub sign_every: Span,
}

impl Default for Evidence {
    fn default() -> Self {
        Self { keyed: false, sign: false, sign_every: Span(Duration::from_secs(60)) }
    }
}

/// `[process]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Process {
    /// Once started, `fim run` gives up what it does not need
    /// ([security.md](security.md#what-it-may-still-do)): capabilities, starting programs, writing anywhere
    /// but in the state folder and the folder of `textfile` in `[metrics]`. `fim doctor` shows how much of
    /// this works on this machine. Switch it off to trace the agent, or where the state is on a file system
    /// that moves away under it.
    pub confine: bool,
    /// `fim run` watches over itself and reports `tampering`
    /// ([events.md](events.md#lines-about-the-watch)): changes of its program, its configuration, its unit
    /// and drop-ins (`fim.service`, or the unit it runs in if that name begins with `fim`), or its state
    /// folder; that it was stopped or frozen; that the clock was set.
    pub guard: bool,
}

impl Default for Process {
    fn default() -> Self {
        Self { confine: true, guard: true }
    }
}

/// `[pins]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Pins {
    /// With BPF: pin programs and maps on the BPF file system, in `/sys/fs/bpf/fim/` under a digest of the
    /// state folder's path. They keep marking while the agent restarts, is upgraded, or has crashed; the
    /// next start reports what was changed in the meantime, and by whom
    /// ([events.md](events.md#between-two-watches)).
    pub enabled: bool,
}

/// Declares a choice among words that is read alike from an option and from the configuration.
macro_rules! words {
    ($(#[$($meta:tt)*])* $name:ident, $what:literal { $($(#[$($variant_meta:tt)*])* $variant:ident = $word:literal,)* }) => {
        $(#[$($meta)*])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// How to watch.
    WatcherChoice, "watcher" {
        /// BPF where it can be attached, else fanotify.
        Auto = "auto",
        /// BPF or nothing.
        Bpf = "bpf",
        /// fanotify or nothing.
        Fanotify = "fanotify",
    }
}

words! {
    /// Output format.
    Format, "format" {
        /// The Elastic Common Schema, one JSON object a line: see [events.md](events.md).
        Json = "json",
        /// For people; its form may change.
        Pretty = "pretty",
        /// The Open Cybersecurity Schema Framework.
        Ocsf = "ocsf",
        /// As bpfink prints, see [from-bpfink.md](from-bpfink.md).
        Bpfink = "bpfink",
    }
}
