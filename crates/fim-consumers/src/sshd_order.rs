//! Whether another order of the same directives means something else to sshd: "for each keyword, the first obtained value
//! will be used".
//!
//! Must not know what a keyword is for, but for `Include`, which stands for keywords that are not known here.

use crate::parse::sshd_config::Directive;
use std::collections::{HashMap, HashSet};

/// Whether one of the directives in both has changed places with an `Include`, or with one of its keyword under another
/// `Match`. Those of a keyword under the same `Match` are compared as its values.
pub(crate) fn matters(old: &[Directive], new: &[Directive]) -> bool {
    let (before, after): (HashSet<_>, HashSet<_>) = (old.iter().collect(), new.iter().collect());
    places(old, &after) != places(new, &before)
}

/// How many of what may win over it come before each directive: `Include`s, and its keyword under another `Match`. Said
/// again, a directive says nothing.
fn places<'a>(
    directives: &'a [Directive],
    in_both: &HashSet<&Directive>,
) -> HashMap<&'a Directive, (usize, usize)> {
    let mut places = HashMap::new();
    let mut of_keyword: HashMap<&[u8], usize> = HashMap::new();
    let mut of_match: HashMap<(&[u8], &[Vec<u8>]), usize> = HashMap::new();
    let mut includes = 0_usize;
    for one in directives.iter().filter(|one| in_both.contains(one)) {
        if places.contains_key(one) {
            continue;
        }
        let all = of_keyword.entry(&one.keyword).or_default();
        let same = of_match.entry((&one.keyword, &one.context)).or_default();
        places.insert(one, (includes, all.saturating_sub(*same)));
        *all = all.saturating_add(1);
        *same = same.saturating_add(1);
        includes = includes.saturating_add(usize::from(one.keyword == b"include"));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::sshd_config::parse;

    #[test]
    fn what_comes_first_wins() {
        for (before, after, expected) in [
            ("A 1\nB 2\nInclude x", "Include x\nA 1\nB 2", true),
            ("Include x\nA 1\nInclude y", "Include x\nInclude y\nA 1", true),
            ("A 1\nB 2", "B 2\nA 1", false),
            ("Include x\nA 1", "Include x\nB 2\nA 1", false),
            ("A 1\nInclude x\nA 1", "Include x\nA 1", true),
            ("Include x\nA 1\nA 1", "Include x\nA 1", false),
            ("Match User a\nX 1\nMatch User *\nX 2", "Match User *\nX 2\nMatch User a\nX 1", true),
            ("Match User a\nX 1\nMatch User *\nY 2", "Match User *\nY 2\nMatch User a\nX 1", false),
            (
                "Match User a\nX 1\nX 2\nMatch User b\nX 3",
                "Match User a\nX 2\nMatch User b\nX 3\nMatch User a\nX 1",
                true,
            ),
            // Told as values of one keyword.
            ("A 1\nA 2", "A 2\nA 1", false),
            ("", "Include x", false),
        ] {
            let (old, new) = (parse(before.as_bytes()).directives, parse(after.as_bytes()).directives);
            assert_eq!(matters(&old, &new), expected, "{before} > {after}");
        }
    }
}
