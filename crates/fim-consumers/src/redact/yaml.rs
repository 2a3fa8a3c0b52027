//! Values of YAML that are in the lines below their name: `password: |`, or nothing behind the colon.

use super::rules::{KEY, compile};
use super::spans::Spans;
use regex::bytes::Regex;
use std::sync::LazyLock;

/// A name without a value in its line. With a sign for it, in the group, the value is all that is deeper; else
/// it is a scalar or a list of them. Of lists of other things than passwords, mostly the names are in a file.
static NAME: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    compile(&[format!(
        r#"^[ \t]*(?:-[ \t]+)*["']?[\w./-]*(?:{KEY}|pass(?:word|wd|phrase|code)s)["']?[ \t]*:[ \t]*(?:!\S+[ \t]+)?([|>][-+0-9]*)?[ \t]*(?:#.*)?\r?$"#
    )])
});

/// A name of its own with a value: no scalar.
static NAMED: LazyLock<Vec<Regex>> =
    LazyLock::new(|| compile(&[r#"\A["']?[\w./-]+["']?[ \t]*:(?:\s|\z)"#.to_owned()]));

/// Finds the lines of such values.
pub(super) fn find(text: &[u8], found: &mut Spans<'_>) {
    for groups in NAME.iter().flat_map(|name| name.captures_iter(text)) {
        let Some(all) = groups.get(0) else { continue };
        let depth = indent(all.as_bytes());
        if groups.get(1).is_some() {
            deeper(text, all.end(), depth, found);
        } else {
            scalars(text, all.end(), depth, found);
        }
    }
}

/// Hides the lines after this place that are deeper.
fn deeper(text: &[u8], from: usize, depth: usize, found: &mut Spans<'_>) {
    let rest = text.get(from..).unwrap_or_default();
    let mut end = from;
    for (count, line) in rest.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let is_deeper = indent(line) > depth || line.trim_ascii().is_empty();
        if count > 0 && !is_deeper {
            break;
        }
        end += line.len();
    }
    found.hide(from..end);
}

/// Hides the scalars in the lines after this place that are deeper, or the items of a list that are as deep.
fn scalars(text: &[u8], from: usize, depth: usize, found: &mut Spans<'_>) {
    let mut start = from;
    for (count, line) in
        text.get(from..).unwrap_or_default().split_inclusive(|byte| *byte == b'\n').enumerate()
    {
        let at = start;
        start += line.len();
        if count == 0 {
            continue;
        }
        let bare = line.trim_ascii_end();
        let front = bare.iter().take_while(|byte| **byte == b' ').count();
        let value = bare.get(front..).unwrap_or_default();
        let dash = match value {
            [b'-', rest @ ..] => 1 + rest.iter().take_while(|byte| **byte == b' ').count(),
            _ => 0,
        };
        let scalar = value.get(dash..).unwrap_or_default();
        let is_below = front > depth || (front == depth && dash > 1);
        // Below a tab is no YAML, but what make(1) runs.
        let is_other = scalar.is_empty()
            || matches!(scalar, [b'\t' | b'#' | b'{' | b'[' | b'&' | b'*', ..])
            || NAMED.iter().any(|named| named.is_match(scalar));
        if !is_below || is_other {
            return;
        }
        found.hide(at + front + dash..at + bare.len());
    }
}

fn indent(line: &[u8]) -> usize {
    line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expression_compiles() {
        assert_eq!((NAME.len(), NAMED.len()), (1, 1));
    }
}
