//! What a case expects, and whether the lines say so: these and no others.

use crate::agent::action;
use serde_json::Value;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// One expected line.
#[derive(Clone, Debug)]
pub struct Line {
    action: &'static str,
    /// Below the case's directory.
    path: String,
    previous: Option<String>,
    /// A word among the `what` of its changes.
    what: Option<&'static str>,
    /// May be absent.
    optional: bool,
}

pub fn line(action: &'static str, path: impl Into<String>) -> Line {
    Line { action, path: path.into(), previous: None, what: None, optional: false }
}

impl Line {
    pub fn from(mut self, previous: impl Into<String>) -> Self {
        self.previous = Some(previous.into());
        self
    }

    pub fn what(mut self, what: &'static str) -> Self {
        self.what = Some(what);
        self
    }

    /// A line that depends on timing or on the tool's version.
    pub fn maybe(mut self) -> Self {
        self.optional = true;
        self
    }

    fn is(&self, dir: &Path, line: &Value) -> bool {
        action(line) == self.action
            && line["file"]["path"].as_str().is_some_and(|path| Path::new(path) == at(dir, &self.path))
            && self.previous.as_ref().is_none_or(|previous| {
                line["fim"]["previous"]["path"]
                    .as_str()
                    .is_some_and(|path| Path::new(path) == at(dir, previous))
            })
            && self.what.is_none_or(|what| {
                line["fim"]["changes"]
                    .as_array()
                    .is_some_and(|all| all.iter().any(|change| change["what"] == what))
            })
    }
}

fn at(dir: &Path, name: &str) -> std::path::PathBuf {
    if name.is_empty() { dir.to_owned() } else { dir.join(name) }
}

/// Lines about files in or below a directory.
pub fn about<'a>(dir: &'a Path, lines: &'a [Value]) -> impl Iterator<Item = &'a Value> {
    lines.iter().filter(move |line| {
        line["event"]["kind"] == "event" && line["file"]["path"].as_str().is_some_and(|path| is_in(dir, path))
    })
}

/// By bytes: this is asked of each of many thousand lines, and paths take long to take apart where everything is slow.
fn is_in(dir: &Path, path: &str) -> bool {
    let rest = path.as_bytes().strip_prefix(dir.as_os_str().as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// Compares what a tool did, but for the names that came and went: those are the tool's own affair.
pub fn compare_lasting(dir: &Path, expected: &[Line], lines: &[Value]) -> Result<(), String> {
    let slow = std::env::var_os("FIM_E2E_SLOW").is_some();
    let is_lasting = |line: &&Value| !(is_transient(line) || (slow && is_passing(line)));
    let lasting: Vec<Value> = about(dir, lines).filter(is_lasting).cloned().collect();
    compare(dir, expected, &lasting)
}

/// Where everything takes long, a tool's temporary file may outlive the patience it is given: a line about a
/// name that is gone by now and whose end was told.
fn is_passing(line: &Value) -> bool {
    let temporary = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("sed") || name.contains(".dpkg-") || name.starts_with(".f.sw") || name.ends_with('+')
    };
    line["file"]["path"].as_str().map(Path::new).is_some_and(|path| temporary(path) && !path.exists())
}

fn is_transient(line: &Value) -> bool {
    line["event"]["severity"] == 10
        && line["fim"]["changes"].as_array().is_some_and(|all| all.iter().any(|it| it["what"] == "transient"))
}

/// Compares; the error names the first difference.
pub fn compare(dir: &Path, expected: &[Line], lines: &[Value]) -> Result<(), String> {
    let mut left: Vec<&Value> = about(dir, lines).collect();
    for line in expected {
        match left.iter().position(|candidate| line.is(dir, candidate)) {
            Some(found) => {
                left.remove(found);
            }
            None if line.optional => {}
            None => return Err(format!("no line {line:?}; lines: {}", brief(dir, lines))),
        }
    }
    if left.is_empty() { Ok(()) } else { Err(format!("lines too many: {}", brief(dir, lines))) }
}

/// Whether each line about this directory names this process.
pub fn actors(dir: &Path, name: &str, lines: &[Value], strict: bool) -> Result<(), String> {
    for line in about(dir, lines) {
        let process = &line["process"];
        let known = process["name"].as_str();
        let wrong = known.is_some_and(|known| known != name && known != "fim-e2e");
        let absent = strict && (known.is_none() || process["pid"].as_u64().is_none());
        if wrong || absent {
            return Err(format!("the actor is {process}, expected {name}"));
        }
    }
    Ok(())
}

pub fn brief(dir: &Path, lines: &[Value]) -> String {
    let told: Vec<String> = about(dir, lines)
        .map(|line| {
            format!(
                "{} {} (from {}) {}",
                action(line),
                line["file"]["path"],
                line["fim"]["previous"]["path"],
                line["fim"]["changes"]
            )
        })
        .collect();
    told.join("; ")
}
