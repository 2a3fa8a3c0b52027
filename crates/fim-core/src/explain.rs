//! The trait by which a change is tied to what led to it: a package that was installed, a window that was
//! announced, a writer that is trusted.
//!
//! An explainer hides nothing and decides nothing about a file: its word is added to the finding. It knows
//! nothing of events, stores or formats.

use crate::event::Actor;
use crate::facts::Facts;
use crate::finding::{Change, Detected, Severity};
use crate::watch_set::Checksum;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// Says what led to a change, where it knows.
///
/// ```
/// use fim_core::{Checksum, Checksums, Explainer, Explanation, Reason, Sight};
/// use std::path::Path;
///
/// /// Knows what a deployment laid down.
/// struct Deployed(Vec<Vec<u8>>);
///
/// impl Explainer for Deployed {
///     fn explain(&mut self, _: &Sight<'_>, checksums: &mut dyn Checksums) -> Reason {
///         match checksums.of_content(Checksum::Sha256) {
///             Some(digest) if self.0.contains(&digest) => {
///                 let of = vec![("name", "release 7".to_owned())];
///                 Reason::known(Explanation { by: "deployment", of, lowers: true })
///             }
///             _ => Reason::default(),
///         }
///     }
/// }
///
/// // The engine has checksums of the files it looks at; these are made up.
/// struct Made(Vec<u8>);
///
/// impl Checksums for Made {
///     fn of_content(&mut self, _: Checksum) -> Option<Vec<u8>> {
///         Some(self.0.clone())
///     }
/// }
///
/// let mut deployed = Deployed(vec![vec![7; 32]]);
/// let change = Sight::new(Path::new("/srv/app"), None, None);
/// assert!(deployed.explain(&change, &mut Made(vec![7; 32])).explanation.is_some());
/// assert!(deployed.explain(&change, &mut Made(vec![8; 32])).explanation.is_none());
/// ```
pub trait Explainer: Send {
    /// Asked before the consumer, of every look that found a difference. `checksums` reads the file.
    fn explain(&mut self, change: &Sight<'_>, checksums: &mut dyn Checksums) -> Reason;
}

/// A change, before it has its meaning.
///
/// ```
/// use fim_core::{Facts, FileKind, Sight};
/// use std::path::Path;
///
/// let (before, mut after) = (Facts::new(FileKind::File), Facts::new(FileKind::File));
/// after.mode = 0o4755;
/// let change = Sight::new(Path::new("/usr/bin/tool"), Some(&before), Some(&after));
/// assert!(change.has_other_metadata() && !change.has_other_content());
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Sight<'a> {
    /// The file, by its path now.
    pub path: &'a Path,
    /// The look before.
    pub before: Option<&'a Facts>,
    /// The look now.
    pub after: Option<&'a Facts>,
    /// How it came to light.
    pub detected: Detected,
    /// When it was marked; for what was not seen live, when it was found.
    pub at: SystemTime,
    /// Every process that had a hand in it, as far as they are known.
    pub actors: &'a [Arc<Actor>],
}

impl<'a> Sight<'a> {
    /// A change of this path between these looks, seen live and now, by nobody who is known.
    #[must_use]
    pub fn new(path: &'a Path, before: Option<&'a Facts>, after: Option<&'a Facts>) -> Self {
        Self { path, before, after, detected: Detected::Live, at: SystemTime::now(), actors: &[] }
    }

    /// Whether there is other content than there was, so far as the looks can tell.
    #[must_use]
    pub fn has_other_content(&self) -> bool {
        match (self.before, self.after) {
            (Some(before), Some(after)) => !before.same_content(after),
            (None, after) => after.is_some(),
            (Some(_), None) => true,
        }
    }

    /// Whether mode, owner, attributes or flags are others than they were.
    #[must_use]
    pub fn has_other_metadata(&self) -> bool {
        self.before.zip(self.after).is_some_and(|(before, after)| !before.same_metadata(after))
    }
}

/// Checksums of the content a [`Sight`] is about.
///
/// As [`Explainer`] shows.
pub trait Checksums {
    /// The checksum of exactly the content that was seen; `None` if it cannot be had, as when the file has
    /// changed again.
    fn of_content(&mut self, checksum: Checksum) -> Option<Vec<u8>>;
}

/// What led to a change.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Explanation {
    /// What kind of reason: `package`, `writer`, `window`.
    pub by: &'static str,
    /// Names and values that say which, in the order they are printed.
    pub of: Vec<(&'static str, String)>,
    /// A finding that is no more than notable is routine for it.
    pub lowers: bool,
}

/// What an explainer knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// What led to the change.
    pub explanation: Option<Explanation>,
    /// What is odd about it, and how much that matters at least.
    pub odd: Option<(Change, Severity)>,
    /// More may be known in a moment: a look that can wait is taken again.
    pub is_open: bool,
}

impl Reason {
    /// It is known what led to it.
    #[must_use]
    pub fn known(explanation: Explanation) -> Self {
        Self { explanation: Some(explanation), ..Self::default() }
    }

    /// It is not what somebody's records say.
    #[must_use]
    pub fn odd(change: Change, severity: Severity) -> Self {
        Self { odd: Some((change, severity)), ..Self::default() }
    }

    /// The same, with the word that more may be known in a moment.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.is_open = true;
        self
    }
}
