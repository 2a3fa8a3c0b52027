//! gshadow(5): passwords, administrators and members of groups.

use super::lines::{Odd, entries, may_be_hash, names};
use super::password::Password;
use super::shadow::Head;

/// One entry. `P` is what is known of its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a, P = Password<'a>> {
    /// Name of the group.
    pub name: &'a [u8],
    /// Password for who is no member.
    pub password: P,
    /// Who may change password and members, each once.
    pub admins: Vec<&'a [u8]>,
    /// Members, each once.
    pub members: Vec<&'a [u8]>,
}

/// So many a line should have.
const FIELDS: usize = 4;

/// A gshadow file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gshadow<'a> {
    /// Every entry, in the order of the file.
    pub entries: Vec<Entry<'a>>,
    /// Lines for NIS and broken ones; a broken line that has a known name and a password is in both lists.
    pub odd: Vec<Odd<'a>>,
}

/// Reads a whole file. What is taken for a name is as in [`shadow::parse`](super::shadow::parse).
#[must_use]
pub fn parse(bytes: &[u8], is_known: impl Fn(&[u8]) -> bool) -> Gshadow<'_> {
    let (entries, odd) = entries(bytes, FIELDS, |line| entry(line, &is_known));
    Gshadow { entries, odd }
}

/// The entry of a line, and whether it has the fields it should have, and names where they should be.
fn entry(line: &[u8], is_known: impl Fn(&[u8]) -> bool) -> Option<(Entry<'_>, bool)> {
    let Head { name, password, mut fields, mut whole } = Head::of(line, FIELDS, is_known)?;
    let [admins, members] = [(); 2].map(|()| {
        let mut names = names(fields.next());
        whole &= !names.iter().any(|name| may_be_hash(name));
        names.retain(|name| !may_be_hash(name));
        names
    });
    Some((Entry { name, password, admins, members }, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_good_and_bad() {
        for (text, entries, odd) in [
            ("sudo:*:root:bob,eve\n", vec![(1, 2)], vec![]),
            ("sudo:*::\r\n", vec![(0, 0)], vec![]),
            ("sudo:*:bob:bob,bob\r\n", vec![(1, 2)], vec![]),
            ("sudo:*:bob:bob,bob\0\n", vec![(1, 1)], vec![1]),
            ("known:!:a", vec![(1, 0)], vec![1]),
            ("known", vec![], vec![1]),
            // What stands first may be a hash, or half of one.
            ("sudo:!:a", vec![], vec![1]),
            ("sudo;$6$a$b::", vec![], vec![1]),
            ("a/b:!::", vec![], vec![1]),
            ("sudo\n\n#x\n", vec![], vec![1]),
            ("-x:::\n", vec![], vec![1]),
            ("sudo:*:$6$a$b:bob\n$6$a$b::\n", vec![(0, 1)], vec![1, 2]),
        ] {
            let parsed = parse(text.as_bytes(), |name| name == b"known");
            let found: Vec<_> =
                parsed.entries.iter().map(|entry| (entry.admins.len(), entry.members.len())).collect();
            assert_eq!(found, entries, "{text}");
            assert_eq!(parsed.odd.iter().map(|odd| odd.line).collect::<Vec<_>>(), odd, "{text}");
        }
    }
}
