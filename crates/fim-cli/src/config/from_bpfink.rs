//! Turns a configuration of bpfink into one of `fim`: what is meant, with a comment on all that has no
//! counterpart or means something else. Pure.

use super::origin::line_at;
use fim_core::{Interest, WatchSet};
use std::collections::BTreeMap;
use std::fmt::Write;
use toml::{Table, Value};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// A configuration of `fim`.
    pub text: String,
    /// Keys that bpfink does not know either.
    pub unknown: Vec<String>,
}

/// What is said of keys without a counterpart.
const NOTES: [(&str, &str); 12] = [
    ("debug", "`fim -v`, or RUST_LOG, sets what is logged to standard error"),
    ("level", "fim has no level for findings: `error` and `off` kept bpfink from reporting anything"),
    ("database", "fim keeps its state in the folder `state` and makes its own baseline at the first start"),
    ("bcc", "fim has its BPF program built in"),
    (
        "keyfile",
        "fim makes its own key in the folder `state`, and prints BLAKE3 of files that hold no secret",
    ),
    ("graphite-mode", GRAPHITE),
    ("consumers.users.root", "bpfink ignores it as well"),
    ("metricsconfig.graphitehost", GRAPHITE),
    ("metricsconfig.graphitemode", GRAPHITE),
    ("metricsconfig.namespace", GRAPHITE),
    ("metricsconfig.collectioninterval", "fim counts every lost record itself: see `watch_stopped`"),
    ("metricsconfig.hostrole", GRAPHITE),
];
const GRAPHITE: &str = "bpfink sent no metrics either: its mode was not 2 or 3";

/// Reads the text of bpfink's configuration.
///
/// # Errors
/// The line, where it is known, and what is wrong, if it is no TOML.
pub fn convert(text: &str) -> Result<Converted, (Option<usize>, String)> {
    let table: Table = toml::from_str(text)
        .map_err(|error| (error.span().map(|span| line_at(text, span.start)), error.message().to_owned()))?;
    let mut keys = Keys::default();
    keys.add("", table);
    let mut conversion = Conversion { keys, head: String::new(), sections: String::new() };
    let metrics = conversion.metrics();
    conversion.top();
    conversion.access();
    conversion.users();
    let excludes = conversion.excludes();
    conversion.files("generic_diff", "consumers.genericdiff", &excludes);
    conversion.files("generic", "consumers.generic", &excludes);
    if conversion.sections.is_empty() {
        conversion.note("It names nothing to watch. bpfink then watches nothing, fim /etc.");
    }
    let unknown = conversion.rest();
    let text = format!("{}{}{metrics}", conversion.head, conversion.sections);
    Ok(Converted { text, unknown })
}

/// Keys by their path in lower case, as bpfink takes them in any; with how they were written.
#[derive(Default)]
struct Keys(BTreeMap<String, (String, Value)>);

impl Keys {
    fn add(&mut self, above: &str, table: Table) {
        for (key, value) in table {
            let path = if above.is_empty() { key } else { format!("{above}.{key}") };
            match value {
                Value::Table(table) => self.add(&path, table),
                value => drop(self.0.insert(path.to_lowercase(), (path, value))),
            }
        }
    }

    fn take(&mut self, path: &str) -> Option<Value> {
        self.0.remove(path).map(|(_, value)| value)
    }

