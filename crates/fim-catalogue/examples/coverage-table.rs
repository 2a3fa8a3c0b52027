//! Makes `docs/coverage.md` of what `fim selftest --json` printed on several kernels.
//!
//! ```text
//! coverage-table DOC RESULT...           brings the table in DOC up to date with these results
//! coverage-table --check DOC RESULT...   compares only; ends with 1 and names each cell that got worse
//! ```
//! Columns that were not run stay as they are.

use fim_catalogue::{Case, LIMITS, Verdict, limit, table};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::process::ExitCode;

const BEFORE: &str = include_str!("coverage-table/before.md");

/// From worst to best. What is not in the list is no result.
const RESULTS: [&str; 7] = ["missed", "no actor", "false alarm", "–", "late", "quiet", "full"];

/// Where late stands among them.
const LATE: usize = 4;

/// Case and column to what came of it.
type Cells = BTreeMap<(String, Column), String>;

/// A watcher and a kernel, in the order in which they stand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Column {
    watcher: String,
    kernel: Vec<u32>,
}

impl Column {
    fn parse(title: &str) -> Option<Self> {
        let (watcher, kernel) = title.split_once(' ')?;
        let kernel = kernel.split('.').take(2).map(|part| part.parse().ok()).collect::<Option<_>>()?;
        Some(Self { watcher: watcher.to_owned(), kernel })
    }

    fn title(&self) -> String {
        let kernel: Vec<String> = self.kernel.iter().map(u32::to_string).collect();
        format!("{} {}", self.watcher, kernel.join("."))
    }
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let check = args.first().is_some_and(|arg| arg == "--check");
    if check {
        args.remove(0);
    }
    let Some((doc, results)) = args.split_first() else {
        return Err("usage: coverage-table [--check] DOC RESULT...".into());
    };
    let old = std::fs::read_to_string(doc).map(|text| parse(&text)).unwrap_or_default();
    let new = read(results)?;
    let worse = worse(&old, &new);
    for line in &worse {
        println!("worse: {line}");
    }
    if check {
        return Ok(if worse.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) });
    }
    let mut cells = old;
    cells.extend(new);
    std::fs::write(doc, render(&cells))?;
    Ok(ExitCode::SUCCESS)
}

/// The results of each file: a line for each case, the last for the whole.
fn read(files: &[String]) -> Result<Cells, Box<dyn std::error::Error>> {
    let mut found: BTreeMap<(String, Column), BTreeMap<String, String>> = BTreeMap::new();
    let mut unclear = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(file)?;
        let mut lines: Vec<Value> = text
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .map_err(|e| format!("{file}: {e}"))?;
        let whole = lines.pop().filter(|line| line.get("kernel").is_some());
        let whole = whole.ok_or_else(|| format!("{file}: the self-test did not come to its end"))?;
        let word =
            |line: &Value, key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let kernel = word(&whole, "kernel");
        let kernel = kernel.split(['-', '+']).next().unwrap_or_default();
        let column = Column::parse(&format!("{} {kernel}", word(&whole, "watcher")))
            .ok_or_else(|| format!("{file}: what kernel is {kernel}?"))?;
        for line in lines {
            // A run in which records were lost, and said to be, shows nothing of the way; half a cell would say
            // of one file system what was seen on another.
            let lost = line.get("lost").and_then(Value::as_bool) == Some(true);
            let result = word(&line, "result").replace("not possible here", "–");
            if lost && ["late", "no actor"].contains(&result.as_str()) {
                unclear.insert((word(&line, "name"), column.clone()));
            }
            let cell = found.entry((word(&line, "name"), column.clone())).or_default();
            cell.insert(word(&whole, "file_system"), result);
        }
    }
    found.retain(|key, _| !unclear.contains(key));
    let join = |results: BTreeMap<String, String>| {
        let distinct: BTreeSet<&String> = results.values().collect();
        match distinct.len() {
            1 => distinct.into_iter().cloned().collect::<String>(),
            _ => results.into_values().collect::<Vec<_>>().join(" / "),
        }
    };
    Ok(found.into_iter().map(|(key, results)| (key, join(results))).collect())
}

/// The cells of a table made earlier.
fn parse(text: &str) -> Cells {
    let mut cells = Cells::new();
    let mut columns: Vec<Column> = Vec::new();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let parts: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let Some((name, rest)) = parts.split_first() else { continue };
        if *name == "way" {
            columns = rest.iter().skip(1).filter_map(|title| Column::parse(title)).collect();
        } else if let Some(name) = name.strip_prefix('`').and_then(|name| name.strip_suffix('`')) {
            for (column, cell) in columns.iter().zip(rest.iter().skip(1)).filter(|(_, cell)| !cell.is_empty())
            {
                cells.insert((name.to_owned(), column.clone()), (*cell).to_owned());
            }
        }
    }
    cells
}

/// How good a cell is on each file system: one word stands for both.
fn ranks(cell: &str) -> Vec<usize> {
    let ranks: Vec<usize> =
        cell.split(" / ").map(|word| RESULTS.iter().position(|it| *it == word).unwrap_or_default()).collect();
    match ranks.as_slice() {
        [one] => vec![*one, *one],
        _ => ranks,
    }
}

fn worse(old: &Cells, new: &Cells) -> Vec<String> {
    let is_worse = |old: &str, new: &str| ranks(old).iter().zip(ranks(new)).any(|(old, new)| new < *old);
    new.iter()
        .filter_map(|(key, cell)| {
            let before = old.get(key).filter(|before| is_worse(before, cell) && !is_known(key, cell))?;
            Some(format!("{} with {}: {before} before, {cell} now", key.0, key.1.title()))
        })
        .collect()
}

