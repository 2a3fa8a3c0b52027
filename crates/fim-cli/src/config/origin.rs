//! Where each value of the configuration came from: an option, a line of a file, or nowhere. Pure.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// A line of a file, from 1.
    File(PathBuf, usize),
    /// An option of the command.
    Option(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(file, line) => write!(f, "{}:{line}", file.display()),
            Self::Option(name) => f.write_str(name),
        }
    }
}

/// The origin of every value that has one, by names like `state`, `limits.max_file_size`, `generic[0].paths`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// Where the value of this name came from.
    pub fn of(&self, name: &str) -> &Origin {
        self.0.get(name).unwrap_or(&Origin::Default)
    }

    /// Says where a value came from; the last word counts.
    pub fn set(&mut self, name: impl Into<String>, origin: Origin) {
        self.0.insert(name.into(), origin);
    }

    /// Notes every value of a file; `counts` says how many tables of each array came before this file.
    pub fn note(&mut self, file: &Path, text: &str, counts: impl Fn(&str) -> usize) {
        for value in values(text) {
            let name = value.name(&counts);
            self.set(name, Origin::File(file.to_owned(), line_at(text, value.at.start)));
        }
    }

    /// A configuration as text, with the origin of each value behind it.
    pub fn annotate(&self, text: &str) -> String {
        const COLUMN: usize = 48;
        let mut annotated = text.to_owned();
        // From behind, so that what is inserted moves nothing that is still to come.
        let mut values = values(text);
        values.sort_by_key(|value| std::cmp::Reverse(value.at.end));
        for value in values {
            let end = value.at.end;
            let line = text.get(..end).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
            let gap = COLUMN.saturating_sub(line.chars().count()).max(2);
            let origin = self.of(&value.name(|_| 0));
            annotated.insert_str(end, &format!("{:gap$}# {origin}", ""));
        }
        annotated
    }
}

/// One `key = value`.
struct Value {
    /// The table it is in, and which of several of this name.
    table: Option<(String, Option<usize>)>,
    key: String,
    /// From the start of the key to the end of the value.
    at: Range<usize>,
}

impl Value {
    fn name(&self, counts: impl Fn(&str) -> usize) -> String {
        match &self.table {
            None => self.key.clone(),
            Some((table, None)) => format!("{table}.{}", self.key),
            Some((table, Some(index))) => format!("{table}[{}].{}", index + counts(table), self.key),
        }
    }
}

/// The values of a text in TOML; none if it is not TOML. Tables deeper than one count as values.
fn values(text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let Ok(top) = DeTable::parse(text) else {
        return found;
    };
    for (key, value) in top.get_ref() {
        let tables = match value.get_ref() {
            DeValue::Table(table) => vec![(table, None)],
            DeValue::Array(items) => {
                let tables = items.iter().filter_map(|item| item.get_ref().as_table());
                tables.enumerate().map(|(index, table)| (table, Some(index))).collect()
            }
            _ => Vec::new(),
        };
        if tables.is_empty() {
            found.push(one(None, key, value));
        }
        for (table, index) in tables {
            let name = (key.get_ref().to_string(), index);
            found.extend(table.iter().map(|(key, value)| one(Some(name.clone()), key, value)));
        }
    }
    found
}

fn one(
    table: Option<(String, Option<usize>)>,
    key: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
) -> Value {
    Value { table, key: key.get_ref().to_string(), at: key.span().start..value.span().end }
}

/// The line of a place in a text, from 1.
pub fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.iter().filter(|&&b| b == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_line() {
        let text = "a = 1\n\n[t]\nb = [\n 1 ]\n[[l]]\nc = '#'\n[[l]]\nc = \"\"\"x\ny\"\"\"\n";
        let mut origins = Origins::default();
        origins.note(Path::new("/f"), text, |_| 2);
        for (name, line) in [("a", 1), ("t.b", 4), ("l[2].c", 7), ("l[3].c", 9)] {
            assert_eq!(origins.of(name), &Origin::File("/f".into(), line), "{name}");
        }
        assert_eq!(origins.of("z"), &Origin::Default);
        origins.set("l[0].c", Origin::Option("--c"));
        let annotated = origins.annotate(text);
        let before: toml::Table = toml::from_str(text).unwrap();
        assert_eq!(toml::from_str::<toml::Table>(&annotated).unwrap(), before, "{annotated}");
        assert!(
            annotated.contains("a = 1                                           # /f:1\n"),
            "{annotated}"
        );
        assert!(annotated.contains("c = '#'                                         # --c\n"), "{annotated}");
    }
}
