//! Logs as `fim` writes them, and what others may do to them.

use super::*;
use crate::chain::Chain;
use crate::signature::Signer;
use std::time::{Duration, Instant};

type Log = Vec<Vec<u8>>;

fn line(chain: &mut Chain, sequence: u64, action: &str) -> Vec<u8> {
    let text = format!(
        r#"{{"@timestamp":"t","event":{{"action":"{action}","sequence":{sequence}}},"fim":{{"x":{sequence}}}}}"#
    );
    let mut line = text.into_bytes();
    chain.seal(&mut line).unwrap();
    line
}

fn log_of(chain: &mut Chain, sequences: std::ops::RangeInclusive<u64>) -> Log {
    sequences.map(|sequence| line(chain, sequence, "updated")).collect()
}

fn log(last: u64) -> Log {
    log_of(&mut Chain::begin(None).unwrap(), 1..=last)
}

fn follow_with(key: Option<Key>, log: &[Vec<u8>]) -> (Course, Result<(), Stop>) {
    let mut course = Course::new(key);
    for (at, line) in log.iter().enumerate() {
        let place = Place { file: "l".to_owned(), line: at as u64 + 1 };
        if let Err(stop) = course.line(&place, line) {
            return (course, Err(stop));
        }
    }
    (course, Ok(()))
}

/// The line, the sequence and the fault of the first break.
fn broken(log: &[Vec<u8>]) -> (u64, u64, Fault) {
    match follow_with(None, log).1 {
        Err(Stop::Break(it)) => (it.place.line, it.sequence, it.fault),
        other => panic!("{other:?}"),
    }
}

fn whole(log: &[Vec<u8>]) -> Course {
    let (course, outcome) = follow_with(None, log);
    assert_eq!(outcome, Ok(()));
    course
}

/// A log that is signed at its lines of these numbers.
fn signed(signer: &mut Signer, chain: &mut Chain, actions: &[&str], at: &[u64]) -> Log {
    (1..)
        .zip(actions)
        .map(|(sequence, action)| {
            let mut line = line(chain, sequence, action);
            let (id, head) = chain.head();
            if at.contains(&sequence) {
                crate::chain::attach(&mut line, &signer.sign(id, head, true, Instant::now()).unwrap());
            }
            line
        })
        .collect()
}

#[test]
fn signatures_are_tried_where_they_are_asked_for() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [mut one, other] = [&dirs[0], &dirs[1]].map(|dir| Signer::load(dir.path(), Duration::ZERO).unwrap());
    let [key, another] = [&one, &other].map(|signer| PublicKey::named(&signer.public()).unwrap());
    let follow = |key: Option<&PublicKey>, log: &Log| {
        let mut course = Course::new(None).signed_by(key.cloned());
        let place = Place { file: "l".to_owned(), line: 1 };
        let outcome = log.iter().try_for_each(|line| course.line(&place, line));
        let fault = outcome.err().map(|stop| match stop {
            Stop::Break(it) => (it.sequence, it.fault),
            Stop::Key(_) => panic!("no key was asked for"),
        });
        (course.signed(), fault)
    };
    let actions = ["watch_started", "updated", "updated", "watch_stopped"];
    let log = signed(&mut one, &mut Chain::begin(None).unwrap(), &actions, &[1, 2, 4]);
    assert_eq!(follow(None, &log), (None, None));
    assert_eq!(follow(Some(&key), &log), (Some(4), None));
    assert_eq!(follow(Some(&key), &log[..3].to_vec()), (Some(2), None), "the rest is not signed yet");
    assert_eq!(follow(Some(&another), &log), (Some(0), Some((1, Fault::Signature))));
    // Whoever makes the rest anew cannot sign it.
    let mut forged = log[..3].to_vec();
    let mut chain = Chain::resume(
        &[&Link::read(&log[2]).unwrap().id[..], &Link::read(&log[2]).unwrap().digest[..]].concat(),
        None,
    )
    .unwrap();
    forged.push(line(&mut chain, 4, "watch_stopped"));
    assert_eq!(follow(Some(&key), &forged), (Some(2), Some((4, Fault::Unsigned))));
}

#[test]
fn a_whole_log_is_whole() {
    let course = whole(&log(9));
    let (_, last, stopped) = course.end().unwrap();
    assert_eq!((course.lines, last, stopped, course.notes.len()), (9, 9, false, 0));
    let mut chain = Chain::begin(None).unwrap();
    let log = [line(&mut chain, 1, "watch_started"), line(&mut chain, 2, "watch_stopped")];
    assert!(whole(&log).end().unwrap().2);
}

#[test]
fn every_line_that_is_taken_out_is_missed() {
    for gone in 0..8 {
        let mut log = log(9);
        log.remove(gone);
        let (at, sequence) = (gone as u64 + 1, gone as u64 + 2);
        let expected = if gone == 0 { Fault::NoHead } else { Fault::Missing { from: at, to: at } };
        assert_eq!(broken(&log), (at, sequence, expected));
    }
    let mut log = log(9);
    log.drain(3..6);
    assert_eq!(broken(&log), (4, 7, Fault::Missing { from: 4, to: 6 }));
}

