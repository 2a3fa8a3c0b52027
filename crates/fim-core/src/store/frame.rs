//! What stands around every value on disk, so that a damaged one is never taken for a good one.
//!
//! ```text
//! "fim" · version (1) · length of the value (4, little-endian) · checksum (16) · value
//! ```
//! The checksum covers version, key and value: a good value under another key is damage too. It guards
//! against disks and bugs; whoever can write the state can also write a checksum.

use std::fmt;

const MAGIC: [u8; 3] = *b"fim";
const VERSION: u8 = 1;

/// Why a value is not returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unframed {
    Damaged(&'static str),
    Version(u8),
}

impl fmt::Display for Unframed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(why) => f.write_str(why),
            Self::Version(version) => write!(f, "it is of version {version}, not {VERSION}"),
        }
    }
}

impl std::error::Error for Unframed {}

/// `None` if the value is too long for its length to be written.
pub(super) fn frame(key: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(value.len()).ok()?;
    let (length, checksum) = (length.to_le_bytes(), checksum(key, value));
    Some([&MAGIC[..], &[VERSION], &length, &checksum, value].concat())
}

pub(super) fn unframe<'a>(key: &[u8], bytes: &'a [u8]) -> Result<&'a [u8], Unframed> {
    let short = Unframed::Damaged("it is too short");
    let (magic, rest) = bytes.split_first_chunk::<3>().ok_or(short)?;
    let (&version, rest) = rest.split_first().ok_or(short)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(short)?;
    let (expected, value) = rest.split_first_chunk::<16>().ok_or(short)?;
    if *magic != MAGIC {
        return Err(Unframed::Damaged("it does not begin as it should"));
    }
    if version != VERSION {
        return Err(Unframed::Version(version));
    }
    if u32::try_from(value.len()) != Ok(u32::from_le_bytes(*length)) {
        return Err(Unframed::Damaged("its length is wrong"));
    }
    if checksum(key, value) != *expected {
        return Err(Unframed::Damaged("its checksum is wrong"));
    }
    Ok(value)
}

fn checksum(key: &[u8], value: &[u8]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[VERSION]).update(&(key.len() as u64).to_le_bytes()).update(key).update(value);
    let mut checksum = [0; 16];
    hasher.finalize_xof().fill(&mut checksum);
    checksum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_come_back(key: Vec<u8>, value: Vec<u8>) {
            let framed = frame(&key, &value).unwrap();
            prop_assert_eq!(unframe(&key, &framed), Ok(&value[..]));
        }

        #[test]
        fn every_flip_is_noticed(key: Vec<u8>, value: Vec<u8>, at: prop::sample::Index, bits in 1u8..) {
            let mut bytes = frame(&key, &value).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= bits;
            prop_assert!(unframe(&key, &bytes).is_err());
        }

        #[test]
        fn a_value_belongs_to_its_key(key: Vec<u8>, other: Vec<u8>, value: Vec<u8>) {
            prop_assume!(key != other);
            prop_assert!(unframe(&other, &frame(&key, &value).unwrap()).is_err());
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            prop_assert!(unframe(b"", &bytes).is_err());
        }
    }
}
