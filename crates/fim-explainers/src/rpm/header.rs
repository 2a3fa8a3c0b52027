//! The header of a package as rpm's database keeps it: an index of tags, and a store of their values. Pure: bytes in,
//! meaning out; what cannot be understood is left out.
//!
//! Format: "Package format" of rpm's own documentation, without the magic number at the front of it.

/// rpm itself takes no more tags than this in one header.
const MOST_TAGS: usize = 0xffff;
/// Bytes of one entry of the index: tag, type, offset and count.
const ENTRY: usize = 16;

/// What a value is, by the numbers of rpm's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// One character or 8-bit number each.
    Bytes,
    Int16,
    Int32,
    Text,
}

impl Kind {
    fn of(number: u32) -> Option<Self> {
        match number {
            1 | 2 => Some(Self::Bytes),
            3 => Some(Self::Int16),
            4 => Some(Self::Int32),
            6 | 8 | 9 => Some(Self::Text),
            _ => None,
        }
    }
}

/// A header, taken apart as far as its index.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    index: &'a [u8],
    store: &'a [u8],
}

impl<'a> Header<'a> {
    /// Of these bytes; more may follow.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (tags, rest) = number(bytes)?;
        let (length, rest) = number(rest)?;
        let (tags, length) = (usize::try_from(tags).ok()?, usize::try_from(length).ok()?);
        if tags > MOST_TAGS {
            return None;
        }
        let (index, rest) = rest.split_at_checked(tags.checked_mul(ENTRY)?)?;
        Some(Self { index, store: rest.get(..length)? })
    }

    /// The first of a tag's strings.
    pub fn text(&self, tag: u32) -> Option<&'a [u8]> {
        self.texts(tag).next()
    }

    /// All of a tag's strings; none if it is not there.
    pub fn texts(&self, tag: u32) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (mut count, mut rest) = self.values(tag, Kind::Text).unwrap_or_default();
        std::iter::from_fn(move || {
            count = count.checked_sub(1)?;
            let end = rest.iter().position(|&byte| byte == 0)?;
            let (text, behind) = rest.split_at_checked(end)?;
            rest = behind.get(1..)?;
            Some(text)
        })
    }

    /// All of a tag's 32-bit numbers.
    pub fn numbers(&self, tag: u32) -> impl Iterator<Item = u32> + use<'a> {
        let (count, bytes) = self.values(tag, Kind::Int32).unwrap_or_default();
        let (each, _) = bytes.as_chunks();
        each.iter().take(count).map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// All of a tag's 16-bit numbers.
    pub fn shorts(&self, tag: u32) -> impl Iterator<Item = u16> + use<'a> {
        let (count, bytes) = self.values(tag, Kind::Int16).unwrap_or_default();
        let (each, _) = bytes.as_chunks();
        each.iter().take(count).map(|bytes| u16::from_be_bytes(*bytes))
    }

    /// All of a tag's 8-bit numbers.
    pub fn bytes(&self, tag: u32) -> impl Iterator<Item = u8> + use<'a> {
        let (count, bytes) = self.values(tag, Kind::Bytes).unwrap_or_default();
        bytes.iter().take(count).copied()
    }

    /// How many values a tag has, and the store from the first of them on.
    fn values(&self, tag: u32, kind: Kind) -> Option<(usize, &'a [u8])> {
        let (entries, _) = self.index.as_chunks::<ENTRY>();
        // What rpm adds when it installs a package stands behind what came with it, and counts in its stead.
        let entry = entries.iter().rfind(|entry| number(*entry).is_some_and(|(found, _)| found == tag))?;
        let (_, rest) = number(entry)?;
        let (found, rest) = number(rest)?;
        let (offset, rest) = number(rest)?;
        let (count, _) = number(rest)?;
        let store = self.store.get(usize::try_from(offset).ok()?..)?;
        (Kind::of(found)? == kind).then_some((usize::try_from(count).ok()?, store))
    }
}

/// A big-endian number, and what follows.
fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (bytes, rest) = bytes.split_first_chunk()?;
    Some((u32::from_be_bytes(*bytes), rest))
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One value for a header that is made for a test.
    pub enum Value<'a> {
        Texts(&'a [&'a str]),
        Numbers(&'a [u32]),
        Shorts(&'a [u16]),
        Bytes(&'a [u8]),
    }

    /// A header with these tags, as rpm lays it out, but for the alignment.
    pub fn encode(tags: &[(u32, Value<'_>)]) -> Vec<u8> {
        let (mut index, mut store) = (Vec::new(), Vec::new());
        for (tag, value) in tags {
            let offset = u32::try_from(store.len()).unwrap();
            let (kind, count) = match value {
                Value::Texts(texts) => {
                    texts.iter().for_each(|text| store.extend([text.as_bytes(), b"\0"].concat()));
                    (8, texts.len())
                }
                Value::Numbers(all) => {
                    all.iter().for_each(|number| store.extend(number.to_be_bytes()));
                    (4, all.len())
                }
                Value::Shorts(all) => {
                    all.iter().for_each(|number| store.extend(number.to_be_bytes()));
                    (3, all.len())
                }
                Value::Bytes(all) => {
                    store.extend_from_slice(all);
                    (1, all.len())
                }
            };
            for number in [*tag, kind, offset, u32::try_from(count).unwrap()] {
                index.extend(number.to_be_bytes());
            }
        }
        let lengths = [tags.len(), store.len()].map(|length| u32::try_from(length).unwrap().to_be_bytes());
        [lengths.concat(), index, store].concat()
    }

    #[test]
    fn values_of_tags() {
        let bytes = encode(&[
            (1, Value::Texts(&["a", "", "bc"])),
            (2, Value::Numbers(&[7, 0xffff_ffff])),
            (3, Value::Shorts(&[0o100_644])),
            (4, Value::Bytes(&[0, 1])),
            (1, Value::Texts(&["later"])),
            (5, Value::Texts(&["x", "y"])),
        ]);
        let header = Header::parse(&bytes).unwrap();
        assert_eq!(header.texts(1).collect::<Vec<_>>(), [b"later"], "the last counts");
        assert_eq!(header.texts(5).collect::<Vec<_>>(), [b"x", b"y"]);
        assert_eq!(header.numbers(2).collect::<Vec<_>>(), [7, 0xffff_ffff]);
        assert_eq!(header.shorts(3).collect::<Vec<_>>(), [0o100_644]);
        assert_eq!(header.bytes(4).collect::<Vec<_>>(), [0, 1]);
        assert_eq!((header.text(6), header.text(2), header.numbers(1).count()), (None, None, 0));
    }

    #[test]
    fn what_is_cut_off_is_none() {
        let bytes = encode(&[(1, Value::Texts(&["a"]))]);
        assert!(Header::parse(&bytes).is_some());
        for end in 0..bytes.len() {
            assert!(Header::parse(&bytes[..end]).is_none(), "{end}");
        }
        assert!(Header::parse(&[0xff; 64]).is_none());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 8..200), tags in 0..12u8) {
            bytes[..8].copy_from_slice(&[0, 0, 0, tags, 0, 0, 0, 8]);
            if let Some(header) = Header::parse(&bytes) {
                let (tags, _) = header.index.as_chunks::<ENTRY>();
                for tag in tags.iter().filter_map(|entry| Some(number(entry)?.0)) {
                    prop_assert!(header.texts(tag).count() <= 8);
                    prop_assert!(header.numbers(tag).count() <= 2);
                    prop_assert!(header.shorts(tag).count() + header.bytes(tag).count() <= 8);
                }
            }
        }
    }
}
