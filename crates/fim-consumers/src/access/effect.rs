//! Who is let in from where by one list of rules and not by another, and which rules are never reached.
//!
//! The first rule that matches decides; who matches none is let in. Both lists are asked for everybody and
//! every place that a token of either names, and for all others together. That one person may go by two
//! tokens (a user and a group of theirs) is not looked up and not tried.

use super::token::{Origin, Who, is_keyword, matches_user};
use crate::parse::access::Rule;
use std::collections::{BTreeMap, HashSet};

/// Comparisons of tokens after which the question is given up: well below a second's work, and enough for
/// hundreds of rules.
const STEPS: usize = 5_000_000;

/// Somebody is let in who was not, or the other way round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Effect {
    pub granted: bool,
    /// Tokens of the rules, `anyone else`, or `ALL`.
    pub who: Vec<String>,
    /// Tokens of the rules, `anywhere else`, or `ALL`.
    pub from: Vec<String>,
    /// Which of the rules after decides, by its place; none: no rule matches.
    pub rule: Option<usize>,
}

impl Effect {
    /// Whether it concerns people whom no rule names.
    pub(super) fn concerns_anyone(&self) -> bool {
        self.who.iter().any(|who| who == ANYONE || who == ALL)
    }
}

const ALL: &str = "ALL";
const ANYONE: &str = "anyone else";
const ANYWHERE: &str = "anywhere else";

/// More tokens than can be tried one against the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// What differs between two lists: what is granted first, each in the order of the rules after.
pub(super) fn between(before: &[&Rule], after: &[&Rule], nodefgroup: bool) -> Result<Vec<Effect>, TooMany> {
    let both = || after.iter().chain(before);
    let everybody = names(both().flat_map(|rule| &rule.users), ANYONE);
    let everywhere = names(both().flat_map(|rule| &rule.origins), ANYWHERE);
    let origins: Vec<Origin> = everywhere.iter().map(|label| origin(label)).collect();
    let (before, after) = (prepare(before), prepare(after));
    let mut steps = Steps(STEPS);
    let mut found: BTreeMap<(bool, Option<usize>, Vec<usize>), Vec<usize>> = BTreeMap::new();
    for (number, label) in everybody.iter().enumerate() {
        let person = who(label);
        let old = matching(&before, &person, nodefgroup, &mut steps)?;
        let new = matching(&after, &person, nodefgroup, &mut steps)?;
        let mut places: BTreeMap<(bool, Option<usize>), Vec<usize>> = BTreeMap::new();
        for (place, origin) in origins.iter().enumerate() {
            let was = decide(&before, &old, origin, &mut steps)?;
            let is = decide(&after, &new, origin, &mut steps)?;
            let has = lets_in(&after, is);
            if has != lets_in(&before, was) {
                places.entry((!has, is)).or_default().push(place);
            }
        }
        for ((taken, rule), places) in places {
            found.entry((taken, rule, places)).or_default().push(number);
        }
    }
    let effects = found.into_iter().map(|((taken, rule, places), people)| Effect {
        granted: !taken,
        who: labels(&people, &everybody),
        from: labels(&places, &everywhere),
        rule,
    });
    Ok(effects.collect())
}

/// Rules that are never reached, each with the earlier one that matches all it could. Of earlier rules
/// those with exceptions are passed over.
pub(super) fn shadowed(rules: &[&Rule], nodefgroup: bool) -> Result<Vec<(usize, usize)>, TooMany> {
    let mut steps = Steps(STEPS);
    let mut found = Vec::new();
    let mut earlier: Vec<(usize, Prepared<'_>)> = Vec::new();
    for (at, rule) in prepare(rules).into_iter().enumerate() {
        let people: Vec<Who> = rule.users.iter().map_while(|token| not_except(token)).map(who).collect();
        let places: Vec<&Origin> = rule.origins.iter().map_while(Option::as_ref).collect();
        for (early, other) in &earlier {
            steps.take(people.len() * other.users.len() + places.len() * other.origins.len())?;
            let users = |who| other.users.iter().any(|token| matches_user(token, who, nodefgroup));
            let origins = |place: &&Origin| other.origins.iter().flatten().any(|token| token.covers(place));
            if people.iter().all(users) && places.iter().all(origins) {
                found.push((at, *early));
                break;
            }
        }
        if rule.users.len() == people.len() && rule.origins.len() == places.len() {
            earlier.push((at, rule));
        }
    }
    Ok(found)
}

/// What is left of the work that may be done.
struct Steps(usize);

impl Steps {
    fn take(&mut self, count: usize) -> Result<(), TooMany> {
        self.0 = self.0.checked_sub(count).ok_or(TooMany)?;
        Ok(())
    }
}

/// A rule with its origins understood; `EXCEPT` among them is none.
struct Prepared<'a> {
    grants: bool,
    users: &'a [String],
    origins: Vec<Option<Origin>>,
}

