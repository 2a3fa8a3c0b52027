//! Whether our links, maps and programs are still ours and still work: somebody with enough rights can take them away.
//!
//! Does what costs little every few seconds, and tells what is new. Knows nothing of records.

use crate::layout::{control, op};
use crate::marks::BpfMarks;
use crate::object::Attached;
use crate::sys;
use fim_core::{FileId, MarkRequest, MarkScope, Marks};
use rustix::fs::{MemfdFlags, memfd_create};
use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Between two checks.
const EVERY: Duration = Duration::from_secs(2);
/// Counting all marks takes no more than one part in so many of the time.
const SHARE: u32 = 500;
/// Writes of which one is to be seen.
const TRIES: u32 = 10;
/// Between two of them: the kernel skips the runs of a program on a processor where one of its runs was interrupted by
/// the scheduler (docs/decisions/0009), so that it has to be let go on.
const LET_GO_ON: Duration = Duration::from_millis(20);

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wrong {
    /// In words.
    pub what: String,
    /// Changes may have gone unseen for it.
    pub blinds: bool,
}

/// What is checked, and what was told.
#[derive(Debug)]
pub struct Checks {
    links: Vec<(&'static str, u32)>,
    pinned: Option<PathBuf>,
    canary: Option<OwnedFd>,
    told: BTreeSet<Wrong>,
    next: Instant,
    next_count: Instant,
    /// By how much the marks are known to be too many or too few.
    off_by: i64,
}

impl Checks {
    /// Notes how things are now.
    pub fn new(marks: &mut BpfMarks, attached: &[Attached], pinned: Option<PathBuf>) -> Self {
        let canary = canary(marks);
        if let Err(error) = &canary {
            log::warn!(
                "cannot mark a file of our own: whether the programs still run is not checked: {error}"
            );
        }
        let links =
            attached.iter().filter_map(|it| Some((it.hook.program, sys::link_id(it.link.as_fd()).ok()?)));
        // Whatever happened to the marks of an earlier start was told by it.
        let off_by = off_by(marks).unwrap_or_default();
        let now = Instant::now();
        Self {
            links: links.collect(),
            pinned,
            canary: canary.ok(),
            told: BTreeSet::new(),
            next: now + EVERY,
            next_count: now + EVERY,
            off_by,
        }
    }

    /// Whether it is time.
    pub fn is_due(&self) -> bool {
        Instant::now() >= self.next
    }

    /// What is wrong and was not when it was asked last. Looks only when it is time.
    pub fn noticed(&mut self, marks: &BpfMarks, attached: &[Attached]) -> Vec<Wrong> {
        if !self.is_due() {
            return Vec::new();
        }
        let now = Instant::now();
        self.next = now + EVERY;
        let mut wrong = BTreeSet::new();
        wrong.extend(self.links_gone(attached).map(|what| Wrong { what, blinds: true }));
        let pins = self.pinned.as_deref().and_then(|dir| self.pins_gone(dir));
        wrong.extend(pins.map(|what| Wrong { what, blinds: false }));
        let unseen = self.canary.as_ref().and_then(|canary| unseen(marks, canary));
        wrong.extend(unseen.map(|what| Wrong { what, blinds: true }));
        if now >= self.next_count {
            let begun = Instant::now();
            wrong.extend(self.count(marks));
            self.next_count = now + (begun.elapsed() * SHARE).max(EVERY);
        }
        let news = wrong.difference(&self.told).cloned().collect();
        self.told = wrong;
        news
    }

    fn links_gone(&self, attached: &[Attached]) -> Option<String> {
        let id = |program: &str| {
            let attached = attached.iter().find(|it| it.hook.program == program)?;
            sys::link_id(attached.link.as_fd()).ok()
        };
        let gone = self.links.iter().filter(|(program, known)| id(program) != Some(*known));
        named("BPF programs are not attached any more", gone.map(|(program, _)| *program))
    }

    fn pins_gone(&self, dir: &Path) -> Option<String> {
        let pinned = |program: &str| sys::pinned_link(&crate::pins::link_in(dir, program));
        let gone = self.links.iter().filter(|(program, known)| pinned(program) != Some(*known));
        let gone = gone.map(|(program, _)| *program).chain(crate::pins::maps_missing(dir));
        named(&format!("what was pinned in {} was removed or replaced", dir.display()), gone)
    }

    fn count(&mut self, marks: &BpfMarks) -> Option<Wrong> {
        let found = off_by(marks).filter(|found| *found != self.off_by)?;
        // One may have been set and not yet counted: not the same number twice.
        if off_by(marks) != Some(found) {
            return None;
        }
        let by = found - self.off_by;
        self.off_by = found;
        let what = if by > 0 { "were put among" } else { "were taken from" };
        let what = format!("{} marks {what} those that were set", by.unsigned_abs());
        Some(Wrong { what, blinds: by < 0 })
    }
}

/// How many more marks there are than were set. They are set and removed in the kernel, which counts them; others
/// that write to the map do not. `None` where some came or went meanwhile.
fn off_by(marks: &BpfMarks) -> Option<i64> {
    let (before, mut there) = (marks.counts().used, 0_i64);
    marks.visit(|_, _| there += 1).ok()?;
    (marks.counts().used == before).then_some(there - i64::try_from(before).ok()?)
}

fn named<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<&str> = names.collect();
    (!names.is_empty()).then(|| format!("{what}: {}", names.join(" ")))
}

/// A file in memory that has a mark like any other.
fn canary(marks: &mut BpfMarks) -> io::Result<OwnedFd> {
    let file = memfd_create("fim-canary", MemfdFlags::CLOEXEC)?;
    let request = MarkRequest { file: file.as_fd(), path: Path::new("fim-canary"), scope: MarkScope::File };
    match marks.add(&[request]).map_err(io::Error::other)?.first() {
        Some(marked) if marked.armed => Ok(file),
        _ => Err(io::Error::other("there is no room for it")),
    }
}

/// Writes to the canary, and tells if no program saw it.
fn unseen(marks: &BpfMarks, canary: &OwnedFd) -> Option<String> {
    let nobody = FileId::default();
    let hits = || marks.counts().hits.get(usize::from(op::WRITE)).copied();
    marks.control(control::PROBE, nobody).ok()?;
    let before = hits();
    let seen = (0..TRIES).any(|number| {
        if number > 0 {
            std::thread::sleep(LET_GO_ON);
        }
        rustix::io::pwrite(canary, b"!", 0).is_err() || hits() != before
    });
    marks.control(control::PROBED, nobody).ok()?;
    (!seen).then(|| {
        "a write to a marked file of the agent's own was not seen: programs, marks or their filter were changed"
            .to_owned()
    })
}
