//! The bytes by which a file's rules are remembered until the next look.
//!
//! A mark and a version, then numbers of 32 bits, little-endian, and texts with their length in front.
//! Bytes that are not of this form are nobody's rules.

use crate::parse::access::{AccessFile, Broken, Fault, Rule};

/// `A`ccess, version 1.
const MARK: [u8; 2] = [b'A', 1];

const FAULTS: [Fault; 5] =
    [Fault::FieldCount, Fault::Permission, Fault::Newline, Fault::ZeroByte, Fault::EmptyList];

/// The bytes for a file.
pub(super) fn encode(file: &AccessFile) -> Vec<u8> {
    let mut bytes = MARK.to_vec();
    put_number(&mut bytes, file.rules.len());
    for rule in &file.rules {
        put_number(&mut bytes, rule.line as usize);
        bytes.push(u8::from(rule.grants));
        for list in [&rule.users, &rule.origins] {
            put_number(&mut bytes, list.len());
            for token in list {
                put_text(&mut bytes, token);
            }
        }
    }
    put_number(&mut bytes, file.broken.len());
    for broken in &file.broken {
        put_number(&mut bytes, broken.line as usize);
        let fault = FAULTS.iter().position(|fault| *fault == broken.fault).unwrap_or_default();
        bytes.push(u8::try_from(fault).unwrap_or_default());
        put_text(&mut bytes, &broken.text);
    }
    bytes
}

/// The file of these bytes.
pub(super) fn decode(bytes: &[u8]) -> Option<AccessFile> {
    let mut rest = bytes.strip_prefix(&MARK)?;
    let rest = &mut rest;
    let mut file = AccessFile::default();
    for _ in 0..number(rest)? {
        let line = number(rest)?;
        let grants = byte(rest)? == 1;
        file.rules.push(Rule { line, grants, users: tokens(rest)?, origins: tokens(rest)? });
    }
    for _ in 0..number(rest)? {
        let line = number(rest)?;
        let fault = *FAULTS.get(usize::from(byte(rest)?))?;
        file.broken.push(Broken { line, fault, text: text(rest)? });
    }
    rest.is_empty().then_some(file)
}

/// No file that is read has as many lines or bytes.
fn put_number(bytes: &mut Vec<u8>, number: usize) {
    bytes.extend(u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_number(bytes, text.len());
    bytes.extend(text.as_bytes());
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_le_bytes(*number))
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (byte, after) = rest.split_first()?;
    *rest = after;
    Some(*byte)
}

fn text(rest: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(number(rest)?).ok()?;
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    String::from_utf8(text.to_vec()).ok()
}

fn tokens(rest: &mut &[u8]) -> Option<Vec<String>> {
    // One at a time: a count that is not true must not take memory.
    let mut tokens = Vec::new();
    for _ in 0..number(rest)? {
        tokens.push(text(rest)?);
    }
    Some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::access::{Separators, parse};
    use proptest::prelude::*;

    #[test]
    fn foreign_bytes_are_nothing() {
        for bytes in [&b""[..], b"A", b"A\x01", b"A\x02\0\0\0\0\0\0\0\0", b"A\x01\xff\xff\xff\xff", b"U\x01"]
        {
            assert_eq!(decode(bytes), None, "{bytes:?}");
        }
        let mut longer = encode(&AccessFile::default());
        longer.push(0);
        assert_eq!(decode(&longer), None);
    }

    proptest! {
        #[test]
        fn there_and_back(text in "([+-]:[a-z (,]{0,8}:[a-z0-9:.]{0,8}\n|#x\n|é{0,3}\n|[^\n]{0,5}){0,8}") {
            let file = parse(text.as_bytes(), &Separators::default());
            prop_assert_eq!(decode(&encode(&file)), Some(file));
        }

        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut marked = MARK.to_vec();
            marked.extend(bytes);
            if let Some(file) = decode(&marked) {
                prop_assert_eq!(encode(&file).len(), marked.len());
            }
        }
    }
}
