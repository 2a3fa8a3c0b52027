//! A running `fim`: started, asked for its lines, stopped.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Longer than anything takes, even in an emulated machine.
const LIMIT: Duration = Duration::from_secs(120);

pub struct Agent {
    child: Child,
    lines: Receiver<String>,
    /// All lines so far.
    pub seen: Vec<Value>,
    /// How many of them were compared already, where that is done one by one.
    pub read: usize,
    barriers: u32,
    barrier_dir: PathBuf,
}

impl Agent {
    /// Starts `fim run` on a directory and waits until it watches.
    pub fn start(fim: &str, watcher: &str, state: &Path, watched: &Path) -> io::Result<Self> {
        let mut command = Command::new(fim);
        command.args(["run", "--watcher", watcher, "--state"]).arg(state).arg(watched);
        Self::spawn(&mut command, watched.join("barrier"))
    }

    /// As [`Self::start`], with a configuration.
    pub fn start_with(
        fim: &str,
        watcher: &str,
        state: &Path,
        watched: &Path,
        config: Option<&Path>,
    ) -> io::Result<Self> {
        let mut command = Command::new(fim);
        command.args(["run", "--watcher", watcher, "--state"]).arg(state);
        command.args(config.into_iter().flat_map(|file| [Path::new("--config"), file])).arg(watched);
        Self::spawn(&mut command, watched.join("barrier"))
    }

    /// As [`Self::start`], of what a configuration says; it must name the folder for barriers.
    pub fn start_by(
        fim: &str,
        watcher: &str,
        state: &Path,
        config: &Path,
        barriers: PathBuf,
    ) -> io::Result<Self> {
        let mut command = Command::new(fim);
        command.args(["run", "--watcher", watcher, "--state"]).arg(state).arg("--config").arg(config);
        Self::spawn(&mut command, barriers)
    }

    /// Starts a command that is a `fim run`, which watches the directory for barriers among others.
    pub fn spawn(command: &mut Command, barrier_dir: PathBuf) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("no stdout"))?;
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let mut agent = Self { child, lines, seen: Vec::new(), read: 0, barriers: 0, barrier_dir };
        agent.wait_for(|line| action(line) == "watch_started")?;
        Ok(agent)
    }

    /// Reads lines until one is what is waited for.
    pub fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> io::Result<()> {
        loop {
            match self.lines.recv_timeout(LIMIT) {
                Ok(line) => {
                    let value = serde_json::from_str(&line)
                        .map_err(|error| io::Error::other(format!("not JSON: {error}: {line}")))?;
                    self.seen.push(value);
                    if self.seen.last().is_some_and(&wanted) {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Err(io::Error::other("no line in two minutes")),
                Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("fim has ended")),
            }
        }
    }

    /// Reads lines until one, now or before, was what is waited for.
    pub fn wait_until_seen(&mut self, wanted: impl Fn(&Value) -> bool) -> io::Result<()> {
        if self.seen.iter().any(&wanted) { Ok(()) } else { self.wait_for(wanted) }
    }

    /// Reads lines until all that came say what is waited for; whether they did within this time.
    pub fn wait_until(&mut self, limit: Duration, wanted: impl Fn(&[Value]) -> bool) -> io::Result<bool> {
        let end = Instant::now() + limit;
        while !wanted(&self.seen) {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.seen.push(serde_json::from_str(&line).map_err(io::Error::other)?),
                Err(RecvTimeoutError::Timeout) => return Ok(false),
                Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("fim has ended")),
            }
        }
        Ok(true)
    }

    /// Makes a file and waits for its line: what was done before it has been seen by then.
    pub fn barrier(&mut self) -> io::Result<()> {
        self.barriers += 1;
        let path = self.barrier_dir.join(self.barriers.to_string());
        std::fs::write(&path, "")?;
        let path = path.display().to_string();
        self.wait_for(|line| line["file"]["path"] == path)
    }

    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("no pid"))?;
        Ok(kill_process(pid, signal)?)
    }

    /// Sends a signal, reads what is left and waits for the end.
    pub fn stop(mut self, signal: Signal) -> io::Result<(ExitStatus, Vec<Value>)> {
        self.signal(signal)?;
        match self.wait_for(|_| false) {
            Err(error) if error.to_string().contains("has ended") => {}
            Err(error) => return Err(error),
            Ok(()) => {}
        }
        let status = self.child.wait()?;
        Ok((status, std::mem::take(&mut self.seen)))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub fn action(line: &Value) -> &str {
    line["event"]["action"].as_str().unwrap_or_default()
}
