//! JSON on one line whatever the names in it: what some reader takes for a line break or what moves a
//! terminal's cursor is escaped. Pure.

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use std::io::{self, Write};

/// The line for a value, without its line break.
///
/// # Errors
/// When the value cannot be written as JSON.
pub fn to_line(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(2048);
    value.serialize(&mut Serializer::with_formatter(&mut line, OneLine(CompactFormatter)))?;
    Ok(line)
}

/// Escapes more than JSON demands.
struct OneLine(CompactFormatter);

impl Formatter for OneLine {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, to: &mut W, fragment: &str) -> io::Result<()> {
        // Nearly all that is written; of ASCII nothing but DEL is tricky.
        if fragment.bytes().all(|byte| byte < 0x7f) {
            return self.0.write_string_fragment(to, fragment);
        }
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
            let line = String::from_utf8(to_line(&name).unwrap()).unwrap();
            assert!(!line.chars().any(|c| c.is_control() || is_tricky(c)), "{line}");
            assert_eq!(serde_json::from_str::<String>(&line).unwrap(), name);
        }
    }
}
