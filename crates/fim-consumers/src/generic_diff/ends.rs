//! What two texts have in common at both ends, so that a line changed in a large one costs its neighbours alone.
//!
//! By bytes: making lines of all of a text takes longer than to compare it.

use super::text::{Part, Text};
use memchr::{memchr_iter, memrchr_iter};

/// Bytes that are compared at once.
const STEP: usize = 64;

/// What is different, with this many lines in common before and behind it. Lines with something hidden count as
/// different: their text does not tell.
pub(super) fn without<'a>(before: &'a Text, after: &'a Text, around: usize) -> [Part<'a>; 2] {
    let front = common_front(before.open_front(), after.open_front());
    let least = before.bytes.len().min(after.bytes.len());
    let back = common_back(before.open_back(), after.open_back()).min(least - front);
    let start = before.bytes.get(..front).map_or(0, |front| lines_from_end(front, around));
    let first = before.bytes.get(..start).map_or(0, |lines| memchr_iter(b'\n', lines).count());
    [before, after].map(|text| {
        let behind = text.bytes.len() - back;
        let end = text.bytes.get(behind..).map_or(0, |back| lines_from_start(back, around));
        text.part(first, start..behind + end)
    })
}

/// Where the last lines begin: so many, and what is of one more.
fn lines_from_end(text: &[u8], lines: usize) -> usize {
    memrchr_iter(b'\n', text).nth(lines).map_or(0, |end| end + 1)
}

/// Where the first lines end: so many, and what is of one before them.
fn lines_from_start(text: &[u8], lines: usize) -> usize {
    memchr_iter(b'\n', text).nth(lines).map_or(text.len(), |end| end + 1)
}

fn common_front(one: &[u8], other: &[u8]) -> usize {
    let steps = one.chunks_exact(STEP).zip(other.chunks_exact(STEP));
    let same = steps.take_while(|(one, other)| one == other).count() * STEP;
    let rest = one.iter().zip(other).skip(same);
    same + rest.take_while(|(one, other)| one == other).count()
}

fn common_back(one: &[u8], other: &[u8]) -> usize {
    let steps = one.rchunks_exact(STEP).zip(other.rchunks_exact(STEP));
    let same = steps.take_while(|(one, other)| one == other).count() * STEP;
    let rest = one.iter().rev().zip(other.iter().rev()).skip(same);
    same + rest.take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    fn text(text: &str) -> Text {
        Text { bytes: text.as_bytes().to_vec(), hidden: Vec::new() }
    }

    fn shown(before: &Text, after: &Text, around: usize) -> [(u32, String); 2] {
        without(before, after, around).map(|part| {
            let lines = part.lines.iter().map(|line| String::from_utf8_lossy(line.text.unwrap_or_default()));
            (part.first, lines.collect::<Vec<_>>().join(" "))
        })
    }

    #[test]
    fn what_is_left() {
        let of = |before: &str, after: &str| {
            shown(&text(before), &text(after), 1).map(|(first, text)| format!("{first}: {text}"))
        };
        assert_eq!(of("a\nb\nc\nd\ne\n", "a\nb\nx\nd\ne\n"), ["1: b c d", "1: b x d"]);
        // What differs within a line is all of it; what repeats is no more than there is.
        assert_eq!(of("a\nb\nc1d\ne\nf", "a\nb\nc2d\ne\nf"), ["1: b c1d e", "1: b c2d e"]);
        assert_eq!(of("a\na\na\n", "a\na\na\na\n"), ["2: a", "2: a a"]);
        assert_eq!(of("", "a\nb\nc"), ["0: ", "0: a b c"]);
        assert_eq!(of("a\nb", "a\nb\n"), ["0: a b", "0: a b"]);
        let long = |changed: &str| "line\n".repeat(100) + changed + &"line\n".repeat(100);
        assert_eq!(of(&long("x\n"), &long("y\n")), ["99: line x line", "99: line y line"]);
    }

    #[test]
    fn what_is_hidden_is_left_in() {
        let hidden = |number| Text { hidden: vec![(number, [7; 8])], ..text("a\nb\nc\nd\ne\nf\n") };
        // The line behind it may be a piece of one.
        assert_eq!(shown(&hidden(2), &hidden(2), 0), [(2, "c d".into()), (2, "c d".into())]);
        assert_eq!(shown(&hidden(1), &hidden(4), 0), [(1, "b c d e f".into()), (1, "b c d e f".into())]);
    }

    proptest! {
        /// What is cut off is the same on both sides, and so many lines of it are left.
        #[test]
        fn nothing_is_lost(
            ends in (vec("[ab]\n", 0..30), vec("[ab]\n", 0..30)),
            middle in (vec("[abc]?\n?", 0..4), vec("[abc]?\n?", 0..4)),
            hidden in btree_map(0_u32..60, any::<[u8; 8]>(), 0..2),
            around in 0_usize..5,
        ) {
            let make = |middle: &[String]| {
                let bytes = [ends.0.concat(), middle.concat(), ends.1.concat()].concat().into_bytes();
                let count = bytes.split_inclusive(|byte| *byte == b'\n').count() as u32;
                let hidden = hidden.clone().into_iter().filter(|(number, _)| *number < count).collect();
                Text { bytes, hidden }
            };
            let texts = [make(&middle.0), make(&middle.1)];
            let whole = [texts[0].lines().lines, texts[1].lines().lines];
            let parts = without(&texts[0], &texts[1], around);
            prop_assert_eq!(parts[0].first, parts[1].first);
            let first = parts[0].first as usize;
            prop_assert_eq!(&whole[0][..first], &whole[1][..first]);
            let end = |which: usize| first + parts[which].lines.len();
            prop_assert_eq!(&whole[0][end(0)..], &whole[1][end(1)..]);
            for (part, whole) in parts.iter().zip(&whole) {
                prop_assert_eq!(&part.lines[..], &whole[first..first + part.lines.len()]);
            }
            let same = parts[0].lines.iter().zip(&parts[1].lines).take_while(|(one, other)| one == other).count();
            prop_assert!(first == 0 || same >= around);
        }
    }
}
