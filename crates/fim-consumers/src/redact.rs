//! What must not leave the process: finds secrets in text and hides them. One set of rules for lines of files
//! and for arguments of processes.
//!
//! Works on bytes, whatever they mean to be, and goes by what is there, never by a file's name. Does no I/O.

mod args;
mod blocks;
mod commands;
mod crypt;
mod harmless;
mod rules;
mod shadow;
mod shell;
mod spans;
mod yaml;

#[cfg(feature = "users")]
pub(crate) use crypt::has_crypt;
pub(crate) use crypt::is_crypt_at;
#[cfg(feature = "generic_diff")]
pub(crate) use shadow::is_password_database;
pub(crate) use shadow::{is_des, is_shadow_line};

use fim_core::PatternError;
use regex::bytes::{Regex, RegexBuilder};
use rules::Form;
use spans::Spans;
use std::ops::Range;

/// Shown in place of what is hidden.
pub const HIDDEN: &str = "[redacted]";

/// Each round hides more than the one before. Of a text that needs as many, which was made to, whole lines are
/// hidden from then on.
const MOST_ROUNDS: usize = 8;

/// Hides secrets: those of the built-in forms, and what configured patterns match.
///
/// ```
/// use fim_consumers::redact::Redactor;
///
/// let redactor = Redactor::parse(&["pin: ([0-9]+)"])?;
/// let shown = redactor.redact(b"pin: 4711\npassword = hunter2\nuser = bob\n");
/// assert_eq!(shown, b"pin: [redacted]\npassword = [redacted]\nuser = bob\n");
/// # Ok::<(), fim_core::PatternError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    own: Vec<Own>,
}

/// A configured pattern.
#[derive(Clone, Debug)]
struct Own {
    /// Held against each line.
    line: Regex,
    /// Held against the whole, for patterns that reach over several lines.
    whole: Option<Regex>,
    /// Both with a `.` that is any byte, for text that is not UTF-8.
    bytes: Option<Regex>,
}

impl Redactor {
    /// Hides what these patterns match besides the built-in forms: the last group of each match, or all of
    /// it where the pattern has no group.
    #[must_use]
    pub fn new(patterns: Vec<Regex>) -> Self {
        let again = |pattern: &str, unicode| {
            RegexBuilder::new(pattern).multi_line(true).unicode(unicode).build().ok()
        };
        let own =
            |line: Regex| Own { whole: again(line.as_str(), true), bytes: again(line.as_str(), false), line };
        Self { own: patterns.into_iter().map(own).collect() }
    }

    /// As [`Self::new`], from the text of the patterns.
    ///
    /// # Errors
    /// The first pattern that is no regular expression.
    pub fn parse<S: AsRef<str>>(patterns: &[S]) -> Result<Self, PatternError> {
        let regex = |pattern: &S| {
            let pattern = pattern.as_ref();
            Regex::new(pattern)
                .map_err(|error| PatternError { pattern: pattern.to_owned(), reason: error.to_string() })
        };
        patterns.iter().map(regex).collect::<Result<_, _>>().map(Self::new)
    }

    /// Where in a text the secrets are: in order, apart from each other, none across the end of a line.
    #[must_use]
    pub fn spans(&self, text: &[u8]) -> Vec<Range<usize>> {
        self.find(text, Form::File)
    }

    /// Whether there is a secret in a text, or in a piece of one.
    #[must_use]
    pub fn hits(&self, text: &[u8]) -> bool {
        !self.spans(text).is_empty()
    }

    /// The text as it may be shown. It has as many lines as before, and redacting it again changes nothing.
    #[must_use]
    pub fn redact(&self, text: &[u8]) -> Vec<u8> {
        self.hide(text, Form::File)
    }

    /// What is hidden may make what is beside it look like a part of it: goes on until nothing is found.
    fn hide(&self, text: &[u8], form: Form) -> Vec<u8> {
        let mut shown = text.to_vec();
        for round in 0..2 * MOST_ROUNDS {
            let mut found = self.find(&shown, form);
            if found.is_empty() {
                return shown;
            }
            if round >= MOST_ROUNDS {
                found = spans::whole_lines(&shown, &found);
            }
            shown = spans::hide(&shown, &found);
        }
        spans::hide(&shown, &spans::all_lines(&shown))
    }

    fn find(&self, text: &[u8], form: Form) -> Vec<Range<usize>> {
        let mut found = Spans::new(text);
        blocks::find(text, &mut found);
        shadow::find(text, &mut found);
        crypt::find(text, &mut found);
        commands::find(text, &mut found);
        rules::find(text, form, &mut found);
        for own in &self.own {
            own.find(text, &mut found);
        }
        found.into_ranges()
    }

    /// Tells one set of configured patterns from another.
    #[cfg(feature = "generic_diff")]
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.own.iter().map(|own| own.line.as_str())
    }
}

impl Own {
    fn find(&self, text: &[u8], found: &mut Spans<'_>) {
        let is_utf8 = std::str::from_utf8(text).is_ok();
        let mut start = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let bare = line.strip_suffix(b"\n").unwrap_or(line);
            let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
            hide_last_group(&self.line, bare, start, found);
            if let Some(bytes) = self.bytes.as_ref().filter(|_| !is_utf8) {
                hide_last_group(bytes, bare, start, found);
            }
            start += line.len();
        }
        let whole = if is_utf8 { self.whole.iter() } else { self.bytes.iter() };
        for regex in whole {
            hide_last_group(regex, text, 0, found);
        }
    }
}

/// Hides the last group of each match, or the whole match where the pattern has no group or the last one had
/// no part in the match.
fn hide_last_group(regex: &Regex, text: &[u8], offset: usize, found: &mut Spans<'_>) {
    for groups in regex.captures_iter(text) {
        let last = groups.len().saturating_sub(1);
        if let Some(secret) = groups.get(last).or_else(|| groups.get(0)) {
            found.hide(offset + secret.start()..offset + secret.end());
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
