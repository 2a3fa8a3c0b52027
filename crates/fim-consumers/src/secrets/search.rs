//! The first of many strings in a text, whatever the processor can do.

use aho_corasick::packed::Searcher;
use aho_corasick::{AhoCorasick, Input, Span};

/// How the strings are searched for. Whichever it is, it finds the same.
#[derive(Debug)]
pub(super) enum Search {
    /// Many bytes at a time, with instructions that not every processor has.
    Packed(Searcher),
    /// In one pass on any processor.
    Plain(AhoCorasick),
    /// One string after the other: what may be a secret is never left unsearched.
    Each,
}

impl Search {
    pub(super) fn for_any(strings: &[&[u8]]) -> Self {
        Searcher::new(strings).map_or_else(|| Self::plain(strings), Self::Packed)
    }

    pub(super) fn plain(strings: &[&[u8]]) -> Self {
        AhoCorasick::new(strings).map_or(Self::Each, Self::Plain)
    }

    /// Where the first of the strings begins at or after this place.
    pub(super) fn first_of(&self, strings: &[&[u8]], text: &[u8], at: usize) -> Option<usize> {
        let span = Span { start: at.min(text.len()), end: text.len() };
        match self {
            Self::Packed(searcher) => searcher.find_in(text, span).map(|found| found.start()),
            Self::Plain(automaton) => automaton.find(Input::new(text).span(span)).map(|found| found.start()),
            Self::Each => {
                let rest = text.get(span.start..).unwrap_or_default();
                let places = strings.iter().filter_map(|string| memchr::memmem::find(rest, string));
                places.min().map(|found| span.start + found)
            }
        }
    }
}
