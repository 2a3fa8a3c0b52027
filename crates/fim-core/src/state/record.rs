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
}

/// The trusted state of a path: set by a baseline, left alone by whatever happens after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trusted {
    /// As it was last seen.
    Same,
    /// It should be so.
    Facts(Facts),
    /// Nothing should be there.
    Absent,
}

impl FileRecord {
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
