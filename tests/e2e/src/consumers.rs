//! The tools that administer accounts, keys and rules, used for real on files of their own, and the one finding
//! a person would expect of each.

mod accounts;
mod canary;
mod case;
mod finding;
mod keys;
mod malformed;
mod restart;
mod stage;
mod texts;

use crate::agent::{Agent, action};
use crate::score::Score;
use case::{play, since_last};
use rustix::process::Signal;
use stage::Stage;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const CONFIG: &str = r#"
[users]
[access]
[[generic_diff]]
paths  = ["/etc/sudoers", "/etc/sudoers.d", "/etc/ssh/sshd_config", "/etc/app.conf"]
redact = ['(?i)(password|secret|token)\s*=\s*(.*)']
[[generic]]
paths = ["/etc", "/home/shared", "/root/bin"]
"#;

/// `fim` on a stage.
pub struct Fim<'a> {
    program: &'a str,
    watcher: &'a str,
    config: PathBuf,
    /// What is logged.
    log: &'a str,
}

impl<'a> Fim<'a> {
    fn new(program: &'a str, watcher: &'a str, stage: &Stage) -> io::Result<Self> {
        let config = stage.beside("fim.toml");
        fs::write(&config, CONFIG)?;
        Ok(Self { program, watcher, config, log: "info" })
    }

    fn command(&self, word: &str, stage: &Stage) -> Command {
        // If it crashes, what that leaves is to be found beside the rest.
        let mut command = Command::new("sh");
        command
            .args([
                "-c",
                "ulimit -c unlimited; exec \"$@\"",
                "sh",
                self.program,
                word,
                "--watcher",
                self.watcher,
            ])
            .arg("--config")
            .arg(&self.config);
        command
            .current_dir(stage.beside(""))
            .arg("--root")
            .arg(&stage.root)
            .arg("--state")
            .arg(stage.beside("state"));
        command
    }

    fn start(&self, stage: &Stage) -> io::Result<Agent> {
        let mut command = self.command("run", stage);
        let log = fs::File::create(stage.beside("stderr"))?;
        Agent::spawn(
            command.env("RUST_LOG", self.log).stderr(Stdio::from(log)),
            stage.root.join("etc/barrier"),
        )
    }
}

/// Runs everything below a directory; the number of failures.
pub fn run(program: &str, watcher: &str, dir: &Path) -> io::Result<u32> {
    let mut score = Score::new(format!("{}:consumers", dir.display()));
    let program = &*fs::canonicalize(program)?.display().to_string();
    let dir = &dir.join("consumers");
    let stage = Stage::build(&dir.join("tools"))?;
    if let Some(reason) = stage.refused()? {
        score.skip("all", &reason);
        return Ok(0);
    }
    keys::prepare(&stage)?;
    texts::prepare(&stage)?;
    let fim = Fim::new(program, watcher, &stage)?;
    let mut agent = fim.start(&stage)?;
    since_last(&stage, &mut agent)?;
    let cases = accounts::cases().into_iter().chain(keys::cases()?).chain(texts::cases());
    for case in cases {
        play(&case, &stage, &mut agent, watcher, &mut score)?;
    }
    let (status, lines) = agent.stop(Signal::TERM)?;
    let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
    fs::write(stage.beside("lines"), text.join("\n") + "\n")?;
    let last = lines.last().map(action).unwrap_or_default();
    score.say(
        "stopped",
        match (status.code(), last) {
            (Some(0), "watch_stopped") => Ok(()),
            _ => Err(format!("{status}, last line {last}")),
        },
    );
    restart::run(program, watcher, &dir.join("restart"), &mut score)?;
    malformed::run(program, watcher, &dir.join("malformed"), &mut score)?;
    canary::run(program, watcher, &dir.join("canary"), &mut score)?;
    Ok(score.failed)
}
