//! The files of `AuthorizedPrincipalsFile`, as sshd_config(5) has them: options, then a name that a certificate may be for.

use super::authorized_keys::options;
use super::lines::{Odd, sshd_entries};

/// One line that lets in who has a certificate for this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal<'a> {
    /// Options as written, as those of a key. A value may hold a secret.
    pub options: Vec<&'a [u8]>,
    /// The name.
    pub name: &'a [u8],
}

/// A file of principals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorizedPrincipals<'a> {
    /// Every principal, in the order of the file.
    pub entries: Vec<Principal<'a>>,
    /// Lines whose options have a quote that does not end.
    pub odd: Vec<Odd<'a>>,
}

/// Reads a whole file.
///
/// ```
/// use fim_consumers::parse::authorized_principals::parse;
///
/// let file = parse(b"from=\"10.0.0.0/8\" admin # of the office\n");
/// assert_eq!((file.entries[0].name, file.entries[0].options.len()), (&b"admin"[..], 1));
/// ```
#[must_use]
pub fn parse(bytes: &[u8]) -> AuthorizedPrincipals<'_> {
    let (entries, odd) = sshd_entries(bytes, text, entry);
    AuthorizedPrincipals { entries, odd }
}

fn text(line: &[u8]) -> &[u8] {
    line.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii()
}

/// sshd takes what is behind the last blank for the name, or behind the last tab if there is no blank, and passes over what
/// is between it and the options.
fn entry(line: &[u8]) -> Option<Principal<'_>> {
    let last = |blank: u8| line.iter().rposition(|byte| *byte == blank);
    let Some(at) = last(b' ').or_else(|| last(b'\t')) else {
        return Some(Principal { options: Vec::new(), name: line });
    };
    let (options, _) = options(line)?;
    Some(Principal { options, name: line.get(at..)?.trim_ascii() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<String> {
        let text_of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let file = parse(text.as_bytes());
        let entry = |one: &Principal<'_>| {
            let options: Vec<_> = one.options.iter().map(|option| text_of(option)).collect();
            format!("{}:{}", options.join("|"), text_of(one.name))
        };
        let odd = file.odd.iter().map(|odd| format!("odd {}", odd.line));
        file.entries.iter().map(entry).chain(odd).collect()
    }

    #[test]
    fn lines() {
        for (text, expected) in [
            ("root\n\n# bob\n bob # eve\r\n", vec![":root", ":bob"]),
            ("no-pty,command=\"a b\" root", vec!["no-pty|command=\"a b\":root"]),
            ("no-pty\t\troot", vec!["no-pty:root"]),
            ("no-pty nothing root", vec!["no-pty:root"]),
            ("bob\ncommand=\"a root", vec![":bob", "odd 2"]),
            ("command=\"#\" root", vec![":command=\""]),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_do(bytes in prop::collection::vec(prop::sample::select(b"ab \t\r\n#\",\\\0\xff".to_vec()), 0..60)) {
            let file = parse(&bytes);
            prop_assert!(file.entries.iter().all(|one| !one.name.is_empty()));
        }
    }
}
