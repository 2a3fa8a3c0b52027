//! A folder with some files, a state, a log, and the command that watches and verifies.

use rustix::process::{Pid, Signal};
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything takes.
const LIMIT: Duration = Duration::from_secs(60);

pub fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("skipped: watching needs root");
    }
    root
}

pub struct House {
    pub dir: tempfile::TempDir,
    pub watched: PathBuf,
    pub state: PathBuf,
    pub log: PathBuf,
}

impl House {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        let watched = top.join("watched");
        fs::create_dir(&watched).unwrap();
        for name in ["a", "b"] {
            fs::write(watched.join(name), "old").unwrap();
        }
        Self { dir, watched, state: top.join("state"), log: top.join("log") }
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.watched.join(name), text).unwrap();
    }

    /// `fim COMMAND` on this house with more arguments: exit status, standard output, standard error.
    pub fn fim(&self, command: &str, more: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_fim"))
            .arg(command)
            .args(more)
            .arg("--state")
            .arg(&self.state)
            .env_remove("RUST_LOG")
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// Starts `fim COMMAND` on what is watched, and kills it after a while.
    pub fn kill_after(&self, command: &str, time: Duration) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fim"))
            .arg(command)
            .arg(&self.watched)
            .arg("--state")
            .arg(&self.state)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(time);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts a watch that adds to the log, and waits until it watches.
    pub fn watch(&self, more: &[&str]) -> Watch {
        let watch = self.begin(more);
        watch.wait_for("watch_started");
        watch
    }

    /// As [`Self::watch`], by this program.
    pub fn watch_by(&self, program: &Path, more: &[&str]) -> Watch {
        let watch = self.begin_by(program, more);
        watch.wait_for("watch_started");
        watch
    }

    /// Starts a watch that adds to the log.
    pub fn begin(&self, more: &[&str]) -> Watch {
        self.begin_by(Path::new(env!("CARGO_BIN_EXE_fim")), more)
    }

    fn begin_by(&self, program: &Path, more: &[&str]) -> Watch {
        let log = OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let from = log.metadata().unwrap().len();
        let errors = self.log.with_extension("err");
        let child = Command::new(program)
            .args(["run", "--watcher", "fanotify", "--state"])
            .arg(&self.state)
            .args(more)
            .arg(&self.watched)
            .env_remove("RUST_LOG")
            .stdout(log)
            .stderr(File::create(&errors).unwrap())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Watch { child, log: self.log.clone(), errors, from: usize::try_from(from).unwrap() }
    }

    pub fn verify(&self, more: &[&str]) -> (i32, String, String) {
        self.fim("verify", &[&[self.log.to_str().unwrap()], more].concat())
    }

    pub fn lines(&self) -> Vec<String> {
        fs::read_to_string(&self.log).unwrap().lines().map(str::to_owned).collect()
    }

    pub fn set_lines(&self, lines: &[String]) {
        fs::write(&self.log, lines.join("\n") + "\n").unwrap();
    }
}

/// A running `fim`.
pub struct Watch {
    child: Child,
    log: PathBuf,
    pub errors: PathBuf,
    from: usize,
}

impl Watch {
    /// What it wrote so far.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()[self.from..]).into_owned()
    }

    /// Waits until it has written a word.
    pub fn wait_for(&self, word: &str) {
        self.wait_until(|written| written.contains(word), word);
    }

    /// Waits until what it wrote is as wanted.
    pub fn wait_until(&self, wanted: impl Fn(&str) -> bool, what: &str) {
        let end = Instant::now() + LIMIT;
        while !wanted(&self.written()) {
            assert!(Instant::now() < end, "no {what} in {}\n{}", self.written(), self.complaints());
            // A file has no way to tell that it grew.
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn complaints(&self) -> String {
        fs::read_to_string(&self.errors).unwrap_or_default()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Lets it open no file with a number as large as this.
    pub fn limit_files(&self, most: u64) {
        let limit = format!("--nofile={most}:");
        let pid = self.child.id().to_string();
        assert!(Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap().success());
    }

    pub fn end(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.child.wait().unwrap()
    }

    pub fn stop(self) {
        let errors = self.errors.clone();
        let status = self.end(Signal::TERM);
        assert_eq!(status.code(), Some(0), "{}", read(&errors));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
