//! Attempts on the watch itself.

use crate::house::{House, at};
use fim_core::{Guard, Record, Severity, Tampering, Via, WatchMessage};
use std::fs;

#[test]
fn a_change_of_an_own_file_is_told_twice_and_what_the_watcher_noticed_once() {
    let mut house = House::new();
    let own = house.path("a");
    house.guard = Guard::default().of(&own, "binary", Severity::High);
    let lines = house.watch(|root| {
        fs::write(root.join("a"), "other").unwrap();
        fs::write(root.join("sub/n"), "new").unwrap();
        vec![
            at(Via::Write, root.join("a")),
            at(Via::Create, root.join("sub/n")),
            WatchMessage::Tampered(Tampering::new("watcher", "gone")),
        ]
    });
    let reports = lines.reports.lock().unwrap();
    let told: Vec<&Tampering> = reports
        .iter()
        .filter_map(|report| match &report.record {
            Record::Tampering(tampering) => Some(tampering),
            _ => None,
        })
        .collect();
    assert_eq!(told.len(), 2);
    let of_file = told.iter().find(|it| it.against == "binary").unwrap();
    assert_eq!((of_file.severity, of_file.path.as_deref()), (Severity::High, Some(own.as_path())));
    let changed = reports.iter().find_map(|report| match &report.record {
        Record::Change(finding) if finding.path == own => Some(finding.id),
        _ => None,
    });
    assert_eq!(of_file.change, changed);
    assert!(told.iter().any(|it| it.against == "watcher"));
}
