//! shadow(5): passwords and how long they are good for.

use super::lines::{Fields, Odd, entries, is_plain, skip_blanks};
use super::password::Password;

/// One entry. `P` is what is known of its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a, P = Password<'a>> {
    /// Login name.
    pub name: &'a [u8],
    /// The password.
    pub password: P,
    /// How long it is good for.
    pub ages: Ages,
}

/// The numbers of an entry; `None` is an empty field, or one that is no number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ages {
    /// Day of the last change since 1970-01-01; 0: must be changed at the next login.
    pub last_change: Option<i32>,
    /// Days before it may be changed.
    pub min: Option<i32>,
    /// Days after which it must be changed.
    pub max: Option<i32>,
    /// Days of warning before that.
    pub warn: Option<i32>,
    /// Days it is still taken after that.
    pub inactive: Option<i32>,
    /// Day on which the account expires, since 1970-01-01.
    pub expires: Option<i32>,
    /// Reserved.
    pub reserved: Option<i32>,
}

impl Ages {
    /// In the order of the file.
    #[must_use]
    pub const fn all(&self) -> [Option<i32>; 7] {
        [self.last_change, self.min, self.max, self.warn, self.inactive, self.expires, self.reserved]
    }

    /// From the order of the file.
    #[must_use]
    pub const fn from_all(all: [Option<i32>; 7]) -> Self {
        let [last_change, min, max, warn, inactive, expires, reserved] = all;
        Self { last_change, min, max, warn, inactive, expires, reserved }
    }
}

/// So many a line should have.
const FIELDS: usize = 9;

/// A shadow file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shadow<'a> {
    /// Every entry, in the order of the file.
    pub entries: Vec<Entry<'a>>,
    /// Lines for NIS and broken ones; a broken line that has a known name and a password is in both lists.
    pub odd: Vec<Odd<'a>>,
}

/// Reads a whole file. What stands in place of a name may be part of a hash, if a colon was lost or a line cut
/// in two: it is taken for a name only if the line has all its fields and useradd(8) could have made it, or if
/// it is known to be one.
///
/// ```
/// use fim_consumers::parse::{password::Password, shadow::parse};
///
/// let shadow = parse(b"bob:!:19000:0:99999:7:::\n", |_| false);
/// assert_eq!((shadow.entries[0].name, shadow.entries[0].password), (&b"bob"[..], Password::Unusable));
/// ```
#[must_use]
pub fn parse(bytes: &[u8], is_known: impl Fn(&[u8]) -> bool) -> Shadow<'_> {
    let (entries, odd) = entries(bytes, FIELDS, |line| entry(line, &is_known));
    Shadow { entries, odd }
}

/// What a line of shadow or gshadow begins with.
pub(super) struct Head<'a> {
    pub name: &'a [u8],
    pub password: Password<'a>,
    /// What comes behind.
    pub fields: Fields<'a>,
    /// Whether there are as many fields as there should be.
    pub whole: bool,
}

impl<'a> Head<'a> {
    /// `None` if it has no password, or what stands in place of a name is not taken for one.
    pub fn of(line: &'a [u8], count: usize, is_known: impl Fn(&[u8]) -> bool) -> Option<Self> {
        let mut fields = Fields::new(line);
        let whole = fields.count == count;
        let (name, password) = (fields.next(), Password::in_shadow(fields.next()));
        let is_name = (whole && is_plain(name)) || is_known(name);
        (fields.count >= 2 && is_name).then_some(Self { name, password, fields, whole })
    }
}

/// The entry of a line, and whether its fields are all there and numbers where they should be.
fn entry(line: &[u8], is_known: impl Fn(&[u8]) -> bool) -> Option<(Entry<'_>, bool)> {
    let Head { name, password, mut fields, mut whole } = Head::of(line, FIELDS, is_known)?;
    let ages = [(); 7].map(|()| {
        let field = fields.next();
        let number = std::str::from_utf8(skip_blanks(field)).ok().and_then(|field| field.parse().ok());
        whole &= number.is_some() || field.is_empty();
        number
    });
    Some((Entry { name, password, ages: Ages::from_all(ages) }, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_good_and_bad() {
        let none = [None; 7];
        for (text, ages, odd) in [
            (
                "a:*:19000:0:99999:7:::\n",
                vec![[Some(19000), Some(0), Some(99999), Some(7), None, None, None]],
                vec![],
            ),
            ("a:*:::::::", vec![none], vec![]),
            ("a:*:::::::\r\n", vec![none], vec![1]),
            ("a:*::: 5 ::::\n", vec![none], vec![1]),
            ("a:*::: +5::::\n", vec![[None, None, Some(5), None, None, None, None]], vec![]),
            ("a:*:::::::\0\n", vec![none], vec![1]),
            ("a:*:-1:::::20000:3", vec![[Some(-1), None, None, None, None, Some(20000), Some(3)]], vec![]),
            ("known:*", vec![none], vec![1]),
            ("known:*:1:2:3", vec![[Some(1), Some(2), Some(3), None, None, None, None]], vec![1]),
            // What stands first may be a hash, or half of one.
            ("a:*", vec![], vec![1]),
            ("a $6$a$b:19000:0:99999:7:::", vec![], vec![1]),
            ("abJnggxhBsyWI:19000:0:99999:7:::", vec![], vec![1]),
            ("a/b:*:::::::", vec![], vec![1]),
            ("a:*:x::::::", vec![none], vec![1]),
            ("a:*:99999999999::::::", vec![none], vec![1]),
            ("a\n\n#a:b\n", vec![], vec![1]),
            ("$6$a$b:19000:0:99999:7:::", vec![], vec![1]),
            ("+bob:::::::::\n", vec![], vec![1]),
        ] {
            let shadow = parse(text.as_bytes(), |name| name == b"known");
            assert_eq!(
                shadow.entries.iter().map(|entry| entry.ages.all()).collect::<Vec<_>>(),
                ages,
                "{text}"
            );
            assert_eq!(shadow.odd.iter().map(|odd| odd.line).collect::<Vec<_>>(), odd, "{text}");
        }
    }
}
