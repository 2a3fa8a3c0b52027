//! Text files, with the engine, a key and the rule for hashes: what changed is told line by line, and no secret
//! is in what is reported or kept.

#![cfg(feature = "generic_diff")]
#![allow(clippy::unwrap_used)]

mod common;

use common::Findings;
use fim_consumers::redact::Redactor;
use fim_consumers::{GenericDiff, GenericDiffConfig, secrets};
use fim_core::{Action, Engine, Key, MemStore, State};
use std::fs::{remove_file, rename, write};
use std::path::Path;

fn engine(dir: &Path, findings: &Findings) -> Engine {
    let key = Key::new([3; 32]);
    let config = GenericDiffConfig::new(vec![dir.to_str().unwrap().to_owned()], key.clone());
    let dir = dir.to_owned();
    let claimed = move |path: &Path| path.starts_with(&dir).then_some(0);
    Engine::builder()
        .consumer(Box::new(GenericDiff::new(config)))
        .secrecy(secrets::secrecy(key, vec![Redactor::default()], claimed))
        .build(State::open(Box::new(MemStore::new())).unwrap(), Box::new(findings.clone()))
        .unwrap()
}

#[test]
fn what_a_check_says_of_lines() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    write(path("sudoers"), "root ALL=(ALL) ALL\n").unwrap();
    write(path("app.conf"), "user = app\npassword = canary-one\n").unwrap();
    let findings = Findings::default();
    let mut engine = engine(dir.path(), &findings);
    engine.baseline(&[]).unwrap();
    assert_eq!(engine.check(&[], true).unwrap().changes, 0);

    // As editors do it.
    write(path("new"), "root ALL=(ALL) ALL\nbob ALL=(ALL) NOPASSWD: ALL\n").unwrap();
    rename(path("new"), path("sudoers")).unwrap();
    write(path("app.conf"), "user = app\npassword = canary-two\n").unwrap();
    write(path("created"), "token = canary-three\n").unwrap();
    for _ in 0..2 {
        assert_eq!(engine.check(&[], true).unwrap().changes, 3);
        let mut found = std::mem::take(&mut *findings.0.lock().unwrap());
        found.sort_by(|one, other| one.path.cmp(&other.path));
        let diffs: Vec<_> = found.iter().map(|finding| finding.diff.as_deref().unwrap()).collect();
        assert_eq!(
            diffs,
            [
                "@@ -1,2 +1,2 @@\n user = app\n-password = [redacted]\n+password = [redacted]\n",
                "@@ -0,0 +1 @@\n+token = [redacted]\n",
                "@@ -1 +1,2 @@\n root ALL=(ALL) ALL\n+bob ALL=(ALL) NOPASSWD: ALL\n",
            ]
        );
        assert!(!format!("{found:?}").contains("canary"));
        // A hash of what has a secret in it is under the key; others can be looked up.
        let keyed: Vec<_> = found.iter().map(|it| it.after.as_ref().unwrap().keyed.is_some()).collect();
        assert_eq!(keyed, [true, true, false]);
    }

    remove_file(path("sudoers")).unwrap();
    engine.check(&[path("sudoers")], true).unwrap();
    let gone = findings.0.lock().unwrap().pop().unwrap();
    assert_eq!(gone.action, Action::Deleted);
    assert_eq!(gone.diff.as_deref(), Some("@@ -1 +0,0 @@\n-root ALL=(ALL) ALL\n"));
}
