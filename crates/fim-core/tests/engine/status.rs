//! What a running engine says of itself.

use crate::house::{House, Lines};
use fim_core::{Loss, Phase, Recovery, ReplayWatcher, StopToken, WatchMessage};
use std::fs;
use std::sync::mpsc::channel;

#[test]
fn it_counts_as_it_goes() {
    let house = House::new();
    let (started, wait) = channel();
    let mut engine = house.engine(Lines { started: Some(started), ..Lines::default() });
    let status = engine.status();
    assert_eq!(status.now().phase, Phase::Starting);
    let (root, seen) = (house.root.clone(), status.clone());
    let messages = std::iter::once_with(move || {
        wait.recv().unwrap();
        assert_eq!(seen.now().files, 3);
        fs::write(root.join("a"), "unseen").unwrap();
        WatchMessage::Lost(Loss { number: 7, cause: "ring_full", count: 3, recovery: Recovery::Rescan })
    });
    engine.run(Box::new(ReplayWatcher::new(messages)), &StopToken::new()).unwrap();
    let now = status.now();
    assert_eq!((now.phase, now.watcher), (Phase::Stopping, "replay"));
    assert_eq!((now.lost, now.gaps, now.gaps_open, now.findings), (3, 1, 0, 1));
    assert_eq!(now.by_consumer, [("plain", 1)].into());
    assert_eq!((now.queued, now.pending), (0, 0));
}
