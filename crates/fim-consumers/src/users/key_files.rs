//! Which files hold the keys of which accounts.
//!
//! Paths as sshd makes them of `AuthorizedKeysFile`: tokens, relative to the home. Every account counts, also
//! one without a shell: sshd lets it forward ports.

use super::said::{list, text};
use crate::parse::passwd::Account;
use fim_core::Change;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where keys may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    /// With tokens; relative to the home if it does not start with `/`.
    pub path: Vec<u8>,
    /// For whom: patterns of names, as in `Match User`; none for everyone.
    pub users: Vec<Vec<u8>>,
}

/// Whose keys a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Owners {
    names: Vec<Vec<u8>>,
    everyone: bool,
    root: bool,
}

/// So many names are listed of a file that is many people's.
const MOST: usize = 32;

impl Owners {
    /// Adds them to what is said of a key.
    pub fn describe(&self, change: Change) -> Change {
        match self.names.as_slice() {
            _ if self.everyone => change.of("users", "*"),
            [one] => change.of("user", text(one)),
            names => {
                let change = change.of("users", list(names.iter().take(MOST).map(Vec::as_slice)));
                let count = u64::try_from(names.len()).unwrap_or(u64::MAX);
                if names.len() > MOST { change.of("user_count", count) } else { change }
            }
        }
    }

    /// Whether one of them is user number 0.
    pub const fn has_root(&self) -> bool {
        self.everyone || self.root
    }
}

/// Files of keys and their owners. Those of accounts that are gone stay: who removes an account may leave
/// its keys, for the next one of the same home.
#[derive(Debug, Default)]
pub(super) struct KeyFiles(HashMap<PathBuf, Owners>);

impl KeyFiles {
    /// Takes in accounts and templates as they are now; whether there are files that were not known.
    pub fn update<P>(&mut self, accounts: &[Account<'_, P>], templates: &[Template], root: &Path) -> bool {
        let mut now: HashMap<PathBuf, Owners> = HashMap::with_capacity(self.0.len());
        for template in templates {
            if is_shared(&template.path) {
                if let Some(path) = below(root, &expand_shared(&template.path)) {
                    now.entry(path).or_default().everyone = true;
                }
                continue;
            }
            let users = accounts.iter().filter(|account| is_listed(account.name, &template.users));
            for account in users {
                let Some(path) = expand(&template.path, account).and_then(|path| below(root, &path)) else {
                    continue;
                };
                let owners = now.entry(path).or_default();
                owners.root |= account.uid == 0;
                owners.names.push(account.name.to_vec());
            }
        }
        for owners in now.values_mut().filter(|owners| owners.names.len() > 1) {
            let mut seen = HashSet::new();
            owners.names.retain(|name| seen.insert(name.clone()));
        }
        let has_new = now.keys().any(|path| !self.0.contains_key(path));
        self.0.retain(|path, _| !now.contains_key(path));
        self.0.extend(now);
        has_new
    }

    /// The owners of a file.
    pub fn owners(&self, path: &Path) -> Option<&Owners> {
        self.0.get(path)
    }

    /// Every file, sorted.
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths: Vec<&Path> = self.0.keys().map(PathBuf::as_path).collect();
        paths.sort_unstable();
        paths
    }
}

/// Whether it is one file for all: absolute, with no token but `%%`.
fn is_shared(template: &[u8]) -> bool {
    let tokens = template.split(|byte| *byte == b'%').count().saturating_sub(1);
    let literal = template.windows(2).filter(|pair| pair == b"%%").count();
    template.starts_with(b"/") && (tokens == 0 || tokens == literal.saturating_mul(2))
}

fn expand_shared(template: &[u8]) -> Vec<u8> {
    let mut path = template.to_vec();
    path.dedup_by(|next, byte| *next == b'%' && *byte == b'%');
    path
}

/// The file of one account; `None` where sshd finds none either: an unknown token, a home that is not absolute.
fn expand<P>(template: &[u8], account: &Account<'_, P>) -> Option<Vec<u8>> {
    let mut path = Vec::with_capacity(template.len().saturating_add(account.home.len()));
    let mut bytes = template.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'%' {
            path.push(*byte);
            continue;
        }
        match bytes.next()? {
            b'%' => path.push(b'%'),
            b'h' => path.extend_from_slice(account.home),
            b'u' => path.extend_from_slice(account.name),
            b'U' => path.extend_from_slice(account.uid.to_string().as_bytes()),
            _ => return None,
        }
    }
    if !path.starts_with(b"/") {
        path = [account.home, b"/", &path].concat();
    }
    path.starts_with(b"/").then_some(path)
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

    fn account<'a>(name: &'a str, uid: u32, home: &'a str) -> Account<'a, ()> {
        Account {
            name: name.as_bytes(),
            password: (),
            uid,
            gid: 0,
            gecos: b"",
            home: home.as_bytes(),
            shell: b"",
        }
    }

    fn template(path: &str, users: &[&str]) -> Template {
        let users = users.iter().map(|user| user.as_bytes().to_vec()).collect();
        Template { path: path.as_bytes().to_vec(), users }
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
            let found = expand(path.as_bytes(), &account("bob", 7, home));
            let found = found.and_then(|found| below(Path::new(""), &found));
            assert_eq!(found, expected.map(PathBuf::from), "{path} {home}");
        }
        assert_eq!(below(Path::new("/mnt"), b"/../etc"), Some(PathBuf::from("/mnt/etc")));
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

    #[test]
    fn files_stay_when_accounts_go() {
        let mut files = KeyFiles::default();
        let templates = [template(".ssh/a", &[]), template("/etc/%u", &["b*"]), template("/etc/all%%", &[])];
        let (root, bob, rob) =
            (account("root", 0, "/root"), account("bob", 7, "/home/bob"), account("rob", 8, "/home/bob"));
        assert!(files.update(&[root.clone(), bob], &templates, Path::new("/r")));
        let paths = ["/r/etc/all%", "/r/etc/bob", "/r/home/bob/.ssh/a", "/r/root/.ssh/a"];
        assert_eq!(files.paths(), paths.map(Path::new));
        assert!(!files.update(&[root, rob], &templates, Path::new("/r")));
        assert_eq!(files.paths(), paths.map(Path::new));
        let of = |path: &str| files.owners(Path::new(path)).unwrap().describe(Change::new("k")).of;
        assert_eq!(of("/r/etc/bob"), [("user".to_owned(), "bob".into())]);
        assert_eq!(of("/r/home/bob/.ssh/a"), [("user".to_owned(), "rob".into())]);
        assert_eq!(of("/r/etc/all%"), [("users".to_owned(), "*".into())]);
        assert!(files.owners(Path::new("/r/root/.ssh/a")).unwrap().has_root());
    }
}
