//! `{a,b}` in a pattern: one pattern with braces becomes several without.
//!
//! Knows nothing of what the rest of a pattern means but where a `[…]` ends and what `\` protects.

/// More alternatives than this in one pattern are taken for a mistake.
const LIMIT: usize = 1024;

/// All patterns that a pattern with braces stands for.
pub(super) fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let mut waiting = vec![pattern.to_owned()];
    let mut done = Vec::new();
    while let Some(text) = waiting.pop() {
        match first_group(&text)? {
            None => done.push(text),
            Some(group) => waiting.extend(
                group.choices.iter().map(|choice| format!("{}{choice}{}", group.before, group.after)),
            ),
        }
        if waiting.len() + done.len() > LIMIT {
            return Err(format!(
                "its braces stand for more than {LIMIT} patterns: write it with \"*\", or as several patterns"
            ));
        }
    }
    Ok(done)
}

struct Group<'a> {
    before: &'a str,
    choices: Vec<&'a str>,
    after: &'a str,
}

/// The first outermost `{…}`, cut at the commas that are its own.
fn first_group(text: &str) -> Result<Option<Group<'_>>, String> {
    let mut opened = None;
    let mut depth = 0_usize;
    let mut choice_from = 0;
    let mut choices = Vec::new();
    let mut signs = Signs::new(text);
    while let Some((at, sign)) = signs.next() {
        match sign {
            '{' if opened.is_none() => {
                opened = Some(at);
                choice_from = at + 1;
            }
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' if opened.is_some() && depth == 0 => {
                choices.push(text.get(choice_from..at).unwrap_or_default());
                choice_from = at + 1;
            }
            '}' => {
                if let Some(start) = opened {
                    choices.push(text.get(choice_from..at).unwrap_or_default());
                    return Ok(Some(Group {
                        before: text.get(..start).unwrap_or_default(),
                        choices,
                        after: text.get(at + 1..).unwrap_or_default(),
                    }));
                }
            }
            _ => {}
        }
    }
    match opened {
        Some(_) => Err("a \"{\" is not closed: write \"\\{\" if the name contains one".to_owned()),
        None => Ok(None),
    }
}

/// The characters of a pattern that are neither escaped nor in a `[…]`, with their places.
struct Signs<'a> {
    chars: std::iter::Peekable<std::str::CharIndices<'a>>,
}

impl<'a> Signs<'a> {
    fn new(text: &'a str) -> Self {
        Self { chars: text.char_indices().peekable() }
    }

    fn next(&mut self) -> Option<(usize, char)> {
        loop {
            match self.chars.next()? {
                (_, '\\') => {
                    self.chars.next();
                }
                (_, '[') => self.skip_class(),
                sign => return Some(sign),
            }
        }
    }

    /// Goes behind the `]`, or to the end where there is none: the pattern is then refused later.
    fn skip_class(&mut self) {
        self.chars.next_if(|(_, sign)| matches!(sign, '!' | '^'));
        self.chars.next_if(|(_, sign)| *sign == ']');
        while let Some((_, sign)) = self.chars.next() {
            match sign {
                '\\' => {
                    self.chars.next();
                }
                ']' => return,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn expansions() {
        for (pattern, expected) in [
            ("/a", vec!["/a"]),
            ("/{a,b}", vec!["/a", "/b"]),
            ("/{a}", vec!["/a"]),
            ("/x{,y}", vec!["/x", "/xy"]),
            ("/{a/b,c}/d", vec!["/a/b/d", "/c/d"]),
            ("/{a,{b,c}d}{1,2}", vec!["/a1", "/a2", "/bd1", "/bd2", "/cd1", "/cd2"]),
            (r"/\{a,b\}", vec![r"/\{a,b\}"]),
            (r"/{a\,b,c}", vec![r"/a\,b", "/c"]),
            ("/[{]a,b}", vec!["/[{]a,b}"]),
            ("/[]{]{a,b}", vec!["/[]{]a", "/[]{]b"]),
            ("/a}b,c", vec!["/a}b,c"]),
        ] {
            let mut found = expand(pattern).unwrap();
            found.sort();
            assert_eq!(found, expected, "{pattern}");
        }
    }

    #[test]
    fn refusals() {
        assert!(expand("/{a,b").unwrap_err().contains("\\{"));
        let many = "{a,b}".repeat(11);
        assert!(expand(&many).unwrap_err().contains("more than"));
        let deep = "{".repeat(3000) + &"}".repeat(3000);
        assert_eq!(expand(&deep).unwrap(), [""]);
    }

    proptest! {
        #[test]
        fn never_panics(text in r"[{},\\\[\]!a/é]{0,24}") {
            drop(expand(&text));
        }
    }
}
