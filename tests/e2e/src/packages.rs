//! A dozen packages are upgraded and installed anew while `fim` watches: every line says which package it was, and
//! one byte more in one of the files stands out.

use crate::agent::{Agent, action};
use crate::reasons;
use crate::score::Score;
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
/// dpkg takes seconds for all of it.
const LIMIT: Duration = Duration::from_secs(60);
/// Lines that are read in a minute.
const READABLE: usize = 60;

/// Runs everything below a directory; the number of failures.
pub fn run(fim: &str, watcher: &str, dir: &Path) -> io::Result<u32> {
    let mut score = Score::new(format!("{}:packages", dir.display()));
    reasons::run(fim, watcher, &dir.join("reasons"), &mut score)?;
    let fim = fs::canonicalize(fim)?;
    let house = House { fim, watcher: watcher.to_owned(), dir: dir.join("packages") };
    drop(fs::remove_dir_all(&house.dir));
    for folder in ["root/etc/barrier", "root/usr", "root/var/lib/dpkg/info", "root/var/lib/dpkg/updates"] {
        fs::create_dir_all(house.dir.join(folder))?;
    }
    fs::write(house.root().join("var/lib/dpkg/status"), "")?;
    fs::write(house.dir.join("fim.toml"), "[[generic]]\npaths = [\"/usr\", \"/etc\"]\n")?;
    if !Command::new("dpkg-deb").arg("--version").stdout(Stdio::null()).status().is_ok_and(|it| it.success())
    {
        score.skip("all", "there is no dpkg");
        return Ok(score.failed);
    }
    for version in [1, 2] {
        (0..PACKAGES).try_for_each(|number| house.build(number, version))?;
    }
    succeed(&mut house.dpkg(1))?;
    succeed(house.fim("baseline").stdout(Stdio::null()))?;

    let lines = house.upgrade()?;
    score.say("upgrade", (0..PACKAGES).try_for_each(|number| upgraded(&house.root(), number, &lines)));
    score.say("tampered", tampered(&house.root(), &lines));
    score.say("nothing-else", nothing_else(&lines));
    let check = house.fim("check").args(["--format", "pretty"]).output()?;
    score.say("readable", readable(&String::from_utf8_lossy(&check.stdout)));
    let lines = house.install_anew()?;
    score.say("installed-anew", installed_anew(&lines));
    Ok(score.failed)
}

struct House {
    fim: PathBuf,
    watcher: String,
    dir: PathBuf,
}

