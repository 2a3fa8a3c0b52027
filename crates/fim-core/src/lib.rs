//! The heart of `fim`: file integrity monitoring as a library.
//!
//! ```text
//!  Watcher ──FileEvent──▶ Engine ──Snapshot──▶ Consumer ──▶ Finding ──▶ Sink
//!  (BPF, fanotify, …)       │  ▲
//!                           ▼  │ the state before
//!                          Store
//! ```
//!
//! A [`Watcher`] marks files that something touched; the engine looks at each once it is settled, compares
//! with the state in a store, asks the consumer that owns the path what the change means, reports, and
//! then makes the new state durable. This crate knows nothing of BPF, fanotify, configuration or output formats.

#![forbid(unsafe_code)]

mod consumer;
mod control;
mod engine;
mod event;
mod facts;
mod finding;
mod id;
mod key;
mod remote;
mod replay;
mod secrecy;
mod snapshot;
mod state;
mod status;
mod store;
mod watch_set;
mod watcher;

pub use consumer::{Answer, Consumer, ConsumerError, Context};
pub use control::{Control, Reload};
pub use engine::{
    BaselineSummary, CheckSummary, Engine, EngineBuilder, EngineError, Progress, Scan, own_coverage,
    pseudo_file_system,
};
pub use event::{Actor, FileEvent, Parent, Place, Via};
pub use facts::{Facts, FileKind, FileTime, HashState, Xattr};
pub use finding::{
    Action, BaselineLost, Change, Detected, Finding, Gap, Record, Reloaded, Report, Severity, Sink, Started,
    Stopped, Value,
};
pub use id::FileId;
pub use key::Key;
pub use remote::remote_file_system;
pub use replay::{NullWatcher, ReplayWatcher, StatMarks, file_id};
pub use secrecy::Secrecy;
pub use snapshot::{Limits, Reader, Snapshot};
pub use state::{FileRecord, State, Trusted};
pub use status::{Latency, Now, Phase, Status};
#[cfg(feature = "sled")]
pub use store::SledStore;
pub use store::{Batch, Generation, MemStore, Store, StoreError, StoreErrorKind, Visit};
pub use watch_set::{Cover, Interest, Need, PatternError, WatchSet, Why, escape};
pub use watcher::{
    Coverage, Degree, EventSink, EventSource, Loss, MarkRequest, MarkScope, Marked, Marks, Ready, Recovery,
    StopToken, WatchError, WatchMessage, WatchStats, Watcher,
};
