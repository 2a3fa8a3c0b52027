//! Text files: which lines were added and removed, without the secrets in them.
//!
//! Of each file a redacted text is kept for the next comparison, with digests under the installation's key of
//! the lines that have a secret in them. What is no text, too large or a secret as a whole is told by hash and
//! metadata, as [`Generic`](crate::Generic) does. What is said is listed in `docs/events.md`.

mod compare;
mod ends;
mod ignore;
mod judge;
mod kept;
mod options;
mod reading;
mod shown;
mod text;
mod unified;

use crate::redact::Redactor;
use compare::Compared;
use fim_core::{Consumer, ConsumerError, Context, FileKind, Interest, Key, Snapshot};
use judge::Said;
use kept::{Held, Kept};
use options::Options;
use reading::{Reading, Rules};
use std::path::PathBuf;
use text::Text;

/// Which files, and how they are compared.
///
/// ```
/// use fim_consumers::redact::Redactor;
/// use fim_consumers::{GenericDiff, GenericDiffConfig};
/// use fim_core::Key;
///
/// let mut config = GenericDiffConfig::new(vec!["/etc/sudoers".into()], Key::new([7; 32]));
/// config.redact = Redactor::parse(&["(?i)token=(.*)"])?;
/// config.ignore_blank = true;
/// let consumer = GenericDiff::new(config);
/// # drop(consumer);
/// # Ok::<(), fim_core::PatternError>(())
/// ```
#[derive(Clone, Debug)]
pub struct GenericDiffConfig {
    /// As [`Interest::paths`].
    pub paths: Vec<String>,
    /// As [`Interest::exclude`].
    pub exclude: Vec<String>,
    /// As [`Interest::exclude_regex`].
    pub exclude_regex: Vec<String>,
    /// What to hide.
    pub redact: Redactor,
    /// Changes of nothing but comments are not shown: lines whose first sign is `#`, but for `#include`,
    /// `#includedir`, `#!` and users by number (`#1000 ALL=…`).
    pub ignore_comments: bool,
    /// Changes of nothing but blank lines are not shown.
    pub ignore_blank: bool,
    /// Keep the redacted text for the next comparison. Without it only keyed digests of lines are kept: added
    /// lines are shown all the same, removed ones are only counted.
    pub keep_text: bool,
    /// Bounds.
    pub limits: DiffLimits,
    /// Under which lines with a secret are compared.
    pub key: Key,
    /// Where the system's own directories are, if not at `/`.
    pub root: PathBuf,
}

impl GenericDiffConfig {
    /// These paths, everything else as usual.
    #[must_use]
    pub fn new(paths: Vec<String>, key: Key) -> Self {
        Self {
            paths,
            exclude: Vec::new(),
            exclude_regex: Vec::new(),
            redact: Redactor::default(),
            ignore_comments: false,
            ignore_blank: false,
            keep_text: true,
            limits: DiffLimits::default(),
            key,
            root: PathBuf::new(),
        }
    }
}

/// How much is compared and shown; what exceeds it is noted in the finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiffLimits {
    /// Larger files are compared by hash; in bytes, at most [`Self::MOST_FILE_BYTES`].
    pub file_bytes: u64,
    /// Longer diffs are cut; in lines.
    pub lines: usize,
    /// Longer diffs are cut; in bytes.
    pub bytes: usize,
    /// Longer lines are cut; in bytes.
    pub line_bytes: usize,
}

impl DiffLimits {
    /// No more than this is ever kept of a file.
    pub const MOST_FILE_BYTES: u64 = 4 << 20;
}

impl Default for DiffLimits {
    /// Files up to 1 MiB; diffs up to 1000 lines and 64 KiB; lines up to 2 KiB.
    fn default() -> Self {
        Self { file_bytes: 1 << 20, lines: 1000, bytes: 64 << 10, line_bytes: 2 << 10 }
    }
}

/// The consumer `generic_diff`.
///
/// ```
/// use fim_consumers::{GenericDiff, GenericDiffConfig};
/// use fim_core::{Consumer, Context, Facts, FileKind, Key, Snapshot};
///
/// let mut sshd = GenericDiff::new(GenericDiffConfig::new(vec!["/etc/ssh/sshd_config".into()], Key::new([7; 32])));
/// let facts = Facts::new(FileKind::File);
/// let look = |text: &[u8]| Snapshot::new("/etc/ssh/sshd_config", facts.clone(), Some(text.to_vec()));
/// let mut cx = Context::new(None, None);
/// sshd.inspect(&look(b"PermitRootLogin no\n"), &mut cx)?;
/// let kept = cx.into_answer().keep;
/// let mut cx = Context::new(Some(&facts), kept.as_deref());
/// sshd.inspect(&look(b"PermitRootLogin yes\n"), &mut cx)?;
/// let diff = cx.into_answer().diff.unwrap_or_default();
/// assert!(diff.contains("-PermitRootLogin no\n+PermitRootLogin yes"), "{diff}");
/// # Ok::<(), fim_core::ConsumerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct GenericDiff {
    interest: Interest,
    ignore: ignore::Ignore,
    keep_text: bool,
    limits: DiffLimits,
    rules: Rules,
    root: PathBuf,
}

