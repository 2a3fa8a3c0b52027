//! Numbers, digests and moments as short texts of JSON, written without a piece of memory for each: a line has some
//! thirty of them. They hold nothing that is to be escaped, so that they are written as they are. Pure.

use serde::{Serialize, Serializer};
use std::fmt;

/// The longest: a digest of 32 bytes.
const MOST: usize = 64;

/// A short text of digits, letters and what stands between them. What does not fit is left out: its makers know what they
/// make. As [`Written`](super::json::Written) it is a part of a line, and of nothing else.
#[derive(Clone, Copy)]
pub struct Short {
    /// In quotation marks.
    bytes: [u8; MOST + 2],
    /// With the first of them.
    length: usize,
}

impl Short {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { bytes: [b'"'; MOST + 2], length: 1 }
    }

    /// Adds a character.
    pub fn push(&mut self, byte: u8) {
        self.extend(&[byte]);
    }

    /// Adds a number with at least so many digits, to a base of ten at most.
    pub fn number<const BASE: u64>(&mut self, number: u64, least: usize) {
        let mut digits = [b'0'; 22];
        let (mut rest, mut used) = (number, 0);
        for place in digits.iter_mut().rev() {
            // A constant base is multiplied by its inverse.
            *place = b'0' + (rest % BASE) as u8;
            rest /= BASE;
            used += 1;
            if rest == 0 {
                break;
            }
        }
        self.extend(digits.get(digits.len().saturating_sub(used.max(least))..).unwrap_or_default());
    }

    /// Adds a number with so many digits, which it must fit into.
    pub fn digits<const N: usize>(&mut self, number: u32) {
        let (mut digits, mut rest) = ([0; N], number);
        for place in digits.iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.extend(&digits);
    }

    fn extend(&mut self, text: &[u8]) {
        let room = self.bytes.get_mut(self.length..=MOST).and_then(|room| room.get_mut(..text.len()));
        if let Some(room) = room {
            room.copy_from_slice(text);
            self.length += text.len();
        }
    }

    /// Adds bytes in hexadecimal digits.
    pub fn hex(&mut self, bytes: &[u8]) {
        // Without a table, so that many bytes are done in one go.
        let digit = |half: u8| half + if half < 10 { b'0' } else { b'a' - 10 };
        let room = self.bytes.get_mut(self.length..=MOST).unwrap_or_default().as_chunks_mut::<2>().0;
        for (places, byte) in room.iter_mut().zip(bytes) {
            *places = [digit(byte >> 4), digit(byte & 15)];
        }
        self.length += 2 * bytes.len().min(room.len());
    }

    /// What was added.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(1..self.length).unwrap_or_default()
    }

    /// The same, as text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// What was added, as JSON: nothing was ever written behind it, where quotation marks are from the beginning.
    fn quoted(&self) -> &[u8] {
        self.bytes.get(..=self.length).unwrap_or_default()
    }
}

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Short {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(self.quoted())
    }
}

/// A number in decimal digits: ECS has most numbers as text.
pub fn decimal(number: impl Into<u64>) -> Short {
    let mut text = Short::new();
    text.number::<10>(number.into(), 1);
    text
}

/// The bits of a mode, as chmod(1) takes them.
pub fn mode(mode: u32) -> Short {
    let mut text = Short::new();
    text.number::<8>(u64::from(mode & 0o7777), 4);
    text
}

/// `major:minor` of a device.
pub fn device(device: u64) -> Short {
    let mut text = decimal(rustix::fs::major(device));
    text.push(b':');
    text.number::<10>(u64::from(rustix::fs::minor(device)), 1);
    text
}

/// A digest, of 32 bytes at most.
pub fn hex(bytes: &[u8]) -> Short {
    let mut text = Short::new();
    text.hex(bytes);
    text
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;

    #[test]
    fn numbers_and_digests() {
        for (text, expected) in [
            (decimal(0_u32), "0"),
            (decimal(1000_u32), "1000"),
            (decimal(u64::MAX), "18446744073709551615"),
            (mode(0o644), "0644"),
            (mode(0), "0000"),
            (mode(0o100_4755), "4755"),
            (device(rustix::fs::makedev(8, 1)), "8:1"),
            (device(rustix::fs::makedev(u32::MAX, u32::MAX)), "4294967295:4294967295"),
            (hex(&[]), ""),
            (hex(&[0, 1, 0xab, 0xff]), "0001abff"),
        ] {
            assert_eq!(text.as_str(), expected);
        }
        assert_eq!(hex(&[0xab; 32]).as_str(), "ab".repeat(32));
        assert_eq!(hex(&[0xab; 40]).as_str(), "ab".repeat(32), "no panic, and no more than fits");
        for (text, written) in [(mode(0o7777), "\"7777\""), (hex(&[]), "\"\"")] {
            assert_eq!(json::to_line(&text).unwrap(), written.as_bytes());
        }
        let longest = json::to_line(&hex(&[0xab; 32])).unwrap();
        assert_eq!(longest, format!("\"{}\"", "ab".repeat(32)).into_bytes());
    }
}
