//! What a self-test came to, in words and as JSON.

use super::{Tested, is_as_promised};
use fim_catalogue::{Outcome, Verdict, limit};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// One case: how it went, its class and name, how soon, and what is to be said of it.
pub(super) fn line(outcome: &Outcome, as_promised: bool) -> String {
    let after = outcome.after.map(|after| format!("{} ms", after.as_millis())).unwrap_or_default();
    let mark = if as_promised { ' ' } else { '!' };
    let line = format!(
        "{mark} {:<17} {:>8}  {:<10} {:<24} {}",
        outcome.verdict.as_str(),
        after,
        outcome.case.class,
        outcome.case.name,
        outcome.note
    );
    format!("{}\n", line.trim_end())
}

/// How many of each class went how.
pub(super) fn summary(tested: &Tested) -> String {
    let mut classes: BTreeMap<&str, BTreeMap<Verdict, u32>> = BTreeMap::new();
    for outcome in &tested.outcomes {
        *classes.entry(outcome.case.class).or_default().entry(outcome.verdict).or_default() += 1;
    }
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n{} on {}:", tested.started.watcher, tested.file_system);
    for (class, verdicts) in &classes {
        let promise = tested.started.coverage.get(class).map_or("", |degree| degree.as_str());
        let counts: Vec<String> =
            verdicts.iter().rev().map(|(verdict, count)| format!("{count} {}", verdict.as_str())).collect();
        let _ = writeln!(text, "  {class:<10} promised {promise:<5} {}", counts.join(", "));
    }
    let faults = tested.outcomes.iter().filter(|outcome| !is_as_promised(outcome, &tested.started)).count();
    let _ = writeln!(text, "{} ways, {faults} not reported as promised", tested.outcomes.len());
    let limits = tested.outcomes.iter().filter(|outcome| outcome.verdict < Verdict::Late);
    let limits = limits.filter_map(|outcome| limit(&tested.started.watcher, &outcome.case));
    let known: BTreeSet<&str> = limits.map(|limit| limit.why).collect();
    for why in known {
        let _ = writeln!(text, "known of {}: {why}", tested.started.watcher);
    }
    text
}

/// One case as a JSON object.
pub(super) fn case_json(outcome: &Outcome, as_promised: bool) -> String {
    let after = outcome.after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
    let case = json!({
        "name": outcome.case.name,
        "class": outcome.case.class,
        "result": outcome.verdict.as_str(),
        "after_ms": after,
        "as_promised": as_promised,
        "note": outcome.note,
        "lost": outcome.lost,
    });
    format!("{case}\n")
}

/// The whole as a JSON object: the machine, and what its watcher promises.
pub(super) fn summary_json(tested: &Tested) -> String {
    let coverage: BTreeMap<&str, &str> =
        tested.started.coverage.iter().map(|(class, degree)| (*class, degree.as_str())).collect();
    let whole = json!({
        "kernel": rustix::system::uname().release().to_string_lossy(),
        "watcher": tested.started.watcher,
        "file_system": tested.file_system,
        "coverage": coverage,
        "ways": tested.outcomes.len(),
    });
    format!("{whole}\n")
}
