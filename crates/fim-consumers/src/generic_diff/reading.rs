//! From the content of a file to what may be kept and shown of it.

use super::kept::{Held, Kept, Why};
use super::text::{Digest, Lines, Text};
use crate::redact::{Redactor, is_password_database};
use crate::secrets::hides_hash;
use fim_core::{FileKind, HashState, Key, Snapshot};

const LINE: &str = "fim 2026 line of a file";
const RULES: &str = "fim 2026 rules of redaction";
/// Other built-in rules: what was kept by others is redacted again.
const BUILT_IN: &[u8] = b"2";

/// What is hidden, and under which key it is compared.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    key: Key,
    redactor: Redactor,
    id: u32,
}

/// What there is to compare.
#[derive(Debug)]
pub(super) enum Reading {
    /// No file.
    Nothing,
    Text(Text),
    /// A file, but no text of it.
    Without(Why),
}

impl Reading {
    pub(super) fn hides(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Text(text) => !text.hidden.is_empty(),
            Self::Without(why) => *why == Why::Secret,
        }
    }
}

impl Rules {
    pub(super) fn new(key: Key, redactor: Redactor) -> Self {
        let mut rules = BUILT_IN.to_vec();
        for pattern in redactor.patterns() {
            rules.push(0);
            rules.extend_from_slice(pattern.as_bytes());
        }
        let [a, b, c, d, ..] = key.derive(RULES, &rules);
        Self { key, redactor, id: u32::from_le_bytes([a, b, c, d]) }
    }

    /// Reads a look.
    pub(super) fn read(&self, file: &Snapshot, limit: u64) -> Reading {
        let Some(facts) = file.facts.as_ref().filter(|facts| facts.kind == FileKind::File) else {
            return Reading::Nothing;
        };
        if hides_hash(&file.path) {
            return Reading::Without(Why::Secret);
        }
        let Some(content) = &file.content else {
            return Reading::Without(match facts.hash_state {
                HashState::Unstable => Why::Unstable,
                HashState::Stable | HashState::TooBig => Why::TooBig { size: facts.size, limit },
                HashState::Unreadable | HashState::Gone => Why::Unreadable,
            });
        };
        if is_binary(content) {
            Reading::Without(Why::Binary)
        } else if is_password_database(content) {
            Reading::Without(Why::Secret)
        } else {
            Reading::Text(self.text(content))
        }
    }

    /// Redacts a text.
    pub(super) fn text(&self, content: &[u8]) -> Text {
        let bytes = self.redactor.redact(content);
        let hidden = self.changed_lines(content, &bytes);
        Text { bytes, hidden }
    }

    /// Digests of all lines.
    pub(super) fn lines(&self, content: &[u8]) -> Lines {
        let digests = content.split_inclusive(|byte| *byte == b'\n').map(|line| self.digest(line)).collect();
        Lines { digests, ends: content.ends_with(b"\n") }
    }

    /// Ready to be kept.
    pub(super) fn kept(&self, held: Held) -> Kept {
        Kept { key: self.key.id(), rules: self.id, stale: false, held }
    }

    /// Whether what was kept can be compared under the key.
    pub(super) fn is_of_key(&self, kept: &Kept) -> bool {
        kept.key == self.key.id()
    }

    /// What was kept under other rules may show what is to be hidden now.
    pub(super) fn bring_up_to_date(&self, kept: &mut Kept) {
        let Held::Text(text) = &mut kept.held else { return };
        if kept.rules == self.id {
            return;
        }
        let bytes = self.redactor.redact(&text.bytes);
        // Of a line that had something hidden before, the digest is that of the line as it was.
        for (number, digest) in self.changed_lines(&text.bytes, &bytes) {
            if let Err(at) = text.hidden.binary_search_by_key(&number, |(number, _)| *number) {
                text.hidden.insert(at, (number, digest));
            }
        }
        text.bytes = bytes;
    }

    fn changed_lines(&self, before: &[u8], after: &[u8]) -> Vec<(u32, Digest)> {
        if before == after {
            return Vec::new();
        }
        let lines = |text| <[u8]>::split_inclusive(text, |byte: &u8| *byte == b'\n');
        let pairs = (0_u32..).zip(lines(before).zip(lines(after)));
        pairs
            .filter(|(_, (before, after))| before != after)
            .map(|(number, (before, _))| (number, self.digest(before)))
            .collect()
    }

    fn digest(&self, line: &[u8]) -> Digest {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let [a, b, c, d, e, f, g, h, ..] = self.key.derive(LINE, line);
        [a, b, c, d, e, f, g, h]
    }
}

/// Whether it is no text: a NUL, or a good part of what no text has, in its first bytes.
fn is_binary(content: &[u8]) -> bool {
    const LOOKED_AT: usize = 8192;
    let front = content.get(..LOOKED_AT).unwrap_or(content);
    let is_control = |byte: u8| matches!(byte, 0..=7 | 11 | 14..=26 | 28..=31 | 127);
    let odd: usize = front
        .utf8_chunks()
        .map(|chunk| {
            let controls = chunk.valid().bytes().filter(|byte| is_control(*byte)).count();
            // The upper half of Latin-1 and its kin is text.
            controls + chunk.invalid().iter().filter(|byte| **byte < 0xa0).count()
        })
        .sum();
    front.contains(&0) || odd * 10 > front.len() * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_text() {
        for (content, binary) in [
            (&b"a\n"[..], false),
            (b"", false),
            (b"\xef\xbb\xbfa\r\n\x1b[1m", false),
            (b"caf\xe9 \xfcber", false),
            (b"a\0b", true),
            (b"\x01\x02\x03abc", true),
            (b"\x80\x81\x82\x83abc", true),
        ] {
            assert_eq!(is_binary(content), binary, "{content:?}");
        }
        let mut late = vec![b'a'; 9000];
        late.push(0);
        assert!(!is_binary(&late));
    }
}
