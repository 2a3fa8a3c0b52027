//! What the account files have in common: lines of fields between colons, comments, and lines for NIS.
//!
//! As glibc's nss_files reads them, because what counts is who the system takes for a user: a line ends at its
//! first zero byte, blanks in front are skipped, those at the end and a carriage return are part of the last
//! field, numbers are what strtoul(3) takes for one, missing fields at the end are empty.

use crate::redact::HIDDEN;

/// A line that is no plain entry, or one with a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Odd<'a> {
    /// Number of the line in the file, from 1.
    pub line: u32,
    /// The whole line. May hold a secret.
    pub text: &'a [u8],
    /// Of one for NIS (`+`, `-name`, `+@netgroup`), not a broken one: whom it names, or its sign alone where
    /// that may be half a hash.
    pub nis: Option<&'a [u8]>,
}

/// The entries of a file whose lines have so many fields, and its odd lines. `entry` reads a line, and says
/// whether all of it is as it should be.
pub(super) fn entries<'a, T>(
    bytes: &'a [u8],
    fields: usize,
    entry: impl Fn(&'a [u8]) -> Option<(T, bool)>,
) -> (Vec<T>, Vec<Odd<'a>>) {
    let (mut entries, mut odd) = (Vec::new(), Vec::new());
    for (line, all, text) in lines(bytes) {
        let nis = nis(text, fields);
        let entry = if nis.is_some() { None } else { entry(text) };
        if all.len() > text.len() || entry.as_ref().is_none_or(|(_, whole)| !whole) {
            odd.push(Odd { line, text: all, nis });
        }
        entries.extend(entry.map(|(entry, _)| entry));
    }
    (entries, odd)
}

/// The entries and the odd lines of a file that sshd reads. `text` is what it takes of a line: one of which it takes nothing
/// is passed over.
pub(super) fn sshd_entries<'a, T>(
    bytes: &'a [u8],
    text: fn(&[u8]) -> &[u8],
    entry: impl Fn(&'a [u8]) -> Option<T>,
) -> (Vec<T>, Vec<Odd<'a>>) {
    let (mut entries, mut odd) = (Vec::new(), Vec::new());
    for (line, number) in bytes.split(|byte| *byte == b'\n').zip(1_u32..) {
        let text = text(line);
        if text.is_empty() {
            continue;
        }
        match entry(text) {
            Some(entry) => entries.push(entry),
            None => odd.push(Odd { line: number, text, nis: None }),
        }
    }
    (entries, odd)
}

/// Each line with its number: all of it, and what is read of it. Without blanks in front, comments and empty
/// lines.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8], &[u8])> {
    bytes.split(|byte| *byte == b'\n').zip(1_u32..).filter_map(|(line, number)| {
        let all = skip_blanks(line);
        let text = all.split(|byte| *byte == 0).next().unwrap_or_default();
        (!all.is_empty() && !text.starts_with(b"#")).then_some((number, all, text))
    })
}

/// Without blanks in front, as isspace(3) knows them: a vertical tab is one, too.
pub(super) fn skip_blanks(text: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'\x0b';
    text.iter().position(|byte| !is_blank(byte)).and_then(|at| text.get(at..)).unwrap_or_default()
}

/// Whom a line for NIS names, in a file whose lines have so many fields; `None` if it is not for NIS.
fn nis(line: &[u8], fields: usize) -> Option<&[u8]> {
    let (sign, rest) = line.split_first().filter(|(sign, _)| matches!(sign, b'+' | b'-'))?;
    let count = Fields::new(line).count;
    let field = Fields::new(line).next();
    let name = Fields::new(rest).next();
    let name = name.strip_prefix(b"@").unwrap_or(name);
    let is_name = (name.is_empty() || is_plain(name)) && (count == 1 || count == fields);
    Some(if is_name { field } else { std::slice::from_ref(sign) })
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
    let field = skip_blanks(field);
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

/// Names between commas, each once, without blanks in front.
pub(super) fn names(field: &[u8]) -> Vec<&[u8]> {
    let mut names: Vec<&[u8]> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for name in field.split(|byte| *byte == b',').map(skip_blanks) {
        if !name.is_empty() && seen.insert(name) {
            names.push(name);
        }
    }
    names
}

/// Whether useradd(8) could have made this name. No hash that matters looks so, but for some of DES.
pub(super) fn is_plain(name: &[u8]) -> bool {
    let body = name.strip_suffix(b"$").unwrap_or(name);
    let is_sign = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    !body.is_empty() && name.len() <= 32 && body.iter().all(is_sign)
}

/// A name in a public file: what glibc takes for an entry is one however broken its line is, but where a colon
/// was lost a hash may be in place of its name.
pub(super) fn public_name<'a>(name: &'a [u8], password: &[u8], is_whole: bool) -> &'a [u8] {
    // A number in place of the password was the field behind it.
    let has_slipped = !is_plain(name) || number(password).is_some();
    if is_whole || !has_slipped { name } else { HIDDEN.as_bytes() }
}

/// Whether one of several names in a shadow file may be a hash that slipped there: names are told, hashes never.
/// Of domains there may be names with `\`, `@` and blanks.
pub(super) fn may_be_hash(name: &[u8]) -> bool {
    let body = name.strip_suffix(b"$").unwrap_or(name);
    body.iter().any(|byte| matches!(byte, b'$' | b'/' | b'{'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_count() {
        let text = b"a\r\n\n  b\n# c\n \t#d\n\r\n\x0be\0f\n\0g\n#\0";
        let found: Vec<_> = lines(text).collect();
        let expected: [(u32, &[u8], &[u8]); 4] =
            [(1, b"a\r", b"a\r"), (3, b"b", b"b"), (7, b"e\0f", b"e"), (8, b"\0g", b"")];
        assert_eq!(found, expected);
    }

    #[test]
    fn numbers() {
        for (text, value) in [
            ("0", Some(0)),
            (" 0", Some(0)),
            ("\x0b0", Some(0)),
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
            ("abJnggxhB/yWI", true),
            ("{SSHA}a", true),
            ("host$", false),
            ("DOM\\bob", false),
            ("", false),
        ] {
            assert_eq!(may_be_hash(field.as_bytes()), is, "{field}");
        }
    }

    #[test]
    fn names_useradd_could_have_made() {
        for (name, is) in [
            ("bob", true),
            ("_apt", true),
            ("systemd-x.1", true),
            ("HOST1$", true),
            ("bob $6$a$b", false),
            ("bob;x", false),
            ("$6", false),
            ("a/b", false),
            ("b\r", false),
            ("$", false),
            ("", false),
        ] {
            assert_eq!(is_plain(name.as_bytes()), is, "{name:?}");
        }
        assert!(is_plain(&[b'a'; 32]) && !is_plain(&[b'a'; 33]));
    }

    #[test]
    fn names_for_nis() {
        for (line, name) in [
            ("bob:::", None),
            ("+", Some("+")),
            ("-bob", Some("-bob")),
            ("+@net:::", Some("+@net")),
            ("+half:hash", Some("+")),
            ("+a/b:::", Some("+")),
        ] {
            assert_eq!(nis(line.as_bytes(), 4), name.map(str::as_bytes), "{line}");
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
        assert_eq!(names(b"bob,,bob, eve ,joe\r"), [&b"bob"[..], b"eve ", b"joe\r"]);
        assert!(names(b"\r").is_empty());
    }
}
