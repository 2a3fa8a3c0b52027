//! Against a log that SQLite wrote, cut where it was written so far.

use super::*;
use proptest::prelude::*;

/// See `testing/make.py`.
const LOG: &[u8] = include_bytes!("../testing/packages.sqlite-wal");
const LENGTH: usize = 24 + 512;

fn follow(wal: &mut Wal, bytes: &[u8]) {
    wal.follow(bytes.first_chunk().and_then(Header::parse), |at, frame| {
        let there = usize::try_from(at).ok().and_then(|at| bytes.get(at..)?.get(..frame.len()));
        there.map(|there| frame.copy_from_slice(there)).is_some()
    });
}

fn read(bytes: &[u8]) -> Wal {
    let mut wal = Wal::default();
    follow(&mut wal, bytes);
    wal
}

/// How many frames count after each of them.
fn counted() -> Vec<usize> {
    let frames = (LOG.len() - HEADER) / LENGTH;
    let counted =
        |frames| (usize::try_from(read(&LOG[..HEADER + frames * LENGTH]).end.0).unwrap() - HEADER) / LENGTH;
    (0..=frames).map(counted).collect()
}

#[test]
fn nothing_counts_before_it_is_committed() {
    let counted = counted();
    let mut commits = counted.clone();
    commits.dedup();
    assert_eq!(commits.len(), 4, "nothing, and three commits: {counted:?}");
    assert!(counted.len() - 1 > commits[3], "and something behind them");
    assert_eq!(read(LOG).count(), Some(34), "pages of the database, of which 29 are in its file");
    let none = read(&LOG[..HEADER + LENGTH]);
    assert!(none.header().is_none() && none.page(1).is_none());
}

#[test]
fn it_goes_on_where_it_was() {
    let whole = read(LOG);
    let mut wal = Wal::default();
    for end in 0..=LOG.len() / 100 {
        follow(&mut wal, &LOG[..(end * 100).max(HEADER)]);
    }
    follow(&mut wal, LOG);
    assert_eq!((wal.end, &wal.pages, wal.count), (whole.end, &whole.pages, whole.count));
    follow(&mut wal, &[]);
    assert!(wal.header().is_none() && wal.pages.is_empty(), "it is begun anew");
}

#[test]
fn what_was_not_written_whole_ends_it() {
    let commits = counted().into_iter().max().unwrap();
    for at in (HEADER..HEADER + commits * LENGTH).step_by(37) {
        let mut changed = LOG.to_vec();
        changed[at] ^= 0x40;
        let wal = read(&changed);
        assert!(usize::try_from(wal.end.0).unwrap() <= at, "nothing counts from {at} on");
    }
    for at in 0..HEADER {
        let mut changed = LOG.to_vec();
        changed[at] ^= 0x40;
        assert!(read(&changed).header().is_none(), "{at}");
    }
}

/// The same log as a machine with the other order of bytes would write it.
#[test]
fn either_order_of_bytes() {
    let mut other = LOG[..HEADER].to_vec();
    other[3] ^= 1;
    let is_big_endian = other[3] & 1 != 0;
    let sum = add((0, 0), &other[..24], is_big_endian);
    other[24..].copy_from_slice(&words(sum));
    let mut sum = sum;
    for frame in LOG[HEADER..].chunks_exact(LENGTH) {
        let mut frame = frame.to_vec();
        sum = add(add(sum, &frame[..8], is_big_endian), &frame[24..], is_big_endian);
        frame[16..24].copy_from_slice(&words(sum));
        other.extend(frame);
    }
    assert_eq!(read(&other).pages, read(LOG).pages);
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(changes in proptest::collection::vec((0..LOG.len(), any::<u8>()), 0..4), end in 0..LOG.len()) {
        let mut changed = LOG.to_vec();
        for (at, byte) in changes {
            changed[at] = byte;
        }
        let wal = read(&changed[..end]);
        prop_assert!(wal.end.0 <= LOG.len() as u64);
    }
}
