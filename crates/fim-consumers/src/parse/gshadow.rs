//! gshadow(5): passwords, administrators and members of groups.

use super::lines::{Fields, Odd, is_misplaced_hash, is_nis, lines, names};
use super::password::Password;

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

/// A gshadow file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gshadow<'a> {
    /// Every entry, in the order of the file.
    pub entries: Vec<Entry<'a>>,
    /// Lines for NIS and broken ones; a broken line that has a name and a password is in both lists.
    pub odd: Vec<Odd<'a>>,
}

/// Reads a whole file.
#[must_use]
pub fn parse(bytes: &[u8]) -> Gshadow<'_> {
    let mut gshadow = Gshadow::default();
    for (number, line) in lines(bytes) {
        let is_nis = is_nis(line);
        let mut fields = Fields::new(line);
        let (name, password) = (fields.next(), Password::in_shadow(fields.next()));
        let (admins, members) = (fields.next(), fields.next());
        let slipped = is_misplaced_hash(name);
        if is_nis || fields.count != 4 || [name, admins, members].into_iter().any(is_misplaced_hash) {
            gshadow.odd.push(Odd { line: number, text: line, is_nis });
        }
        if !is_nis && !slipped && fields.count >= 2 {
            let names = |field| names(field).into_iter().filter(|name| !is_misplaced_hash(name)).collect();
            gshadow.entries.push(Entry { name, password, admins: names(admins), members: names(members) });
        }
    }
    gshadow
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_good_and_bad() {
        for (text, entries, odd) in [
            ("sudo:*:root:bob,eve\n", vec![(1, 2)], vec![]),
            ("sudo:*::\r\n", vec![(0, 0)], vec![]),
            ("sudo:!:a", vec![(1, 0)], vec![1]),
            ("sudo\n\n#x\n", vec![], vec![1]),
            ("-x:::\n", vec![], vec![1]),
            ("sudo:*:$6$a$b:bob\n$6$a$b::\n", vec![(0, 1)], vec![1, 2]),
        ] {
            let parsed = parse(text.as_bytes());
            let found: Vec<_> =
                parsed.entries.iter().map(|entry| (entry.admins.len(), entry.members.len())).collect();
            assert_eq!(found, entries, "{text}");
            assert_eq!(parsed.odd.iter().map(|odd| odd.line).collect::<Vec<_>>(), odd, "{text}");
        }
    }
}
