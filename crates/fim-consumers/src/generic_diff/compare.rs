//! Which lines two texts have in common.
//!
//! Order and repetition count: this is no comparison of sets.

use super::text::{Line, Lines, Text};
use imara_diff::{Algorithm, Diff, Hunk, InternedInput, Interner};
use std::collections::HashMap;

/// Two texts and what is different.
#[derive(Debug)]
pub(super) struct Compared<'a> {
    pub before: Vec<Line<'a>>,
    pub after: Vec<Line<'a>>,
    /// In order, apart from each other.
    pub hunks: Vec<Hunk>,
}

impl<'a> Compared<'a> {
    /// Compares texts. Digests of hidden lines count if they were made with the same key.
    pub(super) fn texts(before: &'a Text, after: &'a Text, same_key: bool) -> Self {
        let (before, after) = (before.lines(), after.lines());
        let token = |line: &Line<'a>| Line { digest: line.digest.filter(|_| same_key), ..*line };
        let hunks = hunks(before.iter().map(token), after.iter().map(token));
        Self { before, after, hunks }
    }

    /// Compares by digests alone; `after` in two forms.
    pub(super) fn lines(before: &Lines, digests: &Lines, after: &'a Text) -> Self {
        let (before, after) = (before.lines(), after.lines());
        let hunks = hunks(before.iter().copied(), digests.lines().into_iter());
        Self { before, after, hunks }
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

fn hunks<'a>(before: impl Iterator<Item = Line<'a>>, after: impl Iterator<Item = Line<'a>>) -> Vec<Hunk> {
    let mut input = InternedInput { before: Vec::new(), after: Vec::new(), interner: Interner::new(0) };
    input.update_before(before);
    input.update_after(after);
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_no_heuristic(&input);
    diff.hunks().collect()
}
