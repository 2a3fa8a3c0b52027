//! What a shell runs or puts in place of a value: no secret, and what an administrator must see.

use memchr::{memchr, memchr2};
use regex::bytes::Regex;
use std::sync::LazyLock;

/// A command whose output is the value, or the default of a variable that is one. A password has such signs in it
/// too, but no word behind them.
static COMMAND: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x-u)
        \A["']?(?:\$\{\w+:?[-=+?]["']?)?(\$\(|`)
        | (\$\([\x20\t]*|`)[\w./~-]+[\s)`|;&<>]"#,
    )
    .ok()
});

/// What comes after a value that a shell takes up to the next space.
static NEXT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?-u);(?:[ \t]|\z)|[ \t](?:\|\|?|&&?)(?:[ \t]|\z)|[ \t][^\n]*(?:[ \t]-[\w-]|[ \t]?\||&&|;[ \t]|[ \t][<>]|\$\(|`|://)").ok()
});

/// Where in a value a command begins. `front` stands right before it, `line` is the line from it on.
pub(super) fn command_in(front: &[u8], value: &[u8], line: &[u8]) -> Option<usize> {
    memchr2(b'$', b'`', value)?;
    // In a document it is how a word is set: `password: ` and the word between two of them.
    let is_text = front.trim_ascii_end().ends_with(b":");
    let groups = COMMAND.as_ref()?.captures_iter(line).find(|groups| {
        let sign = groups.get(1).or_else(|| groups.get(2));
        sign.is_some_and(|sign| {
            // One alone may be a sign of a password.
            sign.as_bytes() != b"`"
                || !is_text && line.get(sign.end()..).is_some_and(|rest| memchr(b'`', rest).is_some())
        })
    })?;
    // What is in front of a sign that begins the value is no part of it.
    let at = groups.get(2).map_or(0, |sign| sign.start());
    (at < value.len()).then_some(at)
}

/// Where in what follows `NAME=` a shell sees another command.
pub(super) fn next_command(before: &[u8], between: &[u8], value: &[u8]) -> Option<usize> {
    let is_of_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    let front = before.iter().rev().take_while(is_of_name).count();
    let rest = before.get(..before.len() - front).unwrap_or_default();
    let is_assignment = between == b"=" && rest.last().is_none_or(u8::is_ascii_whitespace);
    let next = NEXT.as_ref().filter(|_| is_assignment)?.find(value)?;
    Some(next.start()).filter(|at| *at > 0)
}

/// A variable of a shell, and nothing else: `$NAME`, `${NAME}`, `$1`. In small letters it may be a password.
pub(super) fn is_reference(value: &[u8]) -> bool {
    let bare = value.trim_ascii();
    let name = match bare {
        [b'"', rest @ .., b'"'] => rest,
        bare => bare,
    };
    let is_name = |name: &[u8], small: bool| {
        !name.is_empty()
            && name.iter().all(|byte| {
                byte.is_ascii_uppercase()
                    || byte.is_ascii_digit()
                    || *byte == b'_'
                    || (small && byte.is_ascii_lowercase())
            })
    };
    match name {
        [b'$', b'{', name @ .., b'}'] => is_name(name, true),
        [b'$', b'@' | b'*'] => true,
        [b'$', name @ ..] => is_name(name, false),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expression_compiles() {
        assert!(COMMAND.is_some() && NEXT.is_some());
    }
}
