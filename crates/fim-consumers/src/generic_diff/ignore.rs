//! Lines whose changes may be left out: comments and blank lines.

/// What to leave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ignore {
    pub comments: bool,
    pub blank: bool,
}

impl Ignore {
    /// Whether a change of this line alone is not shown. `before` is the line before it: if that goes on in
    /// this one, this is none of its own.
    pub(super) fn ignores(self, before: Option<&[u8]>, line: &[u8]) -> bool {
        if before.is_some_and(|before| before.trim_ascii_end().ends_with(b"\\")) {
            return false;
        }
        let line = line.trim_ascii();
        (self.blank && line.is_empty()) || (self.comments && is_comment(line))
    }
}

/// `#` begins a comment, but also an include (sudoers, C), a user or group by its number (sudoers) and the
/// name of an interpreter.
fn is_comment(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"#") else {
        return false;
    };
    let is_number = matches!(rest, [b'0'..=b'9', ..] | [b'-', b'0'..=b'9', ..]);
    // Where it goes on in the next line, that would be left out as well.
    !rest.starts_with(b"include") && !rest.starts_with(b"!") && !is_number && !line.ends_with(b"\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored() {
        let both = Ignore { comments: true, blank: true };
        for (line, ignored) in [
            ("# a comment", true),
            ("  # a comment", true),
            ("#", true),
            ("", true),
            (" \t\r", true),
            ("#include /etc/sudoers.local", false),
            ("#includedir /etc/sudoers.d", false),
            ("@include /etc/sudoers.local", false),
            ("@includedir /etc/sudoers.d", false),
            ("#1000 ALL=(ALL) NOPASSWD: ALL", false),
            ("#!/bin/sh", false),
            ("# goes on \\", false),
            ("a # comment", false),
            ("; other", false),
        ] {
            assert_eq!(both.ignores(None, line.as_bytes()), ignored, "{line}");
            assert!(!both.ignores(Some(b"x \\"), line.as_bytes()), "{line}");
            assert!(!Ignore::default().ignores(None, line.as_bytes()), "{line}");
        }
        assert!(!Ignore { comments: false, blank: true }.ignores(None, b"# a"));
        assert!(!Ignore { comments: true, blank: false }.ignores(None, b""));
    }
}
