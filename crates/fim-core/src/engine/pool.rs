//! Reads the files of a walk, on threads of their own where there are helpers.
//!
//! Files are handed over many at a time: to wake a thread costs more than to read a small file. Decides nothing.

use super::walk::{Job, Walked};
use crate::snapshot::Reader;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::collections::VecDeque;
use std::thread::Scope;

/// Files handed to a helper together, unless they are large.
const BATCH: usize = 32;
/// Bytes beyond which nothing is added to what is handed over together, so that helpers share large files.
const BATCH_BYTES: u64 = 1 << 20;
/// Open files waiting to be read: with a chunk of the walk well below the usual limit of 1,024 descriptors.
const IN_FLIGHT: usize = 384;

/// Takes files to be read, and gives what was read of them in any order.
pub(super) struct Pool {
    helpers: Option<Helpers>,
    ready: VecDeque<Walked>,
}

struct Helpers {
    jobs: Sender<Vec<Job>>,
    results: Receiver<Vec<Walked>>,
    /// To be handed over together.
    gathered: Vec<Job>,
    gathered_bytes: u64,
    /// Files handed over and not given back.
    in_flight: usize,
}

impl Pool {
    /// Everything is read at once, by the one who asks.
    pub(super) fn here() -> Self {
        Self { helpers: None, ready: VecDeque::new() }
    }

    /// A thread for each of these readers; it ends when the pool is dropped.
    pub(super) fn with_helpers<'scope>(
        scope: &'scope Scope<'scope, '_>,
        readers: impl IntoIterator<Item = Reader>,
    ) -> Self {
        let (jobs, todo) = unbounded::<Vec<Job>>();
        let (done, results) = unbounded();
        for mut reader in readers {
            let (todo, done) = (todo.clone(), done.clone());
            scope.spawn(move || {
                for batch in todo {
                    let batch: Vec<Walked> = batch.into_iter().map(|job| job.read(&mut reader)).collect();
                    if done.send(batch).is_err() {
                        break;
                    }
                }
            });
        }
        let helpers = Helpers { jobs, results, gathered: Vec::new(), gathered_bytes: 0, in_flight: 0 };
        Self { helpers: Some(helpers), ready: VecDeque::new() }
    }

    /// Takes a file to be read; waits while too many are open.
    pub(super) fn read(&mut self, reader: &mut Reader, job: Job) {
        let Some(helpers) = &mut self.helpers else {
            self.ready.push_back(job.read(reader));
            return;
        };
        helpers.gather(job);
        while helpers.in_flight + helpers.gathered.len() > IN_FLIGHT {
            let Some(batch) = helpers.wait() else { return };
            self.ready.extend(batch);
        }
    }

    /// What was read by now.
    pub(super) fn next_ready(&mut self) -> Option<Walked> {
        if self.ready.is_empty()
            && let Some(helpers) = &mut self.helpers
            && let Ok(batch) = helpers.results.try_recv()
        {
            helpers.in_flight -= batch.len();
            self.ready.extend(batch);
        }
        self.ready.pop_front()
    }

    /// What was read, or will be; `None` when nothing is left.
    pub(super) fn wait(&mut self) -> Option<Walked> {
        if self.ready.is_empty()
            && let Some(helpers) = &mut self.helpers
        {
            helpers.hand_over();
            self.ready.extend(helpers.wait().unwrap_or_default());
        }
        self.ready.pop_front()
    }
}

impl Helpers {
    fn gather(&mut self, job: Job) {
        self.gathered_bytes = self.gathered_bytes.saturating_add(job.size());
        self.gathered.push(job);
        if self.gathered.len() == BATCH || self.gathered_bytes > BATCH_BYTES {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        let batch = std::mem::take(&mut self.gathered);
        self.gathered_bytes = 0;
        let count = batch.len();
        if count > 0 && self.jobs.send(batch).is_ok() {
            self.in_flight += count;
        }
    }

    fn wait(&mut self) -> Option<Vec<Walked>> {
        if self.in_flight == 0 {
            return None;
        }
        let batch = self.results.recv().ok()?;
        self.in_flight -= batch.len();
        Some(batch)
    }
}
