//! Which files hold the keys of which accounts.
//!
//! Every account counts, also one without a shell: sshd lets it forward ports. Must not know how paths are made of tokens.

use super::template::{Template, below};
use crate::parse::passwd::Account;
use crate::said::{list, text};
use fim_core::{Change, Severity};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Whose keys a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Owners {
    names: Vec<Vec<u8>>,
    everyone: bool,
    root: bool,
    /// Who has one of its keys lets in others: it signs their certificates.
    pub authority: bool,
}

/// So many names are listed of a file that is many people's.
const MOST: usize = 32;

impl Owners {
    /// Adds them to what is said of a key.
    pub fn describe(&self, change: Change) -> Change {
        let change = match self.names.as_slice() {
            _ if self.everyone => change.of("users", "*"),
            [one] => change.of("user", text(one)),
            names => {
                let change = change.of("users", list(names.iter().take(MOST).map(Vec::as_slice)));
                let count = u64::try_from(names.len()).unwrap_or(u64::MAX);
                if names.len() > MOST { change.of("user_count", count) } else { change }
            }
        };
        if self.authority { change.of("authority", true) } else { change }
    }

    /// How much it matters that something lets in whom nothing let in before: whether one of them is user number 0.
    pub const fn severity_of_new(&self) -> Severity {
        if self.everyone || self.root { Severity::Critical } else { Severity::High }
    }
}

/// Files of keys and their owners. Those of accounts that are gone stay: who removes an account may leave
/// its keys, for the next one of the same home. There may be a million of them.
#[derive(Debug, Default)]
pub(super) struct KeyFiles {
    /// By the bytes of their paths.
    files: Vec<File>,
    names: Names,
}

#[derive(Debug)]
struct File {
    path: Box<Path>,
    holder: Holder,
}

/// Whose keys a file holds, by the numbers of their names.
#[derive(Debug)]
enum Holder {
    Everyone,
    One { name: u32, root: bool },
    Several { names: Box<[u32]>, root: bool },
}

impl KeyFiles {
    /// Takes in accounts and templates as they are now; whether there are files that were not known.
    pub fn update<P>(&mut self, accounts: &[Account<'_, P>], templates: &[Template], root: &Path) -> bool {
        // Who shares all files needs no names: there may be a million.
        let all_shared = templates.iter().all(|template| template.shared().is_some());
        let accounts = if all_shared { &[] } else { accounts };
        let mut names = Names::default();
        let numbers: Vec<u32> = accounts.iter().map(|account| names.add(account.name)).collect();
        let mut files = Vec::new();
        for template in templates {
            if let Some(path) = template.shared() {
                let path = below(root, &path);
                files.extend(path.map(|path| File { path: path.into(), holder: Holder::Everyone }));
                continue;
            }
            for (account, name) in accounts.iter().zip(&numbers) {
                if let Some(path) = template.of(account).and_then(|path| below(root, &path)) {
                    let holder = Holder::One { name: *name, root: account.uid == 0 };
                    files.push(File { path: path.into(), holder });
                }
            }
        }
        // Who comes first in the file of accounts is named first.
        files.sort_by(|a, b| bytes(&a.path).cmp(bytes(&b.path)));
        files.dedup_by(|next, file| next.path == file.path && file.join(&next.holder, &names));
        let before = std::mem::replace(self, Self { files, names });
        let known = self.files.len();
        let stayed = self.take_over(before);
        known > stayed
    }

    /// Takes over the files that are no account's any more; how many of the others were known.
    fn take_over(&mut self, before: Self) -> usize {
        let mut gone = Vec::new();
        let mut stayed = 0;
        let mut now = self.files.iter().peekable();
        for file in before.files {
            while now.next_if(|it| bytes(&it.path) < bytes(&file.path)).is_some() {}
            if now.next_if(|it| it.path == file.path).is_some() {
                stayed += 1;
            } else {
                gone.push(file);
            }
        }
        let any_gone = !gone.is_empty();
        for mut file in gone {
            file.holder.rename(|name| self.names.add(before.names.get(name)));
            self.files.push(file);
        }
        if any_gone {
            self.files.sort_by(|a, b| bytes(&a.path).cmp(bytes(&b.path)));
        }
        stayed
    }

    /// Whether a file holds keys.
    pub fn has(&self, path: &Path) -> bool {
        self.find(path).is_some()
    }

    /// The owners of a file.
    pub fn owners(&self, path: &Path) -> Option<Owners> {
        let (names, root): (&[u32], bool) = match self.find(path)? {
            Holder::Everyone => return Some(Owners { everyone: true, ..Owners::default() }),
            Holder::One { name, root } => (std::slice::from_ref(name), *root),
            Holder::Several { names, root } => (names, *root),
        };
        let names = names.iter().map(|name| self.names.get(*name).to_vec()).collect();
        Some(Owners { names, root, ..Owners::default() })
    }

    fn find(&self, path: &Path) -> Option<&Holder> {
        let at = self.files.binary_search_by(|file| bytes(&file.path).cmp(bytes(path))).ok()?;
        self.files.get(at).map(|file| &file.holder)
    }

    /// Every file, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| &*file.path)
    }
}

