//! `fim verify`: proves of the lines of a watch that they are all there, as they were written and in order,
//! from the lines alone.

pub mod course;

use crate::chain::hex;
use crate::failure::Failure;
use course::{Break, Course, Fault, Place, Stop};
use fim_core::Key;
use std::fmt::Write;
use std::fs::File;
use std::io::{self, BufRead, BufReader};

/// What came of it.
#[derive(Debug)]
pub struct Verdict {
    /// For people.
    pub text: String,
    /// Nothing is missing, altered or out of order.
    pub whole: bool,
}

/// Reads logs, one after the other as parts of one.
///
/// # Errors
/// When one cannot be read, or the key the lines are sealed under is missing.
pub fn verify(logs: &[String], key: Option<Key>) -> Result<Verdict, Failure> {
    let mut course = Course::new(key);
    let mut broken: Option<Break> = None;
    for name in logs {
        let unreadable = |error: io::Error| Failure::new(format!("cannot read {name}: {error}"));
        let mut log = BufReader::with_capacity(1 << 20, File::open(name).map_err(unreadable)?);
        let mut line = Vec::new();
        let mut place = Place { file: name.clone(), line: 0 };
        while log.read_until(b'\n', &mut line).map_err(unreadable)? > 0 {
            place.line += 1;
            match &mut broken {
                None => match course.line(&place, &line) {
                    Ok(()) => {}
                    Err(Stop::Break(found)) => broken = Some(found),
                    Err(Stop::Key(id)) => return Err(missing_key(&place, id)),
                },
                Some(Break { fault, .. }) => {
                    if let Fault::Missing { from, to } = *fault
                        && course.is_missing(&line, from, to)
                    {
                        *fault = Fault::Late { from, to, place: place.clone() };
                    }
                }
            }
            line.clear();
        }
    }
    Ok(told(&course, broken.as_ref()))
}

fn missing_key(place: &Place, id: u32) -> Failure {
    Failure::new(format!(
        "{place}: the line is sealed under key {id:08x} of the installation that wrote it: name a copy of that key \
         (the file `key` in its state folder) by --key"
    ))
}

fn told(course: &Course, broken: Option<&Break>) -> Verdict {
    let mut text = String::new();
    let mut say = |line: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    };
    for note in &course.notes {
        say(&format!("note    {note}"));
    }
    if course.foreign > 0 {
        say(&format!("note    {} lines have no chain: not lines of a watch in JSON", course.foreign));
    }
    let end = course.end();
    match (broken, &end) {
        (Some(broken), _) => say(&format!("broken  {broken}")),
        (None, None) => say("broken  there is no line of a chain: all of it is missing"),
        (None, Some((id, last, stopped))) => {
            if !stopped {
                say(
                    "note    the last line is not watch_stopped: the watch goes on, or was killed, or lines are \
                     missing at the end",
                );
            }
            let (lines, id) = (course.lines, hex(id));
            say(&format!("whole   {lines} lines, sequence 1 to {last}, chain {id}"));
        }
    }
    Verdict { text, whole: broken.is_none() && end.is_some() }
}
