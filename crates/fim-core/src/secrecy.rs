//! Which files have a secret in them, so that their plain hash would let anyone try guesses against it: they
//! are hashed under the installation's key instead.
//!
//! Knows no format: what a secret looks like is told by a rule.

use crate::key::Key;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

const PURPOSE: &str = "fim 2026 hash of a file with a secret";

/// Called with a path and nothing, then with the path and each piece that is read of it.
type Rule = dyn Fn(&Path, &[u8]) -> bool + Send + Sync;

/// How secrets are told and what their files are hashed with.
#[derive(Clone)]
pub struct Secrecy {
    key: Key,
    rule: Arc<Rule>,
}

impl Secrecy {
    /// `rule` says whether a path's hash is to be keyed: for its name alone (no bytes), or for the bytes of
    /// a piece of it.
    #[must_use]
    pub fn new(key: Key, rule: impl Fn(&Path, &[u8]) -> bool + Send + Sync + 'static) -> Self {
        Self { key, rule: Arc::new(rule) }
    }

    pub(crate) fn is_secret(&self, path: &Path, piece: &[u8]) -> bool {
        (self.rule)(path, piece)
    }

    pub(crate) fn key_id(&self) -> u32 {
        self.key.id()
    }

    pub(crate) fn hasher(&self) -> blake3::Hasher {
        self.key.hasher(PURPOSE)
    }
}

impl fmt::Debug for Secrecy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrecy").finish_non_exhaustive()
    }
}
