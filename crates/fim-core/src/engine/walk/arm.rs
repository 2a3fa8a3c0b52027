//! Marks what a walk opened, before it is read, and notes who is who.
//!
//! Must not know what is read, nor what becomes of it.

use super::{Dir, Opened, Reading, Walk};
use crate::engine::error::EngineError;
use crate::facts::{Facts, FileKind};
use crate::watch_set::Cover;
use crate::watcher::{MarkRequest, MarkScope};
use std::os::fd::AsFd;

impl Walk<'_> {
    /// Whether a file that is no directory must be known as itself. Where events come by name, only one of several
    /// names must, and one in a directory of which not everything is watched.
    pub(super) fn needs_mark(&self, facts: &Facts, at: Option<&Dir>) -> bool {
        self.marks.as_deref().is_some_and(|marks| {
            marks.follows_files() || facts.links > 1 || at.is_none_or(|dir| !dir.is_whole)
        })
    }

    /// Marks what was opened and notes who is who.
    pub(super) fn arm(&mut self, opened: &[Opened], at: Option<&Dir>) -> Result<(), EngineError> {
        let wanted: Vec<(&Opened, MarkScope)> = opened
            .iter()
            .filter_map(|opened| {
                let scope = scope(opened)?;
                (scope != MarkScope::File || self.needs_mark(&opened.facts, at)).then_some((opened, scope))
            })
            .collect();
        let Some(marks) = self.marks.as_deref_mut() else {
            return Ok(());
        };
        let requests: Vec<MarkRequest<'_>> = wanted
            .iter()
            .map(|(opened, scope)| MarkRequest {
                file: opened.file.as_fd(),
                path: &opened.entry.path,
                scope: *scope,
            })
            .collect();
        if requests.is_empty() {
            return Ok(());
        }
        let marked = marks.add(&requests)?;
        for ((Opened { entry, .. }, scope), marked) in wanted.iter().zip(marked) {
            if !marked.armed && !self.remote.has(&entry.path) {
                self.tally.unarmed.add(&entry.path);
            }
            // What was told of it under a name that is no longer known reached nobody: from now on it is news again.
            if self.reading == Reading::Never {
                marks.clear(marked.id);
            }
            if *scope == MarkScope::File {
                self.index.add_file(&entry.path, marked.id);
            } else {
                self.index.add_dir(&entry.path, marked.id);
            }
        }
        Ok(())
    }
}

fn scope(opened: &Opened) -> Option<MarkScope> {
    match (opened.facts.kind, opened.cover) {
        (FileKind::Dir, Cover::All) => Some(MarkScope::Tree),
        (FileKind::Dir, Cover::Some) => Some(MarkScope::Names),
        _ => opened.entry.owner.map(|_| MarkScope::File),
    }
}
