//! A dozen packages are upgraded and installed anew while `fim` watches: every line says which package it was, and
//! one byte more in one of the files stands out.

mod manager;
mod tree;

use crate::agent::{Agent, action};
use crate::reasons;
use crate::score::Score;
use manager::Manager;
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PACKAGES: usize = 12;
const FILES: usize = 25;
/// One byte is added to it in the middle of the upgrade.
const TAMPERED: &str = "usr/share/p7/f7";
/// It takes seconds for all of it.
const LIMIT: Duration = Duration::from_secs(60);
/// Lines that are read in a minute.
const READABLE: usize = 60;

/// Runs everything below a directory; the number of failures.
pub fn run(fim: &str, watcher: &str, dir: &Path) -> io::Result<u32> {
    let mut score = Score::new(format!("{}:packages", dir.display()));
    reasons::run(fim, watcher, &dir.join("reasons"), &mut score)?;
    let fim = fs::canonicalize(fim)?;
    for manager in [Manager::Dpkg, Manager::Rpm] {
        let house =
            House { fim: fim.clone(), watcher: watcher.to_owned(), manager, dir: dir.join(manager.name()) };
        if manager.is_there() {
            house.run(&mut score)?;
        } else {
            score.skip(manager.name(), "it is not on the machine that runs the tests");
        }
    }
    Ok(score.failed)
}

struct House {
    fim: PathBuf,
    watcher: String,
    manager: Manager,
    dir: PathBuf,
}

impl House {
    fn run(&self, score: &mut Score) -> io::Result<()> {
        drop(fs::remove_dir_all(&self.dir));
        for folder in ["root/etc/barrier", "root/usr"] {
            fs::create_dir_all(self.dir.join(folder))?;
        }
        fs::write(self.dir.join("fim.toml"), "[[generic]]\npaths = [\"/usr\", \"/etc\"]\n")?;
        self.manager.prepare(&self.dir)?;
        succeed(&mut self.install(1))?;
        succeed(self.fim("baseline").stdout(Stdio::null()))?;
        let name = |check: &str| format!("{}:{check}", self.manager.name());
        let told = self.upgrade()?;
        let lines = Lines { house: self, told };
        score.say(&name("upgrade"), (0..PACKAGES).try_for_each(|number| lines.upgraded(number)));
        score.say(&name("tampered"), lines.tampered());
        score.say(&name("nothing-else"), lines.nothing_else());
        let check = self.fim("check").args(["--format", "pretty"]).output()?;
        score.say(&name("readable"), self.readable(&String::from_utf8_lossy(&check.stdout)));
        let told = self.install_anew()?;
        score.say(&name("installed-anew"), Lines { house: self, told }.installed_anew());
        Ok(())
    }

    fn readable(&self, text: &str) -> Result<(), String> {
        let count = text.lines().count();
        let alarm = text.lines().filter(|line| line.contains("HIGH")).collect::<Vec<_>>();
        if count > READABLE {
            return Err(format!("{count} lines are too many to read:\n{text}"));
        }
        let odd = format!("NOT what the package p7 {} has there", self.manager.version());
        match alarm.as_slice() {
            [line] if line.contains(TAMPERED) && line.contains(&odd) => Ok(()),
            _ => Err(format!("one line is to stand out:\n{text}")),
        }
    }

    fn root(&self) -> PathBuf {
        self.dir.join("root")
    }

    fn fim(&self, word: &str) -> Command {
        let mut command = Command::new(&self.fim);
        command.args([word, "--watcher", &self.watcher, "--config"]).arg(self.dir.join("fim.toml"));
        command.arg("--root").arg(self.root()).arg("--state").arg(self.dir.join("state"));
        command.env("RUST_LOG", "error");
        command
    }

    fn start(&self) -> io::Result<Agent> {
        Agent::spawn(&mut self.fim("run"), self.root().join("etc/barrier"))
    }

