//! A line as it is shown in a diff.
//!
//! A line that is not UTF-8 is escaped and said to be so in a line of its own that begins with a backslash, as
//! the one that says that the last newline is missing: no line of a file can be taken for another.

use super::text::Line;
use std::fmt::Write;

const NO_NEWLINE: &str = "\\ No newline at end of file\n";
const ESCAPED: &str = "\\ Not UTF-8: \\xNN is a byte, \\\\ a backslash\n";
const NOT_KEPT: &str = "[not kept]";

/// Appends a line with its sign (` `, `-` or `+`), cut after this many bytes. Says whether it was cut.
pub(super) fn push(out: &mut String, sign: char, line: &Line<'_>, limit: usize) -> bool {
    out.push(sign);
    let text = line.text.unwrap_or(NOT_KEPT.as_bytes());
    let is_cut = text.len() > limit;
    let is_utf8 = match std::str::from_utf8(text) {
        Ok(text) => {
            let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
            out.push_str(end.and_then(|end| text.get(..end)).unwrap_or_default());
            true
        }
        Err(_) => {
            escape(out, text.get(..limit).unwrap_or(text));
            false
        }
    };
    out.push('\n');
    if !is_utf8 {
        out.push_str(ESCAPED);
    }
    if is_cut {
        // Writing to a string cannot fail.
        writeln!(out, "\\ Cut: {limit} of {} bytes", text.len()).unwrap_or_default();
    }
    if !line.ends {
        out.push_str(NO_NEWLINE);
    }
    is_cut
}

fn escape(out: &mut String, text: &[u8]) {
    for chunk in text.utf8_chunks() {
        for sign in chunk.valid().chars() {
            if sign == '\\' {
                out.push('\\');
            }
            out.push(sign);
        }
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02x}").unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart() {
        let shown = |text: &[u8], ends| {
            let mut out = String::new();
            push(&mut out, '+', &Line { text: Some(text), digest: None, ends }, 10);
            out
        };
        assert_eq!(shown(b"a", true), "+a\n");
        assert_eq!(shown(b"a", false), "+a\n\\ No newline at end of file\n");
        assert_eq!(shown(b"\\xff", true), "+\\xff\n");
        assert_eq!(shown(b"\xff\\", true), format!("+\\xff\\\\\n{ESCAPED}"));
        assert_eq!(shown("123456789é".as_bytes(), true), "+123456789\n\\ Cut: 10 of 11 bytes\n");
        assert_eq!(shown(b"-a\r", true), "+-a\r\n");
    }
}
