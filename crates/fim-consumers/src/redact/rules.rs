//! Tokens by their form, and passwords by what stands before them.
//!
//! A table of expressions: where one has groups, all of them but `key` are hidden, else all of the match.

use super::harmless::is_harmless;
use super::shell::{command_in, is_reference, next_command};
use super::spans::Spans;
use super::yaml;
use regex::bytes::{Captures, Match, Regex, RegexBuilder};
use std::ops::Range;
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
/// And as much of it behind tells what kind of value it is.
const LOOK_AHEAD: usize = 256;

/// A name that says that a secret follows, as the end of a longer one.
pub(super) const KEY: &str = r"(?:pass(?:word|wd|phrase|code)?|pwd|(?:root|bind|rootbind|admin|user|db|key)pw|secret|token|(?:api|access|private|secret|encryption|signing|shared|preshared|account|auth|master|app)[-_.]?key|secret_key_base|client-key-data|pre-shared-key|psk|credentials?|client_?secret)(?:[-_]?(?:hash(?:ed)?|plain|text|enc(?:rypted)?|b(?:ase)?64|value|string)|[-_]?\d{1,3})?";

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
        // A private key in base64 as a whole: `-----BEGIN ` and what is not CERTIFICATE or PUBLIC.
        r"(?-i:LS0tLS1CRUdJTiB(?:[EFPS]|QUklW|QR1AgUFJJ)[A-Za-z0-9+/=]*)".to_owned(),
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
        // In a sentence of its own kind: secret "x"; PASSWORD 'x'; IDENTIFIED BY 'x'
        format!(r#"\b(?P<key>secret|password|passwd|passphrase|psk|identified[ \t]+by)[ \t]+(?:{QUOTED})"#),
        // "…;Password=a b;…" and "DB_PASS=a b": to the end of the part, or of the quotes.
        format!(r#";[ \t]*(?:[\w .-]*(?P<key>{KEY}))[ \t]*=[ \t]*([^;"'\n]+)"#),
        format!(r#""[\w.-]*(?P<key>{KEY})=([^"\n]+)"#),
        format!(r"'[\w.-]*(?P<key>{KEY})=([^'\n]+)"),
        // What docker and npm keep of a registry: a name and password in base64.
        r#"(?:["']auth["'][ \t]*:[ \t]*["']|\b_auth[ \t]*=[ \t]*["']?)([A-Za-z0-9+/]{12,}={0,2}|[A-Za-z0-9+/]{6,}={1,2})"#.to_owned(),
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
        // Names that are usual words, or parts of some, elsewhere.
        format!(r#"^[ \t]*(?:(?:skey|wep[-_]key\d?)[ \t]*[:=]|(?:sim-)?pin\d?[ \t]*=)[ \t]*(?:{QUOTED}|([^\s"'].*))$"#),
        // Properties: db.password x
        r#"^[ \t]*[\w-]+(?:\.[\w-]+)*\.(?:password|passwd|passphrase|secret|token)[ \t]+([^\s=:"']\S*)[ \t]*\r?$"#.to_owned(),
        // ipsec.secrets: : PSK "x", bob : XAUTH "x", : RSA key.pem "x"
        format!(r#"(?:^|[ \t]):[ \t]*(?-i:XAUTH|EAP|PSK|NTLM)[ \t]+(?:{QUOTED}|(0[sx]\S+))"#),
        format!(r#"(?:^|[ \t]):[ \t]*(?-i:RSA|ECDSA|BLISS|PKCS8|P12|PIN)[ \t]+[^\s"]+[ \t]+(?:{QUOTED}|([^\s"'%]\S*))"#),
        // A value that goes on in the next line. No command fits there: it has no space.
        format!(r#"(?P<key>{KEY}){IS}(?:"([^"\n]*\n[^"\s]+)"[ \t]*[;,]?\r?$|'([^'\n]*\n[^'\s]+)'[ \t]*[;,]?\r?$)"#),
        format!(r#"(?P<key>{KEY})["']?[ \t]*=[ \t]*(?:"""\r?\n((?:[^"\n]*\n){{1,8}}?)[ \t]*"""|'''\r?\n((?:[^'\n]*\n){{1,8}}?)[ \t]*''')"#),
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

/// Finds tokens and passwords.
pub(super) fn find(text: &[u8], form: Form, found: &mut Spans<'_>) {
    let own: &[Regex] = match form {
        Form::File => &FILE,
        Form::Argument => &ARGUMENT,
        Form::Script => &[],
    };
    for regex in COMMON.iter().chain(own) {
        search(regex, text, found);
    }
    if form == Form::File {
        yaml::find(text, found);
    }
}

/// Hides what an expression finds. In what is shown after all it goes on, so many times the length of the text:
/// else a line could be made that takes forever.
fn search(regex: &Regex, text: &[u8], found: &mut Spans<'_>) {
    let mut left = text.len().saturating_mul(8);
    let mut at = 0;
    while let Some(groups) = regex.captures_at(text, at) {
        let Some(all) = groups.get(0) else { return };
        at = all.end().max(at + 1);
        let Some(secret) = secret(text, &groups) else { continue };
        let Some(rest) = left.checked_sub(all.len()) else {
            found.hide(secret.value);
            continue;
        };
        if let Some(shown) = secret.shown {
            left = rest;
            at = shown.max(all.start() + 1);
        }
        found.hide(secret.value.start..secret.shown.unwrap_or(secret.value.end));
    }
}

/// What a name has as its value.
struct Secret {
    value: Range<usize>,
    /// From here on it is a command, and no secret.
    shown: Option<usize>,
}

/// From the start of the first group that has a value to the end of the last; all of the match if it has none.
fn secret(text: &[u8], groups: &Captures<'_>) -> Option<Secret> {
    let all = groups.get(0)?;
    let key = groups.name("key");
    let is_key = |group: &Match<'_>| key.is_some_and(|key| key.range() == group.range());
    let values = groups.iter().skip(1).flatten().filter(|group| !is_key(group)).map(|group| group.range());
    let Some(span) = values.reduce(|one, next| one.start..next.end) else {
        return (groups.len() == 1).then(|| Secret { value: all.range(), shown: None });
    };
    let value = text.get(span.clone()).unwrap_or_default();
    let line = text.get(span.start..text.len().min(span.start + LOOK_AHEAD)).unwrap_or_default();
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let front = text.get(span.start.saturating_sub(4)..span.start).unwrap_or_default();
    let mut shown = command_in(front, value, line);
    if let Some(key) = key {
        let before = text.get(key.start().saturating_sub(LOOK_BACK)..key.start()).unwrap_or_default();
        let before = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let between = text.get(key.end()..span.start).unwrap_or_default();
        if is_harmless(before, key.as_bytes(), between, value, line) {
            return None;
        }
        shown = shown.into_iter().chain(next_command(before, between, value)).min();
    }
    let shown = shown.map(|at| span.start + at);
    (!is_reference(value)).then_some(Secret { value: span, shown })
}

/// ASCII alone: what is not UTF-8 is matched as well.
pub(super) fn compile(patterns: &[String]) -> Vec<Regex> {
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
        assert_eq!(COMMON.len(), 22);
        assert_eq!(FILE.len(), 13);
        assert_eq!(ARGUMENT.len(), 1);
    }
}
