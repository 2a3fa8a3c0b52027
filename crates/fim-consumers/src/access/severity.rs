//! How much a change of rules matters.
//!
//! | severity | what |
//! |---|---|
//! | critical | root, or people whom no rule names, are let in where they were not |
//! | high | others are; root or everybody is locked out; a rule lets in root or everybody; a rule that denied is gone; who is let in could not be worked out |
//! | notable | other rules; lines that `pam_access` passes over; rules that are never reached |
//! | routine | comments |

use super::diff::Difference;
use super::effect::Effect;
use super::token::is_keyword;
use crate::parse::access::Rule;
use fim_core::Severity;

/// By what a rule says, before who it concerns in the end.
pub(super) fn of_difference(difference: &Difference<'_>) -> Severity {
    let (gone, new) = match difference {
        Difference::Added { rule, .. } => (None, Some(*rule)),
        Difference::Removed { rule, .. } => (Some(*rule), None),
        Difference::Changed { before, after, .. } => (Some(*before), Some(*after)),
        Difference::Moved { .. } => (None, None),
    };
    let is_high = gone.is_some_and(|rule| !rule.grants) || new.is_some_and(grants_power);
    if is_high { Severity::High } else { Severity::Notable }
}

/// By who is let in or not.
pub(super) fn of_effect(effect: &Effect) -> Severity {
    let power = effect.concerns_anyone() || effect.who.iter().any(|who| is_root(who));
    match (effect.granted, power) {
        (true, true) => Severity::Critical,
        (true, false) | (false, true) => Severity::High,
        (false, false) => Severity::Notable,
    }
}

fn grants_power(rule: &Rule) -> bool {
    let mut included = rule.users.iter().take_while(|token| !is_keyword(token, "EXCEPT"));
    rule.grants && included.any(|token| is_keyword(token, "ALL") || is_root(token))
}

/// By name, number, or as a group; on any host.
fn is_root(token: &str) -> bool {
    let user = token.split_once('@').map_or(token, |(user, _)| user);
    ["root", "0", "(root)", "(0)"].iter().any(|root| user.eq_ignore_ascii_case(root))
}
