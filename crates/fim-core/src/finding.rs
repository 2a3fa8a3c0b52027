//! What the engine reports: changes, and the records by which a reader knows that nothing is missing.
//!
//! Neutral: no output format, no names of users. Formats are made of these at the edge.

use crate::event::{Actor, Via};
use crate::explain::Explanation;
use crate::facts::{Facts, HashState};
use crate::guard::Tampering;
use crate::watcher::Coverage;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// A name that was not there.
    Created,
    /// Other content under the same name.
    Updated,
    /// The name is gone.
    Deleted,
    /// The same file under another name.
    Moved,
    /// The same content with other mode, owner, attributes or flags.
    AttributesModified,
}

impl Action {
    /// The word for it in `event.action`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
            Self::Moved => "moved",
            Self::AttributesModified => "attributes_modified",
        }
    }
}

/// How much it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// 10: happens every day.
    Routine,
    /// 40: worth a look.
    #[default]
    Notable,
    /// 70: someone should look soon.
    High,
    /// 90: someone should look now.
    Critical,
}

impl Severity {
    /// The number in `event.severity`.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Routine => 10,
            Self::Notable => 40,
            Self::High => 70,
            Self::Critical => 90,
        }
    }
}

/// How the change came to light.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Detected {
    /// By an event, as it happened.
    Live,
    /// At the start: it happened while nothing ran.
    Startup,
    /// By comparing.
    Scan,
}

impl Detected {
    /// The word for it in `fim.detected`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Startup => "startup",
            Self::Scan => "scan",
        }
    }
}

/// A value in a [`Change`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// Nothing: it was not there.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
    /// Several.
    List(Vec<Self>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(i64::from(number))
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One thing that changed, in the consumer's own terms:
/// `{"what":"uid","user":"bob","before":1000,"after":0}`.
///
/// ```
/// use fim_core::{Change, Value};
///
/// let change = Change::from_to("uid", 1000_u32, 0_u32).of("user", "bob");
/// assert_eq!(change.of, [("user".to_owned(), Value::from("bob"))]);
/// assert_eq!(change.after, Some(Value::Number(0)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What changed: `mode`, `uid`, `key_added`, …
    pub what: String,
    /// Of what: further names and values, in the order they are printed.
    pub of: Vec<(String, Value)>,
    /// Before; absent where the word says it all.
    pub before: Option<Value>,
    /// After.
    pub after: Option<Value>,
}

impl Change {
    /// A change that needs no values: `touched`.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), of: Vec::new(), before: None, after: None }
    }

    /// A change from one value to another.
    #[must_use]
    pub fn from_to(what: impl Into<String>, before: impl Into<Value>, after: impl Into<Value>) -> Self {
        Self { what: what.into(), of: Vec::new(), before: Some(before.into()), after: Some(after.into()) }
    }

    /// Says of what: `.of("user", "bob")`.
    #[must_use]
    pub fn of(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.of.push((name.into(), value.into()));
        self
    }
}

/// A change of one file.
///
/// ```
/// use fim_core::{Action, Finding, Severity};
/// use std::time::SystemTime;
///
/// // The engine makes them; a test of a sink makes its own.
/// let mut finding = Finding::new(Action::Updated, "generic", "/etc/hosts", SystemTime::UNIX_EPOCH);
/// finding.severity = Severity::High;
/// assert_eq!((finding.action.as_str(), finding.severity.number()), ("updated", 70));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What happened.
    pub action: Action,
    /// Which consumer speaks.
    pub consumer: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// How it came to light.
    pub detected: Detected,
    /// The file, by its path now (or its last, if it is gone).
    pub path: PathBuf,
    /// Where it was before, if it was moved.
    pub previous_path: Option<PathBuf>,
    /// Where it went, if it was moved out of the watched paths to a known place.
    pub moved_to: Option<PathBuf>,
    /// By what kind of call.
    pub via: Option<Via>,
    /// The look before.
    pub before: Option<Facts>,
    /// The look now.
    pub after: Option<Facts>,
    /// How far the hash can be trusted.
    pub hash_state: HashState,
    /// What changed.
    pub changes: Vec<Change>,
    /// Line diff, where a consumer makes one.
    pub diff: Option<String>,
    /// What led to it, where that is known.
    pub explained_by: Option<Explanation>,
    /// Every process that had a hand in it, in order, the last one last.
    pub actors: Vec<Arc<Actor>>,
    /// How many calls it stands for, where they were counted.
    pub writes: u64,
    /// When it was marked.
    pub at: SystemTime,
    /// Stable digest of file identity, before and after: equal for a repeat of the same report.
    pub id: [u8; 16],
}

