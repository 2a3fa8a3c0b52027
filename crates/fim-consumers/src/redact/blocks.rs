//! Private keys in armour: PEM, OpenSSH, PGP, PuTTY.
//!
//! Between BEGIN and END the lines are hidden that look like a part of a key. Of a block that was cut off, those
//! next to the marker. More would let anyone hide what they like behind a marker.

use super::spans::Spans;
use regex::bytes::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// Name of what is in the armour.
const KIND: &str = r"[A-Za-z0-9 .]*(?i:PRIVATE KEY|SECRET KEY|STATIC KEY)[A-Za-z0-9 .]*";

static MARKER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!(r"(?-u)-{{4,5}} ?(?:(BEGIN)|END) {KIND} ?-{{4,5}}")).ok());

/// A line of base64 with what files that quote it put around it, an armour header, or nothing.
static BODY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?-u)^[\s#>|+*"']*(?:[A-Za-z0-9+/]+={0,2}|=[A-Za-z0-9+/]{4}|(?:Proc-Type|DEK-Info|Comment|Version|Hash|Charset|MessageID|Subject):[^;|&$`<>]*)?[\s\\n"',;+|]*$"#,
    )
    .ok()
});

/// A part of a key in a line with something else in it: this long beside a marker, or else [`LONG`].
static RUN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?-u)\\*[A-Za-z0-9+/]{16,}[A-Za-z0-9+/=\\]*").ok());
const LONG: usize = 40;

/// A path is written with the signs of base64.
static PATH: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?-u)\A(?:[\s#>|+*]*)/(?:bin|boot|dev|etc|home|lib(?:32|64|exec)?|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var)/",
    )
    .ok()
});

static PUTTY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?m-u)^Private-(?:Lines: (\d{1,4})|MAC: (\S+))").ok());

/// Finds private keys.
pub(super) fn find(text: &[u8], found: &mut Spans<'_>) {
    let Some(marker) = MARKER.as_ref() else { return };
    let mut open: Option<usize> = None;
    let mut last = 0;
    for groups in marker.captures_iter(text) {
        let Some(all) = groups.get(0) else { continue };
        match (groups.get(1).is_some(), open.take()) {
            (true, before) => {
                if let Some(start) = before {
                    body_after(text, start, all.start(), found);
                }
                open = Some(all.end());
            }
            (false, Some(start)) => body_between(text, start, all.start(), found),
            (false, None) => body_before(text, last, all.start(), found),
        }
        last = all.end();
    }
    if let Some(start) = open {
        body_after(text, start, text.len(), found);
    }
    putty(text, found);
}

fn putty(text: &[u8], found: &mut Spans<'_>) {
    let mut done = 0;
    for groups in PUTTY.iter().flat_map(|putty| putty.captures_iter(text)) {
        if groups.get(0).is_some_and(|all| all.start() < done) {
            continue;
        }
        if let Some(mac) = groups.get(2) {
            found.hide(mac.range());
        }
        let Some(count) = groups.get(1) else { continue };
        let lines =
            std::str::from_utf8(count.as_bytes()).ok().and_then(|count| count.parse().ok()).unwrap_or(0);
        let rest = text.get(count.end()..).unwrap_or_default();
        // The rest of the line with the count is the first.
        let length: usize =
            rest.split_inclusive(|byte| *byte == b'\n').take(1 + lines).map(<[u8]>::len).sum();
        done = count.end() + length;
        found.hide(count.end()..done);
    }
}

/// What may be of a key from a BEGIN to an END, whatever stands between.
fn body_between(text: &[u8], start: usize, end: usize, found: &mut Spans<'_>) {
    let mut at = start;
    for line in text.get(start..end).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
        let range = at..at + line.len();
        at = range.end;
        if range.start == start || !line.ends_with(b"\n") {
            runs(text, range, 0, found);
        } else if is_body(line) {
            found.hide(range);
        } else {
            runs(text, range, LONG, found);
        }
    }
}

/// What may be of a key in the rest of the line of a BEGIN, and the lines after it as long as they are of one.
fn body_after(text: &[u8], start: usize, limit: usize, found: &mut Spans<'_>) {
    let mut at = start;
    for line in text.get(start..limit).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
        let range = at..at + line.len();
        at = range.end;
        if range.start == start {
            runs(text, range, 0, found);
        } else if is_body(line) {
            found.hide(range);
        } else {
            return;
        }
    }
}

/// The same in front of an END, and after this limit.
fn body_before(text: &[u8], limit: usize, end: usize, found: &mut Spans<'_>) {
    let mut at = end;
    for line in text.get(limit..end).unwrap_or_default().rsplit(|byte| *byte == b'\n') {
        let range = at.saturating_sub(line.len())..at;
        at = range.start.saturating_sub(1);
        if range.end == end {
            runs(text, range, 0, found);
        } else if !line.is_empty() && is_body(line) {
            found.hide(range);
        } else {
            return;
        }
    }
}

/// Hides what is written as a key in a part of a line, from this length on.
fn runs(text: &[u8], part: Range<usize>, least: usize, found: &mut Spans<'_>) {
    let bytes = text.get(part.clone()).unwrap_or_default();
    for run in RUN.iter().flat_map(|run| run.find_iter(bytes)) {
        if run.len() >= least && !is_path(run.as_bytes()) {
            found.hide(part.start + run.start()..part.start + run.end());
        }
    }
}

fn is_path(text: &[u8]) -> bool {
    PATH.as_ref().is_some_and(|path| path.is_match(text))
}

fn is_body(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    BODY.as_ref().is_none_or(|body| body.is_match(line)) && !is_path(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expression_compiles() {
        assert!([&MARKER, &BODY, &RUN, &PATH, &PUTTY].iter().all(|regex| regex.is_some()));
    }
}
