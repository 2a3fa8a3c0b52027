//! Options in front of a key or a principal: what may be told of them, and whether they hold back less than before.

use super::kept::{Reader, Writer};
use super::secret::{Digest, of_line};
use crate::redact::{HIDDEN, Redactor};
use crate::said::{Said, list};
use fim_core::{Change, Key, Severity, Value};
use std::borrow::Cow;

/// All options of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options<'a> {
    /// As written, but for secrets and the values of variables.
    shown: Vec<Cow<'a, [u8]>>,
    /// Of what is hidden in them, if anything is.
    hidden: Option<Digest>,
}

impl<'a> Options<'a> {
    pub fn read(written: &[&'a [u8]], redactor: &Redactor, key: &Key) -> Self {
        let shown: Vec<_> = written.iter().map(|option| shown(option, redactor)).collect();
        let is_hidden = shown.iter().any(|option| matches!(option, Cow::Owned(_)));
        Self { shown, hidden: is_hidden.then(|| of_line(key, &written.join(&b','))) }
    }

    pub fn put(&self, to: &mut Writer) {
        to.list(&self.shown, |to, option| to.bytes(option));
        to.byte(u8::from(self.hidden.is_some()));
        if let Some(hidden) = &self.hidden {
            to.digest(hidden);
        }
    }

    pub fn take(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self {
            shown: from.list(|from| from.bytes().map(Cow::Borrowed))?,
            hidden: if from.flag()? { Some(from.array()?) } else { None },
        })
    }

    pub const fn has_secret(&self) -> bool {
        self.hidden.is_some()
    }

    /// Adds them to what is said of a line, if there are any.
    pub fn describe(&self, change: Change) -> Change {
        if self.shown.is_empty() { change } else { change.of("options", self.value()) }
    }

    /// Says what is different in the words `key_options` or the like: whether what is hidden was hidden under the same key, and
    /// how severe a new line would be.
    pub fn compare(
        &self,
        new: &Self,
        what: &str,
        (same_key, of_new): (bool, Severity),
        describe: impl Fn(Change) -> Change,
        said: &mut Said,
    ) {
        if self.shown != new.shown {
            let severity = match new.is_weaker_than(self) {
                true if new.opens_as_a_new_one(self) => of_new,
                true => Severity::High,
                false => Severity::Notable,
            };
            said.say(severity, || describe(Change::from_to(what, self.value(), new.value())));
        } else if same_key && self.hidden != new.hidden {
            said.say(Severity::High, || describe(Change::new(format!("{what}_hidden"))));
        }
    }

    /// Whether more is allowed than before: a restriction is gone or another, or something is allowed.
    fn is_weaker_than(&self, old: &Self) -> bool {
        old.shown.iter().any(|option| restricts(option) && !self.shown.contains(option))
            || self.shown.iter().any(|option| !restricts(option) && !old.shown.contains(option))
    }

    /// Whether the line opens what a new one would: more than one command, or to others than the holder of the key.
    fn opens_as_a_new_one(&self, old: &Self) -> bool {
        let has = |all: &Self, wanted: &[u8]| all.shown.iter().any(|option| name(option) == wanted);
        let is_bound =
            |option: &[u8]| matches!(name(option).as_slice(), b"command" | b"restrict" | b"principals");
        old.shown.iter().any(|option| is_bound(option) && !self.shown.contains(option))
            || (has(self, b"cert-authority") && !has(old, b"cert-authority"))
    }

    fn value(&self) -> Value {
        list(self.shown.iter().map(AsRef::as_ref))
    }
}

/// An option as it may be told. The value of a variable may be a secret whatever it looks like.
fn shown<'a>(option: &'a [u8], redactor: &Redactor) -> Cow<'a, [u8]> {
    if let Some(name) = variable(option) {
        Cow::Owned([b"environment=\"", name, b"=", HIDDEN.as_bytes(), b"\""].concat())
    } else if redactor.hits(option) {
        Cow::Owned(redactor.redact(option))
    } else {
        Cow::Borrowed(option)
    }
}

/// The name of the variable that an option sets.
fn variable(option: &[u8]) -> Option<&[u8]> {
    let (name, value) = option.split_at_checked(b"environment=".len())?;
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    let name = name.eq_ignore_ascii_case(b"environment=").then_some(value)?;
    name.split(|byte| *byte == b'=').next()
}

/// The name of an option.
fn name(option: &[u8]) -> Vec<u8> {
    option.split(|byte| *byte == b'=').next().unwrap_or_default().to_ascii_lowercase()
}

/// Options that take something away from who logs in; all others give.
fn restricts(option: &[u8]) -> bool {
    match name(option).as_slice() {
        b"command" | b"expiry-time" | b"from" | b"permitlisten" | b"permitopen" | b"principals"
        | b"restrict" | b"verify-required" => true,
        b"no-touch-required" => false,
        name => name.starts_with(b"no-"),
    }
}
