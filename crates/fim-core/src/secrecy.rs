//! Which files have a secret in them, so that their plain hash would let anyone try guesses against it: they
//! are hashed under the installation's key instead.
//!
//! Knows no format: what a secret looks like is told by a rule.

use crate::key::Key;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

const PURPOSE: &str = "fim 2026 hash of a file with a secret";

/// Called with a path and nothing, then with the path and each stretch that is read of it.
type Rule = dyn Fn(&Path, &[u8]) -> bool + Send + Sync;
/// How many bytes of a file are judged together at most.
type Whole = dyn Fn(&Path) -> Option<u64> + Send + Sync;

/// How secrets are recognised and what their files are hashed with.
///
/// ```
/// use fim_core::{Engine, Key, Secrecy};
///
/// let key = Key::new([7; 32]); // from the agent's own folder: random, made once
/// let secrecy = Secrecy::new(key, |path, stretch| {
///     path.ends_with("token") || stretch.windows(4).any(|part| part == b"PIN=")
/// });
/// let builder = Engine::builder().secrecy(secrecy);
/// # drop(builder);
/// ```
#[derive(Clone)]
pub struct Secrecy {
    key: Key,
    rule: Arc<Rule>,
    whole: Arc<Whole>,
}

impl Secrecy {
    /// Stretches of a file overlap by this many bytes: what tells a secret, with all around it that the rule
    /// goes by, lies whole within one of them if it is no longer.
    pub const OVERLAP: usize = 4096;

    /// `rule` says whether a path's hash is to be keyed: for its name alone (no bytes), or for the bytes of
    /// a stretch of it.
    #[must_use]
    pub fn new(key: Key, rule: impl Fn(&Path, &[u8]) -> bool + Send + Sync + 'static) -> Self {
        Self { key, rule: Arc::new(rule), whole: Arc::new(|_| None) }
    }

    /// Has the rule judge files for which `whole` gives a size in one stretch: there, what it goes by may be of
    /// any length. Those with more bytes are taken to have a secret, since nobody can tell.
    #[must_use]
    pub fn judging_whole(mut self, whole: impl Fn(&Path) -> Option<u64> + Send + Sync + 'static) -> Self {
        self.whole = Arc::new(whole);
        self
    }

    pub(crate) fn is_secret(&self, path: &Path, stretch: &[u8]) -> bool {
        (self.rule)(path, stretch)
    }

    /// Whether a file of this name and size has a secret as far as anyone can tell without reading it.
    pub(crate) fn is_secret_unread(&self, path: &Path, size: u64) -> bool {
        self.judged_whole(path).is_some_and(|most| size > most) || self.is_secret(path, &[])
    }

    /// As [`Self::is_secret`], of a whole file.
    pub(crate) fn is_whole_secret(&self, path: &Path, bytes: &[u8]) -> bool {
        !bytes.is_empty() && self.is_secret(path, bytes)
    }

    /// How many bytes of this file are judged in one stretch; `None` if it may be judged in several.
    pub(crate) fn judged_whole(&self, path: &Path) -> Option<u64> {
        (self.whole)(path)
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
