//! Follows a chain line by line and says where it breaks first. Pure.

use crate::chain::{Digest, Id, Link, NOTHING, find_last};
use crate::output::hex;
use crate::signature::PublicKey;
use fim_core::Key;
use serde::Deserialize;
use std::collections::VecDeque;
use std::fmt;

/// Lines that a repeat after a crash can go back: far more than wait for their state to be committed.
const HISTORY: usize = 1 << 20;

/// File and line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// From 1.
    pub line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Where a chain breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// At which line.
    pub place: Place,
    /// Which says that it is this one.
    pub sequence: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Lines before it are not there.
    Missing { from: u64, to: u64 },
    /// Lines before it come after it.
    Late { from: u64, to: u64, place: Place },
    /// Lines before it were not part of the chain: they went out in a form that has none.
    Elsewhere { from: u64, to: u64 },
    /// It is the first, but not the first of its chain.
    NoHead,
    /// It is not as it was sealed.
    Altered,
    /// It names another line as the one before.
    Detached,
    /// It belongs to another chain.
    Another { id: Id, expected: Id },
    /// It is not sealed under a key, though it should be.
    NoKey,
    /// It is signed, but not by the key it should be.
    Signature,
    /// It ends a watch or begins one, and is not signed, though it should be.
    Unsigned,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: sequence {}: ", self.place, self.sequence)?;
        match &self.fault {
            Fault::Missing { from, to } => write!(f, "sequence {from} to {to} is missing before this line"),
            Fault::Late { from, to, place } => {
                write!(f, "out of order: sequence {from} to {to} comes before this line, but is at {place}")
            }
            Fault::Elsewhere { from, to } => write!(
                f,
                "sequence {from} to {to} is not in this log: it was reported in a form that has no chain"
            ),
            Fault::NoHead => write!(f, "the log begins here: what comes before it is missing"),
            Fault::Altered => write!(f, "this line was altered"),
            Fault::Detached => {
                write!(f, "this line does not follow the one before: one of the two is not what was written")
            }
            Fault::Another { id, expected } => {
                write!(f, "this line is of another chain, {} instead of {}", hex(id), hex(expected))
            }
            Fault::Signature => {
                write!(
                    f,
                    "the signature is not of this key: another installation wrote this line, or somebody else"
                )
            }
            Fault::Unsigned => write!(f, "this line is not signed: anyone could have made it"),
            Fault::NoKey => write!(f, "this line is not sealed under a key: anyone could have made it"),
        }
    }
}

/// What stops it other than a break.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// The chain breaks.
    Break(Break),
    /// The line is sealed under this key, which is not at hand.
    Key(u32),
}

/// What was followed so far.
#[derive(Debug, Default)]
pub struct Course {
    key: Option<Key>,
    public: Option<PublicKey>,
    /// The last line that was signed by it.
    signed: Option<u64>,
    /// The first line need not be the first of its chain.
    anywhere: bool,
    chain: Option<Followed>,
    /// Lines of a chain.
    pub lines: u64,
    /// Other lines.
    pub foreign: u64,
    /// What a reader should know, though nothing is broken.
    pub notes: Vec<String>,
    /// The last line that could be none of the chain, since the last that was one.
    unread: Option<Place>,
}

#[derive(Debug)]
struct Followed {
    id: Id,
    /// Of the first digest that is remembered.
    first: u64,
    digests: VecDeque<Digest>,
    stopped: bool,
}

/// What is read of a line besides its place in the chain: of ECS `event`, of OCSF the others.
#[derive(Deserialize)]
struct Told {
    #[serde(alias = "metadata")]
    event: Event,
    finding_info: Option<Finding>,
    activity_name: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    sequence: u64,
    action: Option<String>,
}

#[derive(Deserialize)]
struct Finding {
    types: Vec<String>,
}

impl Told {
    fn action(self) -> String {
        let stopped = self.activity_name.and_then(|name| match name.as_str() {
            "Start" => Some("watch_started".to_owned()),
            "Stop" => Some("watch_stopped".to_owned()),
            _ => None,
        });
        let found = self.finding_info.and_then(|finding| finding.types.into_iter().next());
        self.event.action.or(found).or(stopped).unwrap_or_default()
    }
}

