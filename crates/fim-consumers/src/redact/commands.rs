//! Programs that take a password after an option or as a word of its own, in scripts and in arguments.
//!
//! All names are searched for in one pass, and only what follows a name is held against the expression of that
//! program: a text without such programs costs next to nothing, and the same letter may mean something else to
//! others.

use super::rules::compile;
use super::shell::is_reference;
use super::spans::Spans;
use aho_corasick::AhoCorasick;
use memchr::memrchr;
use regex::bytes::{Captures, Regex};
use std::ops::Range;
use std::sync::LazyLock;

/// Programs, each by its name or by the beginning of its name before a `*`, and where their secrets are: the last
/// group. `VALUE` is one, in quotes or not; `WORD` is one that is no option; `§` is a word that is none.
const PROGRAMS: [(&str, &str); 22] = [
    ("sshpass", r"\bsshpass\s+(?:-[ev]\s+|-P[ \t]*\S+\s+)*-p[ \t]*VALUE"),
    ("mysql*", r"\s-pVALUE"),
    ("mariadb*", r"\s-pVALUE"),
    ("curl", USER),
    ("wget", USER),
    ("redis-cli", r"\s(?:-a|--pass)[ \t=]*VALUE"),
    ("htpasswd", r"\s-\w*b\w*(?:\s+§)+\s+WORD"),
    (
        "openssl",
        r"\bpasswd(?:\s+-(?:salt|in|rand|engine)\s+\S+|\s+-\S+)*\s+WORD|\s-pass(?:in|out)?[ \t]+pass:VALUE|\s-(?:k|K|hmac)[ \t]+VALUE",
    ),
    ("smb*", SHARE),
    ("rpcclient", SHARE),
    ("net", SHARE),
    ("ldap*", r"\s-w[ \t]*VALUE"),
    ("docker", LOGIN),
    ("podman", LOGIN),
    ("buildah", LOGIN),
    ("helm", LOGIN),
    ("useradd", ACCOUNT),
    ("usermod", ACCOUNT),
    ("groupadd", ACCOUNT),
    ("groupmod", ACCOUNT),
    ("ssh-keygen", r"\s-[ABcegHhiKkLlopQquvXy]*[NP][ \t]*VALUE"),
    ("chpasswd", r#"<<<[ \t]*(?:"[^"\n:]*:([^"\n]*)"|'[^'\n:]*:([^'\n]*)'|[^\s:"']+:VALUE)"#),
];
const USER: &str = r#"\s(?:-[fgGiIjJkLlMnNOpqRsSvV0-9#]*[uU]|--user|--proxy-user)[ \t=]*(?:"[^"\n:]*:([^"\n]*)"|'[^'\n:]*:([^'\n]*)'|[^\s:"']+:VALUE)"#;
const SHARE: &str = r#"\s(?:-U|--user)[ \t=]*(?:"[^"\n%]*%([^"\n]*)"|'[^'\n%]*%([^'\n]*)'|[^\s%"']+%VALUE)"#;
const LOGIN: &str = r"\slogin\b(?s:.*?)\s-p[ \t]*VALUE";
/// Behind letters that take no value of their own: `-mp x`. `--pas` may be all that is written of the long name.
const ACCOUNT: &str = r"\s(?:-[aDfFhlLmMNorU]*p[ \t]*|--pas\w*[ \t=]+)VALUE";

const VALUE: &str = r#"(?:"([^"\n]*)"|'([^'\n]*)'|((?:\\.|[^\s;|"'\\])+|["'][^\s;|]*))"#;
const WORD: &str = r#"(?:"([^"\n]*)"|'([^'\n]*)'|((?:\\.|[^\s;|"'\\-])(?:\\.|[^\s;|"'\\])*|["'][^\s;|]*))"#;
const ANY_WORD: &str = r#"(?:"[^"\n]*"|'[^'\n]*'|(?:\\.|[^\s"'\\])+)"#;

/// What a name given to `chpasswd` by a pipe has behind it. What runs a command of its own is not hidden.
static PIPED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    compile(&[
        r#"\b(?:echo|printf)\b[^\n|:]*:((?:[^|\n`$]|\$[^(\n|])*?)["'\s]*\|[ \t]*(?:(?:sudo|doas)(?:[ \t]+-[ugh][ \t]*\w+|[ \t]+-\S+)*[ \t]+|chroot[ \t]+\S+[ \t]+)?(?:[\w./-]*/)?\z"#.to_owned()
    ])
});
/// How far in front of `chpasswd` its input is looked for.
const LOOK_BACK: usize = 512;

static NAMES: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(PROGRAMS.iter().map(|(name, _)| name.trim_end_matches('*'))).ok());

