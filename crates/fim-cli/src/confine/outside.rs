//! A thread for a watcher that asks /proc about the processes of others, made before Landlock closes: whoever is
//! under Landlock may not (`ptrace_may_access`), and would not learn which program made a change.

use fim_core::{EventSink, StopToken, WatchError, WatchSet, WatchStats, Watcher};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

type Answer = Result<WatchStats, WatchError>;
type Job = (Box<dyn Watcher>, WatchSet, EventSink, StopToken);

/// A watcher that runs on a thread which is there already.
struct Outside {
    inner: Box<dyn Watcher>,
    jobs: SyncSender<Job>,
    answers: Receiver<Answer>,
}

/// The watcher, to run on a thread that is started now, with what this thread may do now.
///
/// # Errors
/// When there is no thread to be had.
pub fn take_out(watcher: Box<dyn Watcher>) -> std::io::Result<Box<dyn Watcher>> {
    let (jobs, job) = sync_channel::<Job>(1);
    let (answer, answers) = sync_channel(1);
    std::thread::Builder::new().name(format!("fim-{}", watcher.name())).spawn(move || {
        if let Ok((watcher, watch, sink, stop)) = job.recv() {
            // Where nobody waits any more, the watch is over.
            let _gone = answer.send(watcher.run(watch, sink, stop));
        }
    })?;
    Ok(Box::new(Outside { inner: watcher, jobs, answers }))
}

impl Watcher for Outside {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn run(self: Box<Self>, watch: WatchSet, sink: EventSink, stop: StopToken) -> Answer {
        let Self { inner, jobs, answers } = *self;
        let panicked = || WatchError::new("the watcher panicked");
        jobs.send((inner, watch, sink, stop)).map_err(|_| panicked())?;
        answers.recv().unwrap_or_else(|_| Err(panicked()))
    }
}
