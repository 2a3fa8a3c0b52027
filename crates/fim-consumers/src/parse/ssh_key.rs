//! Public keys as OpenSSH writes them: type, blob in base64. Only what a reader wants to know of a key: its
//! fingerprint as `ssh-keygen -l` prints it, and its size.
//!
//! Blobs: RFC 4253 §6.6, RFC 5656, RFC 8709, and OpenSSH's PROTOCOL.certkeys and PROTOCOL.u2f.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest, Sha256};

/// sshd and its forerunners took keys with sloppy padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const CERTIFICATE: &[u8] = b"-cert-v01@openssh.com";

/// What is known of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// SHA-256 of the key; of a certificate, of the key it is for.
    pub sha256: [u8; 32],
    /// Size; `None` of a type that is not known here.
    pub bits: Option<u32>,
}

impl PublicKey {
    /// Reads a type and a blob in base64. A type that is not known here is taken as well: a key is a key.
    #[must_use]
    pub fn parse(kind: &[u8], base64: &[u8]) -> Option<Self> {
        let blob = LENIENT.decode(base64).ok()?;
        let mut fields = Blob(&blob);
        if kind.is_empty() || fields.next()? != kind {
            return None;
        }
        if let Some(stem) = kind.strip_suffix(CERTIFICATE) {
            let plain =
                if stem.starts_with(b"sk-") { [stem, b"@openssh.com"].concat() } else { stem.to_vec() };
            if let Some((count, _)) = shape(&plain) {
                let _nonce = fields.next()?;
                let key = fields.take(count)?;
                let mut blob = u32::try_from(plain.len()).ok()?.to_be_bytes().to_vec();
                blob.extend_from_slice(&plain);
                blob.extend_from_slice(key);
                return Some(Self::of(&plain, &blob));
            }
        }
        if let Some((count, _)) = shape(kind) {
            fields.take(count)?;
        }
        Some(Self::of(kind, &blob))
    }

    fn of(kind: &[u8], blob: &[u8]) -> Self {
        let mut fields = Blob(blob);
        let bits = shape(kind).and_then(|(_, size)| match size {
            Size::Fixed(bits) => Some(bits),
            // The type, then those before, then the number.
            Size::OfNumber(before) => {
                fields.take(before.saturating_add(1))?;
                bit_length(fields.next()?)
            }
        });
        Self { sha256: Sha256::digest(blob).into(), bits }
    }
}

/// A fingerprint as `ssh-keygen -l` prints it.
#[must_use]
pub fn fingerprint(sha256: &[u8; 32]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(sha256))
}

enum Size {
    Fixed(u32),
    /// Of the number after so many fields.
    OfNumber(usize),
}

/// How many fields a key of this type has behind the type, and where its size is.
fn shape(kind: &[u8]) -> Option<(usize, Size)> {
    Some(match kind {
        b"ssh-rsa" => (2, Size::OfNumber(1)),
        b"ssh-dss" => (4, Size::OfNumber(0)),
        b"ssh-ed25519" => (1, Size::Fixed(256)),
        b"ecdsa-sha2-nistp256" => (2, Size::Fixed(256)),
        b"ecdsa-sha2-nistp384" => (2, Size::Fixed(384)),
        b"ecdsa-sha2-nistp521" => (2, Size::Fixed(521)),
        b"sk-ssh-ed25519@openssh.com" => (2, Size::Fixed(256)),
        b"sk-ecdsa-sha2-nistp256@openssh.com" => (3, Size::Fixed(256)),
        _ => return None,
    })
}

fn bit_length(number: &[u8]) -> Option<u32> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let number = number.get(zeros..)?;
    let bits = u32::try_from(number.len()).ok()?.checked_mul(8)?;
    Some(bits.saturating_sub(number.first().map_or(0, |byte| byte.leading_zeros())))
}

/// Fields with their lengths in front.
struct Blob<'a>(&'a [u8]);

impl<'a> Blob<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let (field, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        self.0 = rest;
        Some(field)
    }

    /// The next fields as they are.
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let start = self.0;
        for _ in 0..count {
            self.next()?;
        }
        start.get(..start.len().checked_sub(self.0.len())?)
    }
}
