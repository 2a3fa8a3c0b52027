//! The agent's end: answers whoever may open the socket, which is its own user alone.

use super::{Accepted, MAX_BYTES, OK, Request, Told, socket};
use crate::status::Answer;
use crate::watchers::Costs;
use fim_core::{Control, Phase, Status};
use jiff::Timestamp;
use std::fs::Permissions;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Somebody who asks nothing, or does not read the answer, is left alone after this.
const PATIENCE: Duration = Duration::from_secs(1);

/// Answers for as long as this lives.
#[derive(Debug)]
pub struct Serving(PathBuf);

impl Drop for Serving {
    fn drop(&mut self) {
        // Left behind, it says that the agent has gone: no harm.
        drop(std::fs::remove_file(&self.0));
    }
}

/// What is spoken for.
#[derive(Debug)]
pub struct Served {
    /// How the engine is.
    pub status: Status,
    /// The engine.
    pub control: Control,
    /// What its programs in the kernel cost.
    pub costs: Costs,
    /// Why this watcher was taken.
    pub why: String,
    /// What it was told to watch.
    pub told: Told,
}

/// Answers from now on, on a thread that sleeps until somebody asks. The state in this folder must be open:
/// a socket found there is one that was left behind.
///
/// # Errors
/// When the socket cannot be made.
pub fn serve(state: &Path, served: Served) -> io::Result<Serving> {
    let path = socket(state);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    let (served, started) = (Arc::new(served), Timestamp::now());
    std::thread::Builder::new().name("status".to_owned()).spawn(move || {
        for stream in listener.incoming() {
            let served = Arc::clone(&served);
            // Each on a thread of its own: who waits for a baseline does not keep others from the status.
            let attended = stream.and_then(|stream| {
                std::thread::Builder::new().name("asked".to_owned()).spawn(move || {
                    if let Err(error) = attend(&stream, &served, started) {
                        log::debug!("somebody who asked was not answered: {error}");
                    }
                })
            });
            if let Err(error) = attended {
                log::debug!("status: {error}");
                // Where descriptors have run out the next one fails at once.
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    })?;
    Ok(Serving(path))
}

fn attend(stream: &UnixStream, served: &Served, started: Timestamp) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream.take(MAX_BYTES)).read_line(&mut line)?;
    match serde_json::from_str(&line) {
        Ok(Request::Status) => {
            let answer = Answer::of(served.status.now(), served.costs.now(), started, &served.why);
            tell(stream, &serde_json::to_string(&answer)?)
        }
        Ok(Request::Told) => {
            tell(stream, OK)?;
            let told = Told { refused: served.status.now().refused, ..served.told.clone() };
            tell(stream, &serde_json::to_string(&told)?)
        }
        Ok(request) if served.status.now().phase == Phase::Starting => {
            log::debug!("asked too early: {request:?}");
            tell(
                stream,
                "it is still going over everything; ask again when `fim status` says that it is watching",
            )
        }
        Ok(Request::State) => {
            tell(stream, OK)?;
            let copied = served.control.copy_state(Box::new(BufWriter::new(stream.try_clone()?)));
            if let Some(Err(error)) = copied {
                log::warn!("no copy of the state was handed over: {error}");
            }
            Ok(())
        }
        Ok(Request::Baseline { paths }) => {
            match served.control.accept(paths.into_iter().map(PathBuf::from).collect()) {
                Some(Ok(summary)) => {
                    tell(stream, OK)?;
                    tell(stream, &serde_json::to_string(&Accepted::from(summary))?)
                }
                Some(Err(why)) => tell(stream, &why),
                None => tell(stream, "it is ending"),
            }
        }
        Err(error) => tell(stream, &format!("that is no question it knows: {error}")),
    }
}

fn tell(mut stream: &UnixStream, text: &str) -> io::Result<()> {
    stream.write_all(format!("{text}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::Agent;
    use super::*;
    use crate::status::describe;
    use fim_core::{Engine, MemStore, Report, Sink, State};
    use std::os::unix::fs::MetadataExt;

    struct Deaf;

    impl Sink for Deaf {
        fn write(&mut self, _: &Report) -> io::Result<()> {
            Ok(())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn whoever_asks_is_told_even_after_a_crash() {
        let dir = tempfile::tempdir().unwrap();
        drop(UnixListener::bind(socket(dir.path())).unwrap());
        let state = State::open(Box::new(MemStore::new())).unwrap();
        let engine = Engine::builder().build(state, Box::new(Deaf)).unwrap();
        let served = Served {
            status: Status::default(),
            control: engine.control(),
            costs: Costs::default(),
            why: "why".to_owned(),
            told: Told { pid: 7, paths: Some(vec!["/a".into()]), ..Told::default() },
        };
        let serving = serve(dir.path(), served).unwrap();
        assert_eq!(serving.0.metadata().unwrap().mode() & 0o777, 0o600);
        // One who says much and hears nothing does not keep the others waiting.
        let mut rude = UnixStream::connect(&serving.0).unwrap();
        drop(rude.write_all(&[b'x'; 1000]));
        for _ in 0..2 {
            let answer = Agent::of(dir.path()).unwrap().status().unwrap();
            assert!(describe(&answer, Timestamp::now()).unwrap().contains("agent       starting for 0s"));
        }
        let told = Agent::of(dir.path()).unwrap().told().unwrap();
        assert_eq!((told.pid, told.paths), (7, Some(vec![PathBuf::from("/a")])));
        let early = Agent::of(dir.path()).unwrap().state().unwrap_err().to_string();
        assert!(early.contains("still going over everything"), "{early}");
        drop(serving);
        assert!(!socket(dir.path()).exists());
    }
}
