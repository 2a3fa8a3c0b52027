//! Accounts in real files below a root, with the engine: new homes are looked at, links are followed.

#![cfg(feature = "users")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::Findings;
use fim_consumers::{Users, UsersConfig};
use fim_core::{Engine, Finding, Key, MemStore, Severity, State};
use std::fs::{create_dir_all, remove_file, write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHIy0GHh2/9pDRrFwS8c8d2IbiNo4sDBssnIU6Zfi8KY bob\n";

struct House {
    dir: tempfile::TempDir,
    engine: Engine,
    findings: Findings,
}

impl House {
    fn new(fill: impl Fn(&Path)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["etc/ssh/sshd_config.d", "home/bob/.ssh", "srv"] {
            create_dir_all(dir.path().join(folder)).unwrap();
        }
        let at = |name: &str| dir.path().join(name);
        write(at("etc/passwd"), "root:x:0:0::/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n").unwrap();
        write(at("etc/shadow"), "root:*:19000::::::\nbob:$6$abc$EXAMPLE:19000::::::\n").unwrap();
        write(at("etc/group"), "root:x:0:\nsudo:x:27:\n").unwrap();
        for (name, mode) in [("etc/passwd", 0o644), ("etc/shadow", 0o640), ("etc/group", 0o644)] {
            std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(mode)).unwrap();
        }
        fill(dir.path());
        let mut config = UsersConfig::new(Key::new([7; 32]));
        config.root = dir.path().canonicalize().unwrap();
        let findings = Findings::default();
        let mut engine = Engine::builder()
            .consumer(Box::new(Users::new(config)))
            .build(State::open(Box::new(MemStore::new())).unwrap(), Box::new(findings.clone()))
            .unwrap();
        engine.baseline(&[]).unwrap();
        assert_eq!(engine.check(&[], true).unwrap().changes, 0);
        Self { dir, engine, findings }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What a check says: file, severity, words.
    fn check(&mut self) -> Vec<(String, Severity, Vec<String>)> {
        self.engine.check(&[], true).unwrap();
        let root = self.dir.path().canonicalize().unwrap();
        let mut found = std::mem::take(&mut *self.findings.0.lock().unwrap());
        found.sort_by(|a, b| a.path.cmp(&b.path));
        let name = |finding: &Finding| finding.path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        found
            .iter()
            .map(|it| (name(it), it.severity, it.changes.iter().map(|change| change.what.clone()).collect()))
            .collect()
    }
}

fn said(file: &str, severity: Severity, words: &[&str]) -> (String, Severity, Vec<String>) {
    (file.to_owned(), severity, words.iter().map(|word| (*word).to_owned()).collect())
}

#[test]
fn each_file_in_its_own_words() {
    let mut house = House::new(|_| {});
    write(house.at("etc/passwd"), "root:x:0:0::/root:/bin/sh\nbob:x:0:1000::/home/bob:/bin/sh\n").unwrap();
    write(house.at("etc/shadow"), "root:*:19000::::::\nbob::19000::::::\n").unwrap();
    write(house.at("etc/group"), "root:x:0:\nsudo:x:27:bob\n").unwrap();
    write(house.at("etc/ssh/sshd_config"), "PermitRootLogin yes\n").unwrap();
    write(house.at("home/bob/.ssh/authorized_keys"), KEY).unwrap();
    let expected = [
        said("etc/group", Severity::High, &["member_added"]),
        said("etc/passwd", Severity::Critical, &["uid", "duplicate_uid"]),
        said("etc/shadow", Severity::Critical, &["password_emptied"]),
        said("etc/ssh/sshd_config", Severity::High, &["sshd_option"]),
        // Bob is root by then, whichever directory is walked first.
        said("home/bob/.ssh/authorized_keys", Severity::Critical, &["key_added"]),
    ];
    // What is trusted is still the same the second time.
    for _ in 0..2 {
        assert_eq!(house.check(), expected);
    }
}

#[test]
fn the_mode_of_shadow() {
    let mut house = House::new(|_| {});
    std::fs::set_permissions(house.at("etc/shadow"), std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(house.check(), [said("etc/shadow", Severity::High, &["mode"])]);
}

#[test]
fn keys_of_a_home_behind_a_link_and_in_included_places() {
    let mut house = House::new(|root| {
        create_dir_all(root.join("disk/bob/.ssh")).unwrap();
        std::fs::remove_dir_all(root.join("home/bob")).unwrap();
        symlink("../disk/bob", root.join("home/bob")).unwrap();
        write(root.join("etc/ssh/sshd_config"), "Include sshd_config.d/*.conf\n").unwrap();
        write(root.join("etc/ssh/sshd_config.d/a.conf"), "AuthorizedKeysFile /srv/keys/%u\n").unwrap();
    });
    write(house.at("disk/bob/.ssh/authorized_keys"), KEY).unwrap();
    create_dir_all(house.at("srv/keys")).unwrap();
    write(house.at("srv/keys/bob"), KEY).unwrap();
    let found = house.check();
    assert_eq!(found.len(), 2, "{found:?}");
    for (_, severity, words) in &found {
        assert_eq!((*severity, words.as_slice()), (Severity::High, &["key_added".to_owned()][..]));
    }
    remove_file(house.at("srv/keys/bob")).unwrap();
    assert_eq!(house.check().len(), 1);
}
