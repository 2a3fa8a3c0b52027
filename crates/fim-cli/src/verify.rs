//! `fim verify`: proves of the lines of a watch that they are all there, as they were written and in order,
//! from the lines alone.

pub mod course;
mod order;

use crate::failure::Failure;
use crate::output::hex;
use crate::signature::PublicKey;
use course::{Break, Course, Fault, Place, Stop};
use fim_core::Key;
use order::Chains;
use std::fmt::Write;
use std::fs::File;
use std::io::{self, BufRead, BufReader};

/// What lines are tried with.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// The key they are sealed under, if they are.
    pub seal: Option<Key>,
    /// The key of those who may sign them, if they must be signed.
    pub public: Option<PublicKey>,
}

impl Keys {
    fn course(&self) -> Course {
        Course::new(self.seal.clone()).signed_by(self.public.clone())
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Verdict {
    /// For people.
    pub text: String,
    /// Nothing is missing, altered or out of order.
    pub whole: bool,
}

/// Reads logs whose lines may be in any order, of several chains, and again, as shippers and databases give them back: puts
/// those of each chain in the order of their numbers, then proves it.
///
/// # Errors
/// As [`verify`].
pub fn verify_unordered(logs: &[String], keys: &Keys) -> Result<Verdict, Failure> {
    let mut chains = Chains::default();
    each_line(logs, |place, line| {
        chains.add(place, line);
        Ok(())
    })?;
    let foreign = chains.foreign;
    let mut verdict = Verdict { text: String::new(), whole: true };
    let mut any = false;
    for lines in chains.in_order() {
        any = true;
        let mut course = keys.course();
        let mut broken = None;
        for line in lines {
            match course.line(&line.place, &line.bytes) {
                Ok(()) => {}
                Err(Stop::Key(id)) => return Err(missing_key(&line.place, id)),
                Err(Stop::Break(found)) => {
                    broken = Some(found);
                    break;
                }
            }
        }
        let told = told(&course, broken.as_ref());
        verdict.text.push_str(&told.text);
        verdict.whole &= told.whole;
    }
    if !any {
        let none = told(&Course::default(), None);
        (verdict.text, verdict.whole) = (none.text, none.whole);
    }
    if foreign > 0 {
        verdict
            .text
            .push_str(&format!("note    {foreign} lines have no chain: not lines of a watch in JSON\n"));
    }
    Ok(verdict)
}

/// Reads logs, one after the other as parts of one.
///
/// # Errors
/// When one cannot be read, or the key the lines are sealed under is missing.
pub fn verify(logs: &[String], keys: &Keys) -> Result<Verdict, Failure> {
    let mut course = keys.course();
    let mut broken: Option<Break> = None;
    each_line(logs, |place, line| {
        match &mut broken {
            None => match course.line(place, line) {
                Ok(()) => {}
                Err(Stop::Break(found)) => broken = Some(found),
                Err(Stop::Key(id)) => return Err(missing_key(place, id)),
            },
            Some(Break { fault, .. }) => {
                if let Fault::Missing { from, to } = *fault
                    && course.is_missing(line, from, to)
                {
                    *fault = Fault::Late { from, to, place: place.clone() };
                }
            }
        }
        Ok(())
    })?;
    Ok(told(&course, broken.as_ref()))
}

/// Each line of each log, with its line break.
///
/// # Errors
/// When a log cannot be read, or at the first error of `take`.
pub fn each_line(
    logs: &[String],
    mut take: impl FnMut(&Place, &[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for name in logs {
        let unreadable = |error: io::Error| Failure::new(format!("cannot read {name}: {error}"));
        let mut log = BufReader::with_capacity(1 << 20, File::open(name).map_err(unreadable)?);
        let mut line = Vec::new();
        let mut place = Place { file: name.clone(), line: 0 };
        while log.read_until(b'\n', &mut line).map_err(unreadable)? > 0 {
            place.line += 1;
            take(&place, &line)?;
            line.clear();
        }
    }
    Ok(())
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
            if let Some(signed) = course.signed() {
                let rest = last.saturating_sub(signed);
                say(&format!("signed  sequence 1 to {signed}; the {rest} after it are not yet"));
            }
            say(&format!("whole   {lines} lines, sequence 1 to {last}, chain {id}"));
        }
    }
    Verdict { text, whole: broken.is_none() && end.is_some() }
}
