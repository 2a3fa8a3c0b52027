//! A running program that prints a line for each change: `fim`, or a reference that stands beside it.

use crate::Failure;
use crate::cost::{self, Cost};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Longer than anything takes.
const LIMIT: Duration = Duration::from_secs(900);

/// Started, asked for its lines, stopped.
#[derive(Debug)]
pub struct Agent {
    child: Child,
    /// When each line came, and what it was.
    pub lines: Receiver<(Instant, String)>,
    /// What it took until it was ready.
    pub start: Cost,
}

impl Agent {
    /// Starts a command and waits for a line with this text in it.
    ///
    /// # Errors
    /// When it cannot be started or never gets ready.
    pub fn start(command: &mut Command, ready: &str) -> Result<Self, Failure> {
        let begun = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{command:?}: {error}"))?;
        let stdout = child.stdout.take().ok_or("no stdout")?;
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::with_capacity(1 << 20, stdout).lines().map_while(Result::ok) {
                if send.send((Instant::now(), line)).is_err() {
                    break;
                }
            }
        });
        let mut agent = Self { child, lines, start: Cost::default() };
        let at = agent.wait_for(ready)?;
        agent.start = Cost { wall: (at - begun).as_secs_f64(), cpu: agent.cpu()?, peak: 0 };
        Ok(agent)
    }

    /// `fim run` by a configuration.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn fim(fim: &Path, state: &Path, config: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(fim);
        command.args(["run", "-q", "--state"]).arg(state).arg("--config").arg(config);
        Self::start(&mut command, "\"watch_started\"")
    }

    /// The process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Time on processors so far, in seconds.
    ///
    /// # Errors
    /// When it has ended.
    pub fn cpu(&self) -> Result<f64, Failure> {
        Ok(cost::cpu_of(self.pid())?.as_secs_f64())
    }

    /// Reads lines until one has this text in it; when that came.
    ///
    /// # Errors
    /// When none comes.
    pub fn wait_for(&self, text: &str) -> Result<Instant, Failure> {
        loop {
            let (at, line) = self.lines.recv_timeout(LIMIT).map_err(|error| format!("no {text}: {error}"))?;
            if line.contains(text) {
                return Ok(at);
            }
        }
    }

    /// Reads lines until none has come for this long; when the last one came, and all of them.
    ///
    /// # Errors
    /// When it has ended.
    pub fn until_quiet(&self, quiet: Duration) -> Result<(Option<Instant>, Vec<String>), Failure> {
        let (mut last, mut all) = (None, Vec::new());
        loop {
            match self.lines.recv_timeout(quiet) {
                Ok((at, line)) => {
                    last = Some(at);
                    all.push(line);
                }
                Err(RecvTimeoutError::Timeout) => return Ok((last, all)),
                Err(RecvTimeoutError::Disconnected) => return Err("it has ended".into()),
            }
        }
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When it has ended.
    pub fn signal(&self, signal: Signal) -> Result<(), Failure> {
        self::signal(self.pid(), signal)
    }

    /// Stops it and waits for its end; the lines that were left.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn stop(mut self) -> Result<Vec<String>, Failure> {
        self.signal(Signal::TERM)?;
        let rest = self.lines.iter().map(|(_, line)| line).collect();
        self.child.wait()?;
        Ok(rest)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Sends a signal to a process.
///
/// # Errors
/// When there is none.
pub fn signal(pid: u32, signal: Signal) -> Result<(), Failure> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or("no process")?;
    Ok(kill_process(pid, signal)?)
}

/// The process of this name, if there is one.
#[must_use]
pub fn pid_of(name: &str) -> Option<u32> {
    let dirs = std::fs::read_dir("/proc").ok()?;
    dirs.flatten()
        .find(|dir| std::fs::read_to_string(dir.path().join("comm")).is_ok_and(|comm| comm.trim() == name))
        .and_then(|dir| dir.file_name().to_str()?.parse().ok())
}
