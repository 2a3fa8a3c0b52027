//! Which lines two texts have in common.
//!
//! Order and repetition count: this is no comparison of sets.

use super::ends;
use super::text::{Line, Lines, Part, Text};
use super::unified::CONTEXT;
use imara_diff::{Algorithm, Diff, Hunk, InternedInput, Interner};
use std::collections::HashMap;
use std::ops::Range;

/// Two texts and what is different.
#[derive(Debug)]
pub(super) struct Compared<'a> {
    /// Without most of the lines in common at both ends.
    pub before: Part<'a>,
    pub after: Part<'a>,
    /// By the numbers of the lines; in order, apart from each other.
    pub hunks: Vec<Hunk>,
    /// They are not the least.
    pub coarse: bool,
}

impl<'a> Compared<'a> {
    /// Compares texts. Digests of hidden lines count if they were made with the same key.
    pub(super) fn texts(before: &'a Text, after: &'a Text, same_key: bool) -> Self {
        let [before, after] = ends::without(before, after, MARGIN as usize + CONTEXT as usize);
        let token = |line: &Line<'a>| Line { digest: line.digest.filter(|_| same_key), ..*line };
        let (hunks, coarse) = hunks(&before, &after, token);
        Self { before, after, hunks, coarse }
    }

    /// Compares by digests alone; `after` in two forms.
    pub(super) fn lines(before: &Lines, digests: &Lines, after: &'a Text) -> Self {
        let (before, after) = (before.lines(), after.lines());
        let (hunks, coarse) = hunks(&before, &digests.lines(), |line| *line);
        Self { before, after, hunks, coarse }
    }

    /// How many hidden values are others now, in lines that look the same.
    pub(super) fn hidden_changed(&self) -> usize {
        self.hunks.iter().map(|hunk| self.hidden_changed_in(hunk)).sum()
    }

    fn hidden_changed_in(&self, hunk: &Hunk) -> usize {
        let hidden = |part: &Part<'a>, range: &Range<u32>| -> Vec<&'a [u8]> {
            let hidden = part.get(range).iter().filter(|line| line.digest.is_some());
            hidden.filter_map(|line| line.text).collect()
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

/// Lines in common that are compared at both ends: as far as a difference among lines that repeat may be shifted.
const MARGIN: u32 = 200;

/// The differences of parts that begin with the same line, and whether everything between the first and the last is
/// taken for one.
fn hunks<'a>(
    before: &Part<'a>,
    after: &Part<'a>,
    token: impl Fn(&Line<'a>) -> Line<'a>,
) -> (Vec<Hunk>, bool) {
    let Part { lines: before, first } = before;
    let Part { lines: after, .. } = after;
    let numbered = |hunk: Hunk, lead: u32| {
        let by = first + lead;
        let shift = |lines: Range<u32>| lines.start + by..lines.end + by;
        Hunk { before: shift(hunk.before), after: shift(hunk.after) }
    };
    // To give every line of a large text a number takes longer than all the rest.
    let span = span(before, after, |one, other| token(one) == token(other));
    if span.before.len() as u64 * span.after.len() as u64 > MOST_PAIRS {
        return (vec![numbered(span, 0)], true);
    }
    let lead = span.before.start.saturating_sub(MARGIN);
    let tail = MARGIN.min(number(before.len()) - span.before.end);
    let part = |lines: &[Line<'a>], end: u32| -> Vec<Line<'a>> {
        let part = lines.get(lead as usize..(end + tail) as usize).unwrap_or_default();
        part.iter().map(&token).collect()
    };
    let (before, after) = (part(before, span.before.end), part(after, span.after.end));
    let mut input = InternedInput {
        before: Vec::with_capacity(before.len()),
        after: Vec::with_capacity(after.len()),
        interner: Interner::new(before.len() + after.len()),
    };
    input.update_before(before.into_iter());
    input.update_after(after.into_iter());
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_no_heuristic(&input);
    (diff.hunks().map(|hunk| numbered(hunk, lead)).collect(), false)
}

/// What is between the lines in common at both ends.
fn span<T>(before: &[T], after: &[T], same: impl Fn(&T, &T) -> bool) -> Hunk {
    let front = before.iter().zip(after).take_while(|(one, other)| same(one, other)).count();
    let left = before.len().min(after.len()) - front;
    let back = before.iter().rev().zip(after.iter().rev()).take(left);
    let back = back.take_while(|(one, other)| same(one, other)).count();
    Hunk {
        before: number(front)..number(before.len() - back),
        after: number(front)..number(after.len() - back),
    }
}

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
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

    #[test]
    fn what_is_in_common_around_a_change_counts() {
        let text = |lines: String| Text { bytes: lines.into_bytes(), hidden: Vec::new() };
        let lines = |changed: usize, more: &str| {
            let lines =
                (0..5000).map(|line| if line == changed { "new\n".to_owned() } else { format!("{line}\n") });
            text(lines.collect::<String>() + more)
        };
        let compared = |after: &Text| Compared::texts(&lines(5001, ""), after, true).hunks;
        assert_eq!(compared(&lines(4000, "")), [Hunk { before: 4000..4001, after: 4000..4001 }]);
        let hunk = |at: u32| Hunk { before: at..at + 1, after: at..at + 1 };
        assert_eq!(compared(&lines(0, "end\n")), [hunk(0), Hunk { before: 5000..5000, after: 5000..5001 }]);
        assert_eq!(compared(&lines(5001, "")), []);
    }
}
