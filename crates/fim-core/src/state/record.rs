//! What is kept for one path: what was last seen there, what is trusted, and what its consumer asked to keep.
//!
//! Knows nothing of how it is written or where.

use crate::facts::Facts;

/// What the state holds of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRecord {
    /// What the last look found; `None` if nothing was there.
    pub seen: Option<Facts>,
    /// What is accepted as right.
    pub trusted: Trusted,
    /// What the consumer that owns the path asked to keep for its next comparison.
    pub kept: Option<Vec<u8>>,
    /// What it had kept of what is trusted, where that is [`Trusted::Facts`].
    pub trusted_kept: Option<Vec<u8>>,
}

/// The trusted state of a path: set by a baseline, left alone by whatever happens after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trusted {
    /// As it was last seen.
    Same,
    /// It should be so.
    Facts(Box<Facts>),
    /// Nothing should be there.
    Absent,
}

impl FileRecord {
    /// The record of a file that is trusted as it is.
    #[must_use]
    pub const fn new(seen: Facts, kept: Option<Vec<u8>>) -> Self {
        Self { seen: Some(seen), trusted: Trusted::Same, kept, trusted_kept: None }
    }

    /// What its consumer had kept of what is trusted.
    #[must_use]
    pub fn kept_of_trusted(&self) -> Option<&[u8]> {
        match &self.trusted {
            Trusted::Same => self.kept.as_deref(),
            Trusted::Facts(_) => self.trusted_kept.as_deref(),
            Trusted::Absent => None,
        }
    }

    /// What should be there; `None` if nothing should.
    #[must_use]
    pub const fn trusted_facts(&self) -> Option<&Facts> {
        match &self.trusted {
            Trusted::Same => self.seen.as_ref(),
            Trusted::Facts(facts) => Some(facts),
            Trusted::Absent => None,
        }
    }
}
