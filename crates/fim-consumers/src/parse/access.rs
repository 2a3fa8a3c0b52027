//! The format of access.conf(5): who may log in from where. Reads it as `pam_access` does (Linux-PAM 1.7,
//! `modules/pam_access/pam_access.c`), with what that skips without a word to the administrator named.
//!
//! Knows nothing of what the tokens mean: users, groups and hosts are not looked up. There is no
//! continuation of lines, and `#` begins a comment in the first column alone.

use std::fmt;

/// The options of `pam_access` that decide how a line is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Separators {
    /// `fieldsep`: every one of these characters ends the first two fields.
    pub fields: String,
    /// `listsep`: every one of these separates tokens.
    pub lists: String,
}

impl Default for Separators {
    fn default() -> Self {
        Self { fields: ":".to_owned(), lists: ", \t".to_owned() }
    }
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its line in the file, from 1.
    pub line: u32,
    /// Whether it lets in whom it matches.
    pub grants: bool,
    /// Tokens of the second field, `EXCEPT` among them.
    pub users: Vec<String>,
    /// Tokens of the third.
    pub origins: Vec<String>,
}

impl Rule {
    /// What makes it the same rule wherever it stands.
    #[must_use]
    pub fn key(&self) -> (bool, &[String], &[String]) {
        (self.grants, &self.users, &self.origins)
    }

    /// `grant` or `deny`.
    #[must_use]
    pub const fn permission(&self) -> &'static str {
        if self.grants { "grant" } else { "deny" }
    }
}

/// As it would stand in a file, with one blank between tokens.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.grants { '+' } else { '-' };
        write!(f, "{sign}:{}:{}", self.users.join(" "), self.origins.join(" "))
    }
}

/// Why `pam_access` passes over a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Fewer than three fields.
    FieldCount,
    /// The first field does not begin with `+` or `-`.
    Permission,
    /// The last line does not end with a line break.
    Newline,
    /// A zero byte ends the line for it.
    ZeroByte,
    /// A list of nothing but separators matches nothing.
    EmptyList,
}

impl Fault {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FieldCount => "bad field count",
            Self::Permission => "bad first field",
            Self::Newline => "missing newline",
            Self::ZeroByte => "zero byte",
            Self::EmptyList => "empty list",
        }
    }
}

/// A line without effect that is neither blank nor a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its number, from 1.
    pub line: u32,
    /// Why.
    pub fault: Fault,
    /// The line.
    pub text: String,
}

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessFile {
    /// Rules in order: the first that matches decides.
    pub rules: Vec<Rule>,
    /// Lines that are passed over.
    pub broken: Vec<Broken>,
}

/// Reads a file.
///
/// ```
/// use fim_consumers::parse::access::{Separators, parse};
///
/// let file = parse(b"# who may\n+:root:LOCAL\n-:ALL:ALL\n", &Separators::default());
/// assert_eq!((file.rules.len(), file.broken.len()), (2, 0));
/// ```
#[must_use]
pub fn parse(bytes: &[u8], separators: &Separators) -> AccessFile {
    let mut file = AccessFile::default();
    for (number, line) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
        let (line, ended) = line.strip_suffix(b"\n").map_or((line, false), |line| (line, true));
        let text = trim_end(line);
        if matches!(text.first(), None | Some(b'#' | 0)) {
            continue;
        }
        let parsed = if text.contains(&0) {
            Err(Fault::ZeroByte)
        } else if ended {
            rule(number, text, separators)
        } else {
            Err(Fault::Newline)
        };
        match parsed {
            Ok(rule) => file.rules.push(rule),
            Err(fault) => file.broken.push(Broken { line: number, fault, text: readable(text) }),
        }
    }
    file
}

fn rule(line: u32, text: &[u8], separators: &Separators) -> Result<Rule, Fault> {
    let fields = separators.fields.as_bytes();
    let (permission, rest) = field(text, fields).ok_or(Fault::FieldCount)?;
    let (users, origins) = field(rest, fields).ok_or(Fault::FieldCount)?;
    if origins.is_empty() {
        return Err(Fault::FieldCount);
    }
    if !matches!(permission.first(), Some(b'+' | b'-')) {
        return Err(Fault::Permission);
    }
    let (users, origins) = (tokens(users, separators), tokens(origins, separators));
    if users.is_empty() || origins.is_empty() {
        return Err(Fault::EmptyList);
    }
    // Not the first field decides but the line's first byte: a line that begins with a separator denies.
    Ok(Rule { line, grants: text.first() == Some(&b'+'), users, origins })
}

/// The next field and what follows its separator, as `strtok_r` cuts them: empty fields are none.
fn field<'a>(text: &'a [u8], separators: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let start = text.iter().position(|byte| !separators.contains(byte))?;
    let text = text.get(start..)?;
    let end = text.iter().position(|byte| separators.contains(byte)).unwrap_or(text.len());
    Some((text.get(..end)?, text.get(end + 1..).unwrap_or_default()))
}

fn tokens(list: &[u8], separators: &Separators) -> Vec<String> {
    list.split(|byte| separators.lists.as_bytes().contains(byte))
        .filter(|token| !token.is_empty())
        .map(readable)
        .collect()
}

/// Bytes that are no UTF-8 are written as `\x..`, so that two different names stay different.
fn readable(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.escape_ascii().to_string(),
    }
}

/// Without what `isspace` takes for a blank at its end.
fn trim_end(mut line: &[u8]) -> &[u8] {
    while let [front @ .., b' ' | b'\t'..=b'\r'] = line {
        line = front;
    }
    line
}

#[cfg(test)]
mod tests;
