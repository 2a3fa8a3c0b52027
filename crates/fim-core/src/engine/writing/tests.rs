use super::*;
use crate::finding::{Record, Stopped};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// What a sink was told, and when it fails.
struct Told {
    numbers: Arc<Mutex<Vec<u64>>>,
    flushed: usize,
    fails_at: Option<u64>,
    panics_at: Option<u64>,
}

impl Sink for Told {
    fn write(&mut self, report: &Report) -> io::Result<()> {
        assert_ne!(self.panics_at, Some(report.sequence), "told to");
        if self.fails_at.is_some_and(|at| report.sequence >= at) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.numbers.lock().unwrap().push(report.sequence);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushed = self.numbers.lock().unwrap().len();
        Ok(())
    }

    fn kept(&self) -> Option<Vec<u8>> {
        Some(self.flushed.to_string().into())
    }
}

fn report(sequence: u64) -> Report {
    let record = Record::WatchStopped(Stopped::default());
    Report { sequence, created: SystemTime::UNIX_EPOCH, record }
}

/// With a thread, whatever machine this is.
fn writing(fails_at: Option<u64>, panics_at: Option<u64>) -> (Writing, Arc<Mutex<Vec<u64>>>) {
    let numbers = Arc::default();
    let told = Told { numbers: Arc::clone(&numbers), flushed: 0, fails_at, panics_at };
    let mut writing = Writing::to(Box::new(told));
    writing.beside = Beside::start(2);
    (writing, numbers)
}

#[test]
fn what_is_written_here_and_there_keeps_its_order() {
    let (mut writing, numbers) = writing(None, None);
    for number in 1..=5_000 {
        // Now and then alone, in goes of 64, and all in one go.
        writing.behind(number % 1000 > 10);
        writing.write(report(number)).unwrap();
        if number < 3_000 && number % 64 == 0 {
            writing.let_go().unwrap();
        }
        if number % 1024 == 0 {
            writing.flush().unwrap();
            let kept = writing.sink().unwrap().kept().unwrap();
            assert_eq!(kept, number.to_string().into_bytes(), "all of it has left");
        }
    }
    writing.flush().unwrap();
    assert_eq!(*numbers.lock().unwrap(), (1..=5_000).collect::<Vec<_>>());
}

#[test]
fn nothing_is_written_past_what_could_not_be() {
    let (mut writing, numbers) = writing(Some(100), None);
    writing.behind(true);
    let go = |writing: &mut Writing, first| {
        (first..first + 64)
            .try_for_each(|number| writing.write(report(number)))
            .and_then(|()| writing.let_go())
    };
    let failed =
        (0..10).try_for_each(|number| go(&mut writing, 1 + 64 * number)).and_then(|()| writing.flush());
    assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    // Whoever goes on all the same is told: the engine takes for told what was not.
    for is_behind in [true, false] {
        writing.behind(is_behind);
        assert!(writing.write(report(1000)).unwrap_err().to_string().contains("open the state anew"));
        writing.flush().unwrap_err();
    }
    drop(writing);
    assert_eq!(*numbers.lock().unwrap(), (1..100).collect::<Vec<_>>());
}

#[test]
fn what_was_written_before_anything_was_gathered_leaves_too() {
    let (mut writing, _) = writing(None, None);
    writing.write(report(1)).unwrap();
    writing.behind(true);
    writing.let_go().unwrap();
    assert_eq!(writing.sink().unwrap().kept().unwrap(), b"1");
}

#[test]
fn large_diffs_do_not_gather() {
    let (mut writing, numbers) = writing(None, None);
    writing.behind(true);
    assert_eq!(weight(&report(1)), 1);
    writing.weight = GATHERED - 1;
    writing.write(report(1)).unwrap();
    assert_eq!(writing.weight, 0, "it has been handed over");
    writing.flush().unwrap();
    assert_eq!(*numbers.lock().unwrap(), [1]);
}

#[test]
fn what_is_gathered_at_the_end_is_written() {
    let (mut writing, numbers) = writing(None, None);
    writing.behind(true);
    (1..=100).for_each(|number| writing.write(report(number)).unwrap());
    drop(writing);
    assert_eq!(*numbers.lock().unwrap(), (1..=100).collect::<Vec<_>>());
}

#[test]
fn a_sink_that_panics_there_is_an_error_here() {
    let (mut writing, _) = writing(None, Some(3));
    writing.behind(true);
    (1..=5).for_each(|number| writing.write(report(number)).unwrap());
    writing.let_go().unwrap();
    assert!(writing.flush().unwrap_err().to_string().contains("panicked"));
    writing.behind(false);
    assert!(writing.write(report(6)).unwrap_err().to_string().contains("panicked"));
}

#[test]
fn on_one_processor_all_is_written_at_once() {
    let numbers: Arc<Mutex<Vec<u64>>> = Arc::default();
    let told = Told { numbers: Arc::clone(&numbers), flushed: 0, fails_at: None, panics_at: None };
    let mut writing = Writing::to(Box::new(told));
    writing.beside = Beside::start(1);
    writing.behind(true);
    writing.write(report(1)).unwrap();
    assert_eq!(*numbers.lock().unwrap(), [1]);
}
