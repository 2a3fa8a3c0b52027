//! From two looks at a path to a finding: calls the consumer that owns the path and adds the engine's own
//! judgement.
//!
//! Knows nothing of stores, and of events only what they say of one path.

use super::compare::{Verdict, compare};
use super::pending::Pending;
use super::storm::Small;
use crate::consumer::{Answer, Consumer, Context};
use crate::event::Via;
use crate::explain::Reason;
use crate::facts::Facts;
use crate::finding::{Action, Change, Detected, Finding, Severity};
use crate::snapshot::Snapshot;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What led to a look.
#[derive(Debug)]
pub(crate) struct Cause<'a> {
    pub detected: Detected,
    /// The marks, where there were any.
    pub marks: Option<&'a Pending>,
    /// Where the file was before, if it was renamed to here.
    pub previous: Option<PathBuf>,
    /// The name it was known by is gone, so that this is a move and no copy.
    pub moved: bool,
    /// Another known file took the place of the one that was there, be it as like as it may.
    pub replaced: bool,
    /// It was another consumer's until now: to the one that judges it, all of it is new.
    pub newcomer: bool,
    /// What led to it, if that was asked already.
    pub reason: Option<Reason>,
}

impl Cause<'_> {
    pub(crate) const fn found(detected: Detected) -> Self {
        Self {
            detected,
            marks: None,
            previous: None,
            moved: false,
            replaced: false,
            newcomer: false,
            reason: None,
        }
    }
}

/// What a look came to.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    pub finding: Option<Box<Finding>>,
    /// What the consumer said, and how much that matters, where no finding was made of it.
    pub changes: Vec<Change>,
    pub severity: Option<Severity>,
    /// It matters little by itself.
    pub small: Option<Small>,
    /// What the consumer wants kept.
    pub keep: Option<Vec<u8>>,
    /// The consumer's interest is another now.
    pub watch_anew: bool,
}

/// Judges one look.
pub(crate) fn judge(
    consumer: &mut dyn Consumer,
    before: Option<&Facts>,
    kept: Option<&[u8]>,
    now: &Snapshot,
    cause: &Cause<'_>,
) -> Judgement {
    let attributes = cause.marks.is_some_and(|marks| marks.attributes);
    let verdict = compare(before, now.facts.as_ref(), attributes);
    let transient =
        verdict == Verdict::Same && before.is_none() && cause.marks.is_some_and(|marks| marks.appeared);
    let remount = remount(before, now.facts.as_ref(), cause);
    let small = match verdict {
        _ if remount.is_some() => None,
        _ if transient => Some(Small::Transient),
        Verdict::Touched if !cause.moved && !cause.replaced => Some(Small::Touched),
        _ => None,
    };
    let action = match verdict {
        Verdict::Changed(action) => Some(action),
        Verdict::Touched => Some(Action::Updated),
        Verdict::Same if transient => Some(Action::Deleted),
        Verdict::Same | Verdict::Quiet => None,
    };
    let action = if remount.is_some() {
        Some(Action::Updated)
    } else if cause.moved {
        Some(Action::Moved)
    } else if cause.replaced {
        action.or(Some(Action::Updated))
    } else {
        action
    };
    let differs = matches!(verdict, Verdict::Changed(_));
    let mut answer = if differs || cause.newcomer || cause.moved || (kept.is_none() && now.facts.is_some()) {
        let cx = if cause.newcomer { Context::new(None, None) } else { Context::new(before, kept) };
        let cx = match cause.previous.as_deref() {
            Some(from) if cause.moved => cx.renamed(from),
            _ => cx,
        };
        ask(consumer, cx, now)
    } else {
        Answer::default()
    };
    let (keep, watch_anew) = (answer.keep.take(), answer.watch_anew);
    // What it means now is news, though the file is as it was.
    let means = cause.newcomer && now.facts.is_some() && !answer.changes.is_empty();
    let action = action.or(means.then_some(Action::Updated));
    let finding = action.map(|action| {
        answer.changes.extend(small.map(|small| Change::new(small.word())));
        answer.changes.extend(remount);
        if is_past_the_clocks(verdict, before, now, cause) {
            answer.changes.push(Change::new("clocks_unmoved"));
            answer.severity = answer.severity.max(Some(Severity::High));
        }
        Box::new(finding(action, small, consumer.name(), before, now, cause, answer))
    });
    Judgement { finding, small, keep, watch_anew, ..Judgement::default() }
}

/// What a mount did to a path: it is another file now.
fn remount(before: Option<&Facts>, now: Option<&Facts>, cause: &Cause<'_>) -> Option<Change> {
    let remount = cause.marks?.remount.as_ref()?;
    let (before, now) = (before?, now?);
    let is_other = (before.device, before.inode) != (now.device, now.inode);
    is_other.then(|| Change::from_to("mount", remount.before.as_str(), remount.after.as_str()))
}

/// Whether a scan found other content where no clock moved, as no call that writes to a file leaves it: somebody
/// wrote to the disk past the file system, or exchanged extents.
fn is_past_the_clocks(verdict: Verdict, before: Option<&Facts>, now: &Snapshot, cause: &Cause<'_>) -> bool {
    let same_stat = before.zip(now.facts.as_ref()).is_some_and(|(before, now)| before.same_stat(now));
    same_stat && cause.detected == Detected::Scan && verdict == Verdict::Changed(Action::Updated)
}