/// Whether all that a cell says is what a known limit lets pass.
fn is_known((name, column): &(String, Column), cell: &str) -> bool {
    let case = table().into_iter().find(|case| case.name == *name);
    let known = case.and_then(|case| limit(&column.watcher, &case)).map(|limit| limit.promised.as_str());
    let rank = |word: &str| RESULTS.iter().position(|it| *it == word).unwrap_or_default();
    known.is_some_and(|known| cell.split(" / ").all(|word| word == known || rank(word) >= LATE))
}

fn render(cells: &Cells) -> String {
    let columns: BTreeSet<&Column> = cells.keys().map(|(_, column)| column).collect();
    let mut text = BEFORE.to_owned();
    let mut class = "";
    let mut cases = table();
    let first = |class: &str| table().iter().position(|case| case.class == class);
    cases.sort_by_key(|case| first(case.class));
    // Writing to a string cannot fail.
    for case in cases {
        if case.class != class {
            class = case.class;
            let titles: Vec<String> = columns.iter().map(|column| column.title()).collect();
            let _ = writeln!(text, "\n## {class}\n\n| way | what is done | {} |", titles.join(" | "));
            let _ = writeln!(text, "|---|---|{}", "---|".repeat(columns.len()));
        }
        let row: Vec<&str> = columns.iter().map(|column| cell(cells, &case, column)).collect();
        let _ = writeln!(text, "| `{}` | {} | {} |", case.name, case.says, row.join(" | "));
    }
    text.push_str("\n# Known limits\n\n");
    for it in LIMITS {
        let ways: Vec<String> = it.ways.iter().map(|way| format!("`{way}`")).collect();
        let how = if it.promised == Verdict::Late { "late" } else { "with nobody named" };
        let _ = writeln!(text, "* {}: {} {how}: {}", it.watcher, ways.join(", "), it.why);
    }
    text.push_str("\n# What falls short\n\n");
    for column in &columns {
        let short: Vec<String> = table()
            .iter()
            .filter(|case| falls_short(cell(cells, case, column), case, column))
            .map(|case| format!("`{}` ({})", case.name, cell(cells, case, column)))
            .collect();
        let short = if short.is_empty() { "nothing".to_owned() } else { short.join(", ") };
        let _ = writeln!(text, "* {}: {short}", column.title());
    }
    text
}

/// Whether a cell has something worse than late that is no known limit.
fn falls_short(cell: &str, case: &Case, column: &Column) -> bool {
    let known = limit(&column.watcher, case).map(|limit| limit.promised.as_str());
    let is_bad = |word: &str| RESULTS.iter().position(|it| *it == word).is_none_or(|rank| rank < LATE);
    !cell.is_empty() && cell.split(" / ").any(|word| word != "–" && is_bad(word) && Some(word) != known)
}

fn cell<'c>(cells: &'c Cells, case: &Case, column: &Column) -> &'c str {
    cells.get(&(case.name.to_owned(), column.clone())).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(rows: &[(&str, &str, &str)]) -> Cells {
        let one = |(name, column, cell): &(&str, &str, &str)| {
            (((*name).to_owned(), Column::parse(column).unwrap()), (*cell).to_owned())
        };
        rows.iter().map(one).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let cells = cells(&[("write", "bpf 6.1", "full"), ("write", "bpf 6.12", "full / late")]);
        assert_eq!(parse(&render(&cells)), cells);
    }

    #[test]
    fn a_known_limit_does_not_fall_short() {
        let short = |name: &str, column: &str, cell: &str| {
            let case = table().into_iter().find(|case| case.name == name).unwrap();
            falls_short(cell, &case, &Column::parse(column).unwrap())
        };
        assert!(!short("umount", "fanotify 6.1", "no actor"));
        assert!(short("umount", "fanotify 6.1", "no actor / missed"));
        assert!(short("umount", "bpf 6.1", "no actor"));
        assert!(!short("umount", "bpf 6.1", "–"));
        assert!(!short("umount", "bpf 6.1", "late / full"));
        assert!(!short("umount", "bpf 6.1", ""));
    }

    #[test]
    fn worse_is_worse_on_either_file_system() {
        for (old, new, expected) in [
            ("full", "full", false),
            ("full", "late", true),
            ("late", "full", false),
            ("full", "full / late", true),
            ("full / late", "full", false),
            ("full / late", "late / full", true),
            ("late", "–", true),
            ("–", "missed", true),
            ("missed", "no actor", false),
        ] {
            let (old, new) = (cells(&[("write", "bpf 6.1", old)]), cells(&[("write", "bpf 6.1", new)]));
            assert_eq!(!worse(&old, &new).is_empty(), expected, "{old:?} {new:?}");
        }
        assert_eq!(RESULTS[LATE], "late");
        for (way, cell, expected) in [
            ("umount", "no actor", false),
            ("umount", "late", false),
            ("umount", "missed", true),
            ("umount", "no actor / –", true),
            ("write", "no actor", true),
        ] {
            let old = cells(&[(way, "fanotify 6.1", "full")]);
            let new = cells(&[(way, "fanotify 6.1", cell)]);
            assert_eq!(!worse(&old, &new).is_empty(), expected, "{way} {cell}");
        }
        assert!(worse(&Cells::new(), &cells(&[("write", "bpf 6.1", "missed")])).is_empty());
    }
}
