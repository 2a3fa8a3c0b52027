//! Tokens by their form, and passwords by what stands before them.
//!
//! A table of expressions: where one has groups, all of them but `key` are hidden, else all of the match.

use super::harmless::is_harmless;
use super::spans::Spans;
use regex::bytes::{Captures, Match, Regex, RegexBuilder};
use std::sync::LazyLock;

/// What kind of text it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Lines of a file: a value goes to the end of its line.
    File,
    /// A command for a shell: a value goes to the next space.
    Script,
    /// One argument: a value goes to its end.
    Argument,
}

/// As much of a line in front of a name tells what kind of line it is.
const LOOK_BACK: usize = 256;

/// A name that says that a secret follows, as the end of a longer one.
pub(super) const KEY: &str = r"(?:pass(?:word|wd|phrase|code)?|pwd|(?:root|bind|rootbind|admin|user|db|key)pw|secret|token|(?:api|access|private|secret|encryption|signing|shared|preshared|account|auth|master)[-_.]?key|pre-shared-key|psk|credentials?|client_?secret)(?:[-_]?(?:hash(?:ed)?|plain|text|enc(?:rypted)?|b(?:ase)?64|value|string)|[-_]?\d{1,3})?";

/// In quotes (to the end of the line if they are not closed) with what is joined to it.
const QUOTED: &str = r#""((?:[^"\\\n]|\\.|\\$)*)(?:"([^\s,;:}\])>"<][^\s,;}\])>]*)?|$)|'((?:[^'\\\n]|\\.|\\$)*)(?:'([^\s,;:}\])><][^\s,;}\])>]*)?|$)"#;

/// Between a name and its value.
const IS: &str = r#"["']?\]?[ \t]*(?:[:?+=]?=>?|:)[ \t]*"#;

