//! Lines for NIS and broken lines: that they came or went, never what they say.

use super::kept::OddLine;
use super::pairs::pairs;
use super::secret::of_line;
use crate::parse::Odd;
use crate::said::{Said, text};
use fim_core::{Change, Key, Severity};

/// Odd lines as they are kept.
pub(super) fn lines<'a>(odd: &[Odd<'a>], key: &Key) -> Vec<OddLine<'a>> {
    odd.iter()
        .map(|odd| OddLine {
            line: odd.line,
            nis: odd.nis,
            digest: of_line(key, odd.text),
            is_cut: odd.text.contains(&0),
        })
        .collect()
}

/// `broken_line`, `nis_line` and their ends. Without the same key, lines are told apart by name and number
/// of them alone.
pub(super) fn compare(old: &[OddLine<'_>], new: &[OddLine<'_>], same_key: bool, said: &mut Said) {
    let identity = |odd: &OddLine<'_>| (odd.nis.map(<[u8]>::to_vec), same_key.then_some(odd.digest));
    for pair in pairs(old, new, identity, |_| None::<()>).all {
        let (odd, added) = match pair {
            (None, Some(odd)) => (odd, true),
            (Some(odd), None) => (odd, false),
            _ => continue,
        };
        let severity =
            if odd.nis.is_some() || (added && odd.is_cut) { Severity::High } else { Severity::Notable };
        let word = match (odd.nis.is_some(), added) {
            (true, true) => "nis_line_added",
            (true, false) => "nis_line_removed",
            (false, true) => "broken_line",
            (false, false) => "broken_line_removed",
        };
        said.say(severity, || {
            let change = Change::new(word).of("line", odd.line);
            match odd.nis {
                Some(name) => change.of("name", text(name)),
                None => change,
            }
        });
    }
}
