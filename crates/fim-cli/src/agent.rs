//! Between the commands and the running agent, which has the state to itself: what they ask of it, through a
//! socket in the state folder.
//!
//! A request is a line of JSON. The answer to one for the status is a line of JSON; to any other, a line that
//! says `ok`, or why not, and what was asked for.

mod ask;
mod serve;

pub use ask::Agent;
pub use serve::{Served, serve};

use fim_core::BaselineSummary;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What a running agent was told to watch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Its process.
    pub pid: u32,
    /// The paths it was started with, absolute: it watches these instead of what its configuration names.
    pub paths: Option<Vec<PathBuf>>,
    /// The file it was started with, absolute; the usual one if there is none.
    pub config: Option<PathBuf>,
    /// Why the last configuration that was to replace the one it has did not.
    #[serde(default)]
    pub refused: Option<String>,
}

/// The longest request, and the longest answer but for a copy of the state.
const MAX_BYTES: u64 = 1 << 20;
/// The answer that there is one.
const OK: &str = "ok";

/// Where the agent listens.
fn socket(state: &Path) -> PathBuf {
    state.join("status.sock")
}

/// What is asked.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ask")]
enum Request {
    /// How it is.
    Status,
    /// What it was told to watch.
    Told,
    /// A copy of what it knows.
    State,
    /// To trust what is there at these paths; everywhere, if there are none.
    Baseline { paths: Vec<String> },
}

/// The answer to [`Request::Baseline`].
#[derive(Debug, Serialize, Deserialize)]
struct Accepted {
    files: u64,
    bytes: u64,
    unreadable: u64,
    too_big: u64,
}

impl From<BaselineSummary> for Accepted {
    fn from(it: BaselineSummary) -> Self {
        Self { files: it.files, bytes: it.bytes, unreadable: it.unreadable, too_big: it.too_big }
    }
}

impl From<Accepted> for BaselineSummary {
    fn from(it: Accepted) -> Self {
        let mut summary = Self::default();
        (summary.files, summary.bytes) = (it.files, it.bytes);
        (summary.unreadable, summary.too_big) = (it.unreadable, it.too_big);
        summary
    }
}
