//! Every way to change a file on Linux: one table of cases, each made by a process of its own that proves
//! its effect, and a runner that shows which of them a watcher reports, how soon and with the right actor.
//!
//! Knows no watcher (but the names of some, for their limits) and no engine: the runner is handed what was
//! reported by an [`Observer`].

mod case;
mod child;
mod effect;
mod fence;
mod limits;
mod runner;
mod scene;
mod sys;
mod ways;

pub use case::{Action, Case, Expect, Speed};
pub use child::{fence_keeper, perform};
pub use limits::{LIMITS, Limit, limit};
pub use runner::{Observer, Outcome, Runner, Seen, Verdict};
pub use scene::{Scene, watched};
pub use sys::{isolate_mounts, monotonic};
pub use ways::table;