impl Course {
    /// Follows chains sealed under this key, if there is one.
    pub fn new(key: Option<Key>) -> Self {
        Self { key, ..Self::default() }
    }

    /// Begins with whatever line comes first: what is before it is not asked for.
    #[must_use]
    pub const fn beginning_anywhere(mut self) -> Self {
        self.anywhere = true;
        self
    }

    /// Tries signatures by this key, if there is one; then there must be some.
    #[must_use]
    pub fn signed_by(mut self, public: Option<PublicKey>) -> Self {
        self.public = public;
        self
    }

    /// The last line that is signed; `None` if no signature was asked for.
    pub fn signed(&self) -> Option<u64> {
        self.public.as_ref().map(|_| self.signed.unwrap_or(0))
    }

    /// Takes the next line, without its line break.
    ///
    /// # Errors
    /// When the chain breaks here, or a key is missing.
    pub fn line(&mut self, place: &Place, line: &[u8]) -> Result<(), Stop> {
        let line = line.trim_ascii_end();
        let Some(mut link) = Link::read(line) else {
            if !line.is_empty() {
                self.foreign += 1;
                self.unread = Some(place.clone());
            }
            return Ok(());
        };
        self.check_key(&link)?;
        let mut told = serde_json::from_slice(line).ok();
        if !link.is_sealed(self.key.as_ref())
            && let Some(whole) = after_torn(line)
            && let Some(second) = Link::read(whole).filter(|link| link.is_sealed(self.key.as_ref()))
        {
            self.notes.push(format!("{place}: a line that was cut short stands before this one"));
            (link, told) = (second, serde_json::from_slice(whole).ok());
        }
        let (sequence, action) = told
            .map_or_else(|| (self.next(), String::new()), |told: Told| (told.event.sequence, told.action()));
        let broken = |fault| Err(Stop::Break(Break { place: place.clone(), sequence, fault }));
        if self.key.is_some() && link.key.is_none() {
            return broken(Fault::NoKey);
        }
        if !link.is_sealed(self.key.as_ref()) {
            return broken(Fault::Altered);
        }
        match (&self.public, &link.signature) {
            (Some(public), Some(signature)) if public.has_signed(&link.id, &link.digest, signature) => {
                self.signed = Some(sequence);
            }
            (Some(_), Some(_)) => return broken(Fault::Signature),
            (Some(_), None) if matches!(action.as_str(), "watch_started" | "watch_stopped") => {
                return broken(Fault::Unsigned);
            }
            _ => {}
        }
        match self.step(place, sequence, &action, &link) {
            // What could not be read where a line is missing was that line.
            Err(Fault::Missing { from, .. }) if self.unread.is_some() => {
                let place = self.unread.take().unwrap_or_else(|| place.clone());
                Err(Stop::Break(Break { place, sequence: from, fault: Fault::Altered }))
            }
            Err(fault) => broken(fault),
            Ok(()) => {
                self.lines += 1;
                self.unread = None;
                if let Some(chain) = &mut self.chain {
                    chain.stopped = action == "watch_stopped";
                }
                Ok(())
            }
        }
    }

    fn check_key(&self, link: &Link<'_>) -> Result<(), Stop> {
        match link.key {
            Some(id) if self.key.as_ref().map(Key::id) != Some(id) => Err(Stop::Key(id)),
            _ => Ok(()),
        }
    }

    /// The number the next line should have.
    fn next(&self) -> u64 {
        self.chain.as_ref().map_or(1, Followed::next)
    }

