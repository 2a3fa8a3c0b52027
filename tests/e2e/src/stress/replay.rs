//! A tree as somebody knows it who was given a baseline and reads the lines from then on, by what docs/events.md says.

use super::tree::{Entry, Tree};
use crate::agent::action;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// What is known, and what left its name while another was there by the time somebody looked: that one is told with the
/// first as what was before.
struct Reader<'t> {
    tree: &'t mut Tree,
    left: Tree,
}

/// Applies the lines of changes, in their order; says what does not fit what was known until then.
pub fn replay(tree: &mut Tree, lines: &[Value]) -> Vec<String> {
    let mut strange = Vec::new();
    let mut reader = Reader { tree, left: Tree::new() };
    for line in lines.iter().filter(|line| line["event"]["kind"] == "event") {
        if let Err(what) = reader.apply(line) {
            strange.push(format!("line {}: {what}", line["event"]["sequence"]));
        }
    }
    strange
}

impl Reader<'_> {
    fn apply(&mut self, line: &Value) -> Result<(), String> {
        let path = path(&line["file"]["path"], &line["fim"]["raw_path"]).ok_or("no path")?;
        let previous = path_of_previous(line);
        let known = self.known_before(&path, previous.as_deref(), line);
        if action(line) == "deleted" {
            self.tree.remove(&path);
            return known;
        }
        let after = &line["fim"]["after"];
        // Counts of what happened in a directory.
        if after.is_null() {
            return known;
        }
        let exchanged = line["fim"]["via"] == "exchange";
        if let Some(previous) = previous.filter(|_| !exchanged) {
            if let Some(left) = self.tree.remove(&previous) {
                self.left.insert(previous.clone(), left);
            }
            if after["type"] == "dir" && action(line) != "created" {
                follow(self.tree, &previous, &path);
                // What was told to have left a name below, and is to be told of once more, goes along.
                follow(&mut self.left, &previous, &path);
            }
        }
        self.left.remove(&path);
        self.tree.insert(path, entry(after));
        known
    }

    /// What a line says of before is what was known.
    fn known_before(&self, path: &Path, previous: Option<&Path>, line: &Value) -> Result<(), String> {
        let moved = action(line) == "moved";
        let at = if moved { previous.unwrap_or(path) } else { path };
        let known = self.tree.get(at);
        let before = &line["fim"]["before"];
        let before = (!before.is_null()).then(|| entry(before));
        match (known, before) {
            (Some(known), Some(before)) if *known == before => Ok(()),
            (None, None) => Ok(()),
            (None, Some(before)) if self.left.get(at) == Some(&before) => Ok(()),
            // Counts of what happened in a directory.
            (Some(_), None) if line["fim"]["after"].is_null() && action(line) == "updated" => Ok(()),
            (known, before) => {
                let word = |entry: Option<&Entry>| entry.map_or("nothing".to_owned(), ToString::to_string);
                Err(format!("{path:?} was {}, not {}", word(known), word(before.as_ref())))
            }
        }
    }
}

/// What is below a directory goes with it.
fn follow(tree: &mut Tree, from: &Path, to: &Path) {
    let below: Vec<PathBuf> = tree.keys().filter(|path| path.starts_with(from)).cloned().collect();
    let moved: Vec<_> = below.into_iter().filter_map(|path| tree.remove_entry(&path)).collect();
    for (path, entry) in moved {
        if let Ok(rest) = path.strip_prefix(from) {
            tree.insert(to.join(rest), entry);
        }
    }
}

fn path_of_previous(line: &Value) -> Option<PathBuf> {
    let previous = &line["fim"]["previous"];
    path(&previous["path"], &previous["path_raw"])
}

fn path(text: &Value, raw: &Value) -> Option<PathBuf> {
    match raw.as_str() {
        Some(raw) => Some(PathBuf::from(OsString::from_vec(STANDARD.decode(raw).ok()?))),
        None => Some(PathBuf::from(text.as_str()?)),
    }
}

fn entry(facts: &Value) -> Entry {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let xattrs = facts["xattrs"].as_object();
    Entry {
        kind: text(&facts["type"]).unwrap_or_default(),
        mode: text(&facts["mode"]).unwrap_or_default(),
        uid: text(&facts["uid"]).unwrap_or_default(),
        gid: text(&facts["gid"]).unwrap_or_default(),
        target: text(&facts["target_path"]),
        size: facts["size"].as_u64(),
        hash: text(&facts["hash"]["blake3"]),
        xattrs: xattrs
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
            .collect(),
    }
}