    /// A text that says something.
    fn text(&mut self, path: &str) -> Option<String> {
        match self.take(path)? {
            Value::String(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// Texts; bpfink takes one for a list of one.
    fn list(&mut self, path: &str) -> Vec<String> {
        let values = match self.take(path) {
            Some(Value::Array(values)) => values,
            one => one.into_iter().collect(),
        };
        values.into_iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
    }
}

struct Conversion {
    keys: Keys,
    /// Keys of the whole file, and comments on what is left out.
    head: String,
    sections: String,
}

impl Conversion {
    fn note(&mut self, text: &str) {
        comment(&mut self.head, text);
    }

    fn top(&mut self) {
        self.note("Made from a configuration of bpfink. `fim config --config FILE` checks it.");
        self.note("");
        for (key, note) in NOTES {
            let is_meant = |known: &&String| known.as_str() == key || is_role(known, key);
            for known in self.keys.0.keys().filter(is_meant).cloned().collect::<Vec<_>>() {
                let Some((written, value)) = self.keys.0.remove(&known) else { continue };
                self.note(&format!("{written} = {value}: {note}."));
            }
        }
        self.head.push_str(
            "\n# The lines its readers know, on standard output (bpfink: standard error). \"json\" says more.\n\
             format = \"bpfink\"\n",
        );
        if let Some(root) = self.keys.text("consumers.root") {
            if root != "/" {
                self.note("bpfink does not put all paths below another root than /. fim does.");
            }
            set(&mut self.head, "root", Value::String(root));
        }
    }

    /// The section for metrics, if there were any. bpfink's flag wins over its file.
    fn metrics(&mut self) -> String {
        let number = |value: &Value| match value {
            Value::Integer(number) => Some(*number),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let modes = ["graphite-mode", "metricsconfig.graphitemode"];
        let said = modes.map(|key| self.keys.0.get(key).and_then(|(_, value)| number(value)));
        let mode = said.into_iter().flatten().find(|mode| *mode != 0);
        let host = self.keys.0.get("metricsconfig.graphitehost").and_then(|(_, host)| host.as_str());
        let graphite = match (mode, host) {
            (Some(2), _) => "stderr".to_owned(),
            (Some(3), Some(host)) if !host.is_empty() => host.to_owned(),
            _ => return String::new(),
        };
        let mut section = "\n[metrics]\n".to_owned();
        modes.iter().chain(&["metricsconfig.graphitehost"]).for_each(|key| drop(self.keys.take(key)));
        set(&mut section, "graphite", Value::String(graphite));
        if let Some(namespace) = self.keys.text("metricsconfig.namespace") {
            set(&mut section, "namespace", Value::String(namespace));
        }
        let [path, token, key] =
            ["path", "token", "key"].map(|end| self.keys.text(&format!("metricsconfig.hostrole{end}")));
        if let (Some(path), Some(token), Some(key)) = (path, token, key) {
            let role = [("file", path), ("key", key), ("separator", token)];
            let role = role.map(|(key, value)| (key.to_owned(), Value::String(value)));
            set(&mut section, "role", Value::Table(role.into_iter().collect()));
        }
        section
    }

    fn access(&mut self) {
        let Some(path) = self.keys.text("consumers.access") else { return };
        let Some(path) = self.paths(&[path]).pop() else { return };
        self.sections.push_str("\n[access]\n");
        if let Some(dir) = path.strip_suffix("/access.conf") {
            comment(&mut self.sections, &format!("pam_access reads \"{dir}/access.d/*.conf\" as well."));
        }
        set(&mut self.sections, "paths", Value::Array(vec![Value::String(path)]));
    }

    fn users(&mut self) {
        let files = ["passwd", "shadow"].map(|name| self.keys.text(&format!("consumers.users.{name}")));
        match files {
            [Some(passwd), Some(shadow)] => {
                self.sections.push_str("\n[users]\n");
                for (key, path) in [("passwd", passwd), ("shadow", shadow)] {
                    set(&mut self.sections, key, Value::String(absolute(&path)));
                }
                let also =
                    "fim watches group, gshadow and every authorized_keys too: see docs/configuration.md.";
                comment(&mut self.sections, also);
            }
            [None, None] => {}
            _ => self.note("bpfink watches accounts only if both passwd and shadow are named."),
        }
    }

    /// Those that can be used: bpfink drops the others as well.
    fn excludes(&mut self) -> Vec<String> {
        let mut usable = Vec::new();
        for pattern in self.keys.list("consumers.excludes") {
            let mut interest = Interest::in_paths(["/"]);
            interest.exclude_regex.push(pattern.clone());
            match WatchSet::new(vec![interest]) {
                Ok(_) => usable.push(pattern),
                Err(error) => self.note(&format!("consumers.excludes: {error}.")),
            }
        }
        if !usable.is_empty() && (self.sections.contains("[users]") || self.sections.contains("[access]")) {
            self.note("consumers.excludes do not hold for [users] and [access].");
        }
        usable
    }

    fn files(&mut self, section: &str, key: &str, excludes: &[String]) {
        let written = self.keys.list(key);
        let paths = self.paths(&written);
        if paths.is_empty() {
            return;
        }
        let _ = write!(self.sections, "\n[[{section}]]\n");
        let array = |texts: &[String]| Value::Array(texts.iter().cloned().map(Value::String).collect());
        set(&mut self.sections, "paths", array(&paths));
        if !excludes.is_empty() {
            set(&mut self.sections, "exclude_regex", array(excludes));
        }
    }

    /// Paths and globs as they are written here; those that cannot be used are named.
    fn paths(&mut self, written: &[String]) -> Vec<String> {
        let mut usable = Vec::new();
        for path in written.iter().filter(|path| !path.is_empty()) {
            let pattern = glob(&absolute(path));
            match WatchSet::new(vec![Interest::in_paths([&pattern])]) {
                Ok(_) => usable.push(pattern),
                Err(error) => self.note(&format!("{error}.")),
            }
        }
        usable
    }

    /// What is left is known to nobody.
    fn rest(&mut self) -> Vec<String> {
        let rest = std::mem::take(&mut self.keys.0);
        let mut unknown = Vec::new();
        for (_, (written, value)) in rest {
            comment(&mut self.sections, &format!("{written} = {value}: no key of bpfink."));
            unknown.push(written);
        }
        unknown
    }
}

/// The three keys about the role of the host are alike.
fn is_role(known: &str, key: &str) -> bool {
    key == "metricsconfig.hostrole"
        && known.strip_prefix(key).is_some_and(|end| matches!(end, "path" | "token" | "key"))
}

/// A comment of one line whatever is in it.
fn comment(to: &mut String, text: &str) {
    to.push('#');
    if !text.is_empty() {
        to.push(' ');
    }
    for sign in text.chars() {
        if sign.is_control() { to.extend(sign.escape_default()) } else { to.push(sign) }
    }
    to.push('\n');
}

fn set(to: &mut String, key: &str, value: Value) {
    // Writing to a string cannot fail.
    let _ = writeln!(to, "{key} = {value}");
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

/// A glob of Go's `filepath.Glob`: no `**`, no braces, and only `^` negates.
fn glob(path: &str) -> String {
    let mut text = String::new();
    let mut rest = path.chars().peekable();
    while let Some(sign) = rest.next() {
        match sign {
            '*' => {
                while rest.next_if_eq(&'*').is_some() {}
                text.push('*');
            }
            '{' => text.push_str("\\{"),
            '[' if rest.next_if_eq(&'!').is_some() => text.push_str("[\\!"),
            '\\' => {
                text.push('\\');
                text.extend(rest.next());
            }
            sign => text.push(sign),
        }
    }
    text
}

#[cfg(test)]
mod tests;
