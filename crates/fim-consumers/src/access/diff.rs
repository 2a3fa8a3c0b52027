//! From the rules before and after to what became of each: added, removed, moved, changed.
//!
//! Order is meaning here, so a rule that stands elsewhere among the others is a difference; one that only
//! has another line number is none. Taken together the differences make the old list into the new one.

use crate::parse::access::Rule;
use imara_diff::{Algorithm, Diff, InternedInput};
use std::collections::{HashMap, VecDeque};

/// What became of a rule. Positions count rules from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Difference<'a> {
    Added {
        at: usize,
        rule: &'a Rule,
    },
    Removed {
        at: usize,
        rule: &'a Rule,
    },
    Moved {
        from: usize,
        to: usize,
        rule: &'a Rule,
    },
    /// For the same users, another permission or other origins.
    Changed {
        from: usize,
        to: usize,
        before: &'a Rule,
        after: &'a Rule,
    },
}

/// All differences: what stands in the new list by its place there, then what is gone.
pub(super) fn between<'a>(before: &'a [Rule], after: &'a [Rule]) -> Vec<Difference<'a>> {
    let mut input = InternedInput::default();
    input.update_before(before.iter().map(Rule::key));
    input.update_after(after.iter().map(Rule::key));
    let diff = Diff::compute(Algorithm::Myers, &input);
    let index = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let mut old: Vec<_> = before.iter().enumerate().filter(|(at, _)| diff.is_removed(index(*at))).collect();
    let mut new: Vec<_> = after.iter().enumerate().filter(|(at, _)| diff.is_added(index(*at))).collect();

    let mut all = Vec::new();
    for ((from, _), (to, rule)) in pairs(&mut old, &mut new, Rule::key) {
        all.push(Difference::Moved { from, to, rule });
    }
    for ((from, before), (to, after)) in pairs(&mut old, &mut new, |rule| &rule.users) {
        all.push(Difference::Changed { from, to, before, after });
    }
    all.extend(new.into_iter().map(|(at, rule)| Difference::Added { at, rule }));
    all.sort_by_key(|difference| match difference {
        Difference::Added { at: to, .. }
        | Difference::Moved { to, .. }
        | Difference::Changed { to, .. }
        | Difference::Removed { at: to, .. } => *to,
    });
    all.extend(old.into_iter().map(|(at, rule)| Difference::Removed { at, rule }));
    all
}

type Placed<'a> = (usize, &'a Rule);

/// Takes out of both lists what has the same key, the first with the first.
fn pairs<'a, K: Eq + std::hash::Hash>(
    old: &mut Vec<Placed<'a>>,
    new: &mut Vec<Placed<'a>>,
    key: impl Fn(&'a Rule) -> K,
) -> Vec<(Placed<'a>, Placed<'a>)> {
    let mut waiting: HashMap<K, VecDeque<Placed<'a>>> = HashMap::new();
    for (at, rule) in old.drain(..) {
        waiting.entry(key(rule)).or_default().push_back((at, rule));
    }
    let mut found = Vec::new();
    new.retain(|&(to, rule)| {
        let partner = waiting.get_mut(&key(rule)).and_then(VecDeque::pop_front);
        found.extend(partner.map(|partner| (partner, (to, rule))));
        partner.is_none()
    });
    old.extend(waiting.into_values().flatten());
    old.sort_by_key(|(at, _)| *at);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::access::{Separators, parse};
    use proptest::prelude::*;

    fn rules(text: &str) -> Vec<Rule> {
        parse(text.as_bytes(), &Separators::default()).rules
    }

    fn shown(before: &str, after: &str) -> Vec<String> {
        let (before, after) = (rules(before), rules(after));
        between(&before, &after)
            .into_iter()
            .map(|difference| match difference {
                Difference::Added { at, rule } => format!("added {at} {rule}"),
                Difference::Removed { at, rule } => format!("removed {at} {rule}"),
                Difference::Moved { from, to, rule } => format!("moved {from}>{to} {rule}"),
                Difference::Changed { from, to, before, after } => {
                    format!("changed {from}>{to} {before} > {after}")
                }
            })
            .collect()
    }

    #[test]
    fn table() {
        let three = "+:a:x\n+:b:y\n-:ALL:ALL\n";
        let cases: [(&str, &str, &[&str]); 10] = [
            (three, three, &[]),
            (three, "# c\n\n+:a:x\n+:b: y\n#\n-:ALL:ALL\n", &[]),
            ("", "+:a:x\n", &["added 0 +:a:x"]),
            (three, "+:a:x\n+:b:y\n", &["removed 2 -:ALL:ALL"]),
            (three, "-:ALL:ALL\n+:a:x\n+:b:y\n", &["moved 2>0 -:ALL:ALL"]),
            (three, "+:a:x\n+:b:ALL\n-:ALL:ALL\n", &["changed 1>1 +:b:y > +:b:ALL"]),
            (three, "+:a:x\n-:b:y\n-:ALL:ALL\n", &["changed 1>1 +:b:y > -:b:y"]),
            (three, "+:c:y\n+:a:x\n-:ALL:ALL\n", &["added 0 +:c:y", "removed 1 +:b:y"]),
            ("+:a:x\n+:a:x\n", "+:a:x\n", &["removed 1 +:a:x"]),
            ("+:a:x\n+:b:y\n+:c:z\n", "+:b:y\n+:c:z\n+:a:w\n", &["changed 0>2 +:a:x > +:a:w"]),
        ];
        for (before, after, expected) in cases {
            assert_eq!(shown(before, after), expected, "{before:?} {after:?}");
        }
    }

    /// What a reader of the differences does: take out, then put in, from the front.
    fn apply(before: &[Rule], differences: &[Difference<'_>]) -> Vec<String> {
        let mut list: Vec<Option<String>> = before.iter().map(|rule| Some(rule.to_string())).collect();
        let mut put = Vec::new();
        for difference in differences {
            let (from, to) = match difference {
                Difference::Added { at, rule } => (None, Some((*at, *rule))),
                Difference::Removed { at, .. } => (Some(*at), None),
                Difference::Moved { from, to, rule } => (Some(*from), Some((*to, *rule))),
                Difference::Changed { from, to, after, .. } => (Some(*from), Some((*to, *after))),
            };
            if let Some(from) = from {
                list[from] = None;
            }
            put.extend(to);
        }
        let mut list: Vec<String> = list.into_iter().flatten().collect();
        for (at, rule) in put {
            list.insert(at, rule.to_string());
        }
        list
    }

    fn some_rules() -> impl Strategy<Value = Vec<Rule>> {
        let rule = (any::<bool>(), "[ab]", "[xy]").prop_map(|(grants, user, origin)| Rule {
            line: 1,
            grants,
            users: vec![user],
            origins: vec![origin],
        });
        prop::collection::vec(rule, 0..12)
    }

    proptest! {
        #[test]
        fn the_differences_make_the_old_list_into_the_new(before in some_rules(), after in some_rules()) {
            let expected: Vec<String> = after.iter().map(ToString::to_string).collect();
            prop_assert_eq!(apply(&before, &between(&before, &after)), expected);
        }
    }
}
