//! The chain that binds the lines of a watch together: each names the line before it and is sealed by a
//! digest, so that what was taken out, put in, altered or moved shows. Pure but for the id of a new chain.
//!
//! ```text
//! …,"chain":{"id":"0f…","previous":"9c…","digest":"41…"}}}
//! ```
//! `digest` is the BLAKE3 of the bytes of the line before `,"digest":"`; under a key of the installation
//! there is a `key` with its number before `previous`. `previous` is the digest of the line before, of zeros
//! in the first line of a chain. So each line can be tried by itself, and any two that are neighbours. A `signature`
//! may follow the digest, which it is of.

use crate::key;
use crate::output;
use crate::signature::Signed;
use fim_core::Key;
use std::io;

/// The digest of a line.
pub type Digest = [u8; 32];
/// What tells one chain from another.
pub type Id = [u8; 8];

/// What the first line of a chain names as the one before.
pub const NOTHING: Digest = [0; 32];

const BEGIN: &[u8] = b",\"chain\":{\"id\":\"";
const KEY: &[u8] = b"\",\"key\":\"";
const PREVIOUS: &[u8] = b"\",\"previous\":\"";
const DIGEST: &[u8] = b"\",\"digest\":\"";
const SIGNATURE: &[u8] = b"\",\"signature\":\"";
const END: &[u8] = b"\"}";
/// The object that holds the chain, and the line.
const CLOSING: &[u8] = b"}}";

/// The end of a chain, where the next line goes.
#[derive(Debug)]
pub struct Chain {
    id: Id,
    head: Digest,
    key: Option<Key>,
}

impl Chain {
    /// A new chain, sealed under a key if one is given.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn begin(key: Option<Key>) -> io::Result<Self> {
        Ok(Self { id: key::random()?, head: NOTHING, key })
    }

    /// The chain that [`Self::kept`] spoke of.
    pub fn resume(kept: &[u8], key: Option<Key>) -> Option<Self> {
        let (id, head) = kept.split_first_chunk()?;
        Some(Self { id: *id, head: head.try_into().ok()?, key })
    }

    /// What is to be kept of it.
    pub fn kept(&self) -> Vec<u8> {
        [&self.id[..], &self.head].concat()
    }

    /// Adds a line, which must be an object that ends in an object which is not empty.
    ///
    /// # Errors
    /// When it is no such line.
    pub fn seal(&mut self, line: &mut Vec<u8>) -> io::Result<()> {
        let Some(open) = line.len().checked_sub(CLOSING.len()).filter(|_| line.ends_with(CLOSING)) else {
            return Err(io::Error::other("a line that cannot be chained"));
        };
        line.truncate(open);
        line.extend_from_slice(BEGIN);
        put_hex(line, &self.id);
        if let Some(key) = &self.key {
            line.extend_from_slice(KEY);
            put_hex(line, &key.id().to_be_bytes());
        }
        line.extend_from_slice(PREVIOUS);
        put_hex(line, &self.head);
        // The quotation mark that closes `previous` is sealed too.
        line.push(b'"');
        self.head = digest(line, self.key.as_ref());
        line.extend_from_slice(DIGEST.get(1..).unwrap_or_default());
        put_hex(line, &self.head);
        line.extend_from_slice(END);
        line.extend_from_slice(CLOSING);
        Ok(())
    }

    /// Which chain, and the digest of the last line.
    pub const fn head(&self) -> (&Id, &Digest) {
        (&self.id, &self.head)
    }
}

/// Adds a signature to a line that was just sealed.
pub fn attach(line: &mut Vec<u8>, signature: &Signed) {
    line.truncate(line.len().saturating_sub(END.len() + CLOSING.len()));
    line.extend_from_slice(SIGNATURE);
    put_hex(line, signature);
    line.extend_from_slice(END);
    line.extend_from_slice(CLOSING);
}

fn digest(sealed: &[u8], key: Option<&Key>) -> Digest {
    match key {
        Some(key) => key.derive("fim 2026 chain of lines", sealed),
        None => blake3::hash(sealed).into(),
    }
}

/// The place of a line in its chain, as the line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link<'a> {
    /// Which chain.
    pub id: Id,
    /// The number of the key it is sealed under.
    pub key: Option<u32>,
    /// The digest of the line before.
    pub previous: Digest,
    /// The digest of this line.
    pub digest: Digest,
    /// The signature of that digest.
    pub signature: Option<Signed>,
    sealed: &'a [u8],
}

