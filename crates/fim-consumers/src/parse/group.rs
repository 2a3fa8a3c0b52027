//! group(5): groups and who is in them.

use super::lines::{Fields, Odd, is_nis, lines, names, number};
use super::password::Password;

/// One group. `P` is what is known of its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<'a, P = Password<'a>> {
    /// Name.
    pub name: &'a [u8],
    /// Password for who is no member.
    pub password: P,
    /// Group number.
    pub gid: u32,
    /// Members, each once; those whose primary group it is need not be here.
    pub members: Vec<&'a [u8]>,
}

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
    let mut groups = Groups::default();
    for (number, line) in lines(bytes) {
        let is_nis = is_nis(line);
        let group = if is_nis { None } else { group(line) };
        if group.as_ref().is_none_or(|(_, whole)| !whole) {
            groups.odd.push(Odd { line: number, text: line, is_nis });
        }
        groups.groups.extend(group.map(|(group, _)| group));
    }
    groups
}

/// The group of a line, and whether it has the four fields it should have.
fn group(line: &[u8]) -> Option<(Group<'_>, bool)> {
    let mut fields = Fields::new(line);
    let group = Group {
        name: fields.next(),
        password: Password::in_public(fields.next()),
        gid: number(fields.next())?,
        members: names(fields.next()),
    };
    Some((group, fields.count == 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_good_and_bad() {
        for (text, groups, odd) in [
            ("sudo:x:27:bob,eve\n", vec![(27, 2)], vec![]),
            ("sudo:x:27:bob,eve\r\n", vec![(27, 2)], vec![]),
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