fn prepare<'a>(rules: &[&'a Rule]) -> Vec<Prepared<'a>> {
    let origins = |rule: &Rule| rule.origins.iter().map(|token| not_except(token).map(Origin::of)).collect();
    let prepared =
        rules.iter().map(|rule| Prepared { grants: rule.grants, users: &rule.users, origins: origins(rule) });
    prepared.collect()
}

fn not_except(token: &str) -> Option<&str> {
    (!is_keyword(token, "EXCEPT")).then_some(token)
}

/// Everything the tokens name, each once, and `other` for the rest.
fn names<'a>(tokens: impl Iterator<Item = &'a String>, other: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let is_new = |token: &&String| {
        let is_group = token.starts_with('(');
        seen.insert(if is_group { (*token).clone() } else { token.to_ascii_lowercase() })
    };
    let is_name = |token: &&String| !is_keyword(token, "EXCEPT") && !is_keyword(token, ALL);
    let named = tokens.filter(is_name).filter(is_new).cloned();
    named.chain([other.to_owned()]).collect()
}

/// No token has a blank in it, unless the separators are others: then one could be called like the rest.
fn who(label: &str) -> Who {
    if label == ANYONE || is_keyword(label, ALL) { Who::Other } else { Who::Token(label.to_owned()) }
}

fn origin(label: &str) -> Origin {
    if label == ANYWHERE { Origin::Any } else { Origin::of(label) }
}

fn labels(chosen: &[usize], all: &[String]) -> Vec<String> {
    if chosen.len() == all.len() {
        return vec![ALL.to_owned()];
    }
    chosen.iter().filter_map(|at| all.get(*at)).cloned().collect()
}

/// The rules whose users match, by their place.
fn matching(
    rules: &[Prepared<'_>],
    who: &Who,
    nodefgroup: bool,
    steps: &mut Steps,
) -> Result<Vec<usize>, TooMany> {
    let mut found = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        steps.take(rule.users.len())?;
        let tokens = rule.users.iter().map(|token| not_except(token));
        if list_matches(tokens, |token| matches_user(token, who, nodefgroup)) {
            found.push(at);
        }
    }
    Ok(found)
}

/// The first of these rules that matches.
fn decide(
    rules: &[Prepared<'_>],
    chosen: &[usize],
    from: &Origin,
    steps: &mut Steps,
) -> Result<Option<usize>, TooMany> {
    for at in chosen {
        let Some(rule) = rules.get(*at) else { continue };
        steps.take(rule.origins.len())?;
        if list_matches(rule.origins.iter().map(Option::as_ref), |token| token.covers(from)) {
            return Ok(Some(*at));
        }
    }
    Ok(None)
}

fn lets_in(rules: &[Prepared<'_>], decided: Option<usize>) -> bool {
    decided.and_then(|at| rules.get(at)).is_none_or(|rule| rule.grants)
}

/// `list_match` of `pam_access`: `a EXCEPT b EXCEPT c` is `a` without what is `b` and not `c`. None stands
/// for `EXCEPT`.
fn list_matches<T: Copy>(tokens: impl Iterator<Item = Option<T>>, matches: impl Fn(T) -> bool) -> bool {
    let (mut inclusion, mut matched, mut result) = (true, false, false);
    for token in tokens {
        match token {
            None if !matched => break,
            None => (inclusion, matched) = (!inclusion, false),
            Some(token) if matches(token) => (result, matched) = (inclusion, true),
            Some(_) => {}
        }
    }
    result
}

#[cfg(test)]
mod tests;
