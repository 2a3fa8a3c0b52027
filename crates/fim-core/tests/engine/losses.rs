//! Records that got lost.

use crate::house::{House, at};
use fim_core::{Loss, Record, Recovery, Via, WatchMessage};
use std::fs;

#[test]
fn a_loss_opens_a_gap_that_closes_with_what_was_found() {
    for recovery in [Recovery::Sweep, Recovery::Rescan] {
        let house = House::new();
        let lines = house.watch(move |root| {
            fs::write(root.join("a"), "unseen").unwrap();
            fs::write(root.join("sub/n"), "unseen").unwrap();
            let lost = Loss { number: 7, cause: "ring_full", count: 3, recovery };
            let mut messages = vec![WatchMessage::Lost(lost)];
            if recovery == Recovery::Sweep {
                messages.extend([
                    at(Via::Sweep, root.join("a")),
                    at(Via::Sweep, root.join("sub")),
                    WatchMessage::Recovered(7),
                ]);
            }
            messages
        });
        let reports = lines.reports.lock().unwrap();
        let words: Vec<String> = reports
            .iter()
            .map(|report| match &report.record {
                Record::Change(finding) => format!("{:?}", finding.action),
                Record::CoverageGap(gap) => format!("gap {} {} {}", gap.id, gap.cause, gap.lost),
                Record::GapClosed(gap) => format!("closed {} {}", gap.id, gap.found),
                other => format!("{other:?}").split('(').next().unwrap().to_owned(),
            })
            .collect();
        let mut middle = words[2..4].to_vec();
        middle.sort();
        assert_eq!(words[1], "gap 1 ring_full 3");
        assert_eq!(middle, ["Created", "Updated"]);
        assert_eq!(words[4], "closed 1 2");
        assert_eq!(words.last().unwrap(), "WatchStopped");
    }
}
