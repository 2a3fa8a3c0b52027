//! The agent's end: whoever connects is told how it is, and nothing they send is read.

use super::{Answer, socket};
use fim_core::Status;
use jiff::Timestamp;
use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Somebody who asks and does not read is left alone after this.
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

/// Answers from now on, on a thread that sleeps until somebody asks. The state in this folder must be open:
/// a socket found there is one that was left behind.
///
/// # Errors
/// When the socket cannot be made.
pub fn serve(state: &Path, status: Status, why: String) -> io::Result<Serving> {
    let path = socket(state);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    let started = Timestamp::now();
    std::thread::Builder::new().name("status".to_owned()).spawn(move || {
        for stream in listener.incoming() {
            let told = stream.and_then(|stream| tell(&stream, &Answer::of(status.now(), started, &why)));
            if let Err(error) = told {
                log::debug!("status: {error}");
                // Where descriptors have run out the next one fails at once.
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    })?;
    Ok(Serving(path))
}

fn tell(mut stream: &UnixStream, answer: &Answer) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    stream.write_all(&line)
}

#[cfg(test)]
mod tests {
    use super::super::{ask, describe};
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn whoever_asks_is_told_even_after_a_crash() {
        let dir = tempfile::tempdir().unwrap();
        drop(UnixListener::bind(socket(dir.path())).unwrap());
        let serving = serve(dir.path(), Status::default(), "why".to_owned()).unwrap();
        assert_eq!(serving.0.metadata().unwrap().mode() & 0o777, 0o600);
        // One who says much and hears nothing does not keep the others waiting.
        let mut rude = UnixStream::connect(&serving.0).unwrap();
        // It may have been answered and let go already.
        drop(rude.write_all(&[b'x'; 1000]));
        for _ in 0..2 {
            let answer = ask(dir.path()).unwrap();
            assert!(describe(&answer, Timestamp::now()).unwrap().contains("agent       starting for 0s"));
        }
        drop(serving);
        assert!(!socket(dir.path()).exists());
    }
}
