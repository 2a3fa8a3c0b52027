//! A redacted text with digests of the lines that were redacted.
//!
//! Knows neither where it comes from nor how it is stored.

/// First bytes of a digest under the installation's key.
pub(super) type Digest = [u8; 8];

/// A text as it may be kept and shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    /// Redacted.
    pub bytes: Vec<u8>,
    /// Of each line that has something hidden, by its number from 0, the digest of the whole line as it was;
    /// in order.
    pub hidden: Vec<(u32, Digest)>,
}

/// A text of which only digests are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    /// Of each line.
    pub digests: Vec<Digest>,
    /// Whether the last line ends.
    pub ends: bool,
}

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Line<'a> {
    /// Without its end; `None` where it is not known.
    pub text: Option<&'a [u8]>,
    /// Of the line as it was, where something in it is hidden or nothing else is known.
    pub digest: Option<Digest>,
    /// Whether it ends in a newline.
    pub ends: bool,
}

impl Text {
    /// Its lines in order.
    pub(super) fn lines(&self) -> Vec<Line<'_>> {
        let mut hidden = self.hidden.iter().peekable();
        let lines = (0_u32..).zip(self.bytes.split_inclusive(|byte| *byte == b'\n'));
        lines
            .map(|(number, line)| {
                let bare = line.strip_suffix(b"\n");
                let digest = hidden.next_if(|(at, _)| *at <= number).map(|(_, digest)| *digest);
                Line { text: Some(bare.unwrap_or(line)), digest, ends: bare.is_some() }
            })
            .collect()
    }
}

impl Lines {
    /// Its lines in order.
    pub(super) fn lines(&self) -> Vec<Line<'static>> {
        let last = self.digests.len().saturating_sub(1);
        let line = |(number, digest): (usize, &Digest)| Line {
            text: None,
            digest: Some(*digest),
            ends: number < last || self.ends,
        };
        self.digests.iter().enumerate().map(line).collect()
    }
}
