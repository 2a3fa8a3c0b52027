//! group(5): groups and who is in them.

use super::lines::{Fields, Odd, entries, names, number, public_name};
use super::password::Password;

/// One group. `P` is what is known of its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<'a, P = Password<'a>> {
    /// Name; hidden where it may be a hash, as a colon of the line was lost.
    pub name: &'a [u8],
    /// Password for who is no member.
    pub password: P,
    /// Group number.
    pub gid: u32,
    /// Members, each once; those whose primary group it is need not be here.
    pub members: Vec<&'a [u8]>,
}

/// So many a line should have.
const FIELDS: usize = 4;

/// A group file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups<'a> {
    /// Every group, in the order of the file.
    pub groups: Vec<Group<'a>>,
    /// Lines for NIS and broken ones; a broken line that still makes a group is in both lists.
    pub odd: Vec<Odd<'a>>,
}

/// Reads a whole file.
///
/// ```
/// use fim_consumers::parse::group::parse;
///
/// let groups = parse(b"sudo:x:27:bob,eve\n");
/// assert_eq!(groups.groups[0].members, [&b"bob"[..], b"eve"]);
/// ```
#[must_use]
pub fn parse(bytes: &[u8]) -> Groups<'_> {
    let (groups, odd) = entries(bytes, FIELDS, group);
    Groups { groups, odd }
}

/// The group of a line, and whether it has the fields it should have.
fn group(line: &[u8]) -> Option<(Group<'_>, bool)> {
    let mut fields = Fields::new(line);
    let is_whole = fields.count == FIELDS;
    let (name, password) = (fields.next(), fields.next());
    let group = Group {
        name: public_name(name, password, is_whole),
        password: Password::in_public(password),
        gid: number(fields.next())?,
        members: names(fields.next()),
    };
    Some((group, is_whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_good_and_bad() {
        for (text, groups, odd) in [
            ("sudo:x:27:bob,eve\n", vec![(27, 2)], vec![]),
            ("sudo:x:27:bob,bob\r\n", vec![(27, 2)], vec![]),
            ("sudo:x:27:bob,bob\0zz\n", vec![(27, 1)], vec![1]),
            ("sudo:x:27:", vec![(27, 0)], vec![]),
            ("sudo:x:27:,bob,,bob", vec![(27, 1)], vec![]),
            ("sudo:x:27", vec![(27, 0)], vec![1]),
            ("sudo:x:27:a:b", vec![(27, 1)], vec![1]),
            ("sudo:x::a\nsudo\n", vec![], vec![1, 2]),
            ("+:::\n", vec![], vec![1]),
        ] {
            let parsed = parse(text.as_bytes());
            let found: Vec<_> = parsed.groups.iter().map(|group| (group.gid, group.members.len())).collect();
            assert_eq!(found, groups, "{text}");
            assert_eq!(parsed.odd.iter().map(|odd| odd.line).collect::<Vec<_>>(), odd, "{text}");
        }
    }
}