static COMMON: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    compile(&[
        // Tokens that are known by themselves.
        r"\b(?-i:A(?:KIA|SIA|GPA|IDA|ROA|NPA|NVA)[A-Z0-9]{16})\b".to_owned(),
        r"\b(?-i:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,})".to_owned(),
        r"\b(?-i:gl(?:pat|ptt|dt|rt|soat|cbt)-[\w-]{16,})".to_owned(),
        r"\b(?-i:xox[a-z](?:-[A-Za-z0-9]+)+|xapp-[A-Za-z0-9-]{10,})".to_owned(),
        r"\bhooks\.slack\.com/(?:services|workflows)/(\S+)".to_owned(),
        r"\b(?-i:eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_.-]+)".to_owned(),
        r"\b(?-i:AIza[\w-]{35}|ya29\.[\w-]{16,}|[sr]k_(?:live|test)_\w{10,}|npm_\w{30,}|hv[sb]\.[\w-]{16,}|dop_v1_[0-9a-f]{32,}|SG\.[\w-]{16,}\.[\w-]{16,}|sk-[\w-]{20,}|pypi-[\w-]{16,})".to_owned(),
        r"AGE-SECRET-KEY-1[A-Z0-9]+".to_owned(),
        // Headers.
        r#"\b(?:proxy-)?authorization["']?[ \t]*[=:][ \t]*["']?(?:(?:bearer|basic|digest|token|negotiate|apikey)[ \t]+)?([^\s"'][^"'\n]*)"#.to_owned(),
        r"\bbearer[ \t]+([A-Za-z0-9+/._~=-]{16,})".to_owned(),
        r"\bbasic[ \t]+((?-i:[A-Za-z0-9+/]{20,}={0,2}|[A-Za-z0-9+/]{6,}={1,2}))".to_owned(),
        // scheme://user:password@host
        r#"[a-z][\w+.-]*://[^\s/:@"'<>]*:([^\s/"'<>]+)@"#.to_owned(),
        // Name and value apart: <add key="DbPassword" value="x"/>, - name: DB_PASSWORD, value: x
        format!(r#"(?:key|name)["']?[ \t]*[=:][ \t]*["']?[\w.-]*(?P<key>{KEY})["']?[ \t]*,?\s*["']?value["']?[ \t]*[=:][ \t]*(?:{QUOTED}|([^\s"',}}]+))"#),
        format!(r"<(?:[\w.-]+:)?[\w.-]*(?P<key>{KEY})(?:\s[^<>]*)?>([^<]+)<"),
        // --password x
        format!(r"(?:^|\s)--?[\w-]*(?P<key>{KEY})[ \t]+(?:{QUOTED}|([^\s-]\S*))"),
        r#"(?:^|[\s;&|/])sshpass[ \t]+(?:-[ev][ \t]+)*-p[ \t]*(\S+)"#.to_owned(),
        r#"(?:^|[\s;&|/])(?:mysql|mariadb)(?:dump|admin)?\b[^\n;|]*[ \t]-p([^\s=;|]+)"#.to_owned(),
        r#"(?:^|[\s;&|/])(?:curl|wget)\b[^\n;|]*?[ \t](?:-u|--user|--proxy-user)[ \t=]*["']?[^\s:"']+:([^\s"']+)"#.to_owned(),
        // In a sentence of its own kind: secret "x"; PASSWORD 'x'; IDENTIFIED BY 'x'
        format!(r#"\b(?P<key>secret|password|passwd|passphrase|psk|identified[ \t]+by)[ \t]+(?:{QUOTED})"#),
        // "…;Password=a b;…" and "DB_PASS=a b": to the end of the part, or of the quotes.
        format!(r#";[ \t]*(?:[\w .-]*(?P<key>{KEY}))[ \t]*=[ \t]*([^;"'\n]+)"#),
        format!(r#""[\w.-]*(?P<key>{KEY})=([^"\n]+)"#),
        format!(r"'[\w.-]*(?P<key>{KEY})=([^'\n]+)"),
        // Everything else: name = value up to the next space.
        format!(r#"(?P<key>{KEY}){IS}(?:{QUOTED}|(\S+))"#),
    ])
});

static FILE: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    compile(&[
        // A name that begins a line: its value goes to the end of it.
        format!(r#"^[ \t#;/*>-]*(?:export[ \t]+|set[ \t]+|setenv[ \t]+|local[ \t]+|readonly[ \t]+|ENV[ \t]+)?["'$]?[\w.\[\]/-]*(?P<key>{KEY}){IS}(?:{QUOTED}|([^\s"'].*))$"#),
        // Words that take a password after a space.
        r#"^[ \t#;]*(?:requirepass|masterauth|bindpw|rootbindpw|bindcredentials|rootpw(?:[ \t]+--\w+)*|(?:ro|rw)community6?|com2sec6?[ \t]+\S+[ \t]+\S+|enable[ \t]+(?:secret|password)|snmp-server[ \t]+community|auth-pass|auth_pass|sasl_password|ldap_default_authtok|passphrase|psk)[ \t=]+(\S.*)$"#.to_owned(),
        // netrc, on one line and on several; PAM's own `password` lines have more words.
        r"(?:^|[ \t])(?:machine|login|account)[ \t]+\S+[ \t]+(?:\S+[ \t]+\S+[ \t]+)?password[ \t]+(\S+)".to_owned(),
        r"(?:^|[ \t])default[ \t]+password[ \t]+(\S+)".to_owned(),
        r#"^[ \t]*(?:password|passwd)[ \t]+([^\s=:"']\S*)[ \t]*\r?$"#.to_owned(),
        // Redis: user bob on >secret #hash; SNMP: createUser bob SHA "secret" AES "secret"
        r"^[ \t]*(?:user|ACL[ \t]+SETUSER)[ \t]+\S+[ \t]+(?:[^\n]*[ \t])?[>#](\S+)".to_owned(),
        r"^[ \t]*createUser[ \t]+(?:-e[ \t]+\S+[ \t]+)?\S+[ \t]+(?:MD5|SHA\S*)[ \t]+(\S.*)$".to_owned(),
    ])
});

/// An argument that is all value after its name.
static ARGUMENT: LazyLock<Vec<Regex>> =
    LazyLock::new(|| compile(&[format!(r#"\A-{{0,2}}[\w.-]*(?P<key>{KEY})=((?s).+)"#)]));

/// A line whose value is the deeper lines below it: YAML's `password: |`.
static BLOCK: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    compile(&[format!(
        r#"^[ \t]*(?:-[ \t]+)*["']?[\w./-]*(?P<key>{KEY})["']?[ \t]*:[ \t]*(?:!\S+[ \t]+)?[|>][-+0-9]*[ \t]*(?:#.*)?\r?$"#
    )])
});

/// Finds tokens and passwords.
pub(super) fn find(text: &[u8], form: Form, found: &mut Spans<'_>) {
    let own: &[Regex] = match form {
        Form::File => &FILE,
        Form::Argument => &ARGUMENT,
        Form::Script => &[],
    };
    for regex in COMMON.iter().chain(own) {
        for groups in regex.captures_iter(text) {
            hide(text, &groups, found);
        }
    }
    if form == Form::File {
        blocks(text, found);
    }
}

/// From the start of the first group that has a value to the end of the last; all of the match if it has none.
fn hide(text: &[u8], groups: &Captures<'_>, found: &mut Spans<'_>) {
    let Some(all) = groups.get(0) else { return };
    let key = groups.name("key");
    let is_key = |group: &Match<'_>| key.is_some_and(|key| key.range() == group.range());
    let values = groups.iter().skip(1).flatten().filter(|group| !is_key(group)).map(|group| group.range());
    let Some(span) = values.reduce(|one, next| one.start..next.end) else {
        if groups.len() == 1 {
            found.hide(all.range());
        }
        return;
    };
    if let Some(key) = key {
        let before = text.get(key.start().saturating_sub(LOOK_BACK)..key.start()).unwrap_or_default();
        let before = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let between = text.get(key.end()..span.start).unwrap_or_default();
        let value = text.get(span.clone()).unwrap_or_default();
        if is_harmless(before, key.as_bytes(), between, value) {
            return;
        }
    }
    found.hide(span);
}

/// Hides the lines below a key that are deeper than it.
fn blocks(text: &[u8], found: &mut Spans<'_>) {
    for all in BLOCK.iter().flat_map(|block| block.find_iter(text)) {
        let depth = indent(all.as_bytes());
        let rest = text.get(all.end()..).unwrap_or_default();
        let mut end = all.end();
        for (count, line) in rest.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let is_deeper = indent(line) > depth || line.trim_ascii().is_empty();
            if count > 0 && !is_deeper {
                break;
            }
            end += line.len();
        }
        found.hide(all.end()..end);
    }
}

fn indent(line: &[u8]) -> usize {
    line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// ASCII alone: what is not UTF-8 is matched as well.
fn compile(patterns: &[String]) -> Vec<Regex> {
    let compile = |pattern: &String| {
        RegexBuilder::new(pattern).unicode(false).case_insensitive(true).multi_line(true).build().ok()
    };
    patterns.iter().filter_map(compile).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expression_compiles() {
        assert_eq!(COMMON.len(), 23);
        assert_eq!(FILE.len(), 7);
        assert_eq!((ARGUMENT.len(), BLOCK.len()), (1, 1));
    }
}
