//! The heart of `fim`: file integrity monitoring as a library.
//!
//! ```text
//!  Watcher ──FileEvent──▶ Engine ──Snapshot──▶ Consumer ──▶ Finding ──▶ Sink
//!  (BPF, fanotify, …)       │  ▲
//!                           ▼  │ the state before
//!                          Store
//! ```
//!
//! Knows nothing of BPF, fanotify, configuration or output formats.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod consumer;
mod control;
mod engine;
mod event;
mod explain;
mod facts;
mod finding;
mod guard;
mod id;
mod key;
mod remote;
mod replay;
mod secrecy;
mod sink;
mod snapshot;
mod state;
mod status;
mod stop;
mod store;
mod watch_set;
mod watcher;

pub mod procfs;

pub use consumer::{Answer, Consumer, ConsumerError, Context};
pub use control::{Control, Reload};
pub use engine::{
    BaselineSummary, CheckSummary, Engine, EngineBuilder, EngineError, Progress, Scan, own_coverage,
    pseudo_file_system,
};
pub use event::{Actor, FileEvent, Parent, Place, Via};
pub use explain::{Checksums, Explainer, Explanation, Reason, Sight};
pub use facts::{Facts, FileKind, FileTime, HashState, Xattr};
pub use finding::{
    Action, BaselineLost, Change, Detected, Finding, Gap, Record, Reloaded, Report, Severity, Started,
    Stopped, Value,
};
pub use guard::{Guard, Tampering};
pub use id::FileId;
pub use key::Key;
pub use remote::remote_file_system;
pub use replay::{NullWatcher, ReplayWatcher, StatMarks, file_id};
pub use secrecy::Secrecy;
pub use sink::Sink;
pub use snapshot::{Limits, Reader, Snapshot};
pub use state::{FileRecord, State, Trusted};
pub use status::{Latency, Now, Phase, Status};
pub use stop::StopToken;
#[cfg(feature = "sled")]
pub use store::SledStore;
pub use store::{Batch, CopyError, Generation, MemStore, Store, StoreError, StoreErrorKind, Visit};
pub use watch_set::{Checksum, Cover, Interest, Need, PatternError, WatchSet, Why, escape};
pub use watcher::{
    Backlog, Coverage, Degree, EventSink, EventSource, Headway, Loss, MarkRequest, MarkScope, Marked, Marks,
    Ready, Recovery, WatchError, WatchMessage, WatchStats, Watcher,
};