    /// Installs all packages in a version.
    fn install(&self, version: u32) -> Command {
        let mut command = self.manager.install(&self.dir, version);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Upgrades all packages and changes one of their files as soon as it is there.
    fn upgrade(&self) -> io::Result<Vec<Value>> {
        let mut agent = self.start()?;
        let mut manager = self.install(2).spawn()?;
        let file = self.root().join(TAMPERED);
        let end = Instant::now() + LIMIT;
        while !fs::read_to_string(&file).is_ok_and(|text| text.contains("version 2")) {
            if Instant::now() > end {
                return Err(io::Error::other("nothing was upgraded in a minute"));
            }
            std::thread::yield_now();
        }
        fs::OpenOptions::new().append(true).open(&file)?.write_all(b"x")?;
        if !manager.wait()?.success() {
            return Err(io::Error::other("the package manager has failed"));
        }
        agent.barrier()?;
        Ok(agent.stop(Signal::TERM)?.1)
    }

    fn install_anew(&self) -> io::Result<Vec<Value>> {
        let mut agent = self.start()?;
        succeed(&mut self.install(2))?;
        agent.barrier()?;
        Ok(agent.stop(Signal::TERM)?.1)
    }
}

fn succeed(command: &mut Command) -> io::Result<()> {
    match command.status()? {
        status if status.success() => Ok(()),
        status => Err(io::Error::other(format!("{command:?}: {status}"))),
    }
}

/// What was told.
struct Lines<'a> {
    house: &'a House,
    told: Vec<Value>,
}

impl Lines<'_> {
    fn last(&self, path: &str) -> Result<&Value, String> {
        let shown = self.house.root().join(path).display().to_string();
        let line = self.told.iter().rfind(|line| line["file"]["path"] == shown);
        line.ok_or_else(|| format!("no line for {path}"))
    }

    fn upgraded(&self, number: usize) -> Result<(), String> {
        let share = format!("usr/share/p{number}");
        let files = (0..FILES).map(|file| (format!("{share}/f{file}"), "updated"));
        let others = [
            (format!("usr/bin/p{number}"), "updated"),
            (format!("usr/lib/libp{number}.so"), "updated"),
            (format!("usr/lib/libp{number}.so.1"), "deleted"),
            (format!("usr/lib/libp{number}.so.2"), "created"),
            (format!("{share}/old"), "deleted"),
            (format!("{share}/more"), "created"),
            (format!("{share}/more/new"), "created"),
            (format!("etc/p{number}.conf"), "updated"),
        ];
        for (path, what) in files.chain(others).filter(|(path, _)| path != TAMPERED) {
            let line = self.last(&path)?;
            let by = &line["fim"]["explained_by"];
            let package = format!("p{number}");
            let is_so = by["by"] == "package"
                && by["manager"] == self.house.manager.name()
                && by["package"] == package;
            let is_so =
                is_so && by["version"] == self.house.manager.version() && line["event"]["severity"] == 10;
            if action(line) != what || !is_so {
                return Err(format!("{path} is to be {what} by {package} 2, routine: {line}"));
            }
        }
        Ok(())
    }

    fn tampered(&self) -> Result<(), String> {
        let line = self.last(TAMPERED)?;
        let mismatch = line["fim"]["changes"].as_array().into_iter().flatten();
        let mismatch = mismatch.filter(|change| change["what"] == "package_mismatch").count();
        if mismatch == 1 && line["event"]["severity"] == 70 && line["fim"]["explained_by"].is_null() {
            return Ok(());
        }
        Err(format!("it is to stand out: {line}"))
    }

    /// Everything that is not routine, but for the one file.
    fn nothing_else(&self) -> Result<(), String> {
        let matters = |line: &&Value| line["event"]["kind"] == "event" && line["event"]["severity"] != 10;
        // What was changed on purpose, and the sign by which the test knows that all before it was told.
        let is_meant = |line: &Value| {
            line["file"]["path"]
                .as_str()
                .is_some_and(|path| path.ends_with(TAMPERED) || path.contains("/barrier/"))
        };
        let odd = self.told.iter().filter(matters).find(|line| !is_meant(line));
        odd.map_or(Ok(()), |line| Err(format!("nobody expects this: {line}")))
    }

    /// Nothing but times moved, and the changed file is what it should be again.
    fn installed_anew(&self) -> Result<(), String> {
        let told: Vec<&Value> = self
            .told
            .iter()
            .filter(|line| line["event"]["kind"] == "event")
            .filter(|line| !line["file"]["path"].as_str().is_some_and(|path| path.contains("/barrier/")))
            .collect();
        if told.len() > 5 * READABLE {
            return Err(format!("{} lines", told.len()));
        }
        let is_restored =
            |line: &&&Value| line["file"]["path"].as_str().is_some_and(|path| path.ends_with(TAMPERED));
        match told.iter().rfind(is_restored) {
            Some(line) if line["fim"]["explained_by"]["version"] == self.house.manager.version() => {}
            line => return Err(format!("the file is what it should be: {line:?}")),
        }
        let is_passing = |line: &Value| line["fim"]["changes"].to_string().contains("transient");
        let unexplained = told.iter().find(|line| line["fim"]["explained_by"].is_null() && !is_passing(line));
        unexplained.map_or(Ok(()), |line| Err(format!("not explained: {line}")))
    }
}
