//! As much of SQLite's file format as it takes to read the rows of one table: pages in, rows out. Pure, and bounded
//! whatever the pages say.
//!
//! Format: "Database File Format", sqlite.org/fileformat2.html.

use std::collections::HashSet;

/// Pages of one table's tree that are looked at.
const MOST_PAGES: usize = 1 << 18;
/// Rows of one table.
const MOST_ROWS: usize = 1 << 16;
/// A record has more columns than are of interest.
const MOST_COLUMNS: usize = 8;
/// What stands before the tree on the first page.
const HEAD: usize = 100;

/// Where pages come from.
pub trait Pages {
    /// A page by its number; the first is 1.
    fn page(&mut self, number: u32) -> Option<Vec<u8>>;
    /// Bytes of each page that are in use.
    fn usable(&self) -> usize;
}

/// What the first page says of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Bytes of a page.
    pub page: usize,
    /// Those at its end that SQLite leaves alone.
    pub reserved: usize,
}

/// Reads the head of a database from its first bytes.
pub fn head(bytes: &[u8]) -> Option<Head> {
    let rest = bytes.strip_prefix(b"SQLite format 3\0")?;
    let page = match u16_at(rest, 0)? {
        1 => 65536,
        size => usize::from(size),
    };
    let reserved = usize::from(*rest.get(4)?);
    // Less is left of no page that SQLite makes.
    let is_sound = page.is_power_of_two() && page >= 512 && page.saturating_sub(reserved) >= 480;
    is_sound.then_some(Head { page, reserved })
}

/// A row, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub number: i64,
    /// Bytes of its record.
    pub length: u64,
    page: u32,
    at: usize,
}

/// A value of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A number.
    Integer(i64),
    /// Text or bytes.
    Bytes(&'a [u8]),
    /// Nothing, or a number with a fraction.
    Other,
}

/// The page on which the tree of a table begins.
pub fn table(pages: &mut impl Pages, name: &[u8]) -> Option<u32> {
    rows(pages, 1)?.into_iter().find_map(|row| {
        let schema = payload(pages, &row, 1 << 16)?;
        match record(&schema)?.get(..4)? {
            [Value::Bytes(b"table"), Value::Bytes(found), _, Value::Integer(root)] if *found == name => {
                u32::try_from(*root).ok()
            }
            _ => None,
        }
    })
}

/// All rows of the table that begins on this page; `None` if a page of it cannot be had.
pub fn rows(pages: &mut impl Pages, root: u32) -> Option<Vec<Row>> {
    let (mut rows, mut seen, mut waiting) = (Vec::new(), HashSet::new(), vec![root]);
    while let Some(number) = waiting.pop() {
        // No page is in a tree twice.
        if !seen.insert(number) || seen.len() > MOST_PAGES {
            return None;
        }
        let page = pages.page(number)?;
        let start = if number == 1 { HEAD } else { 0 };
        let is_leaf = match page.get(start)? {
            0x0d => true,
            0x05 => false,
            _ => return None,
        };
        let count = usize::from(u16_at(&page, start + 3)?);
        let pointers = start + if is_leaf { 8 } else { 12 };
        for cell in 0..count {
            let at = usize::from(u16_at(&page, pointers + 2 * cell)?);
            if is_leaf {
                let (length, rest) = varint(page.get(at..)?)?;
                let (row, _) = varint(rest)?;
                rows.push(Row { number: row.cast_signed(), length, page: number, at });
            } else {
                waiting.push(u32_at(&page, at)?);
            }
        }
        if !is_leaf {
            waiting.push(u32_at(&page, start + 8)?);
        }
        if rows.len() > MOST_ROWS || waiting.len() > MOST_PAGES {
            return None;
        }
    }
    Some(rows)
}

/// The record of a row, if it is no longer than this.
pub fn payload(pages: &mut impl Pages, row: &Row, most: u64) -> Option<Vec<u8>> {
    let usable = pages.usable();
    let page = pages.page(row.page)?;
    let (length, rest) = varint(page.get(row.at..)?)?;
    let (number, rest) = varint(rest)?;
    if number.cast_signed() != row.number || length != row.length || length > most {
        return None;
    }
    let length = usize::try_from(length).ok()?;
    let local = local(length, usable)?;
    let mut payload = rest.get(..local)?.to_vec();
    let mut next = if local < length { u32_at(rest, local)? } else { 0 };
    while payload.len() < length {
        // Each brings some bytes, so that a chain that bites its tail ends too.
        let page = pages.page(next)?;
        next = u32_at(&page, 0)?;
        let wanted = (length - payload.len()).min(usable.checked_sub(4)?).max(1);
        payload.extend_from_slice(page.get(4..wanted.checked_add(4)?)?);
    }
    Some(payload)
}

/// How many bytes of a record are in the tree itself; the rest is in a chain of pages of its own.
fn local(length: usize, usable: usize) -> Option<usize> {
    let most = usable.checked_sub(35)?;
    if length <= most {
        return Some(length);
    }
    let least = (usable.checked_sub(12)? * 32 / 255).checked_sub(23)?;
    let local = least + (length.checked_sub(least)?).checked_rem(usable.checked_sub(4)?)?;
    Some(if local <= most { local } else { least })
}

/// The first values of a record.
pub fn record(payload: &[u8]) -> Option<Vec<Value<'_>>> {
    let (length, rest) = varint(payload)?;
    let length = usize::try_from(length).ok()?;
    let mut types = rest.get(..length.checked_sub(payload.len().checked_sub(rest.len())?)?)?;
    let mut body = payload.get(length..)?;
    let mut values = Vec::new();
    while !types.is_empty() && values.len() < MOST_COLUMNS {
        let (kind, rest) = varint(types)?;
        types = rest;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            12.. => usize::try_from((kind - 12) / 2).ok()?,
            _ => return None,
        };
        let (value, rest) = body.split_at_checked(length)?;
        body = rest;
        values.push(match kind {
            1..=6 => Value::Integer(integer(value)),
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            12.. => Value::Bytes(value),
            _ => Value::Other,
        });
    }
    Some(values)
}

/// Up to eight bytes, of which the first has the sign.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    bytes.iter().fold(if negative { -1 } else { 0 }, |number, byte| number << 8 | i64::from(*byte))
}

/// A number of up to nine bytes, and what follows: seven bits of each, but all of the ninth.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        let rest = bytes.get(at + 1..)?;
        if at == 8 {
            return Some((number << 8 | u64::from(*byte), rest));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, rest));
        }
    }
    None
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests;