/// In the order of [`PROGRAMS`].
static SECRETS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let full = |(_, pattern): &(&str, &str)| {
        let pattern = pattern.replace("VALUE", VALUE).replace("WORD", WORD).replace('§', ANY_WORD);
        format!("(?-i:{pattern})")
    };
    compile(&PROGRAMS.iter().map(full).collect::<Vec<_>>())
});

/// Finds what programs are told, in the lines of a script.
pub(super) fn find(text: &[u8], found: &mut Spans<'_>) {
    for told in told(text) {
        if !is_reference(text.get(told.value.clone()).unwrap_or_default()) {
            found.hide(told.value);
        }
    }
}

/// A value in a command line, and where the command begins that has it.
pub(super) struct Told {
    pub command: usize,
    pub value: Range<usize>,
}

/// Finds what programs are told, each in the order of its own.
pub(super) fn told(text: &[u8]) -> Vec<Told> {
    let mut told = Vec::new();
    // What was searched for a program need not be searched again for its name in there.
    let mut done = [0; PROGRAMS.len()];
    for hit in NAMES.iter().flat_map(|names| names.find_iter(text)) {
        let program = hit.pattern().as_usize();
        let (Some((name, _)), Some(secrets), Some(done)) =
            (PROGRAMS.get(program), SECRETS.get(program), done.get_mut(program))
        else {
            continue;
        };
        let command = hit.start();
        if command < *done || !is_program(text, hit.range(), name.ends_with('*')) {
            continue;
        }
        let segment = text.get(command..).map(segment).unwrap_or_default();
        *done = command + segment.len();
        let values = secrets.captures_iter(segment).filter_map(|groups| last(&groups));
        told.extend(values.map(|value| Told { command, value: command + value.start..command + value.end }));
        if *name == "chpasswd" {
            told.extend(piped(text, command).map(|value| Told { command: value.start, value }));
        }
    }
    told
}

/// Whether a name stands where that of a program may stand, and is all of it.
fn is_program(text: &[u8], name: Range<usize>, goes_on: bool) -> bool {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let is_begun = name.start.checked_sub(1).and_then(|at| text.get(at)).is_some_and(is_of_name);
    !is_begun && (goes_on || !text.get(name.end).is_some_and(is_of_name))
}

/// A command up to what ends it, which may be in another line behind a backslash.
fn segment(text: &[u8]) -> &[u8] {
    let mut quote = None;
    let mut escaped = false;
    let mut end = text.len();
    for (at, byte) in text.iter().enumerate() {
        match (byte, quote) {
            // Nothing more may follow a backslash that goes on in the next line, but for the sign of another system.
            _ if escaped => escaped = *byte == b'\r',
            (b'\\', None | Some(b'"')) => escaped = true,
            (b'\n', _) | (b';' | b'|' | b'&' | b'>', None) => {
                end = at;
                break;
            }
            (b'"' | b'\'', None) => quote = Some(*byte),
            (byte, Some(open)) if *byte == open => quote = None,
            _ => {}
        }
    }
    let command = text.get(..end).unwrap_or_default();
    // The number of a stream is no word of the command: `2>file`.
    match command {
        [rest @ .., b' ' | b'\t', b'0'..=b'9'] if text.get(end) == Some(&b'>') => rest,
        _ => command,
    }
}

/// What `echo` or `printf` writes into the program that begins here.
fn piped(text: &[u8], at: usize) -> impl Iterator<Item = Range<usize>> {
    let from = at.saturating_sub(LOOK_BACK);
    let before = text.get(from..at).unwrap_or_default();
    let from = memrchr(b'\n', before).map_or(from, |end| from + end + 1);
    let before = text.get(from..at).unwrap_or_default();
    let value = PIPED.iter().find_map(|piped| piped.captures(before)).and_then(|groups| last(&groups));
    value.map(|value| from + value.start..from + value.end).into_iter()
}

fn last(groups: &Captures<'_>) -> Option<Range<usize>> {
    groups.iter().skip(1).flatten().last().map(|group| group.range())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_has_its_expression() {
        assert!(NAMES.is_some());
        assert_eq!((SECRETS.len(), PIPED.len()), (PROGRAMS.len(), 1));
    }

    #[test]
    fn a_command_ends_where_a_shell_ends_it() {
        for (text, command) in [
            (&b"a -p x; b"[..], &b"a -p x"[..]),
            (b"a 'x;y' \"|\\\"|\" z | b", b"a 'x;y' \"|\\\"|\" z "),
            (b"a \\\n -p x\nb", b"a \\\n -p x"),
            (b"a x 2>&1", b"a x"),
            (b"a 'open\nb", b"a 'open"),
        ] {
            assert_eq!(segment(text), command);
        }
    }
}
