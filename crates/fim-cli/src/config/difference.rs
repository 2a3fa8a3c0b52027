//! What a new configuration would gain and lose against the one that holds, before it is applied: patterns,
//! and the files on disk they stand for.

use super::{Config, Evidence, Limits, Pins, Plan, Process, Section};
use crate::{consumers, estimate};
use fim_core::{Interest, WatchSet};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// So many paths are named; the rest is counted.
const NAMED: usize = 10;

/// What differs, in words; homes are those below the root of each.
pub fn describe(old: &Plan, new: &Plan, homes: impl Fn(&Path) -> Vec<PathBuf>) -> String {
    let [before, after] = [old, new].map(|plan| Side::of(plan, &homes(&plan.config.root)));
    let files = Files::compare(&before, &after);
    let mut text = String::new();
    // Writing to a string cannot fail.
    for (name, before, after) in settings(&old.config, &new.config) {
        let _ = writeln!(text, "{name:<12} {before} -> {after}");
    }
    for (sign, side, other, counts) in
        [("-", &before, &after, &files.lost_by), ("+", &after, &before, &files.gained_by)]
    {
        for (name, pattern) in side.patterns.keys().filter(|pattern| !other.patterns.contains_key(*pattern)) {
            let count = counts.get(&(*name, pattern.clone())).copied().unwrap_or(0);
            let counted = if name.ends_with("paths") { format!("  {count} files") } else { String::new() };
            let _ = writeln!(text, "{sign} {name} \"{pattern}\"{counted}");
        }
    }
    if text.is_empty() {
        text.push_str("the same settings and patterns\n");
    }
    let _ = writeln!(text);
    for (word, sign, paths) in [("lost", "-", &files.lost), ("gained", "+", &files.gained)] {
        let _ = writeln!(text, "{word:<12} {} files", paths.count);
        for path in &paths.first {
            let _ = writeln!(text, "  {sign} {}", crate::output::tame(&path.to_string_lossy()));
        }
        if paths.count > paths.first.len() as u64 {
            let _ = writeln!(text, "  {sign} and {} more", paths.count - paths.first.len() as u64);
        }
    }
    let _ = writeln!(text, "{:<12} {} files", "otherwise", files.otherwise);
    let _ = writeln!(text, "{:<12} {} files", "kept", files.kept);
    text
}

fn settings(old: &Config, new: &Config) -> Vec<(&'static str, String, String)> {
    let both = words_of(old).into_iter().zip(words_of(new));
    both.filter(|((_, old), (_, new))| old != new).map(|((name, old), (_, new))| (name, old, new)).collect()
}

/// All settings but patterns, each with what it is. Taken apart whole, so that none is forgotten that is added.
fn words_of(config: &Config) -> Vec<(&'static str, String)> {
    let Config {
        state,
        watcher,
        format,
        root,
        limits: Limits { max_file_size, ring_bytes, watch_room },
        scan,
        metrics,
        evidence: Evidence { keyed, sign, sign_every },
        process: Process { confine, guard },
        pins: Pins { enabled: pins },
        packages,
        maintenance,
        writer,
        // Its settings are the patterns of files.
        users: _,
        access,
        generic_diff,
        generic,
    } = config;
    vec![
        ("state", state.display().to_string()),
        ("watcher", watcher.to_string()),
        ("format", format.to_string()),
        ("root", root.display().to_string()),
        ("max_file_size", max_file_size.to_string()),
        ("ring_bytes", ring_bytes.to_string()),
        ("watch_room", watch_room.to_string()),
        ("metrics", toml(metrics)),
        ("keyed", keyed.to_string()),
        ("sign", sign.to_string()),
        ("sign_every", sign_every.to_string()),
        ("confine", confine.to_string()),
        ("guard", guard.to_string()),
        ("pins", pins.to_string()),
        ("packages", toml(packages)),
        ("maintenance", list(maintenance)),
        ("writer", list(writer)),
        ("scan", scan.to_string()),
        // Without the section they are nothing to speak of.
        ("pam_access", access.clone().unwrap_or_default().to_string()),
        ("generic_diff", options(generic_diff)),
        ("generic", options(generic)),
    ]
}

