//! `[users]`, `[access]`, `[[generic]]` and `[[generic_diff]]`: what is watched, and what is said of it.

use super::Size;
use serde::{Deserialize, Serialize};
use std::fmt;

/// `[users]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Users {
    /// The account file.
    pub passwd: String,
    /// Its passwords.
    pub shadow: String,
    /// The group file.
    pub group: String,
    /// Its passwords.
    pub gshadow: String,
    /// Files of keys. Relative ones are below the home of each user in `passwd`; what sshd's own
    /// `AuthorizedKeysFile` names is watched too.
    pub authorized_keys: Vec<String>,
}

impl Default for Users {
    fn default() -> Self {
        Self {
            passwd: "/etc/passwd".to_owned(),
            shadow: "/etc/shadow".to_owned(),
            group: "/etc/group".to_owned(),
            gshadow: "/etc/gshadow".to_owned(),
            authorized_keys: vec![".ssh/authorized_keys".to_owned(), ".ssh/authorized_keys2".to_owned()],
        }
    }
}

/// `[access]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Access {
    /// Files and globs.
    pub paths: Vec<String>,
    /// Like the option of `pam_access`: each of these characters ends a field.
    pub fieldsep: String,
    /// Likewise: each of these characters ends a word of a list.
    pub listsep: String,
    /// Likewise: `true` if a name without parentheses is never a group.
    pub nodefgroup: bool,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            paths: vec!["/etc/security/access.conf".to_owned(), "/etc/security/access.d/*.conf".to_owned()],
            fieldsep: ":".to_owned(),
            listsep: ", \t".to_owned(),
            nodefgroup: false,
        }
    }
}

/// The options, as they would be given to `pam_access`.
impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fieldsep={:?} listsep={:?}", self.fieldsep, self.listsep)?;
        if self.nodefgroup { f.write_str(" nodefgroup") } else { Ok(()) }
    }
}

/// One `[[generic]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Generic {
    /// Absolute paths and globs. A path means that file, or that whole tree if it is a directory, whether it
    /// exists yet or not.
    pub paths: Vec<String>,
    /// Globs of what to leave out, with everything below it.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Likewise, as regular expressions on the whole path, unanchored.
    #[serde(default)]
    pub exclude_regex: Vec<String>,
    /// Also `"sha256"`, for look-ups in threat feeds. BLAKE3 is always computed: changes are detected by it.
    #[serde(default = "blake3")]
    pub hash: Vec<Hash>,
}

impl Default for Generic {
    fn default() -> Self {
        Self { paths: Vec::new(), exclude: Vec::new(), exclude_regex: Vec::new(), hash: blake3() }
    }
}

fn blake3() -> Vec<Hash> {
    vec![Hash::Blake3]
}

/// One `[[generic_diff]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GenericDiff {
    /// As for `[[generic]]`.
    pub paths: Vec<String>,
    /// As for `[[generic]]`.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// As for `[[generic]]`.
    #[serde(default)]
    pub exclude_regex: Vec<String>,
    /// Regular expressions of what to hide besides what is always hidden: the last group, or the whole match
    /// if there is none. They are checked against each line, and against the whole text for matches that
    /// span several lines. They apply to arguments of processes too.
    #[serde(default)]
    pub redact: Vec<String>,
    /// Leave out changes of nothing but comments: lines whose first character is `#`. Not counted as
    /// comments: `#include`, `#includedir`, `#!`, users by number (`#1000 ALL=…`), lines that continue on
    /// the next one, and continuation lines.
    #[serde(default)]
    pub ignore_comments: bool,
    /// Leave out changes of nothing but blank lines.
    #[serde(default)]
    pub ignore_blank: bool,
    /// Keep the redacted text in the state for the next comparison. With `false` only a keyed digest of
    /// each line is kept: lines are counted exactly and added ones shown, but removed ones cannot be shown
    /// (`-[not kept]`).
    #[serde(default = "yes")]
    pub keep_text: bool,
    /// Larger files are compared by hash (above 16 MiB, where they are no longer searched for secrets, the
    /// hash is not shown), as are binary ones (a NUL in the first 8 KiB, or mostly no text). The maximum is
    /// 4 MiB; larger values are treated as 4 MiB.
    #[serde(default = "one_mebibyte")]
    pub max_file_size: Size,
    /// Longer diffs are cut; also after 64 KiB, and each line after 2 KiB. The finding says so, and how.
    #[serde(default = "thousand")]
    pub max_lines: usize,
}

const fn yes() -> bool {
    true
}

const fn one_mebibyte() -> Size {
    Size(1 << 20)
}

const fn thousand() -> usize {
    1000
}

/// A hash that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Hash {
    /// BLAKE3.
    Blake3,
    /// SHA-256.
    Sha256,
}
