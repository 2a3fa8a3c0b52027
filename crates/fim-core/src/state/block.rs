//! The records of some files of one directory, written together: one value of the store.
//!
//! Few large values instead of many small ones: a store of a million files is loaded ten times faster, and
//! takes a fraction of the memory. Records stay encoded until one is asked for.

use super::bytes::{Input, Malformed, put_number, put_sized};

/// Of what is written here: names, records and all.
pub(crate) const FORMAT: u8 = 1;
const MAX_RECORDS: usize = 128;
const MAX_BYTES: usize = 32 * 1024;

/// Names in order, each with its encoded record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    bytes: usize,
}

impl Block {
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn last_name(&self) -> Option<&[u8]> {
        self.entries.last().map(|(name, _)| &name[..])
    }

    pub fn entries(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries.iter().map(|(name, record)| (&name[..], &record[..]))
    }

    fn find(&self, name: &[u8]) -> Result<usize, usize> {
        self.entries.binary_search_by(|(known, _)| known.as_slice().cmp(name))
    }

    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let at = self.find(name).ok()?;
        self.entries.get(at).map(|(_, record)| &record[..])
    }

    /// Says whether that changed anything.
    pub fn put(&mut self, name: &[u8], record: Vec<u8>) -> bool {
        match self.find(name) {
            Ok(at) => {
                let Some((_, known)) = self.entries.get_mut(at) else {
                    return false;
                };
                if *known == record {
                    return false;
                }
                self.bytes = self.bytes - known.len() + record.len();
                *known = record;
            }
            Err(at) => {
                self.bytes += name.len() + record.len();
                self.entries.insert(at, (name.to_vec(), record));
            }
        }
        true
    }

    /// Says whether it was there.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        let Ok(at) = self.find(name) else { return false };
        let (name, record) = self.entries.remove(at);
        self.bytes -= name.len() + record.len();
        true
    }

    /// Cuts off its end, with the first name there, if it has grown too large by this name.
    pub fn split(&mut self, newest: &[u8]) -> Option<(Vec<u8>, Self)> {
        let count = self.entries.len();
        if count < 2 || (count <= MAX_RECORDS && self.bytes <= MAX_BYTES) {
            return None;
        }
        // Names that come in order leave full blocks behind them.
        let at = if self.last_name() == Some(newest) { count * 7 / 8 } else { count / 2 };
        let mut end = Self { entries: self.entries.split_off(at.max(1)), bytes: 0 };
        end.bytes = end.entries.iter().map(|(name, record)| name.len() + record.len()).sum();
        self.bytes -= end.bytes;
        let first = end.entries.first()?.0.clone();
        Some((first, end))
    }

    /// A name is written as how much it shares with the one before, and the rest.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes + 4 * self.entries.len() + 4);
        out.push(FORMAT);
        put_number(&mut out, self.entries.len() as u64);
        let mut before: &[u8] = b"";
        for (name, record) in &self.entries {
            let shared = name.iter().zip(before).take_while(|(a, b)| a == b).count();
            put_number(&mut out, shared as u64);
            put_sized(&mut out, name.get(shared..).unwrap_or_default());
            put_sized(&mut out, record);
            before = name;
        }
        out
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut input = Input(bytes);
        if input.byte()? != FORMAT {
            return Err(Malformed("it is of an unknown format"));
        }
        let mut block = Self::default();
        for _ in 0..input.number()? {
            let shared = input.length()?;
            let before = block.last_name().unwrap_or_default();
            let mut name =
                before.get(..shared).ok_or(Malformed("a name shares more than there is"))?.to_vec();
            name.extend_from_slice(input.sized()?);
            if !block.is_empty() && name.as_slice() <= before {
                return Err(Malformed("its names are out of order"));
            }
            if matches!(name.as_slice(), b"." | b"..") || name.iter().any(|byte| matches!(byte, 0 | b'/')) {
                return Err(Malformed("a name is none that a file can have"));
            }
            let record = input.sized()?.to_vec();
            block.bytes += name.len() + record.len();
            block.entries.push((name, record));
        }
        if !input.is_empty() {
            return Err(Malformed("something follows it"));
        }
        Ok(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    fn any_block() -> impl Strategy<Value = Block> {
        let name = vec(
            any::<u8>().prop_map(|byte| if matches!(byte, 0 | b'/' | b'.') { b'x' } else { byte }),
            0..12,
        );
        btree_map(name, vec(any::<u8>(), 0..40), 0..40).prop_map(|entries| {
            let mut block = Block::default();
            for (name, record) in entries {
                block.put(&name, record);
            }
            block
        })
    }

    #[test]
    fn in_order_leaves_full_blocks() {
        let (mut block, mut full) = (Block::default(), Vec::new());
        for number in 0..1000 {
            let name = format!("{number:04}");
            block.put(name.as_bytes(), vec![0; 60]);
            if let Some((first, end)) = block.split(name.as_bytes()) {
                assert_eq!(end.entries[0].0, first);
                full.push(std::mem::replace(&mut block, end).entries.len());
            }
        }
        assert!(full.iter().all(|&count| count >= 100), "{full:?}");
    }

    #[test]
    fn large_records_get_small_blocks() {
        let mut block = Block::default();
        block.put(b"a", vec![0; 100_000]);
        assert_eq!(block.split(b"a"), None);
        block.put(b"b", vec![0; 10]);
        let (first, end) = block.split(b"b").unwrap();
        assert_eq!((first.as_slice(), block.entries.len(), end.entries.len()), (&b"b"[..], 1, 1));
    }

    proptest! {
        #[test]
        fn blocks_come_back(block in any_block()) {
            prop_assert_eq!(Block::decode(&block.encode()), Ok(block));
        }

        #[test]
        fn no_bytes_panic(mut bytes: Vec<u8>) {
            drop(Block::decode(&bytes));
            bytes.insert(0, FORMAT);
            drop(Block::decode(&bytes));
        }

        #[test]
        fn flipped_bytes_give_an_error_or_ordered_names(
            block in any_block(),
            at: prop::sample::Index,
            bits in 1u8..,
        ) {
            let mut bytes = block.encode();
            let at = at.index(bytes.len());
            bytes[at] ^= bits;
            if let Ok(block) = Block::decode(&bytes) {
                prop_assert!(block.entries.is_sorted_by(|a, b| a.0 < b.0));
            }
        }
    }
}
