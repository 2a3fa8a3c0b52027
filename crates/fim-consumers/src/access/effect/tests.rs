//! Tables of files before and after, and who is let in or not any more.

use super::*;
use crate::parse::access::{Separators, parse};
use proptest::prelude::*;

fn rules(text: &str) -> Vec<Rule> {
    parse(text.replace('|', "\n").as_bytes(), &Separators::default()).rules
}

/// `+who from from [rule]` for each effect. `|` stands for a line break.
fn shown(before: &str, after: &str) -> Vec<String> {
    let (before, after) = (rules(before), rules(after));
    let effects = between(&before.iter().collect::<Vec<_>>(), &after.iter().collect::<Vec<_>>(), false);
    let line = |effect: Effect| {
        let sign = if effect.granted { '+' } else { '-' };
        let rule = effect.rule.map_or_else(|| "none".to_owned(), |at| after[at].to_string());
        format!("{sign}{} from {} [{rule}]", effect.who.join(","), effect.from.join(","))
    };
    effects.unwrap().into_iter().map(line).collect()
}

#[test]
fn first_match_decides_and_the_rest_is_let_in() {
    let closed = "+:root:tty1|-:ALL:ALL|";
    let cases: [(&str, &str, &[&str]); 22] = [
        (closed, closed, &[]),
        ("", "+:root:ALL|", &[]),
        ("", "-:ALL:ALL|", &["-ALL from ALL [-:ALL:ALL]"]),
        ("-:ALL:ALL|", "", &["+ALL from ALL [none]"]),
        (closed, "+:root:tty1|", &["+anyone else from ALL [none]", "+root from anywhere else [none]"]),
        (closed, "+:root:ALL|-:ALL:ALL|", &["+root from anywhere else [+:root:ALL]"]),
        (closed, "-:ALL:ALL|+:root:tty1|", &["-root from tty1 [-:ALL:ALL]"]),
        (closed, "+:root:tty1|+:mallory:ALL|-:ALL:ALL|", &["+mallory from ALL [+:mallory:ALL]"]),
        (closed, "+:root:tty1|-:ALL:ALL|+:mallory:ALL|", &[]),
        (closed, "+:root:tty1|+:mallory eve:ALL|-:ALL:ALL|", &["+mallory,eve from ALL [+:mallory eve:ALL]"]),
        (closed, "+:ROOT:TTY1|-:all:all|", &[]),
        ("-:ALL EXCEPT root:ALL|", "-:ALL EXCEPT root (wheel):ALL|", &["+(wheel) from ALL [none]"]),
        ("-:ALL EXCEPT a b EXCEPT b:ALL|", "-:ALL:ALL|", &["-a from ALL [-:ALL:ALL]"]),
        ("-:ALL EXCEPT a b EXCEPT b:ALL|", "-:ALL EXCEPT a:ALL|", &[]),
        ("-:EXCEPT a:ALL|", "", &[]),
        ("-:ALL:ALL EXCEPT LOCAL|", "-:ALL:ALL|", &["-ALL from LOCAL [-:ALL:ALL]"]),
        ("+:a:10.0.0.0/8|-:ALL:ALL|", "+:a:10.1.|-:ALL:ALL|", &["-a from 10.0.0.0/8 [-:ALL:ALL]"]),
        ("+:a:10.0.0.0/8|-:ALL:ALL|", "-:a:10.1.|+:a:10.0.0.0/8|-:ALL:ALL|", &["-a from 10.1. [-:a:10.1.]"]),
        ("+:a:.bar.org|-:ALL:ALL|", "+:a:.bar.org foo.bar.org|-:ALL:ALL|", &[]),
        ("+:wheel:ALL|-:ALL:ALL|", "+:(wheel):ALL|-:ALL:ALL|", &["-wheel from ALL [-:ALL:ALL]"]),
        ("+:a:LOCAL|-:ALL:ALL|", "+:a:LOCAL tty1|-:ALL:ALL|", &[]),
        ("-:ALL:ALL|", "+:a@h:ALL|-:ALL:ALL|", &["+a@h from ALL [+:a@h:ALL]"]),
    ];
    for (before, after, expected) in cases {
        assert_eq!(shown(before, after), expected, "{before} > {after}");
    }
}

#[test]
fn a_plain_name_is_a_group_too_unless_nodefgroup() {
    let (before, after) = (rules("+:(wheel):ALL|-:ALL:ALL|"), rules("+:wheel:ALL|-:ALL:ALL|"));
    let (before, after): (Vec<_>, Vec<_>) = (before.iter().collect(), after.iter().collect());
    let who = |nodefgroup| -> Vec<(bool, Vec<String>)> {
        let effects = between(&before, &after, nodefgroup).unwrap();
        effects.into_iter().map(|effect| (effect.granted, effect.who)).collect()
    };
    assert_eq!(who(false), [(true, vec!["wheel".to_owned()])]);
    assert_eq!(who(true), [(true, vec!["wheel".to_owned()]), (false, vec!["(wheel)".to_owned()])]);
}

#[test]
fn rules_that_are_never_reached() {
    for (text, expected) in [
        ("+:root:tty1|-:ALL:ALL|", vec![]),
        ("-:ALL:ALL|+:root:tty1|+:(a):.x|", vec![(1, 0), (2, 0)]),
        ("-:ALL EXCEPT root:ALL|+:b:ALL|", vec![]),
        ("+:a b:10.|-:a:10.1.2.3|", vec![(1, 0)]),
        ("+:a:10.1.|-:a:10.|", vec![]),
        ("+:a b:10. 11.|-:a EXCEPT b:10.1.2.3|", vec![(1, 0)]),
        ("+:a:LOCAL|-:a:tty1 LOCAL|", vec![(1, 0)]),
        ("+:a:LOCAL|-:ALL:tty1|-:a:ALL|", vec![]),
    ] {
        let rules = rules(text);
        assert_eq!(shadowed(&rules.iter().collect::<Vec<_>>(), false).unwrap(), expected, "{text}");
    }
}

#[test]
fn too_many_are_given_up() {
    let text: String = (0..3000).map(|n| format!("+:u{n}:h{n}|")).collect();
    let rules = rules(&text);
    let rules: Vec<_> = rules.iter().collect();
    assert_eq!(between(&rules, &[], false), Err(TooMany));
    assert!(shadowed(&rules, false).is_err());
}

proptest! {
    /// A list has no effects against itself, and what one change grants its reverse revokes.
    #[test]
    fn granting_and_revoking_mirror_each_other(
        before in "([+-]:(ALL|a|b|\\(g\\)|ALL EXCEPT a):(ALL|LOCAL|tty1|10\\.)\\|){0,5}",
        after in "([+-]:(ALL|a|b|\\(g\\)|ALL EXCEPT a):(ALL|LOCAL|tty1|10\\.)\\|){0,5}",
    ) {
        let (before, after) = (rules(&before), rules(&after));
        let (before, after): (Vec<_>, Vec<_>) = (before.iter().collect(), after.iter().collect());
        prop_assert!(between(&before, &before, false).unwrap().is_empty());
        let count = |from: &[&Rule], to: &[&Rule], granted: bool| {
            between(from, to, false).unwrap().iter().any(|effect| effect.granted == granted)
        };
        prop_assert_eq!(count(&before, &after, true), count(&after, &before, false));
    }
}
