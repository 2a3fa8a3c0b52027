//! Hashes of passwords as crypt(3), LDAP, GRUB and databases write them, wherever they stand.

use super::spans::Spans;
use memchr::memchr_iter;
use regex::bytes::Regex;
use std::sync::LazyLock;

/// Other forms than crypt(3): `{SSHA}…`, `grub.pbkdf2.sha512.…`, `SCRAM-SHA-256$…`.
static OTHER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x-u)
        \{(?i:S?SHA(?:256|384|512)?|S?MD5|CRYPT|PBKDF2[\w-]*|ARGON2\w*|BCRYPT|SCRAM-SHA-\d+)\}([^\s\x22']{4,})
        | (?i:grub\.pbkdf2\.sha\d+)\.([0-9]+\.\S+)
        | SCRAM-SHA-\d+\$([0-9]+:[^\s\x22']{16,})",
    )
    .ok()
});

/// Finds hashes of passwords.
pub(super) fn find(text: &[u8], found: &mut Spans<'_>) {
    let mut done = 0;
    for at in memchr_iter(b'$', text) {
        if at < done {
            continue;
        }
        if let Some(length) = crypt_at(text.get(at..).unwrap_or_default(), SHORT, MOST_ESCAPES) {
            done = at + length;
            found.hide(at..done);
        }
    }
    for groups in OTHER.iter().flat_map(|other| other.captures_iter(text)) {
        for group in groups.iter().skip(1).flatten() {
            found.hide(group.range());
        }
    }
}

/// Where a text is known to be one, this much of a hash is enough to tell it.
const SHORT: usize = 8;

/// Whether there is a hash in the form of crypt(3) in a text.
#[cfg(feature = "users")]
pub(crate) fn has_crypt(text: &[u8]) -> bool {
    memchr_iter(b'$', text).any(|at| crypt_at(text.get(at..).unwrap_or_default(), SHORT, 0).is_some())
}

/// Whether a hash in the form of crypt(3) begins here, in bytes that may be anything: with parameters, salt and
/// a hash of a length that hashes have.
pub(crate) fn is_crypt_at(bytes: &[u8]) -> bool {
    let Some(hash) = crypt_at(bytes, SHORT, 0).and_then(|length| bytes.get(1..length)) else {
        return false;
    };
    let mut parts = hash.rsplit(|byte| *byte == b'$');
    let last = parts.next().unwrap_or_default();
    let is_sign =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/' | b'+' | b'=' | b'-' | b'_');
    // What programs have in them to test themselves with is mostly shorter; a long id is no accident.
    let least = match hash.iter().position(|byte| *byte == b'$') {
        Some(3..) => SHORT,
        _ if hash.starts_with(b"2") => 53,
        _ => 16,
    };
    // What follows may be of a list: `bob,$6$salt$hash,1`.
    let length = last.iter().take_while(|byte| is_sign(byte)).count();
    length >= least && parts.count() <= 5
}

/// So many backslashes may stand before one sign: what passes through a shell and sed(1) is escaped for both.
const MOST_ESCAPES: usize = 4;

/// Length of the hash that begins here: `$id$`, then at least this many signs of salt and hash. With escapes, each
/// `$`, `/` and `.` may have so many backslashes before it.
fn crypt_at(bytes: &[u8], least: usize, escapes: usize) -> Option<usize> {
    let rest = bytes.strip_prefix(b"$")?;
    let id_length = rest.iter().take(16).position(|byte| matches!(byte, b'$' | b'\\'))?;
    let id = rest.get(..id_length)?;
    if !is_id(id) {
        return None;
    }
    let rest = rest.get(id_length..)?;
    let escape = escape_of(rest, escapes);
    let rest = rest.get(escape..)?.strip_prefix(b"$")?;
    let mut length = 0;
    loop {
        let behind = rest.get(length..)?;
        let signs = behind.iter().take_while(|byte| is_sign(**byte)).count();
        let escape = escape_of(behind.get(signs..)?, escapes);
        length += signs + escape;
        if escape == 0 {
            break;
        }
    }
    let body = rest.get(..length)?;
    // Salt and hash are apart; only phpass and bcrypt's second half are written without a `$` between.
    let is_apart = body.contains(&b'$') || matches!(id, b"P" | b"H");
    (length >= least && is_apart).then_some(1 + id_length + escape + 1 + length)
}

/// How many backslashes are here, if they escape what needs it in a shell or an expression.
fn escape_of(rest: &[u8], most: usize) -> usize {
    let count = rest.iter().take(most).take_while(|byte| **byte == b'\\').count();
    let is_escaped = matches!(rest.get(count), Some(b'$' | b'/' | b'.'));
    if is_escaped { count } else { 0 }
}

fn is_id(id: &[u8]) -> bool {
    matches!(
        id,
        b"1" | b"2" | b"2a" | b"2b" | b"2x" | b"2y" | b"3" | b"5" | b"6" | b"7" | b"8" | b"9" | b"y" | b"gy"
    ) || matches!(id, b"sm3" | b"apr1" | b"md5" | b"sha1" | b"scrypt" | b"P" | b"H" | b"S" | b"bcrypt-sha256")
        || id.starts_with(b"argon2")
        || id.starts_with(b"pbkdf2")
        || id.starts_with(b"md5,")
}

const fn is_sign(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'.' | b'/' | b'=' | b',' | b'+' | b'-' | b'_' | b'$' | b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expression_compiles() {
        assert!(OTHER.is_some());
    }
}