    fn step(&mut self, place: &Place, sequence: u64, action: &str, link: &Link<'_>) -> Result<(), Fault> {
        let is_first = link.previous == NOTHING;
        let chain = match &mut self.chain {
            Some(chain) if chain.id == link.id => chain,
            known => {
                if let Some(known) = known {
                    // A state that was lost takes its chain along; the first line of the new one says so.
                    if !is_first || action != "baseline_lost" {
                        return Err(Fault::Another { id: link.id, expected: known.id });
                    }
                    let last = known.next().saturating_sub(1);
                    self.notes.push(format!(
                        "{place}: a new chain begins, since the state was lost; whether sequence {last} was the \
                         last of the old one cannot be told"
                    ));
                } else if !is_first && self.anywhere {
                    self.notes.push(format!("{place}: the log begins with sequence {sequence} of its chain"));
                } else if !is_first {
                    return Err(Fault::NoHead);
                }
                *known = Some(Followed::begin(link.id, sequence, link.digest));
                return Ok(());
            }
        };
        let next = chain.next();
        if chain.digest(sequence) == Some(link.digest) {
            self.notes.push(format!("{place}: sequence {sequence} again, the same line"));
            return Ok(());
        }
        if sequence < next && chain.before(sequence) == Some(link.previous) {
            let last = next - 1;
            self.notes.push(format!(
                "{place}: sequence {sequence} to {last} again: fim ended before it had committed what it had \
                 reported; the last time counts"
            ));
            chain.forget_from(sequence);
        } else if chain.head() != link.previous {
            return Err(if sequence > next {
                Fault::Missing { from: next, to: sequence - 1 }
            } else {
                Fault::Detached
            });
        } else if sequence > next {
            return Err(Fault::Elsewhere { from: next, to: sequence - 1 });
        } else if sequence < next {
            return Err(Fault::Detached);
        }
        chain.push(link.digest);
        Ok(())
    }

    /// Whether a line after a break is one that is missing before it.
    pub fn is_missing(&self, line: &[u8], from: u64, to: u64) -> bool {
        let line = line.trim_ascii_end();
        let id = self.chain.as_ref().map(|chain| chain.id);
        let Some(link) = Link::read(line).filter(|link| Some(link.id) == id) else { return false };
        let sequence = serde_json::from_slice(line).map(|told: Told| told.event.sequence);
        sequence.is_ok_and(|sequence| (from..=to).contains(&sequence)) && link.is_sealed(self.key.as_ref())
    }

    /// The chain, its last number, and whether the watch ended there; `None` if there was none.
    pub fn end(&self) -> Option<(Id, u64, bool)> {
        self.chain.as_ref().map(|chain| (chain.id, chain.next().saturating_sub(1), chain.stopped))
    }
}

impl Followed {
    fn begin(id: Id, sequence: u64, digest: Digest) -> Self {
        Self { id, first: sequence, digests: VecDeque::from([digest]), stopped: false }
    }

    fn next(&self) -> u64 {
        self.first.saturating_add(self.digests.len() as u64)
    }

    fn head(&self) -> Digest {
        self.digests.back().copied().unwrap_or(NOTHING)
    }

    fn digest(&self, sequence: u64) -> Option<Digest> {
        let at = usize::try_from(sequence.checked_sub(self.first)?).ok()?;
        self.digests.get(at).copied()
    }

    /// What a line of this number must name as the one before.
    fn before(&self, sequence: u64) -> Option<Digest> {
        if sequence == self.first {
            return (self.first <= 1).then_some(NOTHING);
        }
        self.digest(sequence.checked_sub(1)?)
    }

    fn forget_from(&mut self, sequence: u64) {
        let kept = usize::try_from(sequence.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.digests.truncate(kept);
    }

    fn push(&mut self, digest: Digest) {
        self.digests.push_back(digest);
        if self.digests.len() > HISTORY {
            self.digests.pop_front();
            self.first += 1;
        }
    }
}

/// What follows a line that a sudden end left without its own.
fn after_torn(line: &[u8]) -> Option<&[u8]> {
    let begins = [&b"{\"@timestamp\":"[..], b"{\"time\":"];
    let at = begins.into_iter().filter_map(|begin| find_last(line, begin)).max()?;
    line.get(at..).filter(|_| at > 0)
}

#[cfg(test)]
mod tests;
