//! `add` and `del`: lines that came and went. As with bpfink, blank lines and comments are left out, but
//! not `#include`, which only looks like one.

use fim_core::Finding;
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
pub(super) struct Fields {
    add: Lines,
    del: Lines,
    file: String,
}

#[derive(Default, Serialize)]
struct Lines {
    #[serde(rename = "Content")]
    content: Vec<String>,
}

pub(super) fn fields(finding: &Finding, path: &Path) -> Fields {
    let (mut add, mut del) = (Lines::default(), Lines::default());
    let diff = finding.diff.as_deref().unwrap_or_default();
    // What stands before the first hunk names the file.
    let hunks = diff.find("@@").filter(|at| *at == 0 || diff.get(..*at).is_some_and(|it| it.ends_with('\n')));
    for line in diff.get(hunks.unwrap_or(0)..).unwrap_or_default().lines() {
        if let Some(line) = line.strip_prefix('+').filter(|line| counts(line)) {
            add.content.push(line.to_owned());
        } else if let Some(line) = line.strip_prefix('-').filter(|line| counts(line)) {
            del.content.push(line.to_owned());
        }
    }
    Fields { add, del, file: path.to_string_lossy().into_owned() }
}

fn counts(line: &str) -> bool {
    !line.is_empty() && (!line.starts_with('#') || line.starts_with("#include"))
}
