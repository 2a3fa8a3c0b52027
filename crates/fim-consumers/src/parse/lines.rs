//! What the account files have in common: lines of fields between colons, comments, and lines for NIS.
//!
//! As glibc's nss_files reads them, because what counts is who the system takes for a user: blanks in front
//! are skipped, numbers are what strtoul(3) takes for one, missing fields at the end are empty.

/// A line that is no plain entry, or one with a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Odd<'a> {
    /// Number of the line in the file, from 1.
    pub line: u32,
    /// The whole line. May hold a secret.
    pub text: &'a [u8],
    /// Whether it is one for NIS (`+`, `-name`, `+@netgroup`), not a broken one.
    pub is_nis: bool,
}

/// Each line with its number, without its end, blanks in front, comments and empty lines.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    bytes.split(|byte| *byte == b'\n').zip(1_u32..).filter_map(|(line, number)| {
        let line = line.strip_suffix(b"\r").unwrap_or(line).trim_ascii_start();
        let is_entry = !line.is_empty() && !line.starts_with(b"#");
        is_entry.then_some((number, line))
    })
}

/// An entry, or a line for NIS.
pub(super) fn is_nis(line: &[u8]) -> bool {
    line.starts_with(b"+") || line.starts_with(b"-")
}

/// The fields of one line; those that are missing are empty.
pub(super) struct Fields<'a> {
    rest: Option<&'a [u8]>,
    /// How many there were.
    pub count: usize,
}

impl<'a> Fields<'a> {
    pub fn new(line: &'a [u8]) -> Self {
        Self { rest: Some(line), count: line.split(|byte| *byte == b':').count() }
    }

    /// The next one.
    pub fn next(&mut self) -> &'a [u8] {
        let Some(rest) = self.rest.take() else {
            return b"";
        };
        let mut parts = rest.splitn(2, |byte| *byte == b':');
        let field = parts.next().unwrap_or_default();
        self.rest = parts.next();
        field
    }

    /// All that is left, colons included.
    pub fn rest(&mut self) -> &'a [u8] {
        self.rest.take().unwrap_or_default()
    }
}

/// A number as strtoul(3) reads it into 32 bits: blanks and a sign in front, too large ones are the largest.
pub(super) fn number(field: &[u8]) -> Option<u32> {
    let field = field.trim_ascii_start();
    let (negative, digits) = match field {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0_u32, |value, digit| {
        value.saturating_mul(10).saturating_add(u32::from(digit.saturating_sub(b'0')))
    });
    // A negative number wraps round in 64 bits and is then too large.
    Some(if negative && value != 0 { u32::MAX } else { value })
}

/// Names between commas, each once.
pub(super) fn names(field: &[u8]) -> Vec<&[u8]> {
    let mut names: Vec<&[u8]> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for name in field.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
        if !name.is_empty() && seen.insert(name) {
            names.push(name);
        }
    }
    names
}

/// Whether a field of a shadow file that should be a name, or names, has a hash that slipped there: names are
/// told, hashes never.
pub(super) fn is_misplaced_hash(field: &[u8]) -> bool {
    field
        .split(|byte| matches!(byte, b',' | b'!'))
        .any(|name| name.trim_ascii().strip_prefix(b"$").is_some_and(|rest| rest.contains(&b'$')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_count() {
        let text = b"a\r\n\n  b\n# c\n \t#d\n\ne";
        let found: Vec<_> = lines(text).collect();
        assert_eq!(found, [(1, &b"a"[..]), (3, b"b"), (7, b"e")]);
    }

    #[test]
    fn numbers() {
        for (text, value) in [
            ("0", Some(0)),
            (" 0", Some(0)),
            ("+0", Some(0)),
            ("-0", Some(0)),
            ("007", Some(7)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", Some(u32::MAX)),
            ("99999999999999999999999999", Some(u32::MAX)),
            ("-1", Some(u32::MAX)),
            ("", None),
            ("+", None),
            ("0x0", None),
            ("1 ", None),
            ("one", None),
        ] {
            assert_eq!(number(text.as_bytes()), value, "{text:?}");
        }
    }

    #[test]
    fn hashes_out_of_place() {
        for (field, is) in [
            ("$6$a$b", true),
            ("!!$6$a", true),
            ("bob,$y$a", true),
            ("host$", false),
            ("$a", false),
            ("", false),
        ] {
            assert_eq!(is_misplaced_hash(field.as_bytes()), is, "{field}");
        }
    }

    #[test]
    fn fields_and_names() {
        let mut fields = Fields::new(b"a::b:c:d");
        assert_eq!(
            (fields.next(), fields.next(), fields.next(), fields.rest()),
            (&b"a"[..], &b""[..], &b"b"[..], &b"c:d"[..])
        );
        assert_eq!((fields.next(), fields.rest(), fields.count), (&b""[..], &b""[..], 5));
        assert_eq!(names(b"bob,,bob, eve ,"), [&b"bob"[..], b"eve"]);
    }
}