impl File {
    /// Joins another holder of the same file.
    fn join(&mut self, other: &Holder, known: &Names) -> bool {
        let (name, is_root) = match (&self.holder, other) {
            (Holder::Everyone, _) => return true,
            (_, Holder::One { name, root }) => (*name, *root),
            _ => {
                self.holder = Holder::Everyone;
                return true;
            }
        };
        let (mut names, root) = match &mut self.holder {
            Holder::One { name, root } => (vec![*name], *root),
            Holder::Several { names, root } => (std::mem::take(names).into_vec(), *root),
            Holder::Everyone => return true,
        };
        if !names.iter().any(|it| known.get(*it) == known.get(name)) {
            names.push(name);
        }
        let root = root || is_root;
        self.holder = match names.as_slice() {
            [name] => Holder::One { name: *name, root },
            _ => Holder::Several { names: names.into(), root },
        };
        true
    }
}

impl Holder {
    fn rename(&mut self, mut new: impl FnMut(u32) -> u32) {
        match self {
            Self::Everyone => {}
            Self::One { name, .. } => *name = new(*name),
            Self::Several { names, .. } => names.iter_mut().for_each(|name| *name = new(*name)),
        }
    }
}

/// Names of accounts, in one text: a million small ones would take three times the room.
#[derive(Debug, Default)]
struct Names {
    text: Vec<u8>,
    ends: Vec<u32>,
}

impl Names {
    /// Adds one; its number. The file they are from has less than 4 GiB.
    fn add(&mut self, name: &[u8]) -> u32 {
        self.text.extend_from_slice(name);
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        u32::try_from(self.ends.len() - 1).unwrap_or(u32::MAX)
    }

    fn get(&self, number: u32) -> &[u8] {
        let place =
            |at: u32| self.ends.get(usize::try_from(at).ok()?).and_then(|end| usize::try_from(*end).ok());
        let start = number.checked_sub(1).map_or(Some(0), place);
        start.zip(place(number)).and_then(|(start, end)| self.text.get(start..end)).unwrap_or_default()
    }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::template::Holds;
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
        Template { path: path.as_bytes().to_vec(), users, holds: Holds::Keys }
    }

    #[test]
    fn files_stay_when_accounts_go() {
        let mut files = KeyFiles::default();
        let templates = [template(".ssh/a", &[]), template("/etc/%u", &["b*"]), template("/etc/all%%", &[])];
        let (root, bob, rob) =
            (account("root", 0, "/root"), account("bob", 7, "/home/bob"), account("rob", 8, "/home/bob"));
        assert!(files.update(&[root.clone(), bob], &templates, Path::new("/r")));
        let paths = ["/r/etc/all%", "/r/etc/bob", "/r/home/bob/.ssh/a", "/r/root/.ssh/a"];
        assert_eq!(files.paths().collect::<Vec<_>>(), paths.map(Path::new));
        assert!(!files.update(&[root, rob], &templates, Path::new("/r")));
        assert_eq!(files.paths().collect::<Vec<_>>(), paths.map(Path::new));
        let of = |path: &str| files.owners(Path::new(path)).unwrap().describe(Change::new("k")).of;
        assert_eq!(of("/r/etc/bob"), [("user".to_owned(), "bob".into())]);
        assert_eq!(of("/r/home/bob/.ssh/a"), [("user".to_owned(), "rob".into())]);
        assert_eq!(of("/r/etc/all%"), [("users".to_owned(), "*".into())]);
        assert!(files.owners(Path::new("/r/root/.ssh/a")).unwrap().root);
    }

    #[test]
    fn several_owners_are_named_in_their_order_and_once() {
        let mut files = KeyFiles::default();
        let home = "/home";
        let accounts: Vec<_> =
            [("b", 7), ("a", 8), ("b", 0)].map(|(name, uid)| account(name, uid, home)).into();
        assert!(files.update(&accounts, &[template("k", &[])], Path::new("")));
        let owners = files.owners(Path::new("/home/k")).unwrap();
        assert_eq!((&owners.names[..], owners.root), (&[b"b".to_vec(), b"a".to_vec()][..], true));
        // Everyone's, however many have it besides.
        for shared in [["k", "/home/k"], ["/home/k", "k"]] {
            let templates = shared.map(|path| template(path, &[]));
            assert!(!files.update(&accounts, &templates, Path::new("")));
            assert!(files.owners(Path::new("/home/k")).unwrap().everyone);
        }
        // Who is gone is still named.
        files.update(&accounts, &[template("k", &[])], Path::new(""));
        for _ in 0..2 {
            assert!(!files.update::<()>(&[], &[template("k", &[])], Path::new("")));
            assert_eq!(files.owners(Path::new("/home/k")).unwrap().names, [b"b", b"a"]);
        }
        assert!(files.update(&[account("c", 1, "/c")], &[template("k", &[])], Path::new("")));
        assert!(files.has(Path::new("/c/k")) && files.has(Path::new("/home/k")));
    }
}
