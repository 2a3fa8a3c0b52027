//! Where sshd looks for the keys of an account: `AuthorizedKeysFile` with its tokens, and whom `Match User` names.
//!
//! Pure functions on bytes. Must not know which files there are, nor what is in them.

use crate::parse::passwd::Account;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What a file says of who may log in. A file that two of them name is read as the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holds {
    /// Keys that sign certificates: `TrustedUserCAKeys`.
    Authorities,
    /// Keys: `AuthorizedKeysFile`.
    Keys,
    /// Names that a certificate may be for: `AuthorizedPrincipalsFile`.
    Principals,
    /// Keys that let nobody in, as text or in a form of its own: `RevokedKeys`.
    Revoked,
}

/// Where they may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    /// With tokens; relative to the home if it does not start with `/`.
    pub path: Vec<u8>,
    pub holds: Holds,
    /// For whom: patterns of names, as in `Match User`; none for everyone.
    pub users: Vec<Vec<u8>>,
}

impl Template {
    /// The one file of all accounts: absolute, with no token but `%%`; `None` where each has its own.
    pub(super) fn shared(&self) -> Option<Vec<u8>> {
        self.path.starts_with(b"/").then(|| self.fill(|_, _| None)).flatten()
    }

    /// The file of one account; `None` where sshd finds none either: an account that is not meant, an unknown token, a home
    /// that is not absolute.
    pub(super) fn of<P>(&self, account: &Account<'_, P>) -> Option<Vec<u8>> {
        if !is_listed(account.name, &self.users) {
            return None;
        }
        let mut path = self.fill(|token, path| {
            match token {
                b'h' => path.extend_from_slice(account.home),
                b'u' => path.extend_from_slice(account.name),
                b'U' => path.extend_from_slice(account.uid.to_string().as_bytes()),
                _ => return None,
            }
            Some(())
        })?;
        if !path.starts_with(b"/") {
            path = [account.home, b"/", &path].concat();
        }
        path.starts_with(b"/").then_some(path)
    }

    /// The path with its tokens filled in, but for `%%`, which is a sign.
    fn fill(&self, mut put: impl FnMut(u8, &mut Vec<u8>) -> Option<()>) -> Option<Vec<u8>> {
        let mut path = Vec::with_capacity(self.path.len());
        let mut bytes = self.path.iter();
        while let Some(byte) = bytes.next() {
            match byte {
                b'%' => match bytes.next()? {
                    b'%' => path.push(b'%'),
                    token => put(*token, &mut path)?,
                },
                byte => path.push(*byte),
            }
        }
        Some(path)
    }
}

/// The path below the root, with `.` and `..` resolved as text so that none leads out of it.
pub(super) fn below(root: &Path, path: &[u8]) -> Option<PathBuf> {
    if path.contains(&0) {
        return None;
    }
    let mut names: Vec<&[u8]> = Vec::new();
    for name in path.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    let mut whole = if root.as_os_str().is_empty() { PathBuf::from("/") } else { root.to_owned() };
    whole.extend(names.into_iter().map(OsStr::from_bytes));
    Some(whole)
}

/// Whether a list of patterns as in `Match User` names someone; an empty list names everyone.
fn is_listed(name: &[u8], patterns: &[Vec<u8>]) -> bool {
    let mut listed = patterns.is_empty();
    for pattern in patterns {
        match pattern.strip_prefix(b"!") {
            Some(pattern) if matches(name, pattern) => return false,
            Some(_) => {}
            None => listed |= matches(name, pattern),
        }
    }
    listed
}

/// `*` and `?`, as sshd's match_pattern() has them.
fn matches(name: &[u8], pattern: &[u8]) -> bool {
    let (mut name, mut pattern) = (name, pattern);
    let mut again: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern, name) {
            ([b'*', rest @ ..], _) => {
                again = Some((rest, name));
                pattern = rest;
            }
            ([b'?', more @ ..], [_, left @ ..]) => (pattern, name) = (more, left),
            ([sign, more @ ..], [byte, left @ ..]) if sign == byte => (pattern, name) = (more, left),
            ([], []) => return true,
            _ => match again {
                Some((rest, [_, left @ ..])) => {
                    again = Some((rest, left));
                    (pattern, name) = (rest, left);
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account<'a>(home: &'a str) -> Account<'a, ()> {
        Account { name: b"bob", password: (), uid: 7, gid: 0, gecos: b"", home: home.as_bytes(), shell: b"" }
    }

    #[test]
    fn paths_of_accounts() {
        for (path, home, expected) in [
            (".ssh/authorized_keys", "/home/bob", Some("/home/bob/.ssh/authorized_keys")),
            ("/etc/keys/%u", "/home/bob", Some("/etc/keys/bob")),
            ("%h/k%%%U", "/home/bob/", Some("/home/bob/k%7")),
            ("k", "/", Some("/k")),
            ("k", "", Some("/k")),
            ("k", "home/bob", None),
            ("%x", "/home/bob", None),
            ("k%", "/home/bob", None),
            ("k", "/../../home/./bob", Some("/home/bob/k")),
            ("../../../k", "/home/bob", Some("/k")),
            ("k", "/home/\0", None),
        ] {
            let template = Template { path: path.as_bytes().to_vec(), users: Vec::new(), holds: Holds::Keys };
            let found = template.of(&account(home));
            let found = found.and_then(|found| below(Path::new(""), &found));
            assert_eq!(found, expected.map(PathBuf::from), "{path} {home}");
        }
        assert_eq!(below(Path::new("/mnt"), b"/../etc"), Some(PathBuf::from("/mnt/etc")));
    }

    #[test]
    fn the_file_of_all() {
        for (path, expected) in [
            ("/etc/keys", Some("/etc/keys")),
            ("/etc/%%", Some("/etc/%")),
            ("/etc/%%%%k", Some("/etc/%%k")),
            ("/etc/%u", None),
            ("/etc/%%%u", None),
            ("/etc/k%", None),
            (".ssh/keys", None),
        ] {
            let template = Template { path: path.as_bytes().to_vec(), users: Vec::new(), holds: Holds::Keys };
            assert_eq!(template.shared(), expected.map(|path| path.as_bytes().to_vec()), "{path}");
        }
    }

    #[test]
    fn who_is_listed() {
        for (name, patterns, expected) in [
            ("bob", &[][..], true),
            ("bob", &["bob"], true),
            ("bob", &["b?b"], true),
            ("bob", &["b*", "!bob"], false),
            ("bob", &["!eve"], false),
            ("bob", &["*"], true),
            ("abcabd", &["*abd"], true),
            ("abcabd", &["a*c*d"], true),
            ("abcabd", &["a*x*d"], false),
            ("", &["*"], true),
            ("", &["?"], false),
        ] {
            let patterns: Vec<Vec<u8>> = patterns.iter().map(|one: &&str| one.as_bytes().to_vec()).collect();
            assert_eq!(is_listed(name.as_bytes(), &patterns), expected, "{name} {patterns:?}");
        }
    }
}
