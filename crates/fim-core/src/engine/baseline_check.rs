//! Once over everything: recording what is there as trusted, and comparing with that.

use super::error::EngineError;
use super::index::Index;
use super::judge::Cause;
use super::walk::Reading;
use super::{BASELINE, COVERED, Engine, Kept};
use crate::facts::{Facts, HashState};
use crate::finding::{Detected, Record};
use crate::state::FileRecord;
use std::path::PathBuf;

/// What a baseline came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BaselineSummary {
    /// Files, directories, links and special files recorded.
    pub files: u64,
    /// Bytes in regular files.
    pub bytes: u64,
    /// Files that could not be read; their metadata is recorded.
    pub unreadable: u64,
    /// Files larger than the limit; their metadata is recorded.
    pub too_big: u64,
}

/// What a check came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckSummary {
    /// Files compared.
    pub files: u64,
    /// Changes reported.
    pub changes: u64,
    /// Files below paths of which no baseline was ever made: nothing to compare them with.
    pub never_covered: u64,
}

impl Engine {
    /// Records what is there as seen and trusted: everything watched, or what is watched of these paths.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn baseline(&mut self, paths: &[PathBuf]) -> Result<BaselineSummary, EngineError> {
        self.tell_lost_for_now()?;
        self.recall(Kept::Seen)?;
        let summary = self.healing(|engine| engine.record_all(paths))?;
        self.remember_covered(paths)?;
        self.reporter.sync(&mut self.state)?;
        Ok(summary)
    }

    /// Notes that all that is claimed, or what of it is below these paths, was walked.
    pub(super) fn remember_covered(&mut self, paths: &[PathBuf]) -> Result<(), EngineError> {
        self.state.set_meta(BASELINE, &[1])?;
        let covered = self.covered.walked(paths);
        Ok(self.state.set_meta(COVERED, &covered)?)
    }

    fn record_all(&mut self, paths: &[PathBuf]) -> Result<BaselineSummary, EngineError> {
        let mut summary = BaselineSummary::default();
        self.walk(paths, Reading::Always, &mut Index::new(), None, &mut |engine, visited| {
            let Some(walked) = visited else { return Ok(()) };
            if let Some(facts) = &walked.snapshot.facts {
                summary.add(facts);
            }
            engine.learn(walked.owner, walked.snapshot)
        })?;
        Ok(summary)
    }

    /// Compares everything watched, or what is watched of these paths, with the trusted baseline; changes
    /// nothing. `full` reads every byte, else only what stat says may
    /// have changed.
    ///
    /// # Errors
    /// [`EngineError::NoBaseline`], or when the state cannot be read or a report not be written.
    pub fn check(&mut self, paths: &[PathBuf], full: bool) -> Result<CheckSummary, EngineError> {
        self.tell_lost_for_now()?;
        if !self.has_baseline()? {
            return Err(EngineError::NoBaseline);
        }
        self.recall(Kept::Trusted)?;
        let summary = self.healing(|engine| engine.compare_all(paths, full))?;
        self.reporter.sync(&mut self.state)?;
        Ok(summary)
    }

    fn compare_all(&mut self, paths: &[PathBuf], full: bool) -> Result<CheckSummary, EngineError> {
        let mut summary = CheckSummary::default();
        let reading = if full { Reading::Always } else { Reading::UnlikeTrusted };
        self.walk(paths, reading, &mut Index::new(), None, &mut |engine, visited| {
            let Some(walked) = visited else {
                summary.files += 1;
                return Ok(());
            };
            summary.files += u64::from(walked.snapshot.facts.is_some());
            if walked.record.is_none() && engine.is_new_ground(walked.owner, &walked.snapshot.path) {
                summary.never_covered += 1;
                return Ok(());
            }
            let before = walked.record.as_ref().and_then(FileRecord::trusted_facts);
            let kept = walked.record.as_ref().and_then(FileRecord::kept_of_trusted);
            let cause = Cause { newcomer: walked.handed, ..Cause::found(Detected::Scan) };
            let judgement = engine.judge(walked.owner, before, kept, &walked.snapshot, &cause);
            if let Some(finding) = judgement.and_then(|it| it.finding) {
                summary.changes += 1;
                engine.reporter.report(Record::Change(finding))?;
            }
            Ok(())
        })?;
        Ok(summary)
    }
}

impl BaselineSummary {
    pub(super) fn add(&mut self, facts: &Facts) {
        self.files += 1;
        self.bytes += facts.size;
        self.unreadable += u64::from(facts.is_unreadable());
        self.too_big += u64::from(facts.hash_state == HashState::TooBig);
    }
}
