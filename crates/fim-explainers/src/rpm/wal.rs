//! SQLite's write-ahead log: which pages of a database are newer there. Pure: bytes come from whoever has them.
//!
//! rpm moves pages from the log into the database when it closes it, so what a transaction did so far is here alone.
//! Format: "Database File Format", sqlite.org/fileformat2.html, section 4.

use std::collections::HashMap;

/// Bytes at the front of the log.
pub const HEADER: usize = 32;
/// Bytes in front of each page.
const FRAME: usize = 24;
/// The last byte says in which order the checksums' words are.
const MAGIC: u32 = 0x377f_0682;
/// Logs are followed no further than this.
const MOST: u64 = 1 << 30;

/// What stands at the front of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of a page.
    pub page: usize,
    is_big_endian: bool,
    /// Others each time the log is begun anew, and repeated in front of every page.
    salts: [u8; 8],
    sum: Sum,
}

/// A sum over everything so far, in two words.
type Sum = (u32, u32);

impl Header {
    /// From the first bytes of a log.
    pub fn parse(bytes: &[u8; HEADER]) -> Option<Self> {
        let word = |at: usize| bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        let magic = word(0)?;
        let is_big_endian = magic & 1 != 0;
        let (summed, sum) = bytes.split_at_checked(24)?;
        let page = usize::try_from(word(8)?).ok()?;
        let header = Self {
            page,
            is_big_endian,
            salts: *bytes.get(16..)?.first_chunk()?,
            sum: add((0, 0), summed, is_big_endian),
        };
        let is_sound = magic & !1 == MAGIC && page.is_power_of_two() && (512..=65536).contains(&page);
        (is_sound && words(header.sum) == sum).then_some(header)
    }
}

/// A log, as far as it was read.
#[derive(Debug, Default)]
pub struct Wal {
    header: Option<Header>,
    /// Behind the last page that counts, and the sum up to there.
    end: (u64, Sum),
    /// Where in the log the newest of each page is.
    pages: HashMap<u32, u64>,
    /// Pages of the database by the last commit.
    count: u32,
}

impl Wal {
    /// Reads what was added since, from `read`, which fills a buffer from an offset or says that there is not so
    /// much. What is behind the last commit does not count.
    pub fn follow(&mut self, header: Option<Header>, mut read: impl FnMut(u64, &mut [u8]) -> bool) {
        if self.header != header {
            *self = Self { header, ..Self::default() };
            self.end = (HEADER as u64, header.map(|header| header.sum).unwrap_or_default());
        }
        let Some(header) = header else { return };
        let (mut at, mut sum) = self.end;
        let mut uncommitted = Vec::new();
        let mut frame = vec![0; FRAME + header.page];
        while at < MOST && read(at, &mut frame) {
            let Some((number, count, next)) = step(&frame, &header, sum) else { break };
            uncommitted.push((number, at + FRAME as u64));
            (at, sum) = (at + frame.len() as u64, next);
            if count > 0 {
                self.pages.extend(uncommitted.drain(..));
                (self.count, self.end) = (count, (at, sum));
            }
        }
    }

    /// What stands at its front, if anything in it counts.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref().filter(|_| self.count > 0)
    }

    /// Where in the log a page is, if it is there.
    pub fn page(&self, number: u32) -> Option<u64> {
        self.pages.get(&number).copied()
    }

    /// How many pages are here.
    pub fn pages(&self) -> usize {
        self.pages.len()
    }

    /// Pages of the database, if anything here counts.
    pub fn count(&self) -> Option<u32> {
        (self.count > 0).then_some(self.count)
    }
}

/// The page's number, how many pages the database has if this ends a commit, and the sum so far; `None` if it does not
/// follow on what was before.
fn step(frame: &[u8], header: &Header, sum: Sum) -> Option<(u32, u32, Sum)> {
    let (head, page) = frame.split_at_checked(FRAME)?;
    let word = |at: usize| head.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
    let sum = add(add(sum, head.get(..8)?, header.is_big_endian), page, header.is_big_endian);
    let is_next = head.get(8..16)? == header.salts && head.get(16..)? == words(sum);
    let number = word(0)?;
    (is_next && number > 0).then_some((number, word(4)?, sum))
}

/// Adds bytes to a sum, two words at a time.
fn add((mut first, mut second): Sum, bytes: &[u8], is_big_endian: bool) -> Sum {
    let word = if is_big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
    let (words, _) = bytes.as_chunks::<4>();
    let (pairs, _) = words.as_chunks::<2>();
    for [one, two] in pairs {
        first = first.wrapping_add(word(*one)).wrapping_add(second);
        second = second.wrapping_add(word(*two)).wrapping_add(first);
    }
    (first, second)
}

/// A sum as it is written down.
fn words((first, second): Sum) -> [u8; 8] {
    (u64::from(first) << 32 | u64::from(second)).to_be_bytes()
}

#[cfg(test)]
mod tests;
