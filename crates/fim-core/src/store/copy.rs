//! A copy of a store as a stream of bytes, for another process to read: a store has one owner at a time.
//!
//! Each entry is the lengths of key and value (32 bits each, little end first), then both; after the last one
//! comes a length that no key has, and how many there were, so that a copy cut short is known for one.

use super::{MemStore, Store, StoreError};
use std::fmt;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;

/// Stands where the length of a key would.
const END: u32 = u32::MAX;

/// Longer than any value a state has; what claims to be more is no copy.
const LONGEST: u32 = 1 << 30;

/// Why there is no copy.
#[derive(Debug)]
#[non_exhaustive]
pub enum CopyError {
    /// The store cannot be read.
    Store(StoreError),
    /// The copy cannot be written.
    Write(io::Error),
}

impl fmt::Display for CopyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Write(error) => write!(f, "cannot hand over a copy of the state: {error}"),
        }
    }
}

impl std::error::Error for CopyError {}

/// Writes all a store holds.
///
/// # Errors
/// When the store cannot be read or the copy not be written.
pub(crate) fn write(store: &dyn Store, out: &mut dyn Write) -> Result<(), CopyError> {
    let (mut count, mut failed) = (0u64, None);
    store
        .scan(b"", &mut |key, value| match entry(out, key, value) {
            Ok(()) => {
                count += 1;
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })
        .map_err(CopyError::Store)?;
    let end = || {
        out.write_all(&END.to_le_bytes())?;
        out.write_all(&count.to_le_bytes())?;
        out.flush()
    };
    failed.map_or_else(end, Err).map_err(CopyError::Write)
}

fn entry(out: &mut dyn Write, key: &[u8], value: &[u8]) -> io::Result<()> {
    for part in [key, value] {
        let length = u32::try_from(part.len()).ok().filter(|length| *length <= LONGEST);
        out.write_all(&length.ok_or(io::ErrorKind::InvalidData)?.to_le_bytes())?;
    }
    out.write_all(key)?;
    out.write_all(value)
}

impl MemStore {
    /// A store in memory that holds what a copy does.
    ///
    /// # Errors
    /// When the copy ends early, or is none.
    pub fn from_copy(input: &mut dyn Read) -> io::Result<Self> {
        let none = || io::Error::new(io::ErrorKind::InvalidData, "this is no whole copy of a state");
        let mut entries = Vec::new();
        loop {
            let length = number(input)?;
            if length == END {
                break;
            }
            let value_length = number(input)?;
            if length.max(value_length) > LONGEST {
                return Err(none());
            }
            entries.push((bytes(input, length)?, bytes(input, value_length)?));
        }
        let mut count = [0; 8];
        input.read_exact(&mut count)?;
        if u64::from_le_bytes(count) != entries.len() as u64 {
            return Err(none());
        }
        Ok(Self::holding(entries.into_iter().collect()))
    }
}

fn number(input: &mut dyn Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    input.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

/// As many bytes as there are, not as many as are claimed, are given room.
fn bytes(input: &mut dyn Read, length: u32) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(length.into()).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == u64::from(length) { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Batch;
    use proptest::prelude::*;

    fn all(store: &MemStore) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut all = Vec::new();
        store
            .scan(b"", &mut |key, value| {
                all.push((key.to_vec(), value.to_vec()));
                ControlFlow::Continue(())
            })
            .unwrap();
        all
    }

    proptest! {
        #[test]
        fn a_copy_holds_what_the_store_does_and_part_of_one_is_refused(
            entries in prop::collection::btree_map(any::<Vec<u8>>(), any::<Vec<u8>>(), 0..20),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut store = MemStore::new();
            let mut batch = Batch::default();
            for (key, value) in entries {
                batch.put(key, value);
            }
            store.apply(batch).unwrap();
            let mut copy = Vec::new();
            write(&store, &mut copy).unwrap();
            let read = MemStore::from_copy(&mut &copy[..]).unwrap();
            prop_assert_eq!(all(&read), all(&store));
            prop_assert!(MemStore::from_copy(&mut &copy[..cut.index(copy.len())]).is_err());
        }

        #[test]
        fn no_bytes_are_too_much(bytes: Vec<u8>) {
            drop(MemStore::from_copy(&mut &bytes[..]));
        }
    }
}
