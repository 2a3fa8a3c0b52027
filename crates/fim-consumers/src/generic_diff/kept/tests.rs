//! The format: there and back, and anything at all.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn kept() -> impl Strategy<Value = Kept> {
    let text =
        (vec(any::<u8>(), 0..200), proptest::collection::btree_map(0_u32..5000, any::<Digest>(), 0..5));
    let held = prop_oneof![
        proptest::sample::select(&Why::ALL[..]).prop_map(Held::Nothing),
        text.prop_map(|(bytes, hidden)| Held::Text(Text { bytes, hidden: hidden.into_iter().collect() })),
        (vec(any::<Digest>(), 0..9), any::<bool>())
            .prop_map(|(digests, ends)| Held::Lines(Lines { digests, ends })),
    ];
    (any::<u32>(), any::<u32>(), any::<bool>(), held).prop_map(|(key, rules, stale, held)| Kept {
        key,
        rules,
        stale,
        held,
    })
}

proptest! {
    #[test]
    fn there_and_back(kept in kept()) {
        prop_assert_eq!(Kept::decode(&kept.encode()), Some(kept));
    }

    #[test]
    fn damage_is_no_panic(kept in kept(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in 0_usize..40) {
        let mut bytes = kept.encode();
        bytes.truncate(bytes.len().saturating_sub(cut));
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(kept) = Kept::decode(&bytes) {
            prop_assert_eq!(Kept::decode(&kept.encode()), Some(kept));
        }
    }

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..100)) {
        drop(Kept::decode(&bytes));
        drop(Kept::decode(&[&[FORMAT, 1, 0, 0, 0, 0, 0, 0, 0, 0], bytes.as_slice()].concat()));
        drop(text_of(&bytes));
        drop(lines_of(&bytes));
    }
}

#[test]
fn what_it_looks_like() {
    let kept = Kept { key: 1, rules: 0x0203, stale: true, held: Held::Nothing(Why::Binary) };
    assert_eq!(kept.encode(), [0xd2, 0x80, 1, 0, 0, 0, 3, 2, 0, 0, 1]);
    let text = Text { bytes: b"a\nb".to_vec(), hidden: vec![(1, [7; 8])] };
    assert_eq!(text_body(&text), b"\x03a\nb\x01\x07\x07\x07\x07\x07\x07\x07\x07");
    let lines = Lines { digests: vec![[7; 8]], ends: true };
    assert_eq!(lines_body(&lines), b"\x01\x07\x07\x07\x07\x07\x07\x07\x07");
}

#[test]
fn lengths_are_not_trusted() {
    // Packed zeros that would fill the memory.
    let bomb = compress_prepend_size(&vec![0; MOST_BODY + 1]);
    assert_eq!(Kept::decode(&[&[FORMAT, 1, 0, 0, 0, 0, 0, 0, 0, 0], bomb.as_slice()].concat()), None);
    assert_eq!(text_of(b"\xff\xff\xff\xff\xff\xff\xff\xff\x7fa"), None);
    assert_eq!(text_of(b"\x02a"), None);
    // Lines that are out of order.
    assert_eq!(text_of(b"\x01a\x01AAAAAAAA\x00AAAAAAAA"), None);
    assert_eq!(lines_of(b"\x01abc"), None);
}
