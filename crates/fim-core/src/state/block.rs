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
///
/// All of it in one piece: a block is read for each file that is looked at, and a piece of memory for each name and each
/// record would cost more than the rest of the reading.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    /// Names, each followed by its record; and what is not in use any more.
    data: Vec<u8>,
    entries: Vec<Place>,
    /// Bytes in use.
    bytes: usize,
}

/// Where a name and its record are.
#[derive(Clone, Copy, Debug)]
struct Place {
    at: usize,
    name: usize,
    record: usize,
}

impl PartialEq for Block {
    fn eq(&self, other: &Self) -> bool {
        self.entries().eq(other.entries())
    }
}

impl Eq for Block {}

impl Block {
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn last_name(&self) -> Option<&[u8]> {
        self.entries.last().map(|place| self.name(*place))
    }

    pub fn entries(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries.iter().map(|place| (self.name(*place), self.record(*place)))
    }

    fn name(&self, place: Place) -> &[u8] {
        self.data.get(place.at..place.at + place.name).unwrap_or_default()
    }

    fn record(&self, place: Place) -> &[u8] {
        let start = place.at + place.name;
        self.data.get(start..start + place.record).unwrap_or_default()
    }

    fn find(&self, name: &[u8]) -> Result<usize, usize> {
        self.entries.binary_search_by(|place| self.name(*place).cmp(name))
    }

    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let at = self.find(name).ok()?;
        self.entries.get(at).map(|place| self.record(*place))
    }

    /// Says whether that changed anything.
    pub fn put(&mut self, name: &[u8], record: &[u8]) -> bool {
        let is_changed = match self.find(name) {
            Ok(at) => self.replace(at, name, record),
            Err(at) => {
                let place = self.append(name, record);
                self.entries.insert(at, place);
                true
            }
        };
        if self.data.len() > 2 * self.bytes + MAX_BYTES {
            *self = Self::of(self.entries());
        }
        is_changed
    }

    fn replace(&mut self, at: usize, name: &[u8], record: &[u8]) -> bool {
        let Some(known) = self.entries.get(at).copied().filter(|known| self.record(*known) != record) else {
            return false;
        };
        self.bytes -= known.name + known.record;
        let start = known.at + known.name;
        let room =
            self.data.get_mut(start..start + known.record).and_then(|room| room.get_mut(..record.len()));
        // Most are as long as before, or fit.
        let place = match room {
            Some(room) => {
                room.copy_from_slice(record);
                self.bytes += name.len() + record.len();
                Place { record: record.len(), ..known }
            }
            None => self.append(name, record),
        };
        if let Some(entry) = self.entries.get_mut(at) {
            *entry = place;
        }
        true
    }

    fn append(&mut self, name: &[u8], record: &[u8]) -> Place {
        let place = Place { at: self.data.len(), name: name.len(), record: record.len() };
        self.data.extend_from_slice(name);
        self.data.extend_from_slice(record);
        self.bytes += name.len() + record.len();
        place
    }

    fn of<'e>(entries: impl Iterator<Item = (&'e [u8], &'e [u8])>) -> Self {
        let mut block = Self::default();
        for (name, record) in entries {
            let place = block.append(name, record);
            block.entries.push(place);
        }
        block
    }

    /// Says whether it was there.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        let Ok(at) = self.find(name) else { return false };
        let place = self.entries.remove(at);
        self.bytes -= place.name + place.record;
        true
    }

    /// Cuts off its end, with the first name there, if it has grown too large by this name.
    pub fn split(&mut self, newest: &[u8]) -> Option<(Vec<u8>, Self)> {
        let count = self.entries.len();
        if count < 2 || (count <= MAX_RECORDS && self.bytes <= MAX_BYTES) {
            return None;
        }
        // Names that come in order leave full blocks behind them.
        let at = if self.last_name() == Some(newest) { count * 7 / 8 } else { count / 2 }.max(1);
        let end = Self::of(self.entries().skip(at));
        *self = Self::of(self.entries().take(at));
        let first = end.entries().next()?.0.to_vec();
        Some((first, end))
    }

    /// A name is written as how much it shares with the one before, and the rest.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes + 4 * self.entries.len() + 4);
        out.push(FORMAT);
        put_number(&mut out, self.entries.len() as u64);
        let mut before: &[u8] = b"";
        for (name, record) in self.entries() {
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
        let mut block = Self { data: Vec::with_capacity(2 * bytes.len()), ..Self::default() };
        let mut before = Place { at: 0, name: 0, record: 0 };
        for number in 0..input.number()? {
            let shared = input.length()?;
            if shared > before.name {
                return Err(Malformed("a name shares more than there is"));
            }
            let at = block.data.len();
            block.data.extend_from_within(before.at..before.at + shared);
            block.data.extend_from_slice(input.sized()?);
            let place = Place { at, name: block.data.len() - at, record: 0 };
            let name = block.name(place);
            if number > 0 && name <= block.name(before) {
                return Err(Malformed("its names are out of order"));
            }
            if matches!(name, b"." | b"..") || name.iter().any(|byte| matches!(byte, 0 | b'/')) {
                return Err(Malformed("a name is none that a file can have"));
            }
            let record = input.sized()?;
            block.data.extend_from_slice(record);
            before = Place { record: record.len(), ..place };
            block.bytes += before.name + before.record;
            block.entries.push(before);
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
                block.put(&name, &record);
            }
            block
        })
    }

    #[test]
    fn in_order_leaves_full_blocks() {
        let (mut block, mut full) = (Block::default(), Vec::new());
        for number in 0..1000 {
            let name = format!("{number:04}");
            block.put(name.as_bytes(), &[0; 60]);
            if let Some((first, end)) = block.split(name.as_bytes()) {
                assert_eq!(end.entries().next().unwrap().0, first);
                full.push(std::mem::replace(&mut block, end).entries.len());
            }
        }
        assert!(full.iter().all(|&count| count >= 100), "{full:?}");
    }

    #[test]
    fn large_records_get_small_blocks() {
        let mut block = Block::default();
        block.put(b"a", &[0; 100_000]);
        assert_eq!(block.split(b"a"), None);
        block.put(b"b", &[0; 10]);
        let (first, end) = block.split(b"b").unwrap();
        assert_eq!((first.as_slice(), block.entries.len(), end.entries.len()), (&b"b"[..], 1, 1));
    }

    #[test]
    fn a_record_takes_the_place_of_the_one_before() {
        let mut block = Block::default();
        for (name, record) in [(b"a", "one"), (b"b", "two"), (b"a", "1"), (b"b", "second"), (b"a", "first")] {
            assert!(block.put(name, record.as_bytes()));
            assert!(!block.put(name, record.as_bytes()), "nothing changed");
            assert_eq!(block.get(name), Some(record.as_bytes()));
        }
        assert_eq!(block.entries().collect::<Vec<_>>(), [(&b"a"[..], &b"first"[..]), (b"b", b"second")]);
        assert_eq!(block.bytes, 13);
        let len = block.data.len();
        (0..100_u8).for_each(|number| assert!(block.put(b"a", &[number; 5])));
        assert_eq!(block.data.len(), len, "it grows by nothing");
        // Longer by one each time: what is not in use is given back.
        (0..1000).for_each(|len| assert!(block.put(b"b", &vec![1; 7 + len])));
        assert!(block.data.len() <= 2 * block.bytes + MAX_BYTES);
        for _ in 0..1000 {
            assert!(block.put(b"come and gone", &[1; 100]) && block.remove(b"come and gone"));
        }
        assert!(block.data.len() <= 2 * block.bytes + MAX_BYTES + 200);
        assert_eq!(Block::decode(&block.encode()), Ok(block));
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
                prop_assert!(block.entries().is_sorted_by(|a, b| a.0 < b.0));
            }
        }
    }
}
