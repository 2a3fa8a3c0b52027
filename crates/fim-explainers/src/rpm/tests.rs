//! Changes of files of packages, by a database that SQLite wrote with headers that rpm wrote: see `testing/make.py`.

use super::*;
use crate::packages::testing::{OfFile, by, folder_or_link, rewritten};
use fim_core::{Actor, Facts};
use std::fs;
use tempfile::TempDir;

const DATABASE: &[u8] = include_bytes!("testing/packages.sqlite");
const LOG: &[u8] = include_bytes!("testing/packages.sqlite-wal");
/// How long the log is when p 2 came beside p 1, when p 1 went, and when p 2 went too.
const CAME: usize = 4320;
const WENT: usize = 7536;
const GONE: usize = 12896;

struct Stage {
    dir: TempDir,
    rpm: Rpm,
    transaction: Option<Transaction>,
    actors: Vec<Arc<Actor>>,
}

impl Stage {
    /// With a package `p` 1, and the log as long as this.
    fn new(length: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for folder in ["usr/lib/sysimage/rpm", "usr/bin", "usr/share", "etc", "var/log"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::write(root.join("usr/lib/sysimage/rpm/rpmdb.sqlite"), DATABASE).unwrap();
        fs::write(root.join("usr/lib/sysimage/rpm/rpmdb.sqlite-wal"), &LOG[..length]).unwrap();
        let mut rpm = Rpm::below(&root).unwrap().unwrap();
        rpm.prepare();
        Self { dir, rpm, transaction: None, actors: Vec::new() }
    }

    fn root(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    fn log(&self, length: usize) {
        fs::write(self.root().join("usr/lib/sysimage/rpm/rpmdb.sqlite-wal"), &LOG[..length]).unwrap();
    }

    fn explain(&mut self, path: &Path, before: Option<&Facts>, after: Option<&Facts>) -> Reason {
        let mut sight = Sight::new(path, before, after);
        sight.actors = &self.actors;
        let transaction = self.transaction;
        if transaction.is_none() {
            return self.rpm.explain(&sight, &mut OfFile(path));
        }
        self.rpm.explain_unless(&sight, &mut OfFile(path), |_| transaction)
    }

    /// What is said of a file that has this content now, and was another.
    fn updated(&mut self, path: &str, text: &str) -> Reason {
        self.changed(path, text, |_, _| ())
    }

    fn changed(&mut self, path: &str, text: &str, change: impl Fn(&mut Facts, &mut Facts)) -> Reason {
        let file = self.root().join(path);
        let (mut before, mut after) = rewritten(&file, text);
        change(&mut before, &mut after);
        self.explain(&file, Some(&before), Some(&after))
    }

    /// What is said of a new folder, or a new link.
    fn made(&mut self, path: &str, target: Option<&str>) -> Reason {
        let facts = folder_or_link(target);
        let file = self.root().join(path);
        self.explain(&file, None, Some(&facts))
    }

    fn deleted(&mut self, path: &str) -> Reason {
        let file = self.root().join(path);
        self.explain(&file, Some(&Facts::new(FileKind::File)), None)
    }
}

fn package(version: u32) -> Option<(String, bool)> {
    Some((format!("rpm p {version}-1.noarch"), true))
}

#[test]
fn the_content_of_the_installed_version_is_explained() {
    let mut stage = Stage::new(0);
    assert_eq!(by(&stage.updated("usr/bin/p", "program 1\n")), package(1));
    assert_eq!(by(&stage.updated("etc/p.conf", "config 1\n")), package(1));
    assert_eq!(by(&stage.updated("etc/p.keep.rpmnew", "keep 1\n")), package(1));
    assert_eq!(by(&stage.updated("etc/p.conf.rpmsave", "config 1\n")), package(1));
    assert_eq!(
        stage.updated("usr/bin/p.rpmnew", "program 1\n"),
        Reason::default(),
        "it is not for configuration"
    );
    assert_eq!(stage.updated("usr/bin/q", "program 1\n"), Reason::default(), "nobody's");
}

#[test]
fn one_byte_more_is_not() {
    let mut stage = Stage::new(0);
    let reason = stage.updated("usr/bin/p", "program 1\n\n");
    assert_eq!((by(&reason), reason.is_open), (None, false));
    let odd = Change::new("package_mismatch").of("package", "p").of("version", "1-1.noarch");
    assert_eq!(reason.odd, Some((odd, Severity::High)));
    assert_eq!(stage.updated("etc/p.conf", "edited"), Reason::default(), "it is there to be edited");
    assert_eq!(stage.updated("etc/p.keep.rpmnew", "else"), Reason::default());
    assert_eq!(stage.updated("var/log/p", "a line"), Reason::default(), "the package has nothing there");
}

#[test]
fn metadata_is_not_held_against_the_database() {
    let mut stage = Stage::new(0);
    let suid = stage.changed("usr/bin/p", "program 1\n", |before, after| {
        before.blake3 = after.blake3;
        after.mode = 0o4755;
    });
    assert_eq!(suid, Reason::default());
    let both = stage.changed("usr/bin/p", "program 1\n", |_, after| after.mode = 0o4755);
    assert_eq!(
        by(&both),
        Some(("rpm p 1-1.noarch".to_owned(), false)),
        "told, but nothing is made less of it"
    );
}

#[test]
fn folders_and_links_of_a_package() {
    let mut stage = Stage::new(0);
    for (path, target, explained) in [
        ("usr/share/p", None, true),
        ("usr/share", None, false),
        ("usr/bin/p", None, false),
        ("usr/bin/plink", Some("p"), true),
        ("usr/bin/plink", Some("./p"), false),
        ("usr/bin/p", Some("p"), false),
    ] {
        let expected = if explained { package(1) } else { None };
        assert_eq!(by(&stage.made(path, target)), expected, "{path} {target:?}");
    }
}

#[test]
fn what_a_transaction_did_so_far_is_in_the_log() {
    let mut stage = Stage::new(0);
    stage.transaction = Some(Transaction { process: None });
    let soon = stage.updated("usr/bin/p", "program 2\n");
    assert_eq!((by(&soon), soon.odd.is_some(), soon.is_open), (None, false, true), "the header is to come");
    assert!(stage.made("usr/share/n", None).is_open, "it may be of a new package");
    assert!(stage.updated("etc/p.keep.rpmnew", "keep 2\n").is_open);
    let nobodys = stage.updated("usr/bin/q", "else");
    assert_eq!(nobodys, Reason::default(), "it was there, and no package's");
    assert!(stage.deleted("usr/bin/p").is_open, "the package may be leaving");
    stage.log(CAME);
    assert_eq!(by(&stage.updated("usr/bin/p", "program 2\n")), package(2));
    assert_eq!(by(&stage.updated("etc/p.keep.rpmnew", "keep 2\n")), package(2));
    assert_eq!(by(&stage.updated("usr/bin/p", "program 1\n")), package(1), "both are there");
    stage.log(WENT);
    assert_eq!(by(&stage.updated("usr/bin/p", "program 2\n")), package(2));
    assert_eq!(by(&stage.updated("usr/bin/p", "program 1\n")), None);
    stage.transaction = None;
    assert!(stage.updated("usr/bin/p", "program 1\n").odd.is_some(), "that one is gone");
    stage.log(GONE - 1);
    assert_eq!(
        by(&stage.updated("usr/bin/p", "program 2\n")),
        package(2),
        "that it goes is not written whole"
    );
    stage.log(GONE);
    assert_eq!(stage.updated("usr/bin/p", "program 2\n"), Reason::default());
}

#[test]
fn what_others_do_meanwhile_is_not_the_transaction_s() {
    let mut stage = Stage::new(0);
    for (process, actors, is_open) in [
        (Some(7), &[7][..], true),
        (Some(7), &[7, 8], true),
        (Some(7), &[8], false),
        (Some(7), &[8, 0], true),
        (Some(7), &[], true),
        (None, &[8], true),
    ] {
        stage.transaction = Some(Transaction { process });
        stage.actors = actors.iter().map(|pid| Arc::new(Actor::new(*pid))).collect();
        let reason = stage.updated("usr/bin/p", "program 2\n");
        assert_eq!((reason.is_open, reason.odd.is_some()), (is_open, !is_open), "{process:?} {actors:?}");
    }
    stage.actors = vec![Arc::new(Actor::new(8))];
    stage.transaction = Some(Transaction { process: Some(7) });
    assert_eq!(stage.made("usr/share/n", None), Reason::default());
    assert_eq!(stage.deleted("usr/bin/p"), Reason::default());
}

#[test]
fn a_file_of_a_package_that_went_may_go() {
    let mut stage = Stage::new(CAME);
    assert_eq!(stage.deleted("usr/bin/p"), Reason::default(), "it has it still");
    stage.log(GONE);
    assert_eq!(by(&stage.deleted("usr/bin/p")), package(2));
    assert_eq!(by(&stage.deleted("var/log/p")), package(2), "rpm removes them too");
    assert_eq!(stage.deleted("usr/bin/q"), Reason::default());
}

#[test]
fn a_database_that_is_built_anew_has_other_rows() {
    let mut stage = Stage::new(WENT);
    let place = stage.root().join("usr/lib/sysimage/rpm/rpmdb.sqlite");
    fs::write(place.with_extension("new"), DATABASE).unwrap();
    fs::rename(place.with_extension("new"), &place).unwrap();
    stage.log(0);
    assert_eq!(by(&stage.updated("usr/bin/p", "program 1\n")), package(1));
    // A broken one leaves what is known.
    fs::write(&place, &DATABASE[..600]).unwrap();
    stage.rpm.prepare();
    assert!(stage.rpm.is_owned(b"/usr/bin/p"));
    assert_eq!(stage.deleted("usr/bin/p"), Reason::default());
}

#[test]
fn where_there_is_no_database_there_is_nothing_to_ask() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    assert!(Rpm::below(&root).unwrap().is_none());
    fs::create_dir_all(root.join("var/lib/rpm")).unwrap();
    fs::write(root.join("var/lib/rpm/Packages.db"), "another format").unwrap();
    assert!(Rpm::below(&root).unwrap().is_none());
    std::os::unix::fs::symlink("/etc/passwd", root.join("var/lib/rpm/rpmdb.sqlite")).unwrap();
    assert!(Rpm::below(&root).unwrap().is_none());
}

#[test]
fn whose_a_file_is_and_whether_it_is_as_it_came() {
    let mut stage = Stage::new(0);
    let root = stage.root();
    for (path, text, is_configuration, is_same) in [
        ("usr/bin/p", "program 1\n", false, Some(true)),
        ("usr/bin/p", "another", false, Some(false)),
        ("etc/p.conf", "edited", true, Some(false)),
        ("var/log/p", "a line", false, None),
    ] {
        let path = root.join(path);
        fs::write(&path, text).unwrap();
        let version = Some("1-1.noarch".to_owned());
        let owner = packages::Owner { package: "p".to_owned(), version, is_configuration, is_same };
        assert_eq!(stage.rpm.owners(&path, &mut OfFile(&path)), [owner], "{} {text}", path.display());
    }
    assert_eq!(stage.rpm.owners(&root.join("etc/q"), &mut OfFile(&root)), []);
}