#[test]
fn every_altered_byte_shows() {
    let genuine = log(4);
    for at in 0..genuine[2].len() {
        let mut log = genuine.clone();
        log[2][at] ^= 1;
        let (line, sequence, fault) = broken(&log);
        assert_eq!((line, fault), (3, Fault::Altered), "byte {at}: sequence {sequence}");
    }
}

#[test]
fn a_line_made_anew_does_not_fit() {
    let mut genuine = log(4);
    let forged = Chain::resume(
        &[&Link::read(&genuine[1]).unwrap().id[..], &Link::read(&genuine[1]).unwrap().digest].concat(),
        None,
    );
    genuine[2] = line(&mut forged.unwrap(), 3, "nothing_of_note");
    assert_eq!(broken(&genuine), (4, 4, Fault::Detached));
}

#[test]
fn lines_out_of_order() {
    let mut log = log(6);
    log.swap(2, 4);
    let (at, sequence, fault) = broken(&log);
    assert_eq!((at, sequence, &fault), (3, 5, &Fault::Missing { from: 3, to: 4 }));
    let course = follow_with(None, &log).0;
    assert!(course.is_missing(&log[3], 3, 4));
    assert!(!course.is_missing(&log[5], 3, 4));
}

#[test]
fn a_crash_repeats_lines() {
    let mut chain = Chain::begin(None).unwrap();
    let mut log = log_of(&mut chain, 1..=3);
    let committed = chain.kept();
    log.extend(log_of(&mut chain, 4..=6));
    let mut chain = Chain::resume(&committed, None).unwrap();
    log.push(line(&mut chain, 4, "created"));
    log.extend(log_of(&mut chain, 5..=9));
    let course = whole(&log);
    assert_eq!((course.end().unwrap().1, course.notes.len()), (9, 1));
    assert!(course.notes[0].contains("sequence 4 to 6 again"), "{:?}", course.notes);
    // What comes of the branch that does not count is no part of it any more.
    let late = log[5].clone();
    log.push(late);
    assert_eq!(broken(&log), (13, 6, Fault::Detached));
}

#[test]
fn a_crash_before_anything_was_committed_begins_anew() {
    let mut log = log(2);
    log.extend(self::log(2));
    assert!(matches!(broken(&log), (3, 1, Fault::Another { .. })));
}

#[test]
fn a_line_delivered_twice_is_a_repeat() {
    let mut log = log(5);
    log.insert(3, log[1].clone());
    assert_eq!(whole(&log).notes, ["l:4: sequence 2 again, the same line"]);
}

#[test]
fn a_line_cut_short_by_a_sudden_end_is_passed_over() {
    let mut chain = Chain::begin(None).unwrap();
    let mut log = log_of(&mut chain, 1..=2);
    let committed = chain.kept();
    let torn = line(&mut chain, 3, "updated");
    let mut chain = Chain::resume(&committed, None).unwrap();
    log.push([&torn[..torn.len() / 2], &line(&mut chain, 3, "updated")].concat());
    log.push(torn[..30].to_vec());
    let course = whole(&log);
    assert_eq!((course.lines, course.foreign, course.notes.len()), (3, 1, 1));
}

#[test]
fn a_lost_state_begins_a_chain_and_says_so() {
    let (mut log, mut new) = (log(3), Chain::begin(None).unwrap());
    log.push(line(&mut new, 1, "baseline_lost"));
    log.extend(log_of(&mut new, 2..=4));
    let course = whole(&log);
    assert_eq!(course.lines, 7);
    assert!(course.notes[0].contains("a new chain begins"), "{:?}", course.notes);
}

#[test]
fn another_chain_is_not_this_one() {
    let (mut log, other) = (log(3), log(4));
    log.push(other[3].clone());
    assert!(matches!(broken(&log), (4, 4, Fault::Another { .. })));
}

#[test]
fn numbers_that_went_elsewhere_are_not_here() {
    let mut chain = Chain::begin(None).unwrap();
    let mut log = log_of(&mut chain, 1..=3);
    log.extend(log_of(&mut chain, 6..=7));
    assert_eq!(broken(&log), (4, 6, Fault::Elsewhere { from: 4, to: 5 }));
}

#[test]
fn other_lines_are_counted() {
    let mut log = log(3);
    log.insert(1, b"fim: a word on standard error".to_vec());
    log.insert(1, Vec::new());
    assert_eq!(whole(&log).foreign, 1);
}

#[test]
fn keys() {
    let key = Key::new([3; 32]);
    let log = log_of(&mut Chain::begin(Some(key.clone())).unwrap(), 1..=4);
    assert_eq!(follow_with(Some(key.clone()), &log).1, Ok(()));
    assert_eq!(follow_with(None, &log).1, Err(Stop::Key(key.id())));
    assert_eq!(follow_with(Some(Key::new([4; 32])), &log).1, Err(Stop::Key(key.id())));
    let Err(Stop::Break(it)) = follow_with(Some(key), &self::log(2)).1 else { panic!() };
    assert_eq!(it.fault, Fault::NoKey);
}
