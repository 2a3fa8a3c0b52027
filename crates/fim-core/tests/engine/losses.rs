//! Records that got lost.

use crate::house::{House, Lines, at, told};
use fim_core::{
    Action, Coverage, EventSink, FileId, Loss, MarkRequest, Marked, Marks, Ready, Record, Recovery,
    StatMarks, StopToken, Via, WatchError, WatchMessage, WatchSet, WatchStats, Watcher,
};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

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

/// Comparing everything takes a part of the time only, however often it is asked for.
#[test]
fn losses_in_a_row_are_all_made_up_for() {
    let house = House::new();
    let lines = house.watch(move |root| {
        let loss = |number| {
            WatchMessage::Lost(Loss { number, cause: "missed_runs", count: 2, recovery: Recovery::Rescan })
        };
        fs::write(root.join("a"), "unseen").unwrap();
        fs::write(root.join("sub/c"), "unseen").unwrap();
        (1..=50).map(loss).collect()
    });
    let mut all = told(&house, &lines);
    all.sort();
    assert_eq!(all, [(Action::Updated, "a".into(), None), (Action::Updated, "sub/c".into(), None)]);
    let reports = lines.reports.lock().unwrap();
    let numbers = |of: fn(&Record) -> Option<u64>| -> Vec<u64> {
        reports.iter().filter_map(|report| of(&report.record)).collect()
    };
    let opened = numbers(|record| if let Record::CoverageGap(gap) = record { Some(gap.id) } else { None });
    let closed = numbers(|record| if let Record::GapClosed(gap) = record { Some(gap.id) } else { None });
    assert_eq!(opened, (1..=50).collect::<Vec<_>>());
    assert_eq!(closed, opened, "in their order");
}

/// A watcher that sends more than may wait, and ends once nobody listens.
struct Flood(Arc<AtomicBool>);

impl Watcher for Flood {
    fn name(&self) -> &'static str {
        "flood"
    }

    fn run(
        self: Box<Self>,
        _watch: WatchSet,
        sink: EventSink,
        _stop: StopToken,
    ) -> Result<WatchStats, WatchError> {
        sink.ready(Ready { marks: Box::new(StatMarks), coverage: Coverage::new(), notes: Vec::new() });
        while sink.send(at(Via::Write, "/w/a")) {}
        self.0.store(true, Ordering::Relaxed);
        Ok(WatchStats::default())
    }
}

#[test]
fn a_start_that_is_cut_short_does_not_wait_for_a_watcher_that_waits_for_room() {
    let house = House::new();
    let (stop, ended) = (StopToken::new(), Arc::new(AtomicBool::new(false)));
    stop.stop();
    house.engine(Lines::default()).run(Box::new(Flood(Arc::clone(&ended))), &stop).unwrap();
    assert!(ended.load(Ordering::Relaxed));
}

/// A watcher that sees nothing, and has no room for `sub/c` until there is.
struct Cramped {
    act: Box<dyn FnOnce() + Send>,
    room: Arc<AtomicBool>,
}

struct CrampedMarks(Arc<AtomicBool>);

impl Marks for CrampedMarks {
    fn add(&mut self, requests: &[MarkRequest<'_>]) -> Result<Vec<Marked>, WatchError> {
        let mut marked = StatMarks.add(requests)?;
        for (request, marked) in requests.iter().zip(&mut marked) {
            marked.armed = !request.path.ends_with("sub/c") || self.0.load(Ordering::Relaxed);
        }
        Ok(marked)
    }

    fn remove(&mut self, _ids: &[FileId]) {}

    fn clear(&mut self, _id: FileId) {}

    fn fill(&self) -> (u64, u64) {
        (3, 3)
    }
}

impl Watcher for Cramped {
    fn name(&self) -> &'static str {
        "cramped"
    }

    fn run(
        self: Box<Self>,
        _watch: WatchSet,
        sink: EventSink,
        _stop: StopToken,
    ) -> Result<WatchStats, WatchError> {
        let marks = Box::new(CrampedMarks(self.room));
        sink.ready(Ready { marks, coverage: Coverage::new(), notes: Vec::new() });
        (self.act)();
        Ok(WatchStats::default())
    }
}

#[test]
fn what_there_is_no_room_for_is_a_gap_of_its_directory_until_there_is() {
    for gets_room in [true, false] {
        let house = House::new();
        let (started, wait) = channel();
        let lines = Lines { started: Some(started), ..Lines::default() };
        let room = Arc::new(AtomicBool::new(false));
        let (file, has_room) = (house.path("sub/c"), Arc::clone(&room));
        let act = Box::new(move || {
            wait.recv().unwrap();
            fs::write(file, "unseen").unwrap();
            has_room.store(gets_room, Ordering::Relaxed);
        });
        let watcher = Box::new(Cramped { act, room });
        let mut engine = house.engine(lines.clone());
        let status = engine.status();
        let stopped = engine.run(watcher, &StopToken::new()).unwrap();
        assert_eq!(told(&house, &lines), [(Action::Updated, "sub/c".to_owned(), None)]);
        assert_eq!((stopped.gaps, stopped.gaps_open), (1, u64::from(!gets_room)));
        let now = status.now();
        let expected = (1, u64::from(!gets_room), u64::from(gets_room));
        assert_eq!((now.gaps, now.gaps_open, now.recovered), expected);
        let reports = lines.reports.lock().unwrap();
        let scope = house.path("sub").display().to_string();
        assert!(reports.iter().any(|report| matches!(&report.record, Record::CoverageGap(gap)
            if gap.cause == "marks_full" && gap.scope == scope && gap.lost == 1)));
        let closed = reports.iter().any(
            |report| matches!(&report.record, Record::GapClosed(gap) if gap.scope == scope && gap.found == 1),
        );
        assert_eq!(closed, gets_room);
    }
}
