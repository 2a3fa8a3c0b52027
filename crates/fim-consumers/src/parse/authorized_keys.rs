//! `authorized_keys`, as sshd(8) reads it: options, key, comment.

use super::lines::{Odd, sshd_entries};
use super::ssh_key::PublicKey;

/// One line that lets someone in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Options as written, in order: `from="10.0.0.0/8"`, `restrict`. A value may hold a secret.
    pub options: Vec<&'a [u8]>,
    /// Type by its name on the wire: `ssh-ed25519`.
    pub kind: &'a [u8],
    /// The key.
    pub key: PublicKey,
    /// What stands behind the key.
    pub comment: &'a [u8],
}

/// A file of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorizedKeys<'a> {
    /// Every key, in the order of the file.
    pub entries: Vec<Entry<'a>>,
    /// Lines that are none.
    pub odd: Vec<Odd<'a>>,
}

/// Reads a whole file.
///
/// ```
/// use fim_consumers::parse::authorized_keys::parse;
///
/// let key = b"AAAAC3NzaC1lZDI1NTE5AAAAIGwm2Uo3eDHxFTNz7ZWLpVO0BPU3wQ4lLG4xYh1pVwY0";
/// let file = [b"no-pty ssh-ed25519 ", &key[..], b" bob@home\n"].concat();
/// let keys = parse(&file);
/// assert_eq!((keys.entries.len(), keys.odd.len()), (1, 0));
/// ```
#[must_use]
pub fn parse(bytes: &[u8]) -> AuthorizedKeys<'_> {
    let (entries, odd) = sshd_entries(bytes, text, entry);
    AuthorizedKeys { entries, odd }
}

fn text(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii();
    if line.starts_with(b"#") { &[] } else { line }
}

fn entry(line: &[u8]) -> Option<Entry<'_>> {
    key(line, Vec::new()).or_else(|| {
        let (options, rest) = options(line)?;
        key(rest, options)
    })
}

fn key<'a>(line: &'a [u8], options: Vec<&'a [u8]>) -> Option<Entry<'a>> {
    let (kind, rest) = word(line);
    let (base64, comment) = word(rest);
    Some(Entry { options, kind, key: PublicKey::parse(kind, base64)?, comment })
}

/// The first word, and what follows without the blanks between.
fn word(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(line.len());
    let (word, rest) = line.split_at_checked(end).unwrap_or((line, b""));
    (word, rest.trim_ascii_start())
}

/// The options at the start of a line, and what follows. A blank or comma within quotes is part of the value.
pub(super) fn options(line: &[u8]) -> Option<(Vec<&[u8]>, &[u8])> {
    let mut options = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, byte) in line.iter().enumerate() {
        match byte {
            b'"' if !escaped => quoted = !quoted,
            b',' | b' ' | b'\t' if !quoted => {
                options.extend(line.get(start..at).filter(|option| !option.is_empty()));
                start = at.checked_add(1)?;
                if *byte != b',' {
                    return Some((options, line.get(start..)?.trim_ascii_start()));
                }
            }
            _ => {}
        }
        escaped = *byte == b'\\' && !escaped;
    }
    None
}

#[cfg(test)]
#[path = "authorized_keys_tests.rs"]
mod tests;
