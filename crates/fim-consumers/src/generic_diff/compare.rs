//! Which lines two texts have in common.
//!
//! Order and repetition count: this is no comparison of sets.

use super::text::{Line, Lines, Text};
use imara_diff::{Algorithm, Diff, Hunk, InternedInput, Interner, Token};
use std::collections::HashMap;

/// Two texts and what is different.
#[derive(Debug)]
pub(super) struct Compared<'a> {
    pub before: Vec<Line<'a>>,
    pub after: Vec<Line<'a>>,
    /// In order, apart from each other.
    pub hunks: Vec<Hunk>,
    /// They are not the least.
    pub coarse: bool,
}

impl<'a> Compared<'a> {
    /// Compares texts. Digests of hidden lines count if they were made with the same key.
    pub(super) fn texts(before: &'a Text, after: &'a Text, same_key: bool) -> Self {
        let (before, after) = (before.lines(), after.lines());
        let token = |line: &Line<'a>| Line { digest: line.digest.filter(|_| same_key), ..*line };
        let (hunks, coarse) = hunks(before.iter().map(token), after.iter().map(token));
        Self { before, after, hunks, coarse }
    }

    /// Compares by digests alone; `after` in two forms.
    pub(super) fn lines(before: &Lines, digests: &Lines, after: &'a Text) -> Self {
        let (before, after) = (before.lines(), after.lines());
        let (hunks, coarse) = hunks(before.iter().copied(), digests.lines().into_iter());
        Self { before, after, hunks, coarse }
    }

    /// How many hidden values are others now, in lines that look the same.
    pub(super) fn hidden_changed(&self) -> usize {
        self.hunks.iter().map(|hunk| self.hidden_changed_in(hunk)).sum()
    }

    fn hidden_changed_in(&self, hunk: &Hunk) -> usize {
        let hidden = |lines: &[Line<'a>], range: &std::ops::Range<u32>| -> Vec<&'a [u8]> {
            let lines = lines.get(range.start as usize..range.end as usize).unwrap_or_default();
            lines.iter().filter(|line| line.digest.is_some()).filter_map(|line| line.text).collect()
        };
        let mut removed: HashMap<&[u8], usize> = HashMap::new();
        for line in hidden(&self.before, &hunk.before) {
            *removed.entry(line).or_default() += 1;
        }
        let mut is_other = |line: &&[u8]| {
            let count = removed.get_mut(*line).filter(|count| **count > 0);
            count.map(|count| *count -= 1).is_some()
        };
        hidden(&self.after, &hunk.after).iter().filter(|line| is_other(line)).count()
    }
}

/// Lines of one times lines of the other beyond which no least difference is looked for: the time for that grows
/// with the product where lines repeat, and a file can be made so.
const MOST_PAIRS: u64 = 20_000 * 20_000;

/// The differences, and whether everything between the first and the last is taken for one.
fn hunks<'a>(
    before: impl Iterator<Item = Line<'a>>,
    after: impl Iterator<Item = Line<'a>>,
) -> (Vec<Hunk>, bool) {
    let mut input = InternedInput { before: Vec::new(), after: Vec::new(), interner: Interner::new(0) };
    input.update_before(before);
    input.update_after(after);
    let span = span(&input.before, &input.after);
    if span.before.len() as u64 * span.after.len() as u64 > MOST_PAIRS {
        return (vec![span], true);
    }
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_no_heuristic(&input);
    (diff.hunks().collect(), false)
}

/// What is between the lines in common at both ends.
fn span(before: &[Token], after: &[Token]) -> Hunk {
    let front = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    let left = before.len().min(after.len()) - front;
    let back = before.iter().rev().zip(after.iter().rev()).take(left);
    let back = back.take_while(|(one, other)| one == other).count();
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Hunk {
        before: number(front)..number(before.len() - back),
        after: number(front)..number(after.len() - back),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_to_compare_is_one_difference() {
        let text = |lines: &[&str]| Text { bytes: lines.concat().into_bytes(), hidden: Vec::new() };
        let before = text(&["same\n", &"a\nb\n".repeat(20_000), "end\n"]);
        let after = text(&["same\n", &"b\na\na\n".repeat(20_000), "end\n"]);
        let compared = Compared::texts(&before, &after, true);
        assert!(compared.coarse);
        // The last line before the end is an `a` here and a `b` there.
        assert_eq!(compared.hunks, [Hunk { before: 1..40_001, after: 1..60_001 }]);
        assert!(!Compared::texts(&before, &before, true).coarse);
    }
}
