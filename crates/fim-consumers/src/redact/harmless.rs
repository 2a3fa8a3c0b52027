//! What looks like a password and is none: to hide it would hide what an administrator must see.

use super::HIDDEN;
use regex::bytes::Regex;
use std::sync::LazyLock;

/// What a host may do in sudoers: as whom, with which tags, and what. A host may have any name.
static GRANT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x-u)\A
        (?:\( [\w%\#+@:,.!\x20\t"\\-]* \) [\x20\t]* (?: [A-Z][A-Z0-9_]*\b | [/!\\] | sudoedit | list | sha\d+: | \z)
        | (?:NO)?(?:PASSWD|EXEC|SETENV|LOG_INPUT|LOG_OUTPUT|MAIL|FOLLOW|INTERCEPT) [\x20\t]* : [\x20\t]* [A-Z/!(\\]
        | !? [\x20\t]* (?:ALL|sudoedit) (?: [\x20\t]* (?:,|\z) | [\x20\t]+: )
        | !? [\x20\t]* /(?:usr|bin|sbin|opt|etc|tmp|home|root|var|srv|lib\w*|dev)/ [\w./*?\[\]-]+ (?:[\s,\\:]|\z))"#,
    )
    .ok()
});

/// Whether the value of a key is no secret. `before` is the line up to the key, `between` stands between key
/// and value, `line` goes on from the value.
pub(super) fn is_harmless(before: &[u8], key: &[u8], between: &[u8], value: &[u8], line: &[u8]) -> bool {
    let value = value.trim_ascii();
    is_plain_word(value)
        || is_hidden(value)
        || is_of_sudoers(before, key, between, value)
        || is_granted(before, key, between, line)
        || is_of_nsswitch(before, key, between, value)
        || is_account(between, value)
        || (key.eq_ignore_ascii_case(b"pwd") && is_directory(before, value))
}

/// A switch, nothing, or the beginning of something larger.
fn is_plain_word(value: &[u8]) -> bool {
    const WORDS: [&[u8]; 10] =
        [b"true", b"false", b"yes", b"no", b"on", b"off", b"null", b"nil", b"none", b"~"];
    let bare = value.strip_suffix(b",").or_else(|| value.strip_suffix(b";")).unwrap_or(value);
    WORDS.iter().any(|word| bare.eq_ignore_ascii_case(word))
        || bare
            .iter()
            .all(|byte| matches!(byte, b'{' | b'[' | b'(' | b'|' | b'>' | b'-' | b'"' | b'\'' | b' '))
}

/// Hidden already, with what may follow a value.
fn is_hidden(value: &[u8]) -> bool {
    value.strip_prefix(HIDDEN.as_bytes()).is_some_and(|rest| {
        rest.first()
            .is_none_or(|byte| matches!(byte, b',' | b';' | b'}' | b']' | b')' | b'>' | b'<' | b'"' | b'\''))
    })
}

/// Tags of sudoers (`NOPASSWD: ALL`) and names of aliases (`Cmnd_Alias PASS = …`).
fn is_of_sudoers(before: &[u8], key: &[u8], between: &[u8], value: &[u8]) -> bool {
    if before.windows(6).any(|part| part == b"_Alias") {
        return true;
    }
    if key != b"PASSWD" || !between.starts_with(b":") {
        return false;
    }
    let is_tag = before.trim_ascii_end().ends_with(b"NO")
        || before.iter().any(|byte| matches!(byte, b'=' | b')' | b':' | b','));
    let is_command = matches!(value.first(), Some(b'/' | b'!')) || value.starts_with(b"ALL");
    is_tag || (before.trim_ascii().is_empty() && is_command)
}

/// `eve TOKEN=(ALL) NOPASSWD: ALL` for an alias of hosts: they are in capitals, behind the name of a user.
fn is_granted(before: &[u8], key: &[u8], between: &[u8], line: &[u8]) -> bool {
    let name = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let front = before.iter().rev().take_while(|byte| name(byte)).count();
    let user = before.get(..before.len() - front).unwrap_or_default();
    key.iter().all(name)
        && between.trim_ascii() == b"="
        && user.last().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b',' | b':'))
        && GRANT.as_ref().is_some_and(|grant| grant.is_match(line.trim_ascii()))
}

/// `passwd: files systemd` names services.
fn is_of_nsswitch(before: &[u8], key: &[u8], between: &[u8], value: &[u8]) -> bool {
    const SERVICES: [&[u8]; 7] = [b"files", b"compat", b"systemd", b"sss", b"db", b"ldap", b"winbind"];
    key.eq_ignore_ascii_case(b"passwd")
        && between.trim_ascii() == b":"
        && before.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'#'))
        && value.split(u8::is_ascii_whitespace).any(|word| SERVICES.contains(&word))
}

/// An account of that name: `secret:x:1000:1000:…`.
fn is_account(between: &[u8], value: &[u8]) -> bool {
    let mut fields = value.split(|byte| *byte == b':');
    let hash = fields.next().unwrap_or_default();
    let number = fields.next().unwrap_or_default();
    between == b":"
        && matches!(hash, b"x" | b"*" | b"!" | b"!!" | b"!*")
        && !number.is_empty()
        && number.iter().all(u8::is_ascii_digit)
}

/// The shell's `PWD` and `OLDPWD`.
fn is_directory(before: &[u8], value: &[u8]) -> bool {
    let name =
        before.rsplit(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').next().unwrap_or_default();
    (name.is_empty() || name == b"OLD") && matches!(value.first(), Some(b'/' | b'$' | b'`'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expression_compiles() {
        assert!(GRANT.is_some());
    }
}
