//! What is kept of a file, as bytes in the state.
//!
//! | bytes | |
//! |---|---|
//! | 1 | 0xd2: this format |
//! | 1 | what follows: 0 nothing, 1 text, 2 digests of lines; 0x80 added if it is older than the last look |
//! | 4 | id of the key |
//! | 4 | id of the rules by which it was redacted |
//! | rest | 0: why there is nothing. 1: its length in four bytes, at most [`MOST_BODY`], and a block of LZ4. 2: as it is |
//!
//! Body of a text: its length, the text, then for each hidden line how far it is from the one before and the
//! digest. Body of digests: 1 if the last line ends, then all of them. Numbers are little-endian, lengths in
//! LEB128. Decoding is pure, and trusts no length.

use super::text::{Digest, Lines, Text};
use fim_core::Change;
use lz4_flex::block::{compress_prepend_size, decompress, uncompressed_size};

const FORMAT: u8 = 0xd2;
const STALE: u8 = 0x80;
/// In bytes. Larger than the body of the largest file that is compared, even if every line of it is hidden.
const MOST_BODY: usize = 64 << 20;

/// What is kept of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// Id of the key the digests were made with.
    pub key: u32,
    /// Id of the rules it was redacted by.
    pub rules: u32,
    /// The file has changed since, unread.
    pub stale: bool,
    pub held: Held,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Nothing(Why),
    Text(Text),
    Lines(Lines),
}

/// Why there is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    NoFile,
    Binary,
    /// The sizes are for the report; they are not kept.
    TooBig {
        size: u64,
        limit: u64,
    },
    Secret,
    Unreadable,
    Unstable,
}

impl Why {
    const ALL: [Self; 6] = [
        Self::NoFile,
        Self::Binary,
        Self::TooBig { size: 0, limit: 0 },
        Self::Secret,
        Self::Unreadable,
        Self::Unstable,
    ];

    /// Said of a file that is so now.
    pub(super) fn change(self) -> Change {
        match self {
            Self::Binary => Change::new("binary"),
            Self::TooBig { size, limit } => {
                Change::new("too_big_for_diff").of("size", size).of("limit", limit)
            }
            Self::NoFile => Change::new("no_diff").of("why", "no_file"),
            Self::Secret => Change::new("no_diff").of("why", "secret"),
            Self::Unreadable => Change::new("no_diff").of("why", "unreadable"),
            Self::Unstable => Change::new("no_diff").of("why", "unstable"),
        }
    }

    /// Said of a file that was so before and can be read now.
    pub(super) fn change_of_before(self) -> Option<Change> {
        let why = match self {
            Self::NoFile => return None,
            Self::Binary => "was_binary",
            Self::TooBig { .. } => "was_too_big",
            Self::Secret => "was_secret",
            Self::Unreadable => "was_unreadable",
            Self::Unstable => "was_unstable",
        };
        Some(Change::new("no_diff").of("why", why))
    }

    /// Whether the next look may well find a text again.
    pub(super) const fn may_pass(self) -> bool {
        matches!(self, Self::TooBig { .. } | Self::Unreadable | Self::Unstable)
    }

    const fn number(self) -> u8 {
        match self {
            Self::NoFile => 0,
            Self::Binary => 1,
            Self::TooBig { .. } => 2,
            Self::Secret => 3,
            Self::Unreadable => 4,
            Self::Unstable => 5,
        }
    }
}

impl Kept {
    /// Whether there is something to compare with.
    pub(super) const fn is_compared(&self) -> bool {
        matches!(self.held, Held::Text(_) | Held::Lines(_))
    }

    /// The text, if it is one.
    pub(super) const fn text(&self) -> Option<&Text> {
        if let Held::Text(text) = &self.held { Some(text) } else { None }
    }

    /// Whether something of it is hidden, so that hashes are not to be shown.
    pub(super) fn hides(&self) -> bool {
        match &self.held {
            Held::Nothing(why) => *why == Why::Secret,
            Held::Text(text) => !text.hidden.is_empty(),
            // Nobody remembers.
            Held::Lines(_) => true,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let (kind, rest) = match &self.held {
            Held::Nothing(why) => (0, vec![why.number()]),
            Held::Text(text) => (1, compress_prepend_size(&text_body(text))),
            Held::Lines(lines) => (2, lines_body(lines)),
        };
        let mut bytes = vec![FORMAT, kind | if self.stale { STALE } else { 0 }];
        bytes.extend_from_slice(&self.key.to_le_bytes());
        bytes.extend_from_slice(&self.rules.to_le_bytes());
        bytes.extend_from_slice(&rest);
        bytes
    }

    /// `None` if these are not the bytes of anything kept.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[FORMAT])?;
        let (kind, rest) = rest.split_first()?;
        let (key, rest) = rest.split_first_chunk()?;
        let (rules, rest) = rest.split_first_chunk()?;
        let held = match kind & !STALE {
            0 => match rest {
                [why] => Held::Nothing(*Why::ALL.get(usize::from(*why))?),
                _ => return None,
            },
            1 => Held::Text(text_of(&body_of(rest)?)?),
            2 => Held::Lines(lines_of(rest)?),
            _ => return None,
        };
        let stale = kind & STALE != 0;
        Some(Self { key: u32::from_le_bytes(*key), rules: u32::from_le_bytes(*rules), stale, held })
    }
}

fn text_body(text: &Text) -> Vec<u8> {
    let mut body = Vec::with_capacity(text.bytes.len() + text.hidden.len() * 9 + 4);
    put_number(&mut body, text.bytes.len() as u64);
    body.extend_from_slice(&text.bytes);
    let mut before = 0;
    for (number, digest) in &text.hidden {
        put_number(&mut body, u64::from(number - before));
        body.extend_from_slice(digest);
        before = *number;
    }
    body
}

fn body_of(packed: &[u8]) -> Option<Vec<u8>> {
    let (length, block) = uncompressed_size(packed).ok()?;
    (length <= MOST_BODY).then(|| decompress(block, length).ok()).flatten()
}

fn text_of(body: &[u8]) -> Option<Text> {
    let (length, rest) = number(body)?;
    let (bytes, mut rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let mut hidden: Vec<(u32, Digest)> = Vec::new();
    while !rest.is_empty() {
        let (distance, after) = number(rest)?;
        let (digest, after) = after.split_first_chunk()?;
        let number = match hidden.last() {
            Some((before, _)) if distance > 0 => before.checked_add(u32::try_from(distance).ok()?)?,
            Some(_) => return None,
            None => u32::try_from(distance).ok()?,
        };
        hidden.push((number, *digest));
        rest = after;
    }
    Some(Text { bytes: bytes.to_vec(), hidden })
}

fn lines_body(lines: &Lines) -> Vec<u8> {
    let mut body = vec![u8::from(lines.ends)];
    body.extend(lines.digests.iter().flatten());
    body
}

fn lines_of(body: &[u8]) -> Option<Lines> {
    let (ends, digests) = body.split_first()?;
    let (digests, rest) = digests.as_chunks();
    (*ends < 2 && rest.is_empty()).then(|| Lines { digests: digests.to_vec(), ends: *ends == 1 })
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for (at, byte) in bytes.iter().take(9).enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((number, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests;
