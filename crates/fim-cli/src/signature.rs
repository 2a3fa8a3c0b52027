//! Signatures of the head of the chain: whoever has the public key can try them, and make none.
//!
//! Ed25519 (RFC 8032) over `fim 2026 head of chain`, the id of the chain, and the digest of the line that carries it:
//! all lines up to there, since each line seals the one before. The private key is `signing-key` in the state folder,
//! the public one, in hexadecimal digits, `signing-key.pub` beside it.

use crate::chain::{Digest, Id, take_hex};
use crate::failure::Failure;
use crate::key;
use crate::output::hex;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use std::path::Path;
use std::time::{Duration, Instant};

const FILE: &str = "signing-key";
const PUBLIC: &str = "signing-key.pub";
const CONTEXT: &[u8] = b"fim 2026 head of chain";

/// The bytes of a signature.
pub type Signed = [u8; 64];

/// Signs heads, at intervals.
#[derive(Debug)]
pub struct Signer {
    key: SigningKey,
    every: Duration,
    last: Option<Instant>,
}

impl Signer {
    /// By the key in this state folder, made if there is none.
    ///
    /// # Errors
    /// When it cannot be read or made, or the public one not be written.
    pub fn load(state: &Path, every: Duration) -> Result<Self, Failure> {
        let signer = Self { key: SigningKey::from_bytes(&key::bytes(state, FILE)?), every, last: None };
        let path = state.join(PUBLIC);
        let text = format!("{}\n", signer.public());
        if !std::fs::read(&path).is_ok_and(|known| known == text.as_bytes()) {
            std::fs::write(&path, text).map_err(|error| {
                Failure::new(format!("{}: cannot write the public key: {error}", path.display()))
            })?;
        }
        Ok(signer)
    }

    /// The public key, in hexadecimal digits.
    pub fn public(&self) -> String {
        hex(self.key.verifying_key().as_bytes()).to_string()
    }

    /// The signature of a head, if it is time for one, or `always`.
    pub fn sign(&mut self, id: &Id, head: &Digest, always: bool, now: Instant) -> Option<Signed> {
        let due = self.last.is_none_or(|last| now.saturating_duration_since(last) >= self.every);
        (due || always).then(|| {
            self.last = Some(now);
            self.key.sign(&message(id, head)).to_bytes()
        })
    }
}

/// Tries signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// The key that is written here, or in the file of this name.
    ///
    /// # Errors
    /// When it is neither.
    pub fn named(name: &str) -> Result<Self, Failure> {
        if let Some(key) = Self::read(name) {
            return Ok(key);
        }
        let failed = |what: String| Failure::new(format!("{name}: {what}"));
        let text = std::fs::read_to_string(name).map_err(|error| {
            failed(format!("neither 64 hexadecimal digits nor a file that can be read: {error}"))
        })?;
        Self::read(text.trim()).ok_or_else(|| failed("it is no public key: 64 hexadecimal digits".to_owned()))
    }

    fn read(mut digits: &str) -> Option<Self> {
        let mut bytes = std::mem::take(&mut digits).as_bytes();
        let key = take_hex(&mut bytes).filter(|_| bytes.is_empty())?;
        VerifyingKey::from_bytes(&key).ok().map(Self)
    }

    /// Whether the head was signed by the private one.
    pub fn has_signed(&self, id: &Id, head: &Digest, signature: &Signed) -> bool {
        self.0.verify_strict(&message(id, head), &Signature::from_bytes(signature)).is_ok()
    }
}

fn message(id: &Id, head: &Digest) -> Vec<u8> {
    [CONTEXT, id, head].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn who_has_the_public_key_can_try_what_the_private_one_signed() {
        let dir = tempfile::tempdir().unwrap();
        let mut signer = Signer::load(dir.path(), Duration::from_secs(60)).unwrap();
        assert_eq!(Signer::load(dir.path(), Duration::ZERO).unwrap().public(), signer.public());
        assert_eq!(std::fs::metadata(dir.path().join(FILE)).unwrap().mode() & 0o777, 0o600);
        let file = dir.path().join(PUBLIC);
        let key = PublicKey::named(file.to_str().unwrap()).unwrap();
        assert_eq!(PublicKey::named(&signer.public()).unwrap(), key);
        for name in ["", "12", "/nonexistent"] {
            assert!(PublicKey::named(name).is_err());
        }

        let start = Instant::now();
        let (id, head) = ([1; 8], [2; 32]);
        let signature = signer.sign(&id, &head, false, start).unwrap();
        assert!(key.has_signed(&id, &head, &signature));
        assert!(!key.has_signed(&[9; 8], &head, &signature) && !key.has_signed(&id, &[9; 32], &signature));
        let soon = start + Duration::from_secs(59);
        assert_eq!(signer.sign(&id, &head, false, soon), None);
        assert!(signer.sign(&id, &head, true, soon).is_some());
        assert!(signer.sign(&id, &head, false, soon + Duration::from_secs(60)).is_some());
    }
}
