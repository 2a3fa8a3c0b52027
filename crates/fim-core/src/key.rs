//! The key of this installation: what is derived from secrets is derived under it, so that it cannot be
//! guessed elsewhere.
//!
//! Knows nothing of where the key is kept.

use std::fmt;

/// 32 secret bytes, made once for an installation. Never printed.
///
/// ```
/// use fim_core::Key;
///
/// // From a generator fit for secrets, and kept where only its owner can read it.
/// let key = Key::new([7; 32]);
/// assert_eq!(key.derive("lines", b"a secret line"), key.derive("lines", b"a secret line"));
/// assert_ne!(key.derive("lines", b"a secret line"), key.derive("files", b"a secret line"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// A key of these bytes: from a generator fit for secrets.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Tells one key from another without saying anything of either.
    #[must_use]
    pub fn id(&self) -> u32 {
        let [a, b, c, d, ..] = self.derive("fim 2026 key id", &[]);
        u32::from_le_bytes([a, b, c, d])
    }

    /// A digest of `bytes` that only the holder of the key can compute or try out. Digests of different
    /// `purpose` (a constant text) have nothing in common.
    #[must_use]
    pub fn derive(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        let mut hasher = self.hasher(purpose);
        hasher.update(bytes);
        hasher.finalize().into()
    }

    /// As [`Self::derive`], for bytes that come in pieces.
    pub(crate) fn hasher(&self, purpose: &str) -> blake3::Hasher {
        let purpose = blake3::Hasher::new_derive_key(purpose).update(&self.0).finalize();
        blake3::Hasher::new_keyed(purpose.as_bytes())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_purposes_are_apart() {
        let (one, other) = (Key::new([1; 32]), Key::new([2; 32]));
        assert_eq!(one.derive("a", b"x"), one.derive("a", b"x"));
        assert_ne!(one.derive("a", b"x"), other.derive("a", b"x"));
        assert_ne!(one.derive("a", b"x"), one.derive("b", b"x"));
        assert_ne!(one.id(), other.id());
        assert_eq!(format!("{one:?}"), "Key(…)");
    }
}
