//! Files whose plain hash would help an attacker: who knows most of such a file could try the rest against it.
//!
//! Goes by names, and by stretches of content as they are read. It sees every byte of every file, so that it must
//! be about as fast as reading them.

mod search;

use crate::redact::{Redactor, is_crypt_at, is_des, is_shadow_line};
use fim_core::{Key, Secrecy};
use memchr::{memchr, memchr_iter, memrchr};
use regex::bytes::Regex;
use search::Search;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, LazyLock};

/// Whether a hash of this file is to be kept out of every report, for its name: password databases with their
/// backups and temporary copies, private keys, stored passwords.
///
/// ```
/// use fim_consumers::secrets::hides_hash;
/// use std::path::Path;
///
/// assert!(hides_hash(Path::new("/etc/shadow-")) && !hides_hash(Path::new("/etc/hosts")));
/// ```
#[must_use]
pub fn hides_hash(path: &Path) -> bool {
    let Some(name) = path.file_name() else {
        return false;
    };
    let name = name.as_bytes();
    // Editors and tools put a dot in front of their copies, vipw an `n`.
    let name = name.strip_prefix(b".").unwrap_or(name);
    let starts = |with: &[u8]| name.starts_with(with);
    let ends = |with: &[u8]| name.ends_with(with);
    let has = |with: &[u8]| {
        let first = with.first().copied().unwrap_or_default();
        memchr_iter(first, name).any(|at| name.get(at..).is_some_and(|rest| rest.starts_with(with)))
    };

    starts(b"shadow")
        || starts(b"gshadow")
        || starts(b"nshadow")
        || starts(b"ngshadow")
        || starts(b"opasswd")
        || starts(b"htpasswd")
        || starts(b"smbpasswd")
        || starts(b"sasl_passwd")
        || starts(b"netrc")
        || starts(b"pgpass")
        || has(b"-secrets")
        || has(b"privkey")
        || ends(b".key")
        || ends(b".keytab")
        || ends(b".kdbx")
        || ends(b".p12")
        || ends(b".pfx")
        || ends(b".ppk")
        || (starts(b"ssh_host_") && !has(b".pub"))
        || (starts(b"id_") && !has(b".pub"))
}

/// How much of a file that is compared line by line is searched for what is hidden in it, in bytes. Above all that
/// is ever compared so.
const MOST_SEARCHED: u64 = 16 << 20;

/// Says for a path whether its hash is to be keyed and not shown: for its name, or for its content. `claimed` says
/// for a path that is compared line by line which of the redactors is its own: the plain hash of a file with one
/// hidden line is as good as the line. A pattern may reach over any number of lines, so that such a file is searched
/// whole, and keyed unsearched if it is too large for that.
///
/// ```
/// use fim_consumers::redact::Redactor;
/// use fim_consumers::secrets::secrecy;
/// use fim_core::{Engine, Key};
///
/// let own = Redactor::parse(&["pin: ([0-9]+)"])?;
/// let key = Key::new([7; 32]); // from the agent's own folder: random, made once
/// let secrecy = secrecy(key, vec![own], |path| path.starts_with("/srv/door").then_some(0));
/// let builder = Engine::builder().secrecy(secrecy);
/// # drop(builder);
/// # Ok::<(), fim_core::PatternError>(())
/// ```
pub fn secrecy<F>(key: Key, redactors: Vec<Redactor>, claimed: F) -> Secrecy
where
    F: Fn(&Path) -> Option<usize> + Send + Sync + 'static,
{
    let claimed = Arc::new(claimed);
    let is_claimed = Arc::clone(&claimed);
    let rule = move |path: &Path, stretch: &[u8]| {
        if stretch.is_empty() {
            return hides_hash(path);
        }
        looks_secret(stretch)
            || claimed(path).and_then(|own| redactors.get(own)).is_some_and(|redactor| redactor.hits(stretch))
    };
    Secrecy::new(key, rule).judging_whole(move |path| is_claimed(path).map(|_| MOST_SEARCHED))
}

/// Whether a stretch of a file has a private key or a hash of a password in it. All that tells one lies within
/// `REACH` bytes of the sign that it is found by.
#[must_use]
pub fn looks_secret(piece: &[u8]) -> bool {
    has_sign(piece) || has_des(piece)
}

static SEARCH: LazyLock<Search> = LazyLock::new(|| Search::for_any(&SIGNS));

/// With one of these begins what may be a secret. Above 32 of them, half as many bytes are searched at a time.
const SIGNS: [&[u8]; 31] = [
    b"PRIVATE KEY",
    b"Private-Lines: ",
    b"AGE-SECRET-KEY-1",
    b"{SSHA",
    b"{SHA",
    b"{SMD5}",
    b"{MD5}",
    b"SCRAM-SHA-",
    b"$1$",
    b"$2$",
    b"$2a$",
    b"$2b$",
    b"$2x$",
    b"$2y$",
    b"$3$",
    b"$5$",
    b"$6$",
    b"$7$",
    b"$8$",
    b"$9$",
    b"$y$",
    b"$gy$",
    b"$sm3$",
    b"$apr1$",
    b"$md5",
    b"$sha1$",
    b"$scrypt$",
    b"$argon2",
    b"$pbkdf2",
    b"$bcrypt-sha256$",
    b"grub.pbkdf2.sha",
];

fn has_sign(piece: &[u8]) -> bool {
    has_sign_by(&SEARCH, piece)
}

