//! Why the command could not do it, in the words the user reads last.

use crate::config::ConfigError;
use fim_core::{EngineError, StoreError, StoreErrorKind, WatchError};
use std::fmt;
use std::io;

/// What ended the command with status 2.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// In these words.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// The reader of standard output has gone.
    pub fn reader_gone() -> Self {
        Self::new(
            "the reader of standard output has gone; \
             what it did not get is kept and reported at the next start",
        )
    }

    /// Standard output cannot be written.
    pub fn stdout(error: &io::Error) -> Self {
        Self(format!("cannot write to standard output: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self(error.to_string())
    }
}

impl From<WatchError> for Failure {
    fn from(error: WatchError) -> Self {
        Self(format!("cannot watch: {error}"))
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => error.into(),
            EngineError::NoBaseline => {
                Self::new("there is no baseline to compare with: make one with `fim baseline`")
            }
            other => Self(other.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let advice = match error.kind {
            StoreErrorKind::Locked => ", or name another folder by --state",
            StoreErrorKind::Version => "; use the newer fim, or name another folder by --state",
            _ => "",
        };
        Self(format!("cannot keep the state: {error}{advice}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_baseline_the_command_that_makes_one_is_named() {
        assert!(EngineError::NoBaseline.to_string().contains("`Engine::baseline`"));
        assert!(Failure::from(EngineError::NoBaseline).to_string().contains("`fim baseline`"));
    }
}
