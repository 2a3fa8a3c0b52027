//! A tool, what it is to do, and what is expected of it.

use super::finding::{Finding, brief, compare, is_all_there};
use super::stage::Stage;
use crate::agent::{Agent, action};
use crate::score::Score;
use serde_json::Value;
use std::io;
use std::process::Command;
use std::time::Duration;

/// One act.
pub struct Case {
    pub name: &'static str,
    /// Programs it needs besides the first word of the script.
    pub needs: Vec<&'static str>,
    pub script: String,
    pub findings: Vec<Finding>,
    pub allowed: Vec<String>,
}

/// A script whose first program gives the case its name, up to an underscore.
pub fn case(
    name: &'static str,
    script: impl Into<String>,
    findings: impl IntoIterator<Item = Finding>,
) -> Case {
    let files = ["passwd", "shadow", "group", "gshadow", "subuid", "subgid"];
    Case {
        name,
        needs: vec![name.split('_').next().unwrap_or(name)],
        script: script.into(),
        findings: findings.into_iter().collect(),
        // The backups of the package passwd.
        allowed: files.iter().map(|file| format!("etc/{file}-")).collect(),
    }
}

impl Case {
    /// These programs instead of the one that is its name.
    pub fn needs(mut self, programs: &[&'static str]) -> Self {
        self.needs = programs.to_vec();
        self
    }

    /// One more finding.
    pub fn finding(mut self, finding: Finding) -> Self {
        self.findings.push(finding);
        self
    }

    /// A file of the tool's own: what is said of it counts neither way.
    pub fn allows(mut self, path: &str) -> Self {
        self.allowed.push(path.to_owned());
        self
    }
}

/// Runs one and compares the lines it brought.
pub fn play(
    case: &Case,
    stage: &Stage,
    agent: &mut Agent,
    watcher: &str,
    score: &mut Score,
) -> io::Result<()> {
    if let Some(absent) = case.needs.iter().find(|program| !is_installed(program)) {
        score.skip(case.name, &format!("{absent} is not installed"));
        return Ok(());
    }
    let from = agent.read;
    let output = stage.run(&case.script)?;
    agent.wait_until(limit(), |all| {
        is_all_there(&stage.root, &case.findings, all.get(from..).unwrap_or_default())
    })?;
    let lines = since_last(stage, agent)?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr).replace('\n', " ");
        score.say(case.name, Err(format!("{}: {stderr}; {}", output.status, brief(&stage.root, &lines))));
        return Ok(());
    }
    // What a sweep had to find has no actor; fanotify knows the pid alone for certain.
    let strict = watcher == "bpf" && !lines.iter().any(|line| action(line) == "coverage_gap");
    score.say(case.name, compare(&stage.root, &case.findings, &case.allowed, &lines, strict));
    Ok(())
}

/// How long a line is awaited: a file that is changed again and again is looked at ever less often.
pub fn limit() -> Duration {
    Duration::from_secs(if std::env::var_os("FIM_E2E_SLOW").is_some() { 60 } else { 10 })
}

/// The lines since the last call, without those of the barrier.
pub fn since_last(stage: &Stage, agent: &mut Agent) -> io::Result<Vec<Value>> {
    let from = agent.read;
    agent.barrier()?;
    agent.read = agent.seen.len();
    let barrier = stage.root.join("etc/barrier").display().to_string();
    let is_ours = |line: &&Value| !line["file"]["path"].as_str().unwrap_or_default().starts_with(&barrier);
    Ok(agent.seen.iter().skip(from).filter(is_ours).cloned().collect())
}

/// Whether a program is there.
pub fn is_installed(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", "command -v \"$1\" > /dev/null", "sh", program]).status();
    found.is_ok_and(|status| status.success())
}
