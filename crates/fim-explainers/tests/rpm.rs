//! Packages that rpmbuild makes, installed, replaced and removed by rpm below a folder, with the database as rpm leaves
//! it and, in the middle of a transaction, as it is then.

#![cfg(feature = "rpm")]
#![allow(clippy::unwrap_used)]

use fim_core::{Actor, Checksum, Checksums, Explainer, Facts, FileKind, Limits, Need, Reader, Reason, Sight};
use fim_explainers::Rpm;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PLACE: &str = "/usr/lib/sysimage/rpm";

struct House {
    dir: TempDir,
}

struct OfFile<'a>(&'a Path);

impl Checksums for OfFile<'_> {
    fn of_content(&mut self, checksum: Checksum) -> Option<Vec<u8>> {
        let mut need = Need::default();
        need.checksum = Some(checksum);
        Reader::new(Limits::default()).ok()?.look(self.0, need).checksum
    }
}

/// Nothing where there is no rpm to try it with.
fn house() -> Option<House> {
    if !Command::new("rpmbuild").arg("--version").stdout(Stdio::null()).status().is_ok_and(|it| it.success())
    {
        println!("skipped: no rpmbuild");
        return None;
    }
    if !fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0) {
        println!("skipped: rpm needs root for another root");
        return None;
    }
    let house = House { dir: tempfile::tempdir().unwrap() };
    fs::create_dir(house.root()).unwrap();
    let spec = concat!(env!("CARGO_MANIFEST_DIR"), "/src/rpm/testing/p.spec");
    let text = fs::read_to_string(spec).unwrap();
    // In the middle of it somebody looks: it waits for a file, inside the folder that is its root then.
    let waiting = "%pre -p <lua>\nposix.mkdir('/at')\n\
                   while posix.stat('/at/go') == nil do posix.sleep(0) end\n%files";
    for (version, text) in [("1", text.clone()), ("2", text.clone()), ("3", text.replace("%files", waiting))]
    {
        let spec = house.at("p.spec");
        fs::write(&spec, text).unwrap();
        let mut build = Command::new("rpmbuild");
        build.args(["-bb", "--quiet", "--define"]).arg(format!("v {version}"));
        build.arg("--define").arg(format!("_topdir {}", house.at("build").display()));
        succeed(build.arg(&spec));
    }
    succeed(house.rpm().arg("--initdb"));
    Some(house)
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl House {
    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    fn root(&self) -> PathBuf {
        self.at("root")
    }

    fn rpm(&self) -> Command {
        let mut command = Command::new("rpm");
        command.arg("--root").arg(self.root()).args(["--dbpath", PLACE]).stderr(Stdio::null());
        command
    }

    fn package(&self, version: u32) -> PathBuf {
        self.at(&format!("build/RPMS/noarch/p-{version}-1.noarch.rpm"))
    }

    fn explainer(&self) -> Rpm {
        let mut rpm = Rpm::below(&self.root()).unwrap().unwrap();
        rpm.prepare();
        rpm
    }

    /// What is said of what is at this path, as if it had been another file before.
    fn said(&self, rpm: &mut Rpm, path: &str) -> Reason {
        self.said_of(rpm, path, None)
    }

    /// The same, if this process did it.
    fn said_of(&self, rpm: &mut Rpm, path: &str, pid: Option<u32>) -> Reason {
        let file = self.root().join(path);
        let after = Reader::new(Limits::default()).unwrap().look(&file, Need::default()).facts;
        let mut before = after.clone().unwrap_or(Facts::new(FileKind::File));
        (before.blake3, before.target) = (Some([0; 32]), None);
        let actors: Vec<Arc<Actor>> = pid.into_iter().map(|pid| Arc::new(Actor::new(pid))).collect();
        let mut sight = Sight::new(&file, Some(&before), after.as_ref());
        sight.actors = &actors;
        rpm.explain(&sight, &mut OfFile(&file))
    }
}

fn version(reason: &Reason) -> Option<&str> {
    let explanation = reason.explanation.as_ref()?;
    explanation.of.iter().find(|(name, _)| *name == "version").map(|(_, value)| value.as_str())
}

const ALL: [&str; 5] = ["usr/bin/p", "usr/bin/plink", "usr/share/p", "etc/p.conf", "etc/p.keep"];

#[test]
fn installed_replaced_and_removed() {
    let Some(house) = house() else { return };
    let mut rpm = house.explainer();
    for (word, number, expected) in [("-i", 1, "1-1.noarch"), ("-U", 2, "2-1.noarch")] {
        succeed(house.rpm().arg(word).arg(house.package(number)));
        for path in ALL {
            assert_eq!(version(&house.said(&mut rpm, path)), Some(expected), "{path}");
        }
    }
    succeed(house.rpm().arg("--rebuilddb"));
    assert_eq!(
        version(&house.said(&mut rpm, "usr/bin/p")),
        Some("2-1.noarch"),
        "rows have other numbers now"
    );
    fs::write(house.root().join("usr/bin/p"), "program 1\n").unwrap();
    let reason = house.said(&mut rpm, "usr/bin/p");
    assert!(reason.odd.is_some() && !reason.is_open && reason.explanation.is_none(), "{reason:?}");
    fs::write(house.root().join("etc/p.keep"), "edited\n").unwrap();
    assert_eq!(house.said(&mut rpm, "etc/p.keep"), Reason::default());
    succeed(house.rpm().args(["-U", "--oldpackage"]).arg(house.package(1)));
    assert_eq!(version(&house.said(&mut rpm, "etc/p.keep.rpmnew")), Some("1-1.noarch"));
    succeed(house.rpm().args(["-e", "p"]));
    for path in ALL {
        assert_eq!(version(&house.said(&mut rpm, path)), Some("1-1.noarch"), "{path} may go");
    }
    assert_eq!(house.said(&mut rpm, "usr/bin/q"), Reason::default());
}

#[test]
fn in_the_middle_of_a_transaction_nothing_is_odd() {
    let Some(house) = house() else { return };
    succeed(house.rpm().arg("-i").arg(house.package(1)));
    let mut rpm = house.explainer();
    let mut child = house.rpm().arg("-U").arg(house.package(3)).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while !house.root().join("at").exists() {
        assert!(Instant::now() < end, "rpm has not begun in a minute");
        std::thread::sleep(Duration::from_millis(1));
    }
    fs::write(house.root().join("usr/bin/p"), "program 3\n").unwrap();
    let reason = house.said(&mut rpm, "usr/bin/p");
    assert!(reason.is_open && reason.odd.is_none() && reason.explanation.is_none(), "{reason:?}");
    assert_eq!(version(&house.said(&mut rpm, "etc/p.conf")), Some("1-1.noarch"), "what is known is told");
    // Numbers of processes are compared where they are those of the whole machine.
    let is_initial = fs::read_link("/proc/self/ns/pid").is_ok_and(|it| it.as_os_str() == "pid:[4026531836]");
    for (pid, is_known) in [(child.id(), false), (std::process::id(), is_initial)] {
        let reason = house.said_of(&mut rpm, "usr/bin/p", Some(pid));
        assert_eq!((reason.odd.is_some(), reason.is_open), (is_known, !is_known), "{pid}: {reason:?}");
    }
    fs::write(house.root().join("at/go"), "").unwrap();
    assert!(child.wait().unwrap().success());
    for path in ALL {
        assert_eq!(version(&house.said(&mut rpm, path)), Some("3-1.noarch"), "{path}");
    }
}
