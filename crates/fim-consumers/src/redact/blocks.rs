//! Private keys in armour: PEM, OpenSSH, PGP, PuTTY.
//!
//! All lines between BEGIN and END are hidden. Of a block that was cut off, those next to the marker that look
//! like a part of a key: more would let anyone hide what they like behind a marker.

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
        r#"(?-u)^[\s#>|+*"']*(?:[A-Za-z0-9+/]+={0,2}|=[A-Za-z0-9+/]{4}|(?:Proc-Type|DEK-Info|Comment|Version|Hash|Charset|MessageID|Subject):.*)?[\s\\n"',;+|]*$"#,
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
                    found.hide(body_after(text, start, all.start()));
                }
                open = Some(all.end());
            }
            (false, Some(start)) => found.hide(start..all.start()),
            (false, None) => found.hide(body_before(text, last, all.start())),
        }
        last = all.end();
    }
    if let Some(start) = open {
        found.hide(body_after(text, start, text.len()));
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

/// From a BEGIN over the rest of its line and the lines that may be of a key.
fn body_after(text: &[u8], start: usize, limit: usize) -> Range<usize> {
    let part = text.get(start..limit).unwrap_or_default();
    let mut end = 0;
    for (count, line) in part.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if count > 0 && !is_body(line) {
            break;
        }
        end += line.len();
    }
    start..start + end
}

/// The lines before an END, and after this limit, that may be of a key.
fn body_before(text: &[u8], limit: usize, end: usize) -> Range<usize> {
    let part = text.get(limit..end).unwrap_or_default();
    let mut start = end;
    // What stands before the marker in its own line is hidden without a test.
    for (count, line) in part.rsplit(|byte| *byte == b'\n').enumerate() {
        if count > 0 && (line.is_empty() || !is_body(line)) {
            break;
        }
        start = end.min(start.saturating_sub(line.len() + usize::from(count > 0)));
    }
    start..end
}

fn is_body(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    BODY.as_ref().is_none_or(|body| body.is_match(line))
}
