//! The bytes by which a file's rules are remembered until the next look.
//!
//! A mark and a version, then numbers of 32 bits, little-endian, and texts with their length in front. First come
//! the separators: rules that were cut by others cannot be compared. Bytes that are not of this form are nobody's
//! rules.

use crate::parse::access::{AccessFile, Broken, Fault, Rule, Separators};

/// `A`ccess, version 2.
const MARK: [u8; 2] = [b'A', 2];

const FAULTS: [Fault; 5] =
    [Fault::FieldCount, Fault::Permission, Fault::Newline, Fault::ZeroByte, Fault::EmptyList];

/// The bytes for a file that was cut by these separators.
pub(super) fn encode(file: &AccessFile, separators: &Separators) -> Vec<u8> {
    let mut bytes = MARK.to_vec();
    put_text(&mut bytes, &separators.fields);
    put_text(&mut bytes, &separators.lists);
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

/// The file of these bytes, if it was cut by these separators.
pub(super) fn decode(bytes: &[u8], separators: &Separators) -> Option<AccessFile> {
    let mut rest = bytes.strip_prefix(&MARK)?;
    let rest = &mut rest;
    if text(rest)? != separators.fields || text(rest)? != separators.lists {
        return None;
    }
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
        let separators = Separators::default();
        let whole = encode(&parse(b"+:a:b\nx\n", &separators), &separators);
        for length in 0..whole.len() {
            assert_eq!(decode(&whole[..length], &separators), None, "{length}");
        }
        assert_eq!(decode(&[&whole[..], &[0]].concat(), &separators), None);
        assert_eq!(decode(&[&b"A\x03"[..], &whole[2..]].concat(), &separators), None);
        assert_eq!(decode(b"U\x01", &separators), None);
    }

    #[test]
    fn rules_cut_by_other_separators_are_nothing() {
        let separators = Separators::default();
        let bytes = encode(&AccessFile::default(), &separators);
        assert!(decode(&bytes, &separators).is_some());
        let fields = Separators { fields: "|".to_owned(), ..Separators::default() };
        let lists = Separators { lists: ",".to_owned(), ..Separators::default() };
        assert_eq!((decode(&bytes, &fields), decode(&bytes, &lists)), (None, None));
    }

    proptest! {
        #[test]
        fn there_and_back(
            text in "([+-]:[a-z (,]{0,8}:[a-z0-9:.]{0,8}\n|#x\n|é{0,3}\n|[^\n]{0,5}){0,8}",
            fields in "[:|]{1,2}",
        ) {
            let separators = Separators { fields, ..Separators::default() };
            let file = parse(text.as_bytes(), &separators);
            prop_assert_eq!(decode(&encode(&file, &separators), &separators), Some(file));
        }

        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let separators = Separators::default();
            let mut marked = encode(&AccessFile::default(), &separators);
            marked.truncate(marked.len() - 8);
            marked.extend(bytes);
            if let Some(file) = decode(&marked, &separators) {
                prop_assert_eq!(encode(&file, &separators).len(), marked.len());
            }
        }
    }
}
