//! Asking the consumers: what they want to see, what they make of a look, and telling them what they kept.

use super::error::EngineError;
use super::judge::{Cause, Judgement, hear, judge, overhear, recall};
use super::reason;
use super::{Engine, ROUNDS};
use crate::consumer::Consumer;
use crate::facts::Facts;
use crate::snapshot::Snapshot;
use crate::state::FileRecord;
use crate::watch_set::WatchSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// To look for what was kept below more paths than this takes longer than to go through all that was kept.
const MANY: usize = 2000;

/// What was kept of which look.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kept {
    Seen,
    Trusted,
}

impl Engine {
    /// Asks the consumers again what they want; gives what is new of it.
    pub(super) fn rewatch(&mut self) -> Result<Option<WatchSet>, EngineError> {
        match self.interests.ask_again(&self.consumers) {
            Ok(Some((watch, new))) => {
                self.watch = watch;
                Ok(Some(new))
            }
            Ok(None) => Ok(None),
            Err(EngineError::Pattern(error)) => {
                log::error!(
                    "a consumer asks for a pattern that cannot be used, so its earlier paths stay watched: {error}"
                );
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Tells the consumers that read content what they kept, and asks what they want once they know.
    pub(super) fn recall(&mut self, which: Kept) -> Result<(), EngineError> {
        let mut part = self.watch.clone();
        for _ in 0..ROUNDS {
            self.healing(|engine| engine.recall_of(&part, which))?;
            match self.rewatch()? {
                Some(new) => part = new,
                None => break,
            }
        }
        Ok(())
    }

    fn recall_of(&mut self, part: &WatchSet, which: Kept) -> Result<(), EngineError> {
        let Self { consumers, interests, watch, state, .. } = self;
        for (owner, consumer) in consumers.iter_mut().enumerate() {
            if watch.need(owner).content.is_none() {
                continue;
            }
            let roots =
                if part.size_of(owner) > MANY { vec![PathBuf::from("/")] } else { part.roots_of(owner) };
            for root in roots {
                state.walk(&root, &mut |path, record| {
                    let kept = match which {
                        Kept::Seen => record.kept.as_deref(),
                        Kept::Trusted => record.kept_of_trusted(),
                    };
                    if let Some(kept) = kept
                        && watch.owner(&path) == Some(owner)
                        && part.owner(&path).is_some()
                    {
                        recall(&mut **consumer, interests.name(owner, &path).as_ref().unwrap_or(&path), kept);
                    }
                    ControlFlow::Continue(())
                })?;
            }
        }
        Ok(())
    }

    /// Whether a file that was renamed from a name of one consumer to a name of another, or of the same, is new to that.
    pub(super) fn is_new_by_name(&self, from: Option<usize>, to: usize) -> bool {
        from != Some(to) || self.goes_by_name(to)
    }

    /// Whether a file whose name changed with its directory's is to be told by itself, for what it means now or meant.
    pub(super) fn means_another_by_name(&self, from: Option<usize>, to: usize) -> bool {
        let changes_hands = from != Some(to)
            && (from.is_some_and(|from| self.goes_by_name(from)) || self.watch.need(to).content.is_some());
        changes_hands || self.goes_by_name(to)
    }

    fn goes_by_name(&self, owner: usize) -> bool {
        self.consumers.get(owner).is_some_and(|consumer| consumer.goes_by_name())
    }

    pub(super) fn is_new_ground(&self, owner: usize, path: &Path) -> bool {
        self.consumers.get(owner).is_some_and(|it| self.covered.is_new_ground(path, it.name()))
    }

    /// Takes what is there as seen and trusted, without a word.
    pub(super) fn learn(&mut self, owner: usize, now: Snapshot) -> Result<(), EngineError> {
        let kept = self
            .ask(owner, &now, |consumer, now| hear(consumer, None, None, now))
            .and_then(|answer| answer.keep);
        match now.facts {
            None => self.state.remove(&now.path)?,
            Some(seen) => self.state.put(&now.path, FileRecord::new(seen, kept))?,
        }
        Ok(())
    }

    /// Judges one look by the consumer that owns the path.
    pub(super) fn judge(
        &mut self,
        owner: usize,
        before: Option<&Facts>,
        kept: Option<&[u8]>,
        now: &Snapshot,
        cause: &Cause<'_>,
    ) -> Option<Judgement> {
        let mut judgement =
            self.ask(owner, now, |consumer, now| judge(consumer, before, kept, now, cause))?;
        if let Some(finding) = &mut judgement.finding {
            let known = cause.reason.clone().unwrap_or_else(|| self.reason(before, now, cause));
            reason::apply(known, finding);
        }
        Some(judgement)
    }

    /// Tells the owner of a name that the file is under another one now; what it said.
    pub(super) fn farewell(
        &mut self,
        owner: usize,
        record: &FileRecord,
        gone: &Snapshot,
    ) -> Option<Judgement> {
        let (before, kept) = (record.seen.as_ref(), record.kept.as_deref());
        self.ask(owner, gone, |consumer, gone| hear(consumer, before, kept, gone))
    }

    fn ask(
        &mut self,
        owner: usize,
        now: &Snapshot,
        ask: impl FnOnce(&mut dyn Consumer, &Snapshot) -> Judgement,
    ) -> Option<Judgement> {
        let named = self.interests.name(owner, &now.path).map(|name| now.clone().called(name));
        let consumer = self.consumers.get_mut(owner)?;
        let judgement = ask(&mut **consumer, named.as_ref().unwrap_or(now));
        if judgement.watch_anew {
            self.interests.make_stale();
        }
        for place in self.watch.overhearers(owner, &now.path) {
            let named = self.interests.name(place, &now.path).map(|name| now.clone().called(name));
            if let Some(consumer) = self.consumers.get_mut(place)
                && overhear(&mut **consumer, named.as_ref().unwrap_or(now))
            {
                self.interests.make_stale();
            }
        }
        Some(judgement)
    }
}