impl GenericDiff {
    /// A consumer for these files.
    #[must_use]
    pub fn new(config: GenericDiffConfig) -> Self {
        let mut limits = config.limits;
        limits.file_bytes = limits.file_bytes.min(DiffLimits::MOST_FILE_BYTES);
        let mut interest =
            Interest::in_paths(config.paths).excluding(config.exclude).with_content(limits.file_bytes);
        interest.exclude_regex = config.exclude_regex;
        Self {
            interest,
            ignore: ignore::Ignore { comments: config.ignore_comments, blank: config.ignore_blank },
            keep_text: config.keep_text,
            limits,
            rules: Rules::new(config.key, config.redact),
            root: config.root,
        }
    }
}

impl Consumer for GenericDiff {
    fn name(&self) -> &'static str {
        "generic_diff"
    }

    fn interest(&self) -> Interest {
        self.interest.clone()
    }

    fn inspect(&mut self, file: &Snapshot, cx: &mut Context<'_>) -> Result<(), ConsumerError> {
        let now = self.rules.read(file, self.limits.file_bytes);
        let (before, damaged) = match self.before(cx) {
            Ok(before) => (before, Ok(())),
            Err(error) => (Before::Unknown, Err(error)),
        };
        let said = self.say(file, &before, &now, cx);
        judge::judge(file, &self.root, said, cx);
        if let Some(kept) = self.keep(before, &now, file.content.as_deref()) {
            cx.keep(kept);
        }
        damaged
    }
}

/// What a file is compared with.
enum Before {
    /// There was no file: all of it is new.
    Nothing,
    /// There was one, but nothing of it was kept.
    Unknown,
    Kept(Kept),
}

impl GenericDiff {
    fn before(&self, cx: &Context<'_>) -> Result<Before, ConsumerError> {
        if cx.before().is_none_or(|facts| facts.kind != FileKind::File) {
            return Ok(Before::Nothing);
        }
        let Some(kept) = cx.kept() else { return Ok(Before::Unknown) };
        match Kept::decode(kept) {
            Some(mut kept) => {
                self.rules.bring_up_to_date(&mut kept);
                Ok(Before::Kept(kept))
            }
            None => Err(ConsumerError("what was kept of its text is damaged; it is kept anew".to_owned())),
        }
    }

    fn say(&self, file: &Snapshot, before: &Before, now: &Reading, cx: &mut Context<'_>) -> Said {
        let mut said = Said::default();
        let empty = Text::default();
        let held = match before {
            Before::Nothing => None,
            Before::Unknown => return said.hiding(now.hides()),
            Before::Kept(kept) => Some(kept),
        };
        said = said.hiding(now.hides() || held.is_some_and(Kept::hides));
        let new = match now {
            Reading::Nothing => &empty,
            Reading::Text(text) => text,
            Reading::Without(why) => {
                if judge::content_moved(file, cx.before()) {
                    said.changes.push(why.change());
                    let is_for_good = matches!(why, kept::Why::Secret | kept::Why::Binary);
                    said.lost_sight = is_for_good && held.is_some_and(Kept::is_compared);
                }
                return said;
            }
        };
        let content = file.content.as_deref().unwrap_or_default();
        let compared = match held {
            None => Compared::texts(&empty, new, true),
            Some(kept) => match (&kept.held, self.rules.is_of_key(kept)) {
                (Held::Text(old), same_key) => Compared::texts(old, new, same_key),
                (Held::Lines(old), true) => Compared::lines(old, &self.rules.lines(content), new),
                (Held::Lines(_), false) => {
                    if judge::content_moved(file, cx.before()) {
                        said.changes.push(fim_core::Change::new("no_diff").of("why", "key_lost"));
                    }
                    return said;
                }
                (Held::Nothing(why), _) => {
                    if judge::content_moved(file, cx.before()) {
                        said.changes.extend(why.change_of_before());
                    }
                    return said;
                }
            },
        };
        if let Some(old) = held.map_or(Some(&empty), Kept::text) {
            let was = cx.renamed_from().unwrap_or(&file.path);
            said.options = Options::of((was, old), (&file.path, new));
        }
        said.stale = held.is_some_and(|kept| kept.stale);
        said.key_lost = held.is_some_and(|kept| !self.rules.is_of_key(kept) && kept.hides());
        let shown = unified::render(&compared, self.ignore, &self.limits);
        said.add(&compared, shown);
        said
    }

    /// What to keep; `None` leaves what is kept as it is.
    fn keep(&self, before: Before, now: &Reading, content: Option<&[u8]>) -> Option<Vec<u8>> {
        let held = match now {
            Reading::Nothing => Held::Nothing(kept::Why::NoFile),
            Reading::Text(_) if !self.keep_text => Held::Lines(self.rules.lines(content.unwrap_or_default())),
            Reading::Text(text) => Held::Text(text.clone()),
            // What was read earlier is better than nothing, if it is said that it is old.
            Reading::Without(why) if why.may_pass() => match before {
                Before::Kept(kept) if kept.is_compared() => {
                    return Some(Kept { stale: true, ..kept }.encode());
                }
                _ => Held::Nothing(*why),
            },
            Reading::Without(why) => Held::Nothing(*why),
        };
        Some(self.rules.kept(held).encode())
    }
}

#[cfg(test)]
mod tests;