impl<'a> Link<'a> {
    /// Reads the end of a line, without its line break; `None` if it has no place in a chain.
    pub fn read(line: &'a [u8]) -> Option<Self> {
        let at = find_last(line, BEGIN)?;
        let mut rest = line.get(at + BEGIN.len()..)?;
        let id = take_hex(&mut rest)?;
        let mut key = None;
        if let Some(keyed) = rest.strip_prefix(KEY) {
            rest = keyed;
            key = Some(u32::from_be_bytes(take_hex(&mut rest)?));
        }
        rest = rest.strip_prefix(PREVIOUS)?;
        let previous = take_hex(&mut rest)?;
        let sealed = line.get(..line.len() - rest.len() + 1)?;
        rest = rest.strip_prefix(DIGEST)?;
        let digest = take_hex(&mut rest)?;
        let mut signature = None;
        if let Some(signed) = rest.strip_prefix(SIGNATURE) {
            rest = signed;
            signature = Some(take_hex(&mut rest)?);
        }
        let closed = rest.strip_prefix(END)? == CLOSING;
        closed.then_some(Self { id, key, previous, digest, signature, sealed })
    }

    /// Whether the line is as it was sealed.
    pub fn is_sealed(&self, key: Option<&Key>) -> bool {
        digest(self.sealed, key) == self.digest
    }
}

/// Where a text begins for the last time.
pub fn find_last(line: &[u8], text: &[u8]) -> Option<usize> {
    line.windows(text.len()).rposition(|window| window == text)
}

fn put_hex(to: &mut Vec<u8>, bytes: &[u8]) {
    bytes
        .chunks(size_of::<Digest>())
        .for_each(|part| to.extend_from_slice(output::hex(part).as_str().as_bytes()));
}

/// Lower case only: there is one way to write a digest.
pub fn take_hex<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (digits, rest) = from.split_at_checked(2 * N)?;
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                _ => return None,
            };
            *byte = *byte << 4 | value;
        }
    }
    *from = rest;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(chain: &mut Chain, line: &str) -> Vec<u8> {
        let mut line = line.as_bytes().to_vec();
        chain.seal(&mut line).unwrap();
        line
    }

    #[test]
    fn lines_name_the_one_before() {
        for key in [None, Some(Key::new([7; 32]))] {
            let mut chain = Chain::begin(key.clone()).unwrap();
            let first = sealed(&mut chain, r#"{"a":1,"fim":{"b":",\"chain\":{\"id\":\""}}"#);
            let mut chain = Chain::resume(&chain.kept(), key.clone()).unwrap();
            let second = sealed(&mut chain, r#"{"fim":{"b":2}}"#);
            let (first, second) = (Link::read(&first).unwrap(), Link::read(&second).unwrap());
            assert_eq!((first.previous, second.previous), (NOTHING, first.digest));
            assert_eq!(first.id, second.id);
            assert_eq!(first.key, key.as_ref().map(Key::id));
            assert!(first.is_sealed(key.as_ref()) && second.is_sealed(key.as_ref()));
            assert!(!first.is_sealed(Some(&Key::new([8; 32]))));
        }
    }

    #[test]
    fn anyone_can_try_a_digest_with_other_tools() {
        let line = sealed(&mut Chain::begin(None).unwrap(), r#"{"fim":{"b":2}}"#);
        let text = String::from_utf8(line).unwrap();
        let (before, digest) = text.rsplit_once(r#","digest":""#).unwrap();
        assert_eq!(blake3::hash(before.as_bytes()).to_string(), digest.trim_end_matches(['"', '}']));
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["fim"]["b"], 2);
        assert_eq!(json["fim"]["chain"]["previous"], "0".repeat(64));
    }

    #[test]
    fn every_changed_byte_shows() {
        let line = sealed(&mut Chain::begin(None).unwrap(), r#"{"event":{"n":7},"fim":{"b":2}}"#);
        let genuine = Link::read(&line).unwrap();
        for at in 0..line.len() {
            for bits in [1, 0x20, 0x80] {
                let mut bad = line.clone();
                bad[at] ^= bits;
                let link = Link::read(&bad);
                assert!(link.is_none_or(|link| !link.is_sealed(None) && link != genuine), "{at}");
            }
            assert!(Link::read(&line[..at]).is_none());
        }
    }

    #[test]
    fn a_signature_follows_the_digest_and_changes_nothing_of_it() {
        let mut chain = Chain::begin(None).unwrap();
        let line = sealed(&mut chain, r#"{"fim":{"b":2}}"#);
        let mut signed = line.clone();
        attach(&mut signed, &[0xab; 64]);
        let (plain, link) = (Link::read(&line).unwrap(), Link::read(&signed).unwrap());
        assert_eq!((plain.signature, link.signature), (None, Some([0xab; 64])));
        assert!(link.is_sealed(None) && link.digest == plain.digest && chain.head().1 == &link.digest);
        let json: serde_json::Value = serde_json::from_slice(&signed).unwrap();
        assert_eq!(json["fim"]["chain"]["signature"], "ab".repeat(64));
    }

    #[test]
    fn what_ends_in_no_object_is_refused() {
        let mut chain = Chain::begin(None).unwrap();
        for line in ["", "}", "text", r#"{"a":1}"#] {
            assert!(chain.seal(&mut line.as_bytes().to_vec()).is_err(), "{line}");
        }
        assert!(Chain::resume(b"short", None).is_none());
    }
}
