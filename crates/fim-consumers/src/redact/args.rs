//! Arguments of processes: as lines of a file, but that a value may be the next argument.

use super::commands;
use super::rules::{Form, KEY};
use super::{HIDDEN, Redactor};
use regex::bytes::Regex;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::LazyLock;

/// An option that names a secret: the next argument is its value.
static OPTION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!(r"(?i-u)\A--?[\w-]*{KEY}\z")).ok());

impl Redactor {
    /// Arguments as they may be shown, with U+FFFD for what is not UTF-8.
    pub fn args<S: AsRef<OsStr>>(&self, args: &[S]) -> Vec<String> {
        let mut next_is_secret = false;
        let mut form = Form::Argument;
        let told = told_by_place(args);
        args.iter()
            .zip(&told)
            .map(|(arg, told)| {
                let arg = arg.as_ref().as_bytes();
                if let Some(shown) = told.and_then(|told| arg.get(..told)) {
                    next_is_secret = false;
                    return String::from_utf8_lossy(shown).into_owned() + HIDDEN;
                }
                if std::mem::take(&mut next_is_secret) {
                    return HIDDEN.to_owned();
                }
                next_is_secret = OPTION.as_ref().is_some_and(|option| option.is_match(arg));
                let next = if arg == b"-c" { Form::Script } else { Form::Argument };
                let form = std::mem::replace(&mut form, next);
                String::from_utf8_lossy(&self.hide(arg, form)).into_owned()
            })
            .collect()
    }
}

/// For each argument, from where on it is a secret by its place in the command, if it is.
fn told_by_place<S: AsRef<OsStr>>(args: &[S]) -> Vec<Option<usize>> {
    // Within an argument nothing ends a word or a command.
    let plain = |byte: &u8| match byte {
        b';' | b'|' | b'&' | b'>' | b'"' | b'\'' | b'\\' => b'_',
        byte if byte.is_ascii_whitespace() => b'_',
        byte => *byte,
    };
    let word = |arg: &[u8]| {
        let is_empty = arg.is_empty();
        if is_empty { EMPTY.to_vec() } else { arg.iter().map(plain).collect::<Vec<_>>() }
    };
    let words: Vec<Vec<u8>> = args.iter().map(|arg| word(arg.as_ref().as_bytes())).collect();
    let told = commands::told(&words.join(&b' '));
    let mut start = 0_usize;
    let within = |word: &Vec<u8>| {
        let (begin, end) = (start, start.saturating_add(word.len()));
        start = end.saturating_add(1);
        // What is said within one argument is found there.
        let of_others = told.iter().filter(|told| told.command < begin);
        let first = of_others
            .filter(|told| told.value.start < end && told.value.end > begin)
            .map(|told| told.value.start)
            .min()?;
        Some(first.saturating_sub(begin))
    };
    words.iter().map(within).collect()
}

/// An argument that is empty, as a shell would be told: else the next one would be taken for it.
const EMPTY: &[u8] = b"''";

#[cfg(test)]
mod tests;
