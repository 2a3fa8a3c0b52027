//! Texts of JSON on one line whatever is in them: what some reader takes for a line break or what moves a terminal's
//! cursor is escaped. Pure.

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use std::io::{self, Write};

/// Adds a text in its quotation marks.
///
/// # Errors
/// None that a text can cause.
pub(super) fn put(text: &str, to: &mut Vec<u8>) -> serde_json::Result<()> {
    if is_plain(text) {
        to.reserve(text.len() + 2);
        to.push(b'"');
        to.extend_from_slice(text.as_bytes());
        to.push(b'"');
        return Ok(());
    }
    text.serialize(&mut Serializer::with_formatter(to, OneLine(CompactFormatter)))
}

/// Whether a text is written as it is, as nearly all are. Eight bytes are looked at in one go: most texts are short, and
/// the compiler's way of many at once pays for long ones.
fn is_plain(text: &str) -> bool {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let found = words.iter().fold(0, |found, word| found | escaped(*word));
    // What is left over is looked at with those before it, or, of a very short text, alone.
    let rest = match text.as_bytes().last_chunk::<8>() {
        _ if rest.is_empty() => 0,
        Some(last) => escaped(*last),
        None => rest.iter().fold(0, |found, byte| found | escaped([*byte; 8])),
    };
    found | rest == 0
}

/// Not 0 if any of eight bytes is to be escaped: a control character, a quotation mark, a backslash, or none of ASCII.
/// A borrow or a carry leaves a byte only where it found one already.
const fn escaped(word: [u8; 8]) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let word = u64::from_ne_bytes(word);
    let control = word.wrapping_sub(ONES * 0x20);
    let beyond = word.wrapping_add(ONES) | word;
    let quote = (word ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    (control | beyond | quote | backslash) & HIGH
}

/// Escapes more than JSON demands.
struct OneLine(CompactFormatter);

impl Formatter for OneLine {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, to: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_tricky(*c)) {
            let (before, from) = rest.split_at(at);
            self.0.write_string_fragment(to, before)?;
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                write!(to, "\\u{unit:04x}")?;
            }
            rest = from.get(c.len_utf8()..).unwrap_or_default();
        }
        self.0.write_string_fragment(to, rest)
    }
}

/// Whether a character could break a line, or disguise it where it is shown. Those below U+0020 are
/// escaped by JSON itself.
pub fn is_tricky(c: char) -> bool {
    matches!(c,
        '\u{7f}'..='\u{9f}' // DEL and C1, with NEL among them
        | '\u{2028}' | '\u{2029}' // line and paragraph separator
        | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // direction
        | '\u{feff}' | '\u{e0000}'..='\u{e007f}' // invisible
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_on_one_line_and_round_trip() {
        for name in [
            "",
            "plain",
            "quote\" back\\slash /",
            "new\nline\r\t\0\u{1}\u{1f}",
            "\u{7f}\u{85}\u{9b}31m",
            "line\u{2028}paragraph\u{2029}",
            "\u{202e}gpj.exe\u{2066}",
            "\u{feff}\u{e0041}",
            "é 漢 🦀",
            "\u{2028}",
        ] {
            let mut line = Vec::new();
            put(name, &mut line).unwrap();
            let line = String::from_utf8(line).unwrap();
            assert!(!line.chars().any(|c| c.is_control() || is_tricky(c)), "{line}");
            assert_eq!(serde_json::from_str::<String>(&line).unwrap(), name);
        }
    }

    #[test]
    fn what_is_to_be_escaped_is_found_wherever_it_stands() {
        let is_escaped = |byte: u8| !(0x20..0x7f).contains(&byte) || byte == b'"' || byte == b'\\';
        for length in 1..40 {
            for at in 0..length {
                for byte in 0..0x80 {
                    let mut text = vec![b'!'; length];
                    text[at] = byte;
                    assert_eq!(is_plain(str::from_utf8(&text).unwrap()), !is_escaped(byte), "{text:?}");
                }
            }
            assert!(!is_plain(&"é".repeat(length)));
        }
        assert!(is_plain(""));
    }

    #[test]
    fn every_character_is_as_the_library_writes_it_or_is_tricky() {
        for c in (0..0x3000).filter_map(char::from_u32) {
            let text = format!("a{c}b");
            let mut line = Vec::new();
            put(&text, &mut line).unwrap();
            let expected = serde_json::to_string(&text).unwrap();
            assert_eq!(is_tricky(c), line != expected.as_bytes(), "{c:?}");
            assert_eq!(serde_json::from_slice::<String>(&line).unwrap(), text);
        }
    }
}
