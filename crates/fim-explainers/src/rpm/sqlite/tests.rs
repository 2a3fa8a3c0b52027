//! Against a database that SQLite wrote, and against what is left of it when bytes are others.

use super::*;
use proptest::prelude::*;

/// See `testing/make.py`.
const DATABASE: &[u8] = include_bytes!("../testing/packages.sqlite");
const HEADER: &[u8] = include_bytes!("../testing/p-1.header");

struct Bytes<'a>(&'a [u8], usize);

impl Pages for Bytes<'_> {
    fn page(&mut self, number: u32) -> Option<Vec<u8>> {
        let from = usize::try_from(number).ok()?.checked_sub(1)?.checked_mul(self.1)?;
        self.0.get(from..)?.get(..self.1).map(<[u8]>::to_vec)
    }

    fn usable(&self) -> usize {
        self.1
    }
}

#[test]
fn the_rows_of_a_table_and_what_is_in_them() {
    assert_eq!(head(DATABASE), Some(Head { page: 512, reserved: 0 }));
    let mut pages = Bytes(DATABASE, 512);
    assert_eq!(table(&mut pages, b"Nothing"), None);
    let root = table(&mut pages, b"Packages").unwrap();
    assert_eq!(pages.page(root).unwrap()[0], 0x05, "the tree has branches");
    let mut found = rows(&mut pages, root).unwrap();
    found.sort_unstable_by_key(|row| row.number);
    assert_eq!(found.iter().map(|row| row.number).collect::<Vec<_>>(), (1..=60).collect::<Vec<_>>());
    for row in found {
        let payload = payload(&mut pages, &row, 4096).unwrap();
        let zeros = vec![0; 3 * usize::try_from(row.number).unwrap()];
        let expected = if row.number == 7 { HEADER } else { &zeros };
        assert_eq!(record(&payload).unwrap(), [Value::Other, Value::Bytes(expected)], "{row:?}");
    }
}

#[test]
fn a_record_that_is_too_long_or_not_the_row_s_is_none() {
    let mut pages = Bytes(DATABASE, 512);
    let root = table(&mut pages, b"Packages").unwrap();
    let row = rows(&mut pages, root).unwrap().into_iter().find(|row| row.number == 7).unwrap();
    assert!(payload(&mut pages, &row, row.length).is_some());
    assert!(payload(&mut pages, &row, row.length - 1).is_none());
    assert!(payload(&mut pages, &Row { number: 8, ..row }, 4096).is_none());
    assert!(payload(&mut pages, &Row { length: 9, ..row }, 4096).is_none());
}

#[test]
fn heads() {
    for (at, bytes, sound) in [
        (16, [16, 0], true),
        (16, [1, 0], false),
        (16, [0, 1], true),
        (16, [1, 1], false),
        (16, [0, 64], false),
        (20, [255, 0], false),
        (0, [0, 0], false),
    ] {
        let mut changed = DATABASE[..100].to_vec();
        changed[16..18].copy_from_slice(&[2, 0]);
        changed[at..at + 2].copy_from_slice(&bytes);
        assert_eq!(head(&changed).is_some(), sound, "{at} {bytes:?}");
    }
    assert_eq!(head(&DATABASE[..20]), None);
}

#[test]
fn a_tree_that_goes_round_ends() {
    // A branch whose only child is itself.
    let mut page = vec![0; 512];
    (page[0], page[11]) = (0x05, 2);
    let whole = [DATABASE[..512].to_vec(), page].concat();
    assert_eq!(rows(&mut Bytes(&whole, 512), 2), None);
    // A chain of a record that comes back to its first page: it ends when there is as much as there is to be.
    let mut leaf = vec![0; 512];
    leaf[0] = 0x0d;
    (leaf[4], leaf[9]) = (1, 100);
    leaf[100..104].copy_from_slice(&[0xff, 0xff, 0x7f, 1]);
    // Behind the 127 bytes that stand here.
    leaf[234] = 2;
    let whole = [leaf, [vec![0, 0, 0, 2], vec![7; 508]].concat()].concat();
    let row = Row { number: 1, length: 0x1f_ffff, page: 1, at: 100 };
    assert_eq!(payload(&mut Bytes(&whole, 512), &row, 1 << 30).unwrap().len(), 0x1f_ffff);
    assert_eq!(payload(&mut Bytes(&whole, 512), &row, 1 << 20), None);
}

#[test]
fn numbers() {
    for (bytes, number, rest) in [
        (&[0x7f][..], 0x7f, 0),
        (&[0x81, 0x00, 9], 0x80, 1),
        (&[0xff; 9], u64::MAX, 0),
        (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 5, 6], 5, 1),
    ] {
        let (found, behind) = varint(bytes).unwrap();
        assert_eq!((found, behind.len()), (number, rest), "{bytes:?}");
    }
    assert_eq!((varint(&[]), varint(&[0x80])), (None, None));
    assert_eq!((integer(&[0xff]), integer(&[1, 0]), integer(&[])), (-1, 256, 0));
}

proptest! {
    #[test]
    fn no_byte_of_a_database_makes_it_panic(changes in proptest::collection::vec((0..DATABASE.len(), any::<u8>()), 1..40), end in 0..DATABASE.len()) {
        let mut changed = DATABASE.to_vec();
        for (at, byte) in changes {
            // Most of what steers is at the front of pages.
            changed[at] = byte;
            changed[at / 512 * 512 + at % 16] = byte;
        }
        for bytes in [&changed[..], &changed[..end]] {
            let mut pages = Bytes(bytes, 512);
            for root in (1..20).chain(table(&mut pages, b"Packages")) {
                for row in rows(&mut pages, root).unwrap_or_default() {
                    drop(payload(&mut pages, &row, 1 << 16).as_deref().and_then(record));
                }
            }
        }
    }

    #[test]
    fn nor_does_any_record(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        drop(record(&bytes));
        prop_assert!(varint(&bytes).is_none_or(|(_, rest)| rest.len() < bytes.len()));
    }
}
