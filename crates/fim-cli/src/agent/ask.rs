//! The command's end: finds the agent of a state, and asks it.

use super::{Accepted, MAX_BYTES, OK, Request, Told, socket};
use crate::failure::Failure;
use fim_core::{BaselineSummary, MemStore};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An agent that does not say how it is for so long is not well.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to the agent that keeps its state in a folder: good for one question.
#[derive(Debug)]
pub struct Agent {
    stream: BufReader<UnixStream>,
    state: PathBuf,
}

impl Agent {
    /// The agent, if one runs.
    pub fn find(state: &Path) -> Option<Self> {
        Self::connect(state).ok()
    }

    /// The agent.
    ///
    /// # Errors
    /// When none runs, or it cannot be asked.
    pub fn of(state: &Path) -> Result<Self, Failure> {
        Self::connect(state).map_err(|error| unanswered(state, &error))
    }

    fn connect(state: &Path) -> io::Result<Self> {
        let stream = BufReader::new(UnixStream::connect(socket(state))?);
        Ok(Self { stream, state: state.to_owned() })
    }

    /// How it is, as it was sent.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn status(mut self) -> Result<String, Failure> {
        let mut answer = String::new();
        self.stream
            .get_ref()
            .set_read_timeout(Some(PATIENCE))
            .and_then(|()| self.ask(&Request::Status))
            .and_then(|()| self.stream.by_ref().take(MAX_BYTES).read_to_string(&mut answer))
            .map_err(|error| self.unanswered(&error))?;
        Ok(answer)
    }

    /// What it was told to watch.
    ///
    /// # Errors
    /// When it does not answer, or is of a version that does not know the question.
    pub fn told(mut self) -> Result<Told, Failure> {
        self.stream.get_ref().set_read_timeout(Some(PATIENCE)).map_err(|error| self.unanswered(&error))?;
        self.begin(&Request::Told)?;
        serde_json::from_reader(self.stream.by_ref().take(MAX_BYTES))
            .map_err(|error| self.unanswered(&error.into()))
    }

    /// A copy of what it knows.
    ///
    /// # Errors
    /// When it refuses, or breaks off.
    pub fn state(mut self) -> Result<MemStore, Failure> {
        self.begin(&Request::State)?;
        MemStore::from_copy(&mut self.stream).map_err(|error| self.unanswered(&error))
    }

    /// Has it trust what is there.
    ///
    /// # Errors
    /// When it does not watch one of the paths, or breaks off.
    pub fn baseline(mut self, paths: Vec<String>) -> Result<BaselineSummary, Failure> {
        self.begin(&Request::Baseline { paths })?;
        let accepted: Accepted = serde_json::from_reader(self.stream.by_ref().take(MAX_BYTES))
            .map_err(|error| self.unanswered(&error.into()))?;
        Ok(accepted.into())
    }

    fn ask(&mut self, request: &Request) -> io::Result<()> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line)
    }

    /// Asks, and hears whether there is an answer.
    fn begin(&mut self, request: &Request) -> Result<(), Failure> {
        let mut line = String::new();
        let heard =
            self.ask(request).and_then(|()| self.stream.by_ref().take(MAX_BYTES).read_line(&mut line));
        match heard {
            Ok(0) => Err(self.unanswered(&io::ErrorKind::UnexpectedEof.into())),
            Ok(_) if line.trim_end() == OK => Ok(()),
            Ok(_) => Err(Failure::new(format!("the running agent refuses: {}", line.trim_end()))),
            Err(error) => Err(self.unanswered(&error)),
        }
    }

    fn unanswered(&self, error: &io::Error) -> Failure {
        unanswered(&self.state, error)
    }
}

fn unanswered(state: &Path, error: &io::Error) -> Failure {
    let state = state.display();
    Failure::new(match error.kind() {
        io::ErrorKind::NotFound => format!(
            "no agent runs with its state in {state}: start one by `fim run`, or name its folder by --state DIR"
        ),
        io::ErrorKind::ConnectionRefused => format!(
            "the agent that kept its state in {state} has gone without a word: start it by `fim run`; \
             what changed meanwhile is reported then"
        ),
        io::ErrorKind::PermissionDenied => {
            format!("cannot ask the agent of {state}: {error}; run as its user, root")
        }
        io::ErrorKind::UnexpectedEof => format!("the agent of {state} broke off; its log says why"),
        _ => format!("the agent of {state} does not answer: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_that_has_gone_is_told_from_one_that_never_was() {
        let dir = tempfile::tempdir().unwrap();
        let never = Agent::of(dir.path()).unwrap_err().to_string();
        assert!(never.starts_with("no agent runs"), "{never}");
        drop(std::os::unix::net::UnixListener::bind(socket(dir.path())).unwrap());
        let gone = Agent::of(dir.path()).unwrap_err().to_string();
        assert!(gone.contains("has gone without a word"), "{gone}");
        assert!(Agent::find(dir.path()).is_none());
    }
}
