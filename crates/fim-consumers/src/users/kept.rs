//! What is kept of a file between two looks, as bytes: a header, the entries, the odd lines.
//!
//! Passwords are kept as digests that only the holder of the installation's key can try guesses against.
//! Bytes that are foreign, of another version or damaged are taken for nothing kept.

use super::secret::{Digest, Secret};
use crate::parse::password::Scheme;

/// First bytes of all that is kept. The last of them is the version of the format.
const MAGIC: [u8; 3] = [0xf5, b'u', 1];

/// What a file holds, ready to be compared and kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table<'a, T> {
    /// By which key the digests were made.
    pub key_id: u32,
    pub items: Vec<T>,
    pub odd: Vec<OddLine<'a>>,
}

/// A line for NIS or a broken one, without what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OddLine<'a> {
    pub line: u32,
    /// Of a line for NIS: whom it names.
    pub nis: Option<&'a [u8]>,
    pub digest: Digest,
    /// A zero byte hides the rest of it from the system. Not kept: it matters when the line comes.
    pub is_cut: bool,
}

/// An entry of a file.
pub(super) trait Item<'a>: Sized {
    /// Tells the tables of different files apart.
    const KIND: u8;
    fn put(&self, to: &mut Writer);
    fn take(from: &mut Reader<'a>) -> Option<Self>;

    /// Whether a digest of a secret is part of it.
    fn has_secret(&self) -> bool {
        false
    }
}

impl<'a, T: Item<'a>> Table<'a, T> {
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Writer(MAGIC.to_vec());
        to.byte(T::KIND);
        to.0.extend_from_slice(&self.key_id.to_le_bytes());
        to.list(&self.items, |to, item| item.put(to));
        to.list(&self.odd, |to, odd| {
            to.number(odd.line);
            to.byte(u8::from(odd.nis.is_some()));
            to.bytes(odd.nis.unwrap_or_default());
            to.digest(&odd.digest);
        });
        to.0
    }

    pub fn decode(kept: &'a [u8]) -> Option<Self> {
        let mut from = Reader(kept.strip_prefix(&MAGIC)?);
        if from.byte()? != T::KIND {
            return None;
        }
        let key_id = u32::from_le_bytes(from.array()?);
        let items = from.list(T::take)?;
        let odd = from.list(|from| {
            let (line, is_nis, name, digest) = (from.number()?, from.flag()?, from.bytes()?, from.array()?);
            Some(OddLine { line, nis: is_nis.then_some(name), digest, is_cut: false })
        })?;
        from.0.is_empty().then_some(Self { key_id, items, odd })
    }
}

/// Appends values.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// Seven bits a byte, the lowest first.
    pub fn number(&mut self, number: u32) {
        let mut rest = number;
        while rest >= 0x80 {
            self.byte(rest.to_le_bytes()[0] | 0x80);
            rest >>= 7;
        }
        self.byte(rest.to_le_bytes()[0]);
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        // A field is part of a file that was read whole, which is smaller than 4 GiB.
        self.number(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.0.extend_from_slice(bytes);
    }

    pub fn digest(&mut self, digest: &Digest) {
        self.0.extend_from_slice(digest);
    }

    pub fn array(&mut self, bytes: &[u8; 32]) {
        self.0.extend_from_slice(bytes);
    }

    pub fn optional(&mut self, number: Option<i32>) {
        self.byte(u8::from(number.is_some()));
        if let Some(number) = number {
            self.number(number.cast_unsigned());
        }
    }

    pub fn list<T>(&mut self, items: &[T], put: impl Fn(&mut Self, &T)) {
        self.number(u32::try_from(items.len()).unwrap_or(u32::MAX));
        for item in items {
            put(self, item);
        }
    }

    pub fn secret(&mut self, secret: &Secret) {
        match secret {
            Secret::Elsewhere => self.byte(0),
            Secret::Empty => self.byte(1),
            Secret::Unusable => self.byte(2),
            Secret::Set { scheme, locked, digest } => {
                self.byte(3 + u8::from(*locked));
                self.byte(scheme.number());
                self.digest(digest);
            }
        }
    }
}

/// Takes values off the front.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    pub fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub fn number(&mut self) -> Option<u32> {
        let mut number = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(number).ok();
            }
        }
        None
    }

    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    pub fn optional(&mut self) -> Option<Option<i32>> {
        Some(if self.flag()? { Some(self.number()?.cast_signed()) } else { None })
    }

    /// Every item takes a byte at least, so that a made-up length ends with the bytes.
    pub fn list<T>(&mut self, mut take: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(take(self)?);
        }
        Some(items)
    }

    pub fn secret(&mut self) -> Option<Secret> {
        Some(match self.byte()? {
            0 => Secret::Elsewhere,
            1 => Secret::Empty,
            2 => Secret::Unusable,
            state @ (3 | 4) => Secret::Set {
                scheme: Scheme::from_number(self.byte()?)?,
                locked: state == 4,
                digest: self.array()?,
            },
            _ => return None,
        })
    }
}