impl House {
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
    fn dpkg(&self, version: u32) -> Command {
        let mut command = Command::new("dpkg");
        command.args(["--force-all", "--force-script-chrootless", "--log=/dev/null", "--root"]);
        command.arg(self.root()).arg("--install");
        command.args((0..PACKAGES).map(|number| self.dir.join(format!("p{number}_{version}.deb"))));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn build(&self, number: usize, version: u32) -> io::Result<()> {
        let tree = self.dir.join("tree");
        drop(fs::remove_dir_all(&tree));
        let share = tree.join(format!("usr/share/p{number}"));
        for folder in ["DEBIAN", "usr/bin", "usr/lib", "etc"] {
            fs::create_dir_all(tree.join(folder))?;
        }
        fs::create_dir_all(&share)?;
        let text = |name: &str| format!("{name} of package {number} version {version}\n").repeat(100);
        for file in 0..FILES {
            fs::write(share.join(format!("f{file}")), text(&file.to_string()))?;
        }
        fs::write(tree.join(format!("usr/bin/p{number}")), text("program"))?;
        fs::write(tree.join(format!("usr/lib/libp{number}.so.{version}")), text("library"))?;
        let link = tree.join(format!("usr/lib/libp{number}.so"));
        std::os::unix::fs::symlink(format!("libp{number}.so.{version}"), link)?;
        if version == 1 {
            fs::write(share.join("old"), text("old"))?;
        } else {
            fs::create_dir(share.join("more"))?;
            fs::write(share.join("more/new"), text("new"))?;
        }
        fs::write(tree.join(format!("etc/p{number}.conf")), text("configuration"))?;
        fs::write(tree.join("DEBIAN/conffiles"), format!("/etc/p{number}.conf\n"))?;
        let control = format!(
            "Package: p{number}\nVersion: {version}\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n"
        );
        fs::write(tree.join("DEBIAN/control"), control)?;
        let script = "find usr -type f -exec md5sum {} + > DEBIAN/md5sums && chmod 755 usr/bin/* && \
                      dpkg-deb -Znone --root-owner-group -b . \"$1\" > /dev/null";
        let deb = self.dir.join(format!("p{number}_{version}.deb"));
        succeed(Command::new("sh").args(["-ec", script, "sh"]).arg(deb).current_dir(&tree))
    }

    /// Upgrades all packages and changes one of their files as soon as it is there.
    fn upgrade(&self) -> io::Result<Vec<Value>> {
        let mut agent = self.start()?;
        let mut dpkg = self.dpkg(2).spawn()?;
        let file = self.root().join(TAMPERED);
        let end = Instant::now() + LIMIT;
        while !fs::read_to_string(&file).is_ok_and(|text| text.contains("version 2")) {
            if Instant::now() > end {
                return Err(io::Error::other("dpkg has not upgraded in a minute"));
            }
            std::thread::yield_now();
        }
        fs::OpenOptions::new().append(true).open(&file)?.write_all(b"x")?;
        if !dpkg.wait()?.success() {
            return Err(io::Error::other("dpkg has failed"));
        }
        agent.barrier()?;
        Ok(agent.stop(Signal::TERM)?.1)
    }

    fn install_anew(&self) -> io::Result<Vec<Value>> {
        let mut agent = self.start()?;
        succeed(&mut self.dpkg(2))?;
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

fn last<'a>(root: &Path, path: &str, lines: &'a [Value]) -> Result<&'a Value, String> {
    let shown = root.join(path).display().to_string();
    let line = lines.iter().rfind(|line| line["file"]["path"] == shown);
    line.ok_or_else(|| format!("no line for {path}"))
}

fn upgraded(root: &Path, number: usize, lines: &[Value]) -> Result<(), String> {
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
        let line = last(root, &path, lines)?;
        let by = &line["fim"]["explained_by"];
        let package = format!("p{number}");
        let is_so = by["by"] == "package" && by["manager"] == "dpkg" && by["package"] == package;
        let is_so = is_so && by["version"] == "2" && line["event"]["severity"] == 10;
        if action(line) != what || !is_so {
            return Err(format!("{path} is to be {what} by {package} 2, routine: {line}"));
        }
    }
    Ok(())
}

fn tampered(root: &Path, lines: &[Value]) -> Result<(), String> {
    let line = last(root, TAMPERED, lines)?;
    let mismatch = line["fim"]["changes"].as_array().into_iter().flatten();
    let mismatch = mismatch.filter(|change| change["what"] == "package_mismatch").count();
    if mismatch == 1 && line["event"]["severity"] == 70 && line["fim"]["explained_by"].is_null() {
        return Ok(());
    }
    Err(format!("it is to stand out: {line}"))
}

/// Everything that is not routine, but for the one file.
fn nothing_else(lines: &[Value]) -> Result<(), String> {
    let matters = |line: &&Value| line["event"]["kind"] == "event" && line["event"]["severity"] != 10;
    let is_meant = |line: &Value| line["file"]["path"].as_str().is_some_and(|path| path.ends_with(TAMPERED));
    let odd = lines.iter().filter(matters).find(|line| !is_meant(line));
    odd.map_or(Ok(()), |line| Err(format!("nobody expects this: {line}")))
}

fn readable(text: &str) -> Result<(), String> {
    let count = text.lines().count();
    let alarm = text.lines().filter(|line| line.contains("HIGH")).collect::<Vec<_>>();
    if count > READABLE {
        return Err(format!("{count} lines are too many to read:\n{text}"));
    }
    match alarm.as_slice() {
        [line] if line.contains(TAMPERED) && line.contains("NOT what the package p7 2 has there") => Ok(()),
        _ => Err(format!("one line is to stand out:\n{text}")),
    }
}

/// Nothing but times moved, and the changed file is what it should be again.
fn installed_anew(lines: &[Value]) -> Result<(), String> {
    let told: Vec<&Value> = lines
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
        Some(line) if line["fim"]["explained_by"]["version"] == "2" => {}
        line => return Err(format!("the file is what it should be: {line:?}")),
    }
    let is_passing = |line: &Value| line["fim"]["changes"].to_string().contains("transient");
    let unexplained = told.iter().find(|line| line["fim"]["explained_by"].is_null() && !is_passing(line));
    unexplained.map_or(Ok(()), |line| Err(format!("not explained: {line}")))
}
