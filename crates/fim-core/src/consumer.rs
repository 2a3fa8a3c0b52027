//! The trait by which a change gets its meaning.
//!
//! A consumer is given one look at one file and what it kept from the look before. It does no I/O of its own,
//! so that it can be tested with a made-up file.

use crate::facts::Facts;
use crate::finding::{Change, Severity};
use crate::snapshot::Snapshot;
use crate::watch_set::Interest;
use std::fmt;
use std::path::Path;

/// Says what changes of certain files mean.
///
/// ```
/// use fim_core::{Change, Consumer, ConsumerError, Context, Facts, FileKind, Interest, Snapshot};
///
/// /// Says when a file grows.
/// struct Growth;
///
/// impl Consumer for Growth {
///     fn name(&self) -> &'static str {
///         "growth"
///     }
///
///     fn interest(&self) -> Interest {
///         Interest::in_paths(["/var/log"])
///     }
///
///     fn inspect(&mut self, file: &Snapshot, cx: &mut Context<'_>) -> Result<(), ConsumerError> {
///         if let (Some(before), Some(after)) = (cx.before(), &file.facts)
///             && after.size > before.size
///         {
///             cx.change(Change::from_to("size", before.size, after.size));
///         }
///         Ok(())
///     }
/// }
///
/// // No engine and no file is needed to try it.
/// let (mut before, mut after) = (Facts::new(FileKind::File), Facts::new(FileKind::File));
/// (before.size, after.size) = (3, 5);
/// let mut cx = Context::new(Some(&before), None);
/// Growth.inspect(&Snapshot::new("/var/log/x", after, None), &mut cx)?;
/// assert_eq!(cx.into_answer().changes, [Change::from_to("size", 3_u64, 5_u64)]);
/// # Ok::<(), ConsumerError>(())
/// ```
pub trait Consumer: Send {
    /// Its name in `event.dataset` and `fim.consumer`; also the name its state is kept under.
    fn name(&self) -> &'static str;

    /// Which paths it wants, and what of them. Asked again whenever [`Context::watch_anew`] was called, and
    /// once everything that was kept has been [recalled](Self::recall).
    fn interest(&self) -> Interest;

    /// Whether the name of a file is part of what it means, as with keys that let in whose home they are in: a file that
    /// was renamed from one of its names to another is gone there and new here, and both are reported with the rename.
    fn goes_by_name(&self) -> bool {
        false
    }

    /// Whether it ever [keeps](Context::keep) anything. One that does not need not be asked of files that are as they were,
    /// which are nearly all of them whenever everything is compared.
    fn keeps(&self) -> bool {
        true
    }

    /// Called with a look at a file that belongs to another consumer, because this one [asked for
    /// it](Interest::overhears). What it adds is not reported; [`Context::watch_anew`] counts.
    fn overhear(&mut self, file: &Snapshot, cx: &mut Context<'_>) {
        let _ = (file, cx);
    }

    /// Called at the start with what it kept of a file, by the name it asked for it, before anything is
    /// compared: so that what it knows of several files together is there when it is needed.
    fn recall(&mut self, path: &Path, kept: &[u8]) {
        let _ = (path, kept);
    }

    /// Compares a look with what was kept of the one before, and says what changed. Called when the file
    /// is first seen, when it changed, and when it is gone.
    ///
    /// A new file has no [`Context::before`]: all of it is new. (A baseline calls so too, and drops what is
    /// said.) A file that was there but of which this consumer kept nothing yet cannot be compared: say
    /// nothing, keep what the next comparison needs.
    ///
    /// # Errors
    /// What it could not make sense of; reported with the finding, which is printed all the same.
    fn inspect(&mut self, file: &Snapshot, cx: &mut Context<'_>) -> Result<(), ConsumerError>;
}

/// What an inspection knows and what it says.
///
/// ```
/// use fim_core::{Context, Severity};
///
/// let mut cx = Context::new(None, Some(b"what was kept of the look before"));
/// assert_eq!(cx.kept(), Some(&b"what was kept of the look before"[..]));
/// cx.severity(Severity::High);
/// cx.keep(b"what the next comparison needs".to_vec());
/// assert_eq!(cx.into_answer().severity, Some(Severity::High));
/// ```
#[derive(Debug)]
pub struct Context<'a> {
    before: Option<&'a Facts>,
    kept: Option<&'a [u8]>,
    renamed_from: Option<&'a Path>,
    answer: Answer,
}

/// What a consumer said of one look.
#[derive(Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// What changed.
    pub changes: Vec<Change>,
    /// How much it matters; Notable if none.
    pub severity: Option<Severity>,
    /// Line diff.
    pub diff: Option<String>,
    /// What to keep for the next look; `None` leaves it as it was.
    pub keep: Option<Vec<u8>>,
    /// Its interest is another now.
    pub watch_anew: bool,
}

impl<'a> Context<'a> {
    /// The context of a look: the facts before and what the consumer kept then.
    #[must_use]
    pub fn new(before: Option<&'a Facts>, kept: Option<&'a [u8]>) -> Self {
        Self { before, kept, renamed_from: None, answer: Answer::default() }
    }

    /// The file had this name before.
    #[must_use]
    pub const fn renamed(mut self, from: &'a Path) -> Self {
        self.renamed_from = Some(from);
        self
    }

    /// The look before; `None` if the file was not there.
    #[must_use]
    pub const fn before(&self) -> Option<&'a Facts> {
        self.before
    }

    /// The name it had before, if it was renamed to the one it has.
    #[must_use]
    pub const fn renamed_from(&self) -> Option<&'a Path> {
        self.renamed_from
    }

    /// What this consumer kept of the look before.
    #[must_use]
    pub const fn kept(&self) -> Option<&'a [u8]> {
        self.kept
    }

    /// Says that something changed.
    pub fn change(&mut self, change: Change) {
        self.answer.changes.push(change);
    }

    /// The severity of the finding: the highest said; Notable if none.
    pub fn severity(&mut self, severity: Severity) {
        self.answer.severity = self.answer.severity.max(Some(severity));
    }

    /// Adds a line diff to the finding.
    pub fn diff(&mut self, diff: String) {
        self.answer.diff = Some(diff);
    }

    /// Keeps bytes for the next look at this file.
    pub fn keep(&mut self, bytes: Vec<u8>) {
        self.answer.keep = Some(bytes);
    }

    /// Says that [`Consumer::interest`] has another answer now: what it newly names is watched and looked at
    /// next, and what is found there is reported.
    pub fn watch_anew(&mut self) {
        self.answer.watch_anew = true;
    }

    /// Ends the inspection.
    #[must_use]
    pub fn into_answer(self) -> Answer {
        self.answer
    }
}

/// What a consumer could not make sense of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerError(pub String);

impl From<&str> for ConsumerError {
    fn from(what: &str) -> Self {
        Self(what.to_owned())
    }
}

impl From<String> for ConsumerError {
    fn from(what: String) -> Self {
        Self(what)
    }
}

impl fmt::Display for ConsumerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConsumerError {}
