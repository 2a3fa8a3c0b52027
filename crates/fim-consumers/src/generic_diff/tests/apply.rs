//! The diff of two texts, applied to the first, gives the second.

use super::{File, config};
use proptest::prelude::*;

/// Applies a unified diff as patch(1) would, with our escapes.
fn apply(old: &[u8], diff: &str) -> Vec<u8> {
    let old: Vec<&[u8]> = old.split_inclusive(|byte| *byte == b'\n').collect();
    let mut new: Vec<u8> = Vec::new();
    let mut at = 0;
    let lines: Vec<&str> = diff.split_inclusive('\n').collect();
    for (number, line) in lines.iter().enumerate() {
        let mut notes = lines[number + 1..].iter().take_while(|line| line.starts_with('\\'));
        let notes: Vec<&&str> = notes.by_ref().collect();
        let (sign, text) = line.split_at(1);
        let mut bytes = text.as_bytes().to_vec();
        if notes.iter().any(|note| note.contains("Not UTF-8")) {
            bytes = unescape(&bytes);
        }
        if notes.iter().any(|note| note.contains("No newline")) {
            bytes.pop();
        }
        match sign {
            "@" => {
                let start = text.split(['-', ',', ' ']).nth(2).unwrap();
                let start: usize = start.parse().unwrap();
                let start = if text.contains(",0 +") { start } else { start - 1 };
                while at < start {
                    new.extend_from_slice(old[at]);
                    at += 1;
                }
            }
            " " | "-" => {
                assert_eq!(old[at], bytes, "{diff}");
                at += 1;
                if sign == " " {
                    new.extend_from_slice(&bytes);
                }
            }
            "+" => new.extend_from_slice(&bytes),
            _ => {}
        }
    }
    for line in &old[at..] {
        new.extend_from_slice(line);
    }
    new
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    loop {
        rest = match rest {
            [b'\\', b'\\', rest @ ..] => {
                bytes.push(b'\\');
                rest
            }
            [b'\\', b'x', a, b, rest @ ..] => {
                bytes.push(u8::from_str_radix(std::str::from_utf8(&[*a, *b]).unwrap(), 16).unwrap());
                rest
            }
            [byte, rest @ ..] => {
                bytes.push(*byte);
                rest
            }
            [] => return bytes,
        };
    }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        5 => proptest::sample::select(vec!["a", "b", "c", "", " d", "-e", "\\ f", "+", "\\xff"]).prop_map(|line| line.as_bytes().to_vec()),
        1 => proptest::collection::vec(prop_oneof![Just(b'\xff'), Just(b'\\'), Just(b'x'), Just(b'\r'), 0xa0_u8..], 0..6),
    ];
    (proptest::collection::vec(line, 0..40), any::<bool>()).prop_map(|(lines, ends)| {
        let mut text = lines.join(&b'\n');
        if ends && !text.is_empty() {
            text.push(b'\n');
        }
        text
    })
}

proptest! {
    #[test]
    fn a_diff_can_be_applied(old in text(), new in text()) {
        let mut file = File::new(config());
        let created = file.is(&old);
        prop_assert_eq!(apply(b"", created.diff.as_deref().unwrap_or_default()), old.clone());
        let changed = file.is(&new);
        let diff = changed.diff.unwrap_or_default();
        prop_assert_eq!(diff.is_empty(), old == new);
        prop_assert_eq!(apply(&old, &diff), new.clone());
        let gone = file.is_gone().diff.unwrap_or_default();
        prop_assert_eq!(apply(&new, &gone), Vec::<u8>::new());
    }
}
