//! sshd_config(5): what is set, and under which `Match`.
//!
//! Knows nothing of what a keyword means nor of the files that `Include` names.

use super::lines::Odd;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Directive {
    /// The criteria of the `Match` it is under; empty where it holds for all.
    pub context: Vec<Vec<u8>>,
    /// Keyword, in lower case.
    pub keyword: Vec<u8>,
    /// Arguments without quotes.
    pub args: Vec<Vec<u8>>,
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SshdConfig<'a> {
    /// Every directive but `Match`, in the order of the file.
    pub directives: Vec<Directive>,
    /// Lines with a quote that does not end.
    pub odd: Vec<Odd<'a>>,
}

/// Reads a whole file.
///
/// ```
/// use fim_consumers::parse::sshd_config::parse;
///
/// let config = parse(b"AuthorizedKeysFile %h/.ssh/keys /etc/keys/%u\n");
/// assert_eq!(config.directives[0].keyword, b"authorizedkeysfile");
/// assert_eq!(config.directives[0].args, [&b"%h/.ssh/keys"[..], b"/etc/keys/%u"]);
/// ```
#[must_use]
pub fn parse(bytes: &[u8]) -> SshdConfig<'_> {
    let mut config = SshdConfig::default();
    let mut context = Vec::new();
    for (text, line) in bytes.split(|byte| *byte == b'\n').zip(1_u32..) {
        let text = text.trim_ascii();
        if text.is_empty() || text.starts_with(b"#") {
            continue;
        }
        let Some((keyword, args)) = directive(text) else {
            config.odd.push(Odd { line, text, nis: None });
            continue;
        };
        if keyword == b"match" {
            context = args;
        } else {
            config.directives.push(Directive { context: context.clone(), keyword, args });
        }
    }
    config
}

fn directive(line: &[u8]) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    let end = line.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'=')).unwrap_or(line.len());
    let (keyword, rest) = line.split_at_checked(end)?;
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix(b"=").unwrap_or(rest);
    let keyword: Vec<u8> = keyword.iter().filter(|byte| **byte != b'"').map(u8::to_ascii_lowercase).collect();
    Some((keyword, words(rest)?))
}

/// Words as sshd's argv_split() cuts them: quotes of both kinds, `\` before a quote, a `\` or a blank, and
/// `#` at the start of a word ends the line. `None` if a quote does not end.
fn words(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut bytes = line.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' | b'\t' if quote.is_none() => words.extend(word.take()),
            b'#' if quote.is_none() && word.is_none() => break,
            b'\\' => {
                let escapes =
                    |next: &u8| matches!(next, b'"' | b'\'' | b'\\') || (*next == b' ' && quote.is_none());
                let literal = bytes.next_if(escapes).unwrap_or(b'\\');
                word.get_or_insert_default().push(literal);
            }
            b'"' | b'\'' if quote.is_none() => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            _ if quote == Some(byte) => quote = None,
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let text_of = |words: &[Vec<u8>]| {
            words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect::<Vec<_>>().join("|")
        };
        let config = parse(text.as_bytes());
        let shown = config.directives.iter().map(|one| {
            let keyword = String::from_utf8_lossy(&one.keyword);
            format!("{}:{keyword}={}", text_of(&one.context), text_of(&one.args))
        });
        shown.chain(config.odd.iter().map(|odd| format!("odd {}", odd.line))).collect()
    }

    #[test]
    fn lines() {
        for (text, expected) in [
            ("PermitRootLogin no", vec![":permitrootlogin=no"]),
            ("  PermitRootLogin\t=  no\r\n", vec![":permitrootlogin=no"]),
            ("Port=22", vec![":port=22"]),
            (
                "AuthorizedKeysFile .ssh/a \"/etc/k k/%u\" # more",
                vec![":authorizedkeysfile=.ssh/a|/etc/k k/%u"],
            ),
            ("Banner 'a\\'b'\\ c#d", vec![":banner=a'b c#d"]),
            ("# x\n\nUsePAM", vec![":usepam="]),
            ("Banner \"x\nPort 1", vec![":port=1", "odd 1"]),
            (
                "Port 1\nMatch User bob Address *\nX y\nmatch all\nZ",
                vec![":port=1", "User|bob|Address|*:x=y", "all:z="],
            ),
            ("Subsystem sftp \"\"", vec![":subsystem=sftp|"]),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