fn has_sign_by(search: &Search, piece: &[u8]) -> bool {
    let mut at = 0;
    while let Some(start) = search.first_of(&SIGNS, piece, at) {
        let rest = piece.get(start..piece.len().min(start + REACH)).unwrap_or_default();
        let is_secret = match rest {
            [b'$', ..] => is_crypt_at(rest) || (is_field(piece, start) && is_shadow_line(line(piece, start))),
            [b'{', ..] => is_ldap(rest),
            [b'A', ..] => is_age(rest),
            [b'S', ..] => is_scram(rest),
            [b'g', ..] => is_grub(rest),
            [b'P', b'r', ..] => start == 0 || piece.get(start - 1) == Some(&b'\n'),
            _ => is_private_key(piece, start),
        };
        if is_secret {
            return true;
        }
        at = start + 1;
    }
    false
}

/// Programs that handle keys have the markers in them, but no key between.
static AFTER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?-u)\A(?: BLOCK)? ?-{4,5}(?:\s|\\n|\\r)*(?:\z|(?:[A-Z][A-Za-z-]+: [^\n]*(?:\s|\\n)+)*[\s>#]*(?:\z|[A-Za-z0-9+/=]{16}))",
    )
    .ok()
});
static BEFORE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?-u)[A-Za-z0-9+/=]{4}(?:\s|\\n|\\r)+[\s>#]*-{4,5} ?END [A-Z0-9 ]*\z").ok()
});

/// Whether the words `PRIVATE KEY` here are of a marker beside a key.
fn is_private_key(piece: &[u8], at: usize) -> bool {
    let before = piece.get(at.saturating_sub(64)..at).unwrap_or_default();
    let after = piece.get(at + 11..piece.len().min(at + 400)).unwrap_or_default();
    let begins = before.windows(6).any(|part| part == b"BEGIN ");
    (begins && AFTER.as_ref().is_some_and(|regex| regex.is_match(after)))
        || BEFORE.as_ref().is_some_and(|regex| regex.is_match(before))
}

/// Whether the second field of a line may begin here, locked or not.
fn is_field(piece: &[u8], at: usize) -> bool {
    at.checked_sub(1)
        .and_then(|before| piece.get(before))
        .is_some_and(|byte| matches!(byte, b':' | b'!' | b'*'))
}

fn is_age(rest: &[u8]) -> bool {
    rest.get(16..32).is_some_and(|key| key.iter().all(u8::is_ascii_alphanumeric))
}

/// `SCRAM-SHA-256$4096:…`, as PostgreSQL has it.
fn is_scram(rest: &[u8]) -> bool {
    let mut parts = rest.get(10..).unwrap_or_default().splitn(3, |byte| matches!(byte, b'$' | b':'));
    let is_number =
        |part: Option<&[u8]>| part.is_some_and(|part| part.len() > 2 && part.iter().all(u8::is_ascii_digit));
    is_number(parts.next())
        && is_number(parts.next())
        && parts
            .next()
            .and_then(|salt| salt.get(..16))
            .is_some_and(|salt| salt.iter().all(|byte| is_base64(byte) || *byte == b'$'))
}

/// `grub.pbkdf2.sha512.10000.…`, in hexadecimal digits.
fn is_grub(rest: &[u8]) -> bool {
    let mut parts = rest.get(15..).unwrap_or_default().splitn(3, |byte| *byte == b'.');
    let mut is_number =
        || parts.next().is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit));
    is_number()
        && is_number()
        && parts
            .next()
            .and_then(|salt| salt.get(..16))
            .is_some_and(|salt| salt.iter().all(u8::is_ascii_hexdigit))
}

const fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(*byte, b'+' | b'/' | b'=')
}

fn is_ldap(rest: &[u8]) -> bool {
    let end = rest.iter().take(10).position(|byte| *byte == b'}');
    let hash = end.and_then(|end| rest.get(end + 1..end + 17));
    hash.is_some_and(|hash| hash.iter().all(is_base64))
}

/// Hashes of DES in the second field of a line. They have no sign of their own, and no place in what is no text.
fn has_des(piece: &[u8]) -> bool {
    memchr_iter(b':', piece).any(|at| {
        let is_field = |from: usize, end: usize| {
            piece.get(at + end) == Some(&b':') && piece.get(at + from..at + end).is_some_and(is_des)
        };
        let ends_line = piece.get(at + 14).is_none_or(|byte| matches!(byte, b'\n' | b'\r'));
        if ends_line && piece.get(at + 1..at + 14).is_some_and(is_des) {
            return is_htpasswd_line(line(piece, at));
        }
        (is_field(1, 14) || is_field(1, 21)) && {
            let line = line(piece, at);
            memchr(0, line).is_none() && is_shadow_line(line)
        }
    })
}

/// A name and a hash of DES, and nothing else (htpasswd(1)): the hash is told from a word by the kinds of signs in it.
fn is_htpasswd_line(line: &[u8]) -> bool {
    let mut fields = line.trim_ascii_end().split(|byte| *byte == b':');
    let (Some(name), Some(hash), None) = (fields.next(), fields.next(), fields.next()) else { return false };
    let is_in_names = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'@');
    let has = |is: fn(&u8) -> bool| hash.iter().any(is);
    !name.is_empty()
        && name.iter().all(is_in_names)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'/'))
}

/// No more than this around a sign is looked at: two of it, with the sign, are less than what stretches of a file
/// overlap by, so that a secret is found wherever they are cut.
const REACH: usize = 1024;
const _: () = assert!(2 * REACH + 64 < Secrecy::OVERLAP);

/// The line around this place, as far as it is of a length that such a line can have.
fn line(piece: &[u8], at: usize) -> &[u8] {
    let from = at.saturating_sub(REACH);
    let front = piece.get(from..at).unwrap_or_default();
    let start = memrchr(b'\n', front).map_or(from, |newline| from + newline + 1);
    let back = piece.get(at..piece.len().min(at + REACH)).unwrap_or_default();
    let end = at + memchr(b'\n', back).unwrap_or(back.len());
    piece.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
