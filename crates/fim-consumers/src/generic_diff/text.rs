//! A redacted text with digests of the lines that were redacted.
//!
//! Knows neither where it comes from nor how it is stored.

use memchr::memchr_iter;
use std::ops::Range;

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

/// Neighbouring lines of a text.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub lines: Vec<Line<'a>>,
    /// Number of the first, from 0.
    pub first: u32,
}

impl Text {
    /// Its lines in order.
    pub(super) fn lines(&self) -> Part<'_> {
        self.part(0, 0..self.bytes.len())
    }

    /// Lines from this one on, which are these bytes. None before it has anything hidden.
    pub(super) fn part(&self, first: usize, bytes: Range<usize>) -> Part<'_> {
        let first = u32::try_from(first).unwrap_or(u32::MAX);
        let mut hidden = self.hidden.iter().peekable();
        let bytes = self.bytes.get(bytes).unwrap_or_default();
        let lines = (first..).zip(bytes.split_inclusive(|byte| *byte == b'\n'));
        let lines = lines.map(|(number, line)| {
            let bare = line.strip_suffix(b"\n");
            let digest = hidden.next_if(|(at, _)| *at <= number).map(|(_, digest)| *digest);
            Line { text: Some(bare.unwrap_or(line)), digest, ends: bare.is_some() }
        });
        Part { lines: lines.collect(), first }
    }

    /// What is before the first line that has something hidden.
    pub(super) fn open_front(&self) -> &[u8] {
        let end = self.hidden.first().map_or(self.bytes.len(), |(number, _)| self.start_of(*number));
        self.bytes.get(..end).unwrap_or_default()
    }

    /// What is behind the last line that has something hidden.
    pub(super) fn open_back(&self) -> &[u8] {
        let start = self.hidden.last().map_or(0, |(number, _)| self.start_of(number.saturating_add(1)));
        self.bytes.get(start..).unwrap_or_default()
    }

    fn start_of(&self, number: u32) -> usize {
        let Some(before) = number.checked_sub(1) else { return 0 };
        memchr_iter(b'\n', &self.bytes).nth(before as usize).map_or(self.bytes.len(), |end| end + 1)
    }
}

impl<'a> Part<'a> {
    /// Number of the line after the last one.
    pub(super) fn end(&self) -> u32 {
        self.first.saturating_add(u32::try_from(self.lines.len()).unwrap_or(u32::MAX))
    }

    /// Those of these numbers.
    pub(super) fn get(&self, numbers: &Range<u32>) -> &[Line<'a>] {
        let at = |number: u32| number.checked_sub(self.first).map(|at| at as usize);
        let lines = at(numbers.start).zip(at(numbers.end));
        lines.and_then(|(start, end)| self.lines.get(start..end)).unwrap_or_default()
    }
}

impl Lines {
    /// Its lines in order.
    pub(super) fn lines(&self) -> Part<'static> {
        let last = self.digests.len().saturating_sub(1);
        let line = |(number, digest): (usize, &Digest)| Line {
            text: None,
            digest: Some(*digest),
            ends: number < last || self.ends,
        };
        Part { lines: self.digests.iter().enumerate().map(line).collect(), first: 0 }
    }
}