/// How the sections of one name look at files, whichever those are.
fn options<T: serde::Serialize>(sections: &[T]) -> String {
    let without_patterns = |section: &T| {
        let mut table = toml::Table::try_from(section).unwrap_or_default();
        table.retain(|key, _| !matches!(key, "paths" | "exclude" | "exclude_regex"));
        format!("{{{}}}", toml(&table))
    };
    let all: BTreeSet<String> = sections.iter().map(without_patterns).collect();
    if all.is_empty() { "none".to_owned() } else { all.into_iter().collect::<Vec<_>>().join(" ") }
}

/// What a pattern is for, and the pattern as it is written.
type Pattern = (&'static str, String);

/// A section on one line.
fn toml(section: &impl serde::Serialize) -> String {
    let text = toml::to_string(section).unwrap_or_default();
    text.trim_end().replace('\n', ", ")
}

/// Sections of the same name.
fn list<T: serde::Serialize>(sections: &[T]) -> String {
    let sections: Vec<String> = sections.iter().map(|section| format!("{{{}}}", toml(section))).collect();
    if sections.is_empty() { "none".to_owned() } else { sections.join(" ") }
}

/// One configuration.
struct Side {
    sections: Vec<Section>,
    watch: WatchSet,
    /// Each with what it would match alone, where it says what is watched.
    patterns: BTreeMap<Pattern, WatchSet>,
}

impl Side {
    fn of(plan: &Plan, homes: &[PathBuf]) -> Self {
        let claims = consumers::claims(plan, homes).into_iter();
        let sections: Vec<Section> = claims.map(|(section, _)| section).collect();
        let set = |interests: Vec<Interest>| {
            // Plans are checked: every pattern can be used.
            WatchSet::new(interests.into_iter().map(Interest::resolved).collect()).unwrap_or_default()
        };
        let mut patterns: BTreeMap<Pattern, Vec<Interest>> = BTreeMap::new();
        for section in &sections {
            let [paths, exclude, regex] = words(section.name);
            for (written, path) in section.written.iter().zip(&section.interest.paths) {
                let alone = Interest::in_paths([path.as_str()]);
                patterns.entry((paths, written.clone())).or_default().push(alone);
            }
            for (word, texts) in [(exclude, &section.exclude), (regex, &section.interest.exclude_regex)] {
                for text in texts {
                    patterns.entry((word, text.clone())).or_default();
                }
            }
        }
        let watch = set(sections.iter().map(|section| section.interest.clone()).collect());
        let patterns = patterns.into_iter().map(|(pattern, alone)| (pattern, set(alone))).collect();
        Self { sections, watch, patterns }
    }

    fn owner(&self, path: &Path) -> Option<&Section> {
        self.sections.get(self.watch.owner(path)?)
    }

    /// The first pattern that names this path.
    fn by(&self, path: &Path) -> Option<&Pattern> {
        self.patterns.iter().find(|(_, alone)| alone.owner(path).is_some()).map(|(pattern, _)| pattern)
    }
}

fn words(section: &str) -> [&'static str; 3] {
    match section {
        "access" => ["[access] paths", "[access] exclude", "[access] exclude_regex"],
        "users" => ["[users] paths", "[users] exclude", "[users] exclude_regex"],
        "generic_diff" => {
            ["[[generic_diff]] paths", "[[generic_diff]] exclude", "[[generic_diff]] exclude_regex"]
        }
        _ => ["[[generic]] paths", "[[generic]] exclude", "[[generic]] exclude_regex"],
    }
}

/// The files on disk, by what becomes of them.
#[derive(Default)]
struct Files {
    lost: Paths,
    gained: Paths,
    lost_by: BTreeMap<Pattern, u64>,
    gained_by: BTreeMap<Pattern, u64>,
    /// Watched before and after, but by another consumer, or with other hashes.
    otherwise: u64,
    kept: u64,
}

/// Paths: how many, and the first of them.
#[derive(Default)]
struct Paths {
    count: u64,
    first: Vec<PathBuf>,
}

impl Paths {
    fn add(&mut self, path: &Path) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(path.to_owned());
        }
    }
}

