//! Digests of what processes run, read on a thread of its own: the caller may be confined so that it may not ask
//! /proc about others, and must not wait for a program that lies on a file system of somebody else's making.

use crate::process::Process;
use fim_core::Actor;
use rustix::fs::{FileType, Stat, fstat};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// Programs remembered; then all are forgotten.
const REMEMBERED: usize = 1_000;
/// Longer is not waited for an answer; it is asked for again.
const PATIENCE: Duration = Duration::from_millis(20);
/// Larger programs are not read.
const MOST: u64 = 1 << 30;

type Question = (Actor, SyncSender<Option<[u8; 32]>>);

/// There is no answer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Busy;

/// Whom to ask for the digest of a program. Cheap to copy.
#[derive(Clone, Debug)]
pub struct Programs(SyncSender<Question>);

impl Programs {
    /// Starts the thread, with what this one may do now.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start() -> io::Result<Self> {
        // A question more is one that nobody can answer now.
        let (ask, questions) = sync_channel(1);
        std::thread::Builder::new().name("programs".to_owned()).spawn(move || answer(&questions))?;
        Ok(Self(ask))
    }

    /// SHA-256 of what an actor runs, if it still lives and still runs the same.
    ///
    /// # Errors
    /// [`Busy`] while it is being read: what was read is remembered, and answered at once the next time.
    pub(crate) fn digest_of(&self, actor: &Actor) -> Result<Option<[u8; 32]>, Busy> {
        let (send, answer) = sync_channel(1);
        self.0.try_send((actor.clone(), send)).map_err(|_| Busy)?;
        answer.recv_timeout(PATIENCE).map_err(|_| Busy)
    }
}

fn answer(questions: &Receiver<Question>) {
    let mut known = HashMap::new();
    for (actor, send) in questions {
        let file = Process::of(&actor).and_then(|process| process.executable(&actor));
        // Who is tired of waiting has gone.
        let _gone = send.send(file.and_then(|file| digest(file, &mut known)));
    }
}

/// A file as it is: device, inode, size, and when it was changed last.
type Identity = (u64, u64, i64, i64, i64, i64, i64);

fn digest(mut file: File, known: &mut HashMap<Identity, [u8; 32]>) -> Option<[u8; 32]> {
    let stat = fstat(&file).ok()?;
    let before = identity(&stat);
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile
        || u64::try_from(stat.st_size).ok()? > MOST
    {
        return None;
    }
    if let Some(digest) = known.get(&before) {
        return Some(*digest);
    }
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 128 << 10];
    let mut rest = (&mut file).take(MOST);
    loop {
        match rest.read(&mut buffer).ok()? {
            0 => break,
            count => hasher.update(buffer.get(..count)?),
        }
    }
    if identity(&fstat(&file).ok()?) != before {
        return None;
    }
    if known.len() >= REMEMBERED {
        known.clear();
    }
    let digest = hasher.finalize().into();
    known.insert(before, digest);
    Some(digest)
}

fn identity(stat: &Stat) -> Identity {
    #[allow(clippy::unnecessary_cast)] // not the same types on every machine
    let nanos = |nanos| nanos as i64;
    let (mtime, ctime) = (nanos(stat.st_mtime_nsec), nanos(stat.st_ctime_nsec));
    (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime, mtime, stat.st_ctime, ctime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_what_runs() {
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let file = std::fs::canonicalize(format!("/proc/{}/exe", child.id())).unwrap();
        let mut actor = Actor::new(child.id());
        actor.executable = Some(file.clone());
        let programs = Programs::start().unwrap();
        let digest_of = |actor: &Actor| {
            // A machine may be slow: it is asked until it is known.
            std::iter::repeat_with(|| programs.digest_of(actor)).find_map(Result::ok).unwrap()
        };
        assert_eq!(digest_of(&actor), None, "when it began is not known");
        actor.start = Process::start_of(actor.pid);
        let expected: [u8; 32] = Sha256::digest(std::fs::read(file).unwrap()).into();
        assert_eq!(digest_of(&actor), Some(expected));
        assert_eq!(digest_of(&actor), Some(expected), "it is remembered");
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(digest_of(&actor), None, "it has ended");
    }

    #[test]
    fn a_file_that_is_another_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let mut known = HashMap::new();
        std::fs::write(&path, "a").unwrap();
        let first = digest(File::open(&path).unwrap(), &mut known);
        std::fs::write(&path, "bc").unwrap();
        assert_ne!(digest(File::open(&path).unwrap(), &mut known), first);
        assert_eq!(digest(File::open(dir.path()).unwrap(), &mut known), None, "a folder is no program");
    }
}
