//! Ranges of a text that are to be hidden: collected in any order, brought into one that can be replaced.
//!
//! Knows nothing of what a secret looks like.

use super::HIDDEN;
use memchr::memchr;
use std::ops::Range;

/// Ranges found so far.
#[derive(Debug)]
pub(super) struct Spans<'a> {
    text: &'a [u8],
    found: Vec<Range<usize>>,
}

impl<'a> Spans<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { text, found: Vec::new() }
    }

    /// Adds a range; it may reach over several lines.
    pub(super) fn hide(&mut self, range: Range<usize>) {
        if !range.is_empty() && self.text.get(range.clone()) != Some(HIDDEN.as_bytes()) {
            self.found.push(range);
        }
    }

    /// In order, joined where they touch, cut at the ends of lines, which stay as they are.
    pub(super) fn into_ranges(self) -> Vec<Range<usize>> {
        let text = self.text;
        let mut done = 0;
        let mut ends = LineEnds { text, searched: 0..0 };
        let mut joined = join(self.found);
        for range in &mut joined {
            // What another one went on over need not be gone over again.
            if range.end > done {
                *range = continued(text, range.clone(), &mut ends);
                done = range.end;
            }
        }
        let cut: Vec<_> = join(joined).into_iter().flat_map(|range| lines(text, range)).collect();
        // What is hidden already is one thing: a pattern that matches a part of it must not break it up.
        let mut joined = join(cut.into_iter().map(|range| around_hidden(text, range)).collect());
        joined.retain(|range| text.get(range.clone()) != Some(HIDDEN.as_bytes()));
        joined
    }
}

/// The text with each range replaced; ranges are in order and apart.
pub(super) fn hide(text: &[u8], ranges: &[Range<usize>]) -> Vec<u8> {
    let mut shown = Vec::with_capacity(text.len());
    let mut end = 0;
    for range in ranges {
        shown.extend_from_slice(text.get(end..range.start).unwrap_or_default());
        shown.extend_from_slice(HIDDEN.as_bytes());
        end = range.end;
    }
    shown.extend_from_slice(text.get(end..).unwrap_or_default());
    shown
}

/// The lines that these ranges are in.
pub(super) fn whole_lines(text: &[u8], ranges: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut all = all_lines(text);
    let mut ranges = ranges.iter().peekable();
    all.retain(|line| {
        while ranges.next_if(|range| range.start < line.start).is_some() {}
        ranges.peek().is_some_and(|range| range.start < line.end)
    });
    all
}

/// Every line that has something in it.
pub(super) fn all_lines(text: &[u8]) -> Vec<Range<usize>> {
    lines(text, 0..text.len()).collect()
}

/// Where lines end. The end of one is searched once: there may be thousands of ranges in it.
struct LineEnds<'a> {
    text: &'a [u8],
    /// From where the last one was searched, and where it is.
    searched: Range<usize>,
}

impl LineEnds<'_> {
    /// The first line feed at or behind a place.
    fn behind(&mut self, at: usize) -> Option<usize> {
        if !(self.searched.start..=self.searched.end).contains(&at) || self.searched.is_empty() {
            let rest = self.text.get(at..).unwrap_or_default();
            self.searched = at..at + memchr(b'\n', rest).unwrap_or(rest.len());
        }
        Some(self.searched.end).filter(|end| *end < self.text.len())
    }
}

/// A value whose line ends in a backslash goes on in the next one.
fn continued(text: &[u8], mut range: Range<usize>, ends: &mut LineEnds<'_>) -> Range<usize> {
    // A range that ends with a line's end has left that line.
    while range.end > range.start && text.get(range.end - 1) != Some(&b'\n') {
        let Some(line_end) = ends.behind(range.end) else { return range };
        let line = bare(text.get(..line_end).unwrap_or_default());
        if !line.ends_with(b"\\") || range.end + 1 < line.len() {
            return range;
        }
        let next = text.get(line_end + 1..).unwrap_or_default();
        let length = memchr(b'\n', next).unwrap_or(next.len());
        range.end = line_end + 1 + bare(next.get(..length).unwrap_or_default()).len();
    }
    range
}

/// A line without the `\r` of its end.
fn bare(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The parts of a range in each line, without line ends.
fn lines(text: &[u8], range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut start = range.start;
    let part = text.get(range).unwrap_or_default();
    part.split_inclusive(|byte| *byte == b'\n').filter_map(move |line| {
        let from = start;
        start += line.len();
        let mut bare = line.strip_suffix(b"\n").unwrap_or(line);
        if bare.len() < line.len() || text.get(start) == Some(&b'\n') {
            bare = bare.strip_suffix(b"\r").unwrap_or(bare);
        }
        (!bare.is_empty()).then(|| from..from + bare.len())
    })
}

fn join(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// Widens a range to hold all of every [`HIDDEN`] that it touches.
fn around_hidden(text: &[u8], mut range: Range<usize>) -> Range<usize> {
    let is_hidden = |start: &usize| text.get(*start..start + HIDDEN.len()) == Some(HIDDEN.as_bytes());
    while let Some(start) = (range.start.saturating_sub(HIDDEN.len())..range.start).find(is_hidden) {
        range.start = start;
    }
    while let Some(start) = ((range.end + 1).saturating_sub(HIDDEN.len())..=range.end).find(is_hidden) {
        range.end = start + HIDDEN.len();
    }
    range
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_line_is_searched_once() {
        let text = b"one line\ntwo\n\nno end";
        let mut ends = LineEnds { text, searched: 0..0 };
        assert_eq!([0, 3, 8].map(|at| ends.behind(at)), [Some(8); 3]);
        assert_eq!(ends.searched, 0..8);
        assert_eq!([9, 12, 13, 14, 19].map(|at| ends.behind(at)), [Some(12), Some(12), Some(13), None, None]);
        assert_eq!(ends.searched, 14..20);
    }
}