/// Asks a consumer of a look without making a finding of it: what it says is in the judgement.
pub(crate) fn hear(
    consumer: &mut dyn Consumer,
    before: Option<&Facts>,
    kept: Option<&[u8]>,
    now: &Snapshot,
) -> Judgement {
    let Answer { changes, severity, keep, watch_anew, .. } = ask(consumer, Context::new(before, kept), now);
    Judgement { changes, severity, keep, watch_anew, ..Judgement::default() }
}

/// Tells a consumer of a look at a file that is another's; whether its interest is another now.
pub(crate) fn overhear(consumer: &mut dyn Consumer, now: &Snapshot) -> bool {
    let name = consumer.name();
    let told = catch_unwind(AssertUnwindSafe(|| {
        let mut cx = Context::new(None, None);
        consumer.overhear(now, &mut cx);
        cx.into_answer().watch_anew
    }));
    told.unwrap_or_else(|_| {
        log::error!("{}: the consumer {name} panicked over it", now.path.display());
        false
    })
}

/// Tells a consumer what it kept.
pub(crate) fn recall(consumer: &mut dyn Consumer, path: &Path, kept: &[u8]) {
    let name = consumer.name();
    if catch_unwind(AssertUnwindSafe(|| consumer.recall(path, kept))).is_err() {
        log::error!("{}: the consumer {name} panicked over what it kept of it", path.display());
    }
}

fn ask(consumer: &mut dyn Consumer, mut cx: Context<'_>, now: &Snapshot) -> Answer {
    let name = consumer.name();
    let asked = catch_unwind(AssertUnwindSafe(|| (consumer.inspect(now, &mut cx), cx.into_answer())));
    match asked {
        Ok((Ok(()), answer)) => answer,
        Ok((Err(error), mut answer)) => {
            log::warn!("{}: the consumer {name} could not make sense of it: {error}", now.path.display());
            answer.changes.push(Change::new("not_understood"));
            answer
        }
        Err(_) => {
            log::error!(
                "{}: the consumer {name} panicked; the change is reported without its words",
                now.path.display()
            );
            // Who can make it panic would hide what it has to say.
            Answer {
                changes: vec![Change::new("not_understood")],
                severity: Some(Severity::High),
                ..Answer::default()
            }
        }
    }
}

#[allow(clippy::too_many_arguments)] // one call, beside the definition
fn finding(
    action: Action,
    small: Option<Small>,
    consumer: &'static str,
    before: Option<&Facts>,
    now: &Snapshot,
    cause: &Cause<'_>,
    answer: Answer,
) -> Finding {
    // A small finding is routine wherever it is: what a consumer says of it is about the place.
    let severity =
        if small.is_some() { Severity::Routine } else { answer.severity.unwrap_or(Severity::Notable) };
    Finding {
        action,
        consumer,
        severity,
        detected: cause.detected,
        path: now.path.clone(),
        previous_path: cause.previous.clone(),
        moved_to: cause.marks.and_then(|marks| marks.moved_to.clone()).filter(|_| now.facts.is_none()),
        via: cause.marks.map(|marks| marks.via).filter(|via| !matches!(via, Via::Sweep | Via::Scan)),
        before: before.cloned(),
        after: now.facts.clone(),
        hash_state: now.hash_state(),
        changes: answer.changes,
        diff: answer.diff,
        explained_by: None,
        actors: cause.marks.map(|marks| marks.actors.clone()).unwrap_or_default(),
        writes: cause.marks.map_or(0, |marks| marks.writes),
        at: cause.marks.map_or_else(SystemTime::now, |marks| marks.at),
        id: digest(action, &now.path, before, now.facts.as_ref()),
    }
}

/// Equal for the same change of the same file, whenever it is reported.
fn digest(action: Action, path: &Path, before: Option<&Facts>, after: Option<&Facts>) -> [u8; 16] {
    use std::os::unix::ffi::OsStrExt;
    // In one piece: a hash of it is made for each line.
    let mut all = Vec::with_capacity(512);
    all.extend_from_slice(action.as_str().as_bytes());
    all.push(0);
    all.extend_from_slice(path.as_os_str().as_bytes());
    for facts in [before, after] {
        all.extend_from_slice(&[0, u8::from(facts.is_some())]);
        let Some(facts) = facts else { continue };
        for number in [
            facts.inode,
            facts.size,
            u64::from(facts.mode),
            u64::from(facts.uid),
            u64::from(facts.gid),
            u64::from(facts.flags),
            facts.rdev,
            facts.mtime.seconds.cast_unsigned(),
            u64::from(facts.mtime.nanos),
        ] {
            all.extend_from_slice(&number.to_le_bytes());
        }
        all.extend_from_slice(facts.kind.as_str().as_bytes());
        all.extend_from_slice(facts.blake3.as_ref().map_or(&[], |hash| hash.as_slice()));
        all.extend_from_slice(facts.target.as_ref().map_or(&[], |target| target.as_os_str().as_bytes()));
        for xattr in &facts.xattrs {
            all.extend_from_slice(xattr.name.as_bytes());
            all.push(0);
            all.extend_from_slice(&xattr.digest);
        }
    }
    let hash = blake3::hash(&all);
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}