impl Finding {
    /// A change of which only the kind, the reporting consumer, the place and the time are known.
    #[must_use]
    pub fn new(action: Action, consumer: &'static str, path: impl Into<PathBuf>, at: SystemTime) -> Self {
        Self {
            action,
            consumer,
            severity: Severity::default(),
            detected: Detected::Live,
            path: path.into(),
            previous_path: None,
            moved_to: None,
            via: None,
            before: None,
            after: None,
            hash_state: HashState::Stable,
            changes: Vec::new(),
            diff: None,
            explained_by: None,
            actors: Vec::new(),
            writes: 0,
            at,
            id: [0; 16],
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Record {
    /// A file changed.
    Change(Box<Finding>),
    /// The baseline is stored and every watch is armed.
    WatchStarted(Started),
    /// The watch has ended normally.
    WatchStopped(Stopped),
    /// The watch continues with another configuration, or one was refused.
    ConfigReloaded(Reloaded),
    /// Something may have been missed.
    CoverageGap(Gap),
    /// The gap was compared, and this was found.
    GapClosed(Gap),
    /// The earlier state is lost: what changed since is not known.
    BaselineLost(BaselineLost),
    /// Something was done to the watch itself, or to what it depends on.
    Tampering(Tampering),
}

/// What a watch started with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Started {
    /// The watcher.
    pub watcher: String,
    /// What it sees.
    pub coverage: Coverage,
    /// Chosen hooks and reasons.
    pub notes: Vec<String>,
    /// Files watched.
    pub files: u64,
    /// Directories watched.
    pub dirs: u64,
    /// Whether this start made the first baseline.
    pub first_baseline: bool,
    /// The last moment at which a watch of this state is known to have run. Nothing watched from then (or up to
    /// a minute later) until this start; what changed meanwhile was found by comparing. `None` at the first
    /// start, and where the kernel went on marking.
    pub unwatched_since: Option<SystemTime>,
}

/// What another configuration came to while the watch ran.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloaded {
    /// Why it cannot be used: the old one holds, and nothing else is said.
    pub refused: Option<String>,
    /// Patterns watched now that were not, the first of them.
    pub gained: Vec<String>,
    /// How many there are.
    pub gained_count: u64,
    /// Patterns not watched any more, the first of them.
    pub lost: Vec<String>,
    /// How many there are.
    pub lost_count: u64,
    /// Files watched now.
    pub files: u64,
    /// Directories watched now.
    pub dirs: u64,
    /// Files nobody looked at before: recorded as they are, as trusted.
    pub learned: u64,
    /// What takes a restart, and other words for people.
    pub notes: Vec<String>,
}

/// What a watch ended with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// Events received.
    pub events: u64,
    /// Looks taken.
    pub looks: u64,
    /// Changes reported.
    pub findings: u64,
    /// Findings by consumer.
    pub by_consumer: BTreeMap<&'static str, u64>,
    /// Records lost.
    pub lost: u64,
    /// Gaps opened; all closed unless the record says otherwise.
    pub gaps: u64,
    /// Gaps still open.
    pub gaps_open: u64,
}

/// A span in which something may have been missed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// Number of the gap in this watch.
    pub id: u64,
    /// Why: `ring_full`, `queue_overflow`, `marks_full`, `unmarkable`, `unreadable`, `state_unwritable`, …
    pub cause: String,
    /// What it concerns: a path, or `all`.
    pub scope: String,
    /// Records lost, where they were counted.
    pub lost: u64,
    /// When closed: how many changes comparing brought to light.
    pub found: u64,
}

/// What is known of a lost baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BaselineLost {
    /// Why.
    pub reason: String,
    /// Where the damaged state was set aside.
    pub set_aside: Option<PathBuf>,
    /// What it concerns: a path, or `all`.
    pub scope: String,
}

/// A record with its number and time.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Of a watch: goes on across restarts, without holes. Of a check or a baseline: from 1.
    pub sequence: u64,
    /// When it was reported.
    pub created: SystemTime,
    /// What is reported.
    pub record: Record,
}
