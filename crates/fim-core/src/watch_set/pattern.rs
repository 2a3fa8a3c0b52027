//! One pattern without braces, cut into its components.
//!
//! Our own translation, because what a security tool watches must not depend on surprises: here no
//! wildcard and no `[…]` ever matches a `/`, `?` is a character and not a byte, and `\` escapes everywhere.
//! Pure text; knows nothing of which patterns there are besides.

use regex::escape;

/// One component of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Exactly this name.
    Name(String),
    /// Any name: `*`.
    AnyName,
    /// Names that match this regular expression.
    Glob(String),
    /// Any number of components, none included: `**`.
    AnyDepth,
}

/// One byte that is no UTF-8 by itself, and no `/`.
const STRAY: &str = r"(?-u:[\x80-\xFF])";

/// Whether a pattern names one path, as it is written: none of its signs means anything else.
pub(super) fn is_plain(pattern: &str) -> bool {
    let has_dots = || ["/./", "/../"].iter().any(|dots| pattern.contains(dots));
    let ends_so = || ["/", "/.", "/.."].iter().any(|end| pattern.ends_with(end));
    !pattern.contains(['*', '?', '[', '{', '\\', '\0'])
        && !pattern.contains("//")
        && !has_dots()
        && !ends_so()
}

/// Cuts an absolute pattern into components; `//`, `.` and `..` are resolved as text.
pub(super) fn parse(pattern: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    for component in pattern.split('/') {
        match component {
            "" | "." => {}
            ".." => match parts.pop() {
                None | Some(Part::Name(_)) => {}
                Some(_) => {
                    return Err("it has \"..\" behind a wildcard: write the path without \"..\"".to_owned());
                }
            },
            "*" => parts.push(Part::AnyName),
            "**" => parts.push(Part::AnyDepth),
            _ => parts.push(parse_name(component)?),
        }
    }
    Ok(parts)
}

fn parse_name(text: &str) -> Result<Part, String> {
    let mut name = String::new();
    let mut glob = String::new();
    let mut is_glob = false;
    let mut rest = text.chars();
    while let Some(sign) = rest.next() {
        match sign {
            '*' => {
                is_glob = true;
                glob.push_str("(?-u:[^/])*");
            }
            '?' => {
                is_glob = true;
                glob.push_str("(?:[^/]|");
                glob.push_str(STRAY);
                glob.push(')');
            }
            '[' => {
                is_glob = true;
                glob.push_str(&parse_class(&mut rest)?);
            }
            '\0' => return Err("it contains a NUL byte, which no path can".to_owned()),
            _ => {
                let literal = if sign == '\\' { escaped(&mut rest)? } else { sign };
                name.push(literal);
                glob.push_str(&escape(literal.encode_utf8(&mut [0; 4])));
            }
        }
    }
    Ok(if is_glob { Part::Glob(glob) } else { Part::Name(name) })
}

fn escaped(rest: &mut std::str::Chars<'_>) -> Result<char, String> {
    rest.next().ok_or_else(|| "a component ends with \"\\\": write \"\\\\\" for a backslash".to_owned())
}

/// The regular expression of a `[…]` whose `[` has been read.
fn parse_class(rest: &mut std::str::Chars<'_>) -> Result<String, String> {
    let unclosed = || "a \"[\" is not closed: write \"\\[\" if the name contains one".to_owned();
    let mut members = String::new();
    let mut range_from = None;
    let mut first = true;
    let mut sign = rest.next().ok_or_else(unclosed)?;
    let negated = matches!(sign, '!' | '^');
    if negated {
        sign = rest.next().ok_or_else(unclosed)?;
    }
    while sign != ']' || first {
        if sign == '[' && rest.as_str().starts_with(':') {
            return Err("names like \"[:alpha:]\" are not known here: write a range like \"a-z\"".to_owned());
        }
        let is_range = sign == '-' && !first && !rest.as_str().starts_with(']');
        if is_range && let Some(from) = range_from.take() {
            let mut to = rest.next().ok_or_else(unclosed)?;
            if to == '\\' {
                to = escaped(rest)?;
            }
            if to < from {
                return Err(format!("the range \"{from}-{to}\" is empty: write \"{to}-{from}\""));
            }
            members.push_str(&format!("-{}", member(to)));
        } else {
            let literal = if sign == '\\' { escaped(rest)? } else { sign };
            members.push_str(&member(literal));
            range_from = Some(literal);
        }
        first = false;
        sign = rest.next().ok_or_else(unclosed)?;
    }
    Ok(if negated { format!("(?:[[^{members}]&&[^/]]|{STRAY})") } else { format!("[[{members}]&&[^/]]") })
}

fn member(sign: char) -> String {
    format!(r"\x{{{:X}}}", u32::from(sign))
}

/// The path in front of the first wildcard (empty for the root), and whether that is the whole pattern.
pub(super) fn literal_prefix(parts: &[Part]) -> (String, bool) {
    let mut path = String::new();
    for part in parts {
        let Part::Name(name) = part else {
            return (path, false);
        };
        path.push('/');
        path.push_str(name);
    }
    (path, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> Part {
        Part::Name(text.to_owned())
    }

    #[test]
    fn components() {
        for (pattern, expected) in [
            ("/", vec![]),
            ("/a/b", vec![name("a"), name("b")]),
            ("//a/./b/", vec![name("a"), name("b")]),
            ("/a/../b", vec![name("b")]),
            ("/../a", vec![name("a")]),
            (r"/a\*\[\\", vec![name(r"a*[\")]),
            ("/a]b}", vec![name("a]b}")]),
            ("/a/*/**", vec![name("a"), Part::AnyName, Part::AnyDepth]),
        ] {
            assert_eq!(parse(pattern).unwrap(), expected, "{pattern}");
        }
        assert!(matches!(parse("/**a").unwrap().as_slice(), [Part::Glob(_)]));
    }

    #[test]
    fn refusals() {
        for (pattern, hint) in [
            ("/a[1", "\\["),
            ("/a[/]", "\\["),
            (r"/a\", "\\\\"),
            ("/*/../a", "without \"..\""),
            ("/[z-a]", "a-z"),
            ("/[[:alpha:]]", "a-z"),
            ("/a\0", "NUL"),
        ] {
            let reason = parse(pattern).unwrap_err();
            assert!(reason.contains(hint), "{pattern}: {reason}");
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_a_regex(text in r"[\[\]!^*?\\a\-z:./é]{0,16}") {
            for part in parse(&text).unwrap_or_default() {
                if let Part::Glob(glob) = part {
                    prop_assert!(regex::bytes::Regex::new(&glob).is_ok(), "{} of {}", glob, text);
                }
            }
        }
    }
}
