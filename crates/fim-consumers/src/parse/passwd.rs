//! passwd(5): the accounts of a system.

use super::lines::{Fields, Odd, entries, number, public_name};
use super::password::Password;

/// One account. `P` is what is known of its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account<'a, P = Password<'a>> {
    /// Login name; hidden where it may be a hash, as a colon of the line was lost.
    pub name: &'a [u8],
    /// Password, or where it is.
    pub password: P,
    /// User number.
    pub uid: u32,
    /// Number of the primary group.
    pub gid: u32,
    /// Full name and the like.
    pub gecos: &'a [u8],
    /// Home directory.
    pub home: &'a [u8],
    /// Login shell.
    pub shell: &'a [u8],
}

/// So many a line should have.
const FIELDS: usize = 7;

/// A passwd file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passwd<'a> {
    /// Every account, in the order of the file.
    pub accounts: Vec<Account<'a>>,
    /// Lines for NIS and broken ones. A line with too many or too few fields that still makes an account is
    /// in both lists.
    pub odd: Vec<Odd<'a>>,
}

/// Reads a whole file.
///
/// ```
/// use fim_consumers::parse::passwd::parse;
///
/// let passwd = parse(b"toor:x:0:0::/root:/bin/sh\nthis is no account\n");
/// assert_eq!((passwd.accounts[0].name, passwd.accounts[0].uid), (&b"toor"[..], 0));
/// assert_eq!(passwd.odd[0].line, 2);
/// ```
#[must_use]
pub fn parse(bytes: &[u8]) -> Passwd<'_> {
    let (accounts, odd) = entries(bytes, FIELDS, account);
    Passwd { accounts, odd }
}

/// The account of a line, and whether the line has the fields it should have.
fn account(line: &[u8]) -> Option<(Account<'_>, bool)> {
    let mut fields = Fields::new(line);
    let is_whole = fields.count == FIELDS;
    let (name, password) = (fields.next(), fields.next());
    let account = Account {
        name: public_name(name, password, is_whole),
        password: Password::in_public(password),
        uid: number(fields.next())?,
        gid: number(fields.next())?,
        gecos: fields.next(),
        home: fields.next(),
        shell: fields.rest(),
    };
    Some((account, is_whole))
}

impl<P> Account<'_, P> {
    /// Whether someone can get a shell by it: not the system's own `nologin` or `false`, for a program of that
    /// name elsewhere may be anything. An empty shell is `/bin/sh`.
    #[must_use]
    pub fn can_log_in(&self) -> bool {
        let program = [&b"/usr/sbin/"[..], b"/usr/bin/", b"/sbin/", b"/bin/"]
            .iter()
            .find_map(|directory| self.shell.strip_prefix(*directory));
        !matches!(program, Some(b"nologin" | b"false"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> (Vec<String>, Vec<u32>) {
        let passwd = parse(text.as_bytes());
        let accounts = passwd.accounts.iter().map(|account| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            format!("{} {} {} {}", text(account.name), account.uid, account.gid, text(account.shell))
        });
        (accounts.collect(), passwd.odd.iter().map(|odd| odd.line).collect())
    }

    #[test]
    fn lines_good_and_bad() {
        for (text, accounts, odd) in [
            ("root:x:0:0:root:/root:/bin/bash\n", vec!["root 0 0 /bin/bash"], vec![]),
            ("root:x:0:0:root:/root:/bin/bash", vec!["root 0 0 /bin/bash"], vec![]),
            ("a:x:1:1:::/bin/sh\r\n\r\n", vec!["a 1 1 /bin/sh\r"], vec![]),
            ("a:x:1:1:::\0/usr/sbin/nologin\n", vec!["a 1 1 "], vec![1]),
            ("a:x:1:1::/home\0:/usr/sbin/nologin\n", vec!["a 1 1 "], vec![1]),
            ("a:x:1\0:1:::\n\0b:x:1:1:::\n", vec![], vec![1, 2]),
            ("", vec![], vec![]),
            ("\n\n# x\n \n", vec![], vec![]),
            ("  a:x:1:1:::/bin/sh", vec!["a 1 1 /bin/sh"], vec![]),
            // What glibc takes for an account is one.
            ("a::0:0", vec!["a 0 0 "], vec![1]),
            ("::0:0:::", vec![" 0 0 "], vec![]),
            ("a:x: 0:+0:::", vec!["a 0 0 "], vec![]),
            ("a:x:1:1:::/bin/sh:more", vec!["a 1 1 /bin/sh:more"], vec![1]),
            ("a\na:x\na:x:y:0:::\na:x:0::::\n", vec![], vec![1, 2, 3, 4]),
            ("+\n-bob\n+@net::0:0:::\n", vec![], vec![1, 2, 3]),
        ] {
            let accounts = accounts.iter().map(|account: &&str| (*account).to_owned()).collect();
            assert_eq!(shown(text), (accounts, odd), "{text:?}");
        }
    }

    #[test]
    fn who_can_log_in() {
        for (shell, can) in [
            ("/bin/bash", true),
            ("", true),
            ("/usr/sbin/nologin", false),
            ("/sbin/nologin", false),
            ("/bin/false", false),
            ("/usr/bin/nologin", false),
            ("/usr/sbin/false", false),
            ("/opt/nologin-not", true),
            ("/tmp/nologin", true),
            ("/usr/local/bin/false", true),
            ("/bin/../tmp/false", true),
            ("nologin", true),
            ("/sbin/nologin ", true),
        ] {
            let line = format!("a:x:1:1:::{shell}");
            assert_eq!(parse(line.as_bytes()).accounts[0].can_log_in(), can, "{shell}");
        }
    }
}
