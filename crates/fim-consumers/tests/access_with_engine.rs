//! Access rules in real files, with the engine: what is trusted is what a check compares with.

#![cfg(feature = "access")]
#![allow(clippy::unwrap_used)]

mod common;

use common::Findings;
use fim_consumers::{Access, AccessConfig};
use fim_core::{Change, Engine, Finding, MemStore, Severity, State, Value};
use std::fs::write;

fn effects(finding: &Finding) -> Vec<&Change> {
    finding.changes.iter().filter(|change| change.what.starts_with("access_")).collect()
}

#[test]
fn what_a_check_says_of_rules() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(path("access.d")).unwrap();
    write(path("access.conf"), "+:root:LOCAL\n").unwrap();
    write(path("access.d/90.conf"), "-:ALL:ALL\n").unwrap();
    let config =
        AccessConfig { paths: vec![path("access.conf"), path("access.d/*.conf")], ..AccessConfig::default() };
    let findings = Findings::default();
    let mut engine = Engine::builder()
        .consumer(Box::new(Access::new(config)))
        .build(State::open(Box::new(MemStore::new())).unwrap(), Box::new(findings.clone()))
        .unwrap();
    engine.baseline(&[]).unwrap();
    assert_eq!(engine.check(&[], true).unwrap().changes, 0);

    write(path("access.conf"), "+:root:LOCAL\n+:mallory:ALL\n").unwrap();
    for _ in 0..2 {
        assert_eq!(engine.check(&[], true).unwrap().changes, 1);
        let finding = findings.0.lock().unwrap().pop().unwrap();
        assert_eq!((finding.consumer, finding.severity), ("access", Severity::High));
        let [granted] = effects(&finding)[..] else { panic!("{:?}", finding.changes) };
        assert_eq!(granted.what, "access_granted");
        assert_eq!(granted.of[0], ("who".to_owned(), Value::List(vec!["mallory".into()])));
    }

    std::fs::remove_file(path("access.d/90.conf")).unwrap();
    assert_eq!(engine.check(&[path("access.d").into()], true).unwrap().changes, 1);
    let finding = findings.0.lock().unwrap().pop().unwrap();
    assert_eq!(finding.severity, Severity::Critical);
    assert!(effects(&finding).iter().all(|effect| effect.what == "access_granted"));
    assert_eq!(effects(&finding).len(), 2, "root and the rest: {:?}", finding.changes);
}
