//! Why an engine ends before it was asked to.

use crate::store::StoreError;
use crate::watch_set::PatternError;
use crate::watcher::WatchError;
use std::fmt;
use std::io;

/// What ended the engine, or kept it from starting.
#[derive(Debug)]
#[non_exhaustive]
pub enum EngineError {
    /// The watcher cannot watch.
    Watch(WatchError),
    /// The state cannot be read or written.
    Store(StoreError),
    /// The reports cannot be written; what was not written is reported at the next start.
    Sink(io::Error),
    /// A consumer asks for paths by a pattern that cannot be used.
    Pattern(PatternError),
    /// There is nothing to compare with.
    NoBaseline,
    /// It was asked to stop before it was done.
    Interrupted,
    /// The system refuses something the engine cannot do without.
    System {
        /// What was tried.
        what: String,
        /// The reason.
        source: io::Error,
    },
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Watch(error) => write!(f, "cannot watch: {error}"),
            Self::Store(error) => write!(f, "cannot keep the state: {error}"),
            Self::Sink(error) => write!(f, "cannot write the report: {error}"),
            Self::Pattern(error) => error.fmt(f),
            Self::NoBaseline => {
                f.write_str("there is no baseline to compare with: make one with `Engine::baseline`")
            }
            Self::Interrupted => f.write_str("interrupted"),
            Self::System { what, source } => write!(f, "{what}: {source}"),
        }
    }
}

impl std::error::Error for EngineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Watch(error) => Some(error),
            Self::Store(error) => Some(error),
            Self::Sink(error) | Self::System { source: error, .. } => Some(error),
            Self::Pattern(error) => Some(error),
            Self::NoBaseline | Self::Interrupted => None,
        }
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<WatchError> for EngineError {
    fn from(error: WatchError) -> Self {
        Self::Watch(error)
    }
}

impl From<PatternError> for EngineError {
    fn from(error: PatternError) -> Self {
        Self::Pattern(error)
    }
}
