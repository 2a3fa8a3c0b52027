//! Access rules of `pam_access`: which rule came, went, moved or changed, and who is let in from where now
//! and was not, or the other way round.
//!
//! Users, groups and hosts are not looked up: what is said holds for the tokens of the rules. Content is
//! parsed in [`parse::access`](crate::parse::access); metadata is compared as for any file.

mod chain;
mod diff;
mod effect;
mod kept;
mod severity;
mod token;

use crate::generic::{changes, places, severity as generic_severity};
use crate::parse::access::{AccessFile, Broken, Rule, Separators, parse};
use chain::{Chain, Link};
use diff::Difference;
use fim_core::{
    Change, Consumer, ConsumerError, Context, Facts, FileKind, HashState, Interest, Severity, Snapshot, Value,
};
use std::path::{Path, PathBuf};

/// A file of more bytes is not parsed: far above what anybody writes by hand.
const MAX_BYTES: u64 = 1 << 20;

/// Which files, and the options of `pam_access` that say how they are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessConfig {
    /// As [`Interest::paths`].
    pub paths: Vec<String>,
    /// `fieldsep` and `listsep`.
    pub separators: Separators,
    /// `nodefgroup`: a name without parentheses is no group.
    pub nodefgroup: bool,
    /// Where the system's own directories are, if not at `/`.
    pub root: PathBuf,
}

/// The consumer `access`.
///
/// ```
/// use fim_consumers::{Access, AccessConfig};
/// use fim_core::{Consumer, Context, Snapshot, Facts, FileKind};
///
/// let paths = vec!["/etc/security/access.conf".into()];
/// let mut access = Access::new(AccessConfig { paths, ..AccessConfig::default() });
/// let facts = Facts::new(FileKind::File);
/// let file = Snapshot::new("/etc/security/access.conf", facts, Some(b"+:root:LOCAL\n".to_vec()));
/// let mut cx = Context::new(None, None);
/// access.inspect(&file, &mut cx)?;
/// assert!(cx.into_answer().changes.iter().any(|change| change.what == "rule_added"));
/// # Ok::<(), fim_core::ConsumerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Access {
    config: AccessConfig,
    chain: Chain,
}

impl Access {
    /// A consumer for these files.
    #[must_use]
    pub fn new(config: AccessConfig) -> Self {
        Self { config, chain: Chain::default() }
    }
}

impl Consumer for Access {
    fn name(&self) -> &'static str {
        "access"
    }

    fn interest(&self) -> Interest {
        Interest::in_paths(self.config.paths.clone()).with_content(MAX_BYTES)
    }

    fn recall(&mut self, path: &Path, kept: &[u8]) {
        self.chain.set(path, kept::decode(kept, &self.config.separators));
    }

    fn inspect(&mut self, file: &Snapshot, cx: &mut Context<'_>) -> Result<(), ConsumerError> {
        let (before, after) = (cx.before(), file.facts.as_ref());
        let old = match before {
            None => Some(AccessFile::default()),
            Some(_) => cx.kept().and_then(|kept| kept::decode(kept, &self.config.separators)),
        };
        let new = match after {
            None => Some(AccessFile::default()),
            Some(facts) if facts.kind == FileKind::File => {
                file.content.as_deref().map(|bytes| parse(bytes, &self.config.separators))
            }
            Some(_) => None,
        };
        let mut explained = false;
        if let (Some(old), Some(new)) = (&old, &new) {
            explained = true;
            if !self.compare(&file.path, old, new, cx) && before.is_some() {
                comments(before, after, cx);
            }
        }
        compare_metadata((&self.config.root, &file.path), before, after, explained, cx);
        if let (Some(after), None) = (after, &new) {
            not_read(before, after, cx);
        }
        if let Some(new) = new {
            if after.is_some() {
                cx.keep(kept::encode(&new, &self.config.separators));
            }
            self.chain.set(&file.path, after.map(|_| new));
        }
        Ok(())
    }
}

impl Access {
    /// Says what is different in the rules; whether anything is.
    fn compare(&self, path: &Path, old: &AccessFile, new: &AccessFile, cx: &mut Context<'_>) -> bool {
        let differences = diff::between(&old.rules, &new.rules);
        for difference in &differences {
            cx.severity(severity::of_difference(difference));
            cx.change(told(difference));
        }
        if !differences.is_empty() {
            let (before, after) = (self.chain.with(path, old), self.chain.with(path, new));
            self.say_effects(&before, &after, cx);
            self.say_shadowed(&before, &after, cx);
        }
        let broken = say_broken("broken_line", &old.broken, &new.broken, cx);
        let mended = say_broken("broken_line_removed", &new.broken, &old.broken, cx);
        !differences.is_empty() || broken || mended
    }

    fn say_effects(&self, before: &[Link<'_>], after: &[Link<'_>], cx: &mut Context<'_>) {
        let Ok(effects) = effect::between(&rules(before), &rules(after), self.config.nodefgroup) else {
            cx.severity(Severity::High);
            cx.change(Change::new("effect_unknown").of("reason", "too many rules"));
            return;
        };
        for effect in effects {
            cx.severity(severity::of_effect(&effect));
            let what = if effect.granted { "access_granted" } else { "access_revoked" };
            let change = Change::new(what).of("who", list(&effect.who)).of("from", list(&effect.from));
            cx.change(match effect.rule.and_then(|at| after.get(at)) {
                Some(link) => by(change, "", link),
                None => change.of("rule", "none"),
            });
        }
    }

