//! Arguments of processes: as lines of a file, but that a value may be the next argument.

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
        args.iter()
            .map(|arg| {
                let arg = arg.as_ref().as_bytes();
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
