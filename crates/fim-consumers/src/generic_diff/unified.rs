//! A comparison as a unified diff, within its limits.

use super::DiffLimits;
use super::compare::Compared;
use super::ignore::Ignore;
use super::shown::push;
use super::text::Part;
use imara_diff::Hunk;
use std::fmt::Write;
use std::ops::Range;

/// Lines around a change.
pub(super) const CONTEXT: u32 = 3;

/// A diff, and what of the changes it leaves out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rendered {
    pub diff: String,
    /// Lines added and removed, whether they are shown or cut.
    pub added: u64,
    pub removed: u64,
    /// Of those, lines that are ignored: they are not counted above.
    pub ignored_added: u64,
    pub ignored_removed: u64,
    pub cut: Option<Cut>,
}

/// What was left out for its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Of this many lines only so many are shown.
    Lines { lines: usize, limit: usize },
    /// Of this many lines only so many bytes are shown.
    Bytes { lines: usize, limit: usize },
    /// Some lines are not whole.
    LineBytes { limit: usize },
}

/// Renders a comparison. Changes of nothing but ignored lines are left out.
pub(super) fn render(compared: &Compared<'_>, ignore: Ignore, limits: &DiffLimits) -> Rendered {
    let mut rendered = Rendered::default();
    let mut page = Page { limits, out: String::new(), shown: 0, lines: 0, cut: None };
    for group in groups(&compared.hunks) {
        let added: u64 = group.iter().map(|hunk| hunk.after.len() as u64).sum();
        let removed: u64 = group.iter().map(|hunk| hunk.before.len() as u64).sum();
        if group.iter().all(|hunk| is_ignored(compared, hunk, ignore)) {
            rendered.ignored_added += added;
            rendered.ignored_removed += removed;
            continue;
        }
        rendered.added += added;
        rendered.removed += removed;
        page.group(compared, group);
    }
    (rendered.diff, rendered.cut) = page.finish();
    rendered
}

/// Changes that are near enough to each other to be shown as one.
fn groups(hunks: &[Hunk]) -> impl Iterator<Item = &[Hunk]> {
    hunks.chunk_by(|one, next| next.before.start - one.before.end <= 2 * CONTEXT)
}

fn is_ignored(compared: &Compared<'_>, hunk: &Hunk, ignore: Ignore) -> bool {
    let all = |part: &Part<'_>, range: &Range<u32>| {
        range.clone().all(|at| {
            let line = |at: u32| part.get(&(at..at + 1)).first().and_then(|line| line.text);
            let before = at.checked_sub(1).and_then(line);
            line(at).is_some_and(|line| ignore.ignores(before, line))
        })
    };
    all(&compared.before, &hunk.before) && all(&compared.after, &hunk.after)
}

/// What is written so far.
struct Page<'a> {
    limits: &'a DiffLimits,
    out: String,
    /// Lines written, and lines there are.
    shown: usize,
    lines: usize,
    cut: Option<Cut>,
}

impl Page<'_> {
    fn group(&mut self, compared: &Compared<'_>, group: &[Hunk]) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            return;
        };
        let lead = first.before.start.min(CONTEXT);
        let tail = compared.before.end().saturating_sub(last.before.end).min(CONTEXT);
        let before = first.before.start - lead..last.before.end + tail;
        let after = first.after.start - lead..last.after.end + tail;
        self.header(&before, &after);
        // Lines in common are taken from the side of which there is a text in any case.
        let mut at = after.start;
        for hunk in group {
            self.lines(' ', &compared.after, at..hunk.after.start);
            self.lines('-', &compared.before, hunk.before.clone());
            self.lines('+', &compared.after, hunk.after.clone());
            at = hunk.after.end;
        }
        self.lines(' ', &compared.after, at..after.end);
    }

    fn header(&mut self, before: &Range<u32>, after: &Range<u32>) {
        // Of nothing the line before it is given; one line needs no count.
        let span = |range: &Range<u32>| match range.len() {
            0 => format!("{},0", range.start),
            1 => format!("{}", range.start + 1),
            length => format!("{},{length}", range.start + 1),
        };
        if self.has_room() {
            writeln!(self.out, "@@ -{} +{} @@", span(before), span(after)).unwrap_or_default();
        }
    }

    fn lines(&mut self, sign: char, part: &Part<'_>, range: Range<u32>) {
        for line in part.get(&range) {
            self.lines += 1;
            if self.has_room() {
                self.shown += 1;
                let limit = self.limits.line_bytes;
                if push(&mut self.out, sign, line, limit) {
                    self.cut = self.cut.or(Some(Cut::LineBytes { limit }));
                }
            }
        }
    }

    fn has_room(&self) -> bool {
        self.shown < self.limits.lines && self.out.len() < self.limits.bytes
    }

    fn finish(mut self) -> (String, Option<Cut>) {
        let left = self.lines - self.shown;
        if left > 0 {
            writeln!(self.out, "\\ Cut: {left} more lines").unwrap_or_default();
            let lines = self.lines;
            self.cut = Some(if self.shown >= self.limits.lines {
                Cut::Lines { lines, limit: self.limits.lines }
            } else {
                Cut::Bytes { lines, limit: self.limits.bytes }
            });
        }
        (self.out, self.cut)
    }
}