    /// Rules of this file that are not reached any more.
    fn say_shadowed(&self, before: &[Link<'_>], after: &[Link<'_>], cx: &mut Context<'_>) {
        let shadowed = |links: &[Link<'_>]| effect::shadowed(&rules(links), self.config.nodefgroup);
        let (Ok(old), Ok(new)) = (shadowed(before), shadowed(after)) else { return };
        let known: Vec<_> = old.iter().filter_map(|(at, _)| Some(before.get(*at)?.rule.key())).collect();
        for (at, early) in new {
            let (Some(link), Some(early)) = (after.get(at), after.get(early)) else { continue };
            if link.elsewhere.is_none() && !known.contains(&link.rule.key()) {
                cx.severity(Severity::Notable);
                cx.change(by(
                    of_rule(Change::new("shadowed"), link.rule).of("line", link.rule.line),
                    "by_",
                    early,
                ));
            }
        }
    }
}

fn rules<'a>(links: &[Link<'a>]) -> Vec<&'a Rule> {
    links.iter().map(|link| link.rule).collect()
}

fn told(difference: &Difference<'_>) -> Change {
    let position = |at: usize| Value::from(at as u64 + 1);
    match *difference {
        Difference::Added { at, rule } => {
            of_rule(Change::new("rule_added"), rule).of("position", position(at)).of("line", rule.line)
        }
        Difference::Removed { at, rule } => {
            of_rule(Change::new("rule_removed"), rule).of("position", position(at)).of("line", rule.line)
        }
        Difference::Moved { from, to, rule } => of_rule(Change::new("rule_moved"), rule)
            .of("from", position(from))
            .of("to", position(to))
            .of("line", rule.line),
        Difference::Changed { from, to, before, after } => {
            let change = Change::from_to("rule_changed", before.to_string(), after.to_string());
            let change = of_rule(change, after).of("position", position(to));
            let change = if from == to { change } else { change.of("from", position(from)) };
            change.of("line", after.line)
        }
    }
}

fn of_rule(change: Change, rule: &Rule) -> Change {
    change
        .of("permission", rule.permission())
        .of("users", list(&rule.users))
        .of("origins", list(&rule.origins))
}

/// Names the rule that decides, and its file if it is another.
fn by(change: Change, prefix: &str, link: &Link<'_>) -> Change {
    let change =
        change.of(format!("{prefix}rule"), link.rule.to_string()).of(format!("{prefix}line"), link.rule.line);
    match link.elsewhere {
        Some(path) => change.of(format!("{prefix}file"), path.to_string_lossy().into_owned()),
        None => change,
    }
}

fn list(tokens: &[String]) -> Value {
    Value::List(tokens.iter().map(|token| token.as_str().into()).collect())
}

/// Says which broken lines are in `to` and not in `from`, wherever they stand; whether there are any. Never
/// what is in them: it is no rule, and may be anything.
fn say_broken(what: &str, from: &[Broken], to: &[Broken], cx: &mut Context<'_>) -> bool {
    let mut known: Vec<_> = from.iter().map(|line| (line.fault, &line.text)).collect();
    let mut any = false;
    for line in to {
        if let Some(at) = known.iter().position(|it| *it == (line.fault, &line.text)) {
            known.swap_remove(at);
            continue;
        }
        any = true;
        cx.severity(Severity::Notable);
        cx.change(Change::new(what).of("line", line.line).of("reason", line.fault.as_str()));
    }
    any
}

/// The rules are the same: if bytes differ, it is in comments and blanks.
fn comments(before: Option<&Facts>, after: Option<&Facts>, cx: &mut Context<'_>) {
    if let (Some(before), Some(after)) = (before, after)
        && changes::content_differs(before, after)
    {
        cx.severity(Severity::Routine);
        cx.change(Change::new("comments"));
    }
}

/// Owner, mode and the like; of content only where the rules do not tell it better.
fn compare_metadata(
    (root, path): (&Path, &Path),
    before: Option<&Facts>,
    after: Option<&Facts>,
    explained: bool,
    cx: &mut Context<'_>,
) {
    let severity = generic_severity::of(places::within(root, path), before, after);
    let (Some(old), Some(new)) = (before, after) else {
        cx.severity(severity);
        return;
    };
    let is_content = |change: &Change| matches!(change.what.as_str(), "content" | "sha256" | "size");
    let mut any = false;
    for change in changes::between(path, old, new) {
        if !(explained && is_content(&change)) {
            any = true;
            cx.change(change);
        }
    }
    if any {
        cx.severity(severity);
    }
}

/// Says why the rules are not known, if this look is the first that does not know them.
fn not_read(before: Option<&Facts>, after: &Facts, cx: &mut Context<'_>) {
    let is_news = before.is_none_or(|before| changes::content_differs(before, after));
    if after.kind != FileKind::File {
        cx.severity(Severity::High);
    } else if is_news && !before.is_some_and(|_| changes::is_unknown(after)) {
        cx.severity(Severity::High);
        cx.change(Change::new(match after.hash_state {
            HashState::Unreadable | HashState::Gone => "unreadable",
            HashState::Unstable => "unstable",
            HashState::TooBig | HashState::Stable => "too_big",
        }));
    }
}

#[cfg(test)]
mod tests;
