//! What others ask of a running engine, which has the state to itself: a copy of it, and to accept what is there.

use super::adopt::Adopt;
use super::baseline_check::BaselineSummary;
use super::error::EngineError;
use super::live::Live;
use crate::event::{FileEvent, Via};
use crate::state::{FileRecord, Trusted};
use crate::store::{CopyError, StoreError};
use crate::watch_set::Cover;
use crate::watcher::EventSource;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

impl Live<'_> {
    /// Hands over what is known by now.
    ///
    /// # Errors
    /// When the lines before it cannot be written. What kept the copy from being made is the answer.
    pub(super) fn copy_state(&mut self, out: &mut dyn Write) -> Result<Result<(), CopyError>, EngineError> {
        self.drain(false)?;
        self.tell_storms()?;
        self.engine.reporter.commit(&mut self.engine.state)?;
        Ok(match &self.engine.reporter.failed {
            // A copy would be of what was known before.
            Some(error) => Err(CopyError::Store(StoreError::new(error.kind, error.to_string()))),
            None => self.engine.state.copy_to(out),
        })
    }

    /// Looks at all that is watched of these paths (of everything: none), reports what no event told of, and
    /// trusts what is there.
    ///
    /// # Errors
    /// When the state or the lines cannot be written. That a path is not watched is the answer.
    pub(super) fn accept(
        &mut self,
        paths: &[PathBuf],
        source: &EventSource,
    ) -> Result<Result<BaselineSummary, String>, EngineError> {
        let watch = &self.engine.watch;
        if let Some(stranger) =
            paths.iter().find(|path| watch.cover(path) == Cover::Nothing && watch.owner(path).is_none())
        {
            return Ok(Err(format!("{} is not watched", stranger.display())));
        }
        let everything = [PathBuf::from("/")];
        let paths = if paths.is_empty() { &everything[..] } else { paths };
        let event = FileEvent::new(SystemTime::now(), Via::Scan);
        let mut summary = BaselineSummary::default();
        // Who made a change may be among what nobody has looked at yet.
        self.take_sent(source)?;
        for path in paths {
            self.adopt_part(path, &event, &Adopt { scanned: true, ..Adopt::default() })?;
            if self.is_watched(path) {
                self.queue.mark_scanned(path, Instant::now());
            }
        }
        self.drain(true)?;
        self.tell_storms()?;
        for path in paths {
            self.trust(path, &mut summary)?;
        }
        self.engine.reporter.sync(&mut self.engine.state)?;
        Ok(match &self.engine.reporter.failed {
            Some(error) => Err(format!(
                "the state cannot be written: {error}; what is there is trusted, but not for certain after the next start of \
                 the agent: ask again once it can be written"
            )),
            None => Ok(summary),
        })
    }

    fn trust(&mut self, top: &Path, summary: &mut BaselineSummary) -> Result<(), EngineError> {
        let state = &mut self.engine.state;
        let mut accepted = Vec::new();
        state.walk(top, &mut |path, record| {
            if let Some(facts) = &record.seen {
                summary.add(facts);
            }
            if record.trusted != Trusted::Same {
                accepted.push((path, record));
            }
            std::ops::ControlFlow::Continue(())
        })?;
        for (path, record) in accepted {
            match record.seen {
                Some(seen) => state.put(&path, FileRecord::new(seen, record.kept))?,
                None => state.remove(&path)?,
            }
        }
        Ok(())
    }
}