impl Files {
    fn compare(before: &Side, after: &Side) -> Self {
        let mut files = Self::default();
        estimate::visit(&[&before.watch, &after.watch], &mut |path| match (
            before.owner(path),
            after.owner(path),
        ) {
            (None, None) => {}
            _ if path.symlink_metadata().is_err() => {}
            (Some(_), None) => {
                files.lost.add(path);
                count(&mut files.lost_by, before.by(path));
            }
            (None, Some(_)) => {
                files.gained.add(path);
                count(&mut files.gained_by, after.by(path));
            }
            (Some(old), Some(new)) if old.name == new.name && old.interest.need == new.interest.need => {
                files.kept += 1;
            }
            (Some(_), Some(_)) => files.otherwise += 1,
        });
        files
    }
}

fn count(counts: &mut BTreeMap<Pattern, u64>, pattern: Option<&Pattern>) {
    if let Some(pattern) = pattern {
        *counts.entry(pattern.clone()).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Shared;
    use crate::config::load;

    #[test]
    fn patterns_and_files_gained_and_lost() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        for name in ["old", "both", "new"] {
            std::fs::create_dir(base.join(name)).unwrap();
            for file in ["a", "b.swp"] {
                std::fs::write(base.join(name).join(file), "").unwrap();
            }
        }
        let plan = |name: &str, text: &str| {
            let file = base.join(name);
            std::fs::write(&file, text.replace("BASE", base.to_str().unwrap())).unwrap();
            Plan::new(load(Some(&file)).unwrap(), &Shared::default()).unwrap()
        };
        let old =
            plan("old.toml", "[[generic]]\npaths = ['BASE/old', 'BASE/both']\nexclude = ['**/*.swp']\n");
        let new = plan(
            "new.toml",
            "watcher = 'bpf'\n[[generic]]\npaths = ['BASE/both', 'BASE/new']\n[[generic_diff]]\npaths = ['BASE/both/a']\n",
        );
        let text = describe(&old, &new, |_| Vec::new());
        let at = |name: &str| base.join(name).display().to_string();
        for said in [
            "watcher      auto -> bpf\n".to_owned(),
            format!("- [[generic]] paths \"{}\"  2 files\n", at("old")),
            "- [[generic]] exclude \"**/*.swp\"\n".to_owned(),
            format!("+ [[generic]] paths \"{}\"  3 files\n", at("new")),
            format!("+ [[generic_diff]] paths \"{}\"  0 files\n", at("both/a")),
            "lost         2 files\n".to_owned(),
            "gained       4 files\n".to_owned(),
            format!("  + {}\n", at("both/b.swp")),
            "otherwise    1 files\n".to_owned(),
            "kept         1 files\n".to_owned(),
        ] {
            assert!(text.contains(&said), "{said}\n{text}");
        }
        for (setting, said) in [
            ("[process]\nconfine = false", "confine      true -> false\n"),
            ("[process]\nguard = false", "guard        true -> false\n"),
            ("[pins]\nenabled = true", "pins         false -> true\n"),
            ("[evidence]\nsign = true", "sign         false -> true\n"),
            ("[evidence]\nsign_every = '7m'", "sign_every   "),
            ("[[generic_diff]]\npaths = ['BASE/both/a']\nignore_comments = true", "ignore_comments = true"),
            ("[[generic_diff]]\npaths = ['BASE/both/a']\nredact = ['x']", "redact = "),
            ("[[generic_diff]]\npaths = ['BASE/both/a']\nmax_lines = 7", "max_lines = 7"),
            ("[[generic]]\npaths = ['BASE/both/a']\nhash = ['blake3', 'sha256']", "generic      "),
        ] {
            let text = describe(&plan("default.toml", ""), &plan("set.toml", setting), |_| Vec::new());
            assert!(text.contains(said), "{setting}\n{text}");
        }
        let same = describe(&old, &old, |_| Vec::new());
        assert!(same.starts_with("the same settings and patterns\n\nlost         0 files\n"), "{same}");
    }
}
