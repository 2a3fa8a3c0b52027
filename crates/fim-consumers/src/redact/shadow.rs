//! Lines of password databases: shadow, gshadow, passwd with hashes in it, htpasswd.
//!
//! Goes by the fields, so that a copy under any name is known for what it is.

use super::crypt::is_crypt_at;
use super::spans::Spans;
use memchr::{memchr, memrchr};

/// Finds lines of password databases: all of the line is hidden, since the name of an account and the age
/// of its password are nobody's business either.
pub(super) fn find(text: &[u8], found: &mut Spans<'_>) {
    for (start, line) in lines_with_fields(text).filter(|(_, line)| is_shadow_line(line)) {
        found.hide(start..start + line.len());
    }
}

/// Lines that have a field after the first, and where they start.
fn lines_with_fields(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = text.get(from..)?;
        let (before, after) = rest.split_at_checked(memchr(b':', rest)?)?;
        let start = memrchr(b'\n', before).map_or(0, |end| end + 1);
        let end = memchr(b'\n', after).map_or(rest.len(), |end| before.len() + end + 1);
        let line = (from + start, rest.get(start..end)?);
        from += end;
        Some(line)
    })
}

/// Whether this is a file of such lines, or a copy of one with little else in it.
#[cfg(feature = "generic_diff")]
pub(crate) fn is_password_database(text: &[u8]) -> bool {
    let of_shadow = lines_with_fields(text).filter(|(_, line)| is_shadow_line(line)).count();
    let is_line = |line: &&[u8]| !line.trim_ascii().is_empty();
    of_shadow > 0 && text.split(|byte| *byte == b'\n').filter(is_line).count() <= 2 * of_shadow
}

/// Whether a line is `name:hash:…`: nine fields with dates, or a hash in the second field.
pub(crate) fn is_shadow_line(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    // What diff(1), grep(1) and people put in front.
    let quotes = |byte: &u8| matches!(byte, b'+' | b'-' | b'#' | b'<' | b'>' | b'"' | b'\'' | b' ' | b'\t');
    let front = line.iter().take_while(|byte| quotes(byte)).count();
    let mut fields = line.get(front..).unwrap_or_default().split(|byte| *byte == b':');
    let (Some(name), Some(hash)) = (fields.next(), fields.next()) else {
        return false;
    };
    if name.is_empty() || name.iter().any(u8::is_ascii_whitespace) {
        return false;
    }
    let rest: Vec<&[u8]> = fields.take(9).collect();
    let is_number = |field: &&[u8]| {
        let digits = field.strip_prefix(b"-").unwrap_or(field);
        !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
    };
    let numbers = |fields: &[&[u8]]| fields.iter().all(|field| field.is_empty() || is_number(field));
    let hash = hash.iter().position(|byte| !matches!(byte, b'!' | b'*')).map_or(&b""[..], |at| {
        // Locked accounts keep their hash behind a sign.
        hash.get(at..).unwrap_or_default()
    });
    let is_dated =
        rest.len() == 7 && rest.get(..6).is_some_and(|dates| numbers(dates) && dates.iter().any(is_number));
    let is_account = rest.len() == 5 && rest.get(..2).is_some_and(|ids| ids.iter().all(is_number));
    let is_group = rest.len() == 2 && rest.iter().all(|names| names.iter().all(|byte| is_in_names(*byte)));
    is_dated || is_crypt_at(hash) || (is_des(hash) && (is_account || is_group))
}

const fn is_in_names(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b',')
}

/// Traditional DES: two signs of salt and eleven of hash; or BSDi's extended form.
pub(crate) fn is_des(hash: &[u8]) -> bool {
    let is_sign = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/');
    match hash {
        [b'_', rest @ ..] => rest.len() == 19 && rest.iter().all(is_sign),
        _ => hash.len() == 13 && hash.iter().all(is_sign),
    }
}
