//! What a person would expect of one act of a tool: these findings, and no others.

use crate::agent::action;
use serde_json::Value;
use std::path::Path;

/// One expected line.
#[derive(Clone, Debug)]
pub struct Finding {
    consumer: &'static str,
    action: &'static str,
    path: String,
    severity: u64,
    says: Vec<String>,
    actors: &'static [&'static str],
    diff: Vec<&'static str>,
    /// Depends on the tool's version or on timing.
    optional: bool,
}

/// A line of this consumer, about this path below the stage's root, with exactly this severity.
pub fn finding(
    consumer: &'static str,
    action: &'static str,
    path: impl Into<String>,
    severity: u64,
) -> Finding {
    Finding {
        consumer,
        action,
        path: path.into(),
        severity,
        says: Vec::new(),
        actors: &[],
        diff: Vec::new(),
        optional: false,
    }
}

impl Finding {
    /// One of `fim.changes`: `what field=value …`. All must be named if any is.
    pub fn says(mut self, change: impl Into<String>) -> Self {
        self.says.push(change.into());
        self
    }

    /// Who did it, by any of these names.
    pub fn by(mut self, actors: &'static [&'static str]) -> Self {
        self.actors = actors;
        self
    }

    /// A line of the diff, with its sign.
    pub fn shows(mut self, line: &'static str) -> Self {
        self.diff.push(line);
        self
    }

    /// May be absent.
    pub fn maybe(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Why a line is not this one; how near it came counts for what is told.
    fn differs(&self, root: &Path, line: &Value, strict: bool) -> Result<(), (u32, String)> {
        let path = line["file"]["path"].as_str().map(Path::new).and_then(|path| path.strip_prefix(root).ok());
        if path != Some(Path::new(&self.path)) {
            return Err((0, "another path".to_owned()));
        }
        if line["fim"]["consumer"] != self.consumer || action(line) != self.action {
            return Err((1, format!("{} {}", line["fim"]["consumer"], action(line))));
        }
        if !self.says.is_empty() {
            said(&self.says, &line["fim"]["changes"]).map_err(|why| (2, why))?;
        }
        let diff = line["fim"]["diff"].as_str().unwrap_or_default();
        if let Some(wanted) = self.diff.iter().find(|wanted| !diff.lines().any(|line| line == **wanted)) {
            return Err((2, format!("no line {wanted:?} in the diff {diff:?}")));
        }
        if line["event"]["severity"] != self.severity {
            return Err((3, format!("severity {}", line["event"]["severity"])));
        }
        let actor = line["process"]["name"].as_str();
        let wrong = actor.map_or(strict, |actor| !self.actors.contains(&actor));
        if !self.actors.is_empty() && wrong {
            return Err((4, format!("the actor {}", line["process"])));
        }
        Ok(())
    }
}

/// Whether the changes are these, each once.
fn said(wanted: &[String], changes: &Value) -> Result<(), String> {
    let mut left: Vec<&Value> = changes.as_array().into_iter().flatten().collect();
    for one in wanted {
        match left.iter().position(|change| is(one, change)) {
            Some(at) => drop(left.remove(at)),
            None => return Err(format!("no change {one:?} in {changes}")),
        }
    }
    if left.is_empty() { Ok(()) } else { Err(format!("changes too many: {left:?}")) }
}

fn is(wanted: &str, change: &Value) -> bool {
    let mut words = wanted.split(' ');
    let what = words.next().unwrap_or_default();
    change["what"] == what
        && words.all(|word| {
            let (field, value) = word.split_once('=').unwrap_or((word, ""));
            match &change[field] {
                Value::String(text) => text == value,
                other => format!("{other}") == value,
            }
        })
}

/// Compares the lines of one act; the error names the first difference.
pub fn compare(
    root: &Path,
    wanted: &[Finding],
    allowed: &[String],
    lines: &[Value],
    strict: bool,
) -> Result<(), String> {
    let mut left: Vec<&Value> = lines.iter().filter(|line| line["event"]["kind"] == "event").collect();
    for one in wanted {
        let found = left.iter().position(|line| one.differs(root, line, strict).is_ok());
        match found {
            Some(at) => drop(left.remove(at)),
            None if one.optional => {}
            None => {
                let nearest = left.iter().filter_map(|line| one.differs(root, line, strict).err());
                let why = nearest.max_by_key(|(near, _)| *near).map(|(_, why)| why).unwrap_or_default();
                return Err(format!("no {one:?}: {why}; {}", brief(root, lines)));
            }
        }
    }
    left.retain(|line| !is_allowed(root, line, allowed));
    if left.is_empty() { Ok(()) } else { Err(format!("lines too many: {}", brief(root, left))) }
}

/// Whether a line came for each that must come.
pub fn is_all_there(root: &Path, wanted: &[Finding], lines: &[Value]) -> bool {
    let mut must = wanted.iter().filter(|one| !one.optional);
    must.all(|one| lines.iter().any(|line| one.differs(root, line, false).is_ok()))
}

/// Locks and temporary files that came and went, a storm of them, and the tools' own backups.
fn is_allowed(root: &Path, line: &Value, allowed: &[String]) -> bool {
    let passing = |change: &Value| change["what"] == "transient" || change["what"] == "touched";
    let changes = line["fim"]["changes"].as_array();
    let is_passing = line["event"]["severity"] == 10
        && changes.is_some_and(|all| !all.is_empty() && all.iter().all(passing));
    let path = line["file"]["path"].as_str().map(Path::new).and_then(|path| path.strip_prefix(root).ok());
    let is_own = |path: &Path| allowed.iter().any(|allowed| Path::new(allowed) == path);
    is_passing || line["fim"]["consumer"] == "generic" && path.is_some_and(is_own)
}

/// Lines in few words.
pub fn brief<'a>(root: &Path, lines: impl IntoIterator<Item = &'a Value>) -> String {
    let told = lines.into_iter().filter(|line| line["event"]["kind"] != "state").map(|line| {
        let path = line["file"]["path"].as_str().unwrap_or_default();
        let path = path.strip_prefix(&root.display().to_string()).unwrap_or(path);
        format!(
            "{} {} {} {} {} by {}",
            line["event"]["severity"],
            line["fim"]["consumer"].as_str().unwrap_or("-"),
            action(line),
            path,
            line["fim"]["changes"],
            line["process"]["name"]
        )
    });
    told.collect::<Vec<_>>().join("; ")
}
