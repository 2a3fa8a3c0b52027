//! All marks of one path since it was last looked at, joined: what happened, through whom, and since when.
//!
//! Knows time only as it is told, and no file system.

use super::fair_queue::Lane;
use super::mounts::Remount;
use crate::event::{Actor, FileEvent, Via};
use crate::id::FileId;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// The first look comes no later than this after the first mark.
pub(super) const SETTLE: Duration = Duration::from_millis(20);
/// Writers named for one look.
const MAX_ACTORS: usize = 16;

/// All marks of one path since it was last looked at.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    /// First mark, by the kernel's clock.
    pub at: SystemTime,
    /// The call that tells most.
    pub via: Via,
    /// Whether a call that makes a name was among them.
    pub appeared: bool,
    /// It was not in the state when it appeared.
    pub(super) fresh: bool,
    /// It has a tool's temporary name.
    pub(super) temporary: bool,
    /// Whether a call that sets attributes was among them.
    pub attributes: bool,
    /// Whether what is in it is to be listed and compared, if it is a directory.
    pub list: bool,
    /// The kernel's identity of the file, to clear its dirty mark.
    pub id: Option<FileId>,
    /// Where the file was before, if it was renamed to here.
    pub previous: Option<PathBuf>,
    /// Where it went, if it was renamed away.
    pub moved_to: Option<PathBuf>,
    /// Everybody who had a hand in it.
    pub actors: Vec<Arc<Actor>>,
    /// Calls counted.
    pub writes: u64,
    /// It belongs to another consumer than it did.
    pub handed: bool,
    /// It is told even if it is as it was: somebody was told that it left.
    pub retell: bool,
    /// Whether it stands for a lost record.
    pub swept: bool,
    /// A mount came or went here or above.
    pub remount: Option<Remount>,
    /// A scan found that it is not as it was last seen.
    pub(super) scanned: bool,
    pub(super) tries: u32,
    /// Since when its look waits for a reason.
    pub(super) held: Option<Instant>,
    /// It is to be looked at without waiting for anything.
    pub(super) hastened: bool,
    pub(super) due: Instant,
    /// When its turn comes, to be told then whether it is due by now; in no turn yet if there is none.
    pub(super) noted: Option<Instant>,
    /// Whose turn it is served in.
    pub(super) lane: Lane,
    pub(super) first: Instant,
}

impl Pending {
    pub(super) fn new(event: &FileEvent, now: Instant) -> Self {
        Self {
            at: event.at,
            via: event.via,
            appeared: false,
            fresh: false,
            temporary: false,
            attributes: false,
            list: false,
            id: None,
            previous: None,
            moved_to: None,
            actors: Vec::new(),
            writes: 0,
            handed: false,
            retell: false,
            swept: false,
            remount: None,
            scanned: false,
            tries: 0,
            held: None,
            hastened: false,
            lane: Lane::of(event),
            due: now + SETTLE,
            noted: None,
            first: now,
        }
    }

    /// What a single event says.
    pub(crate) fn of(event: &FileEvent) -> Self {
        let mut item = Self::new(event, Instant::now());
        item.join(event);
        item
    }

    /// Whether it stands for a rename, from here or to here.
    pub(crate) fn is_rename(&self) -> bool {
        matches!(self.via, Via::Rename | Via::Exchange) || self.previous.is_some() || self.moved_to.is_some()
    }

    /// Whether nothing but a scan speaks of it.
    pub(crate) fn is_by_scan(&self) -> bool {
        self.scanned && self.via == Via::Scan && self.actors.is_empty()
    }

    /// Whether nothing but making up for a loss speaks of it.
    pub(crate) fn is_found(&self) -> bool {
        self.swept && self.actors.is_empty()
    }

    /// Whether it stands for no new mark: the file may change without one.
    pub(super) fn is_open(&self) -> bool {
        self.lane.is_open()
    }

    pub(super) fn join(&mut self, event: &FileEvent) {
        // What may change without an event stands for no change until one comes.
        self.at = if self.is_open() { event.at } else { self.at.min(event.at) };
        let lane = Lane::of(event);
        if lane < self.lane {
            (self.lane, self.noted) = (lane, None);
        }
        // A name that was given anew after it was taken is told by what gave it.
        let is_anew = matches!(self.via, Via::Unlink | Via::Rmdir) && event.via.makes_a_name();
        if tells(event.via) > tells(self.via) || is_anew {
            self.via = event.via;
        }
        self.attributes |= matches!(event.via, Via::Attributes | Via::Xattr | Via::Flags);
        self.swept |= event.via == Via::Sweep;
        self.list |= event.via == Via::Sweep;
        self.id = event.file.or(self.id);
        self.writes += u64::from(event.writes);
        if let Some(actor) = &event.actor {
            self.add_actor(actor);
        }
    }

    fn add_actor(&mut self, actor: &Arc<Actor>) {
        let mut actor = Arc::clone(actor);
        if let Some(at) = self.actors.iter().position(|known| is_same(known, &actor)) {
            let known = self.actors.remove(at);
            // Of one process, what was learned while it lived says more.
            if known.name.is_some() && actor.name.is_none() {
                actor = known;
            }
        } else if self.actors.len() == MAX_ACTORS {
            self.actors.remove(0);
        }
        self.actors.push(actor);
    }

    /// Takes over what another item knew: the same file under an older name.
    pub(crate) fn inherit(&mut self, other: &Self) {
        self.at = self.at.min(other.at);
        self.writes += other.writes;
        self.attributes |= other.attributes;
        self.id = self.id.or(other.id);
        let own = std::mem::take(&mut self.actors);
        for actor in other.actors.iter().chain(&own) {
            self.add_actor(actor);
        }
    }
}

/// Whether two actors are one process image that acts for one user, as far as they are known: the marks of one look lie too close
/// together for a process number to come round.
fn is_same(one: &Actor, other: &Actor) -> bool {
    let start = one.start.is_none() || other.start.is_none() || one.start == other.start;
    let image = one.name.is_none() || other.name.is_none() || one.executable == other.executable;
    let user = one.uid.is_none() || other.uid.is_none() || one.uid == other.uid;
    one.pid == other.pid && start && image && user
}

/// Which of two calls says more about what happened to a name.
const fn tells(via: Via) -> u8 {
    match via {
        Via::Close | Via::Evict | Via::Sweep | Via::Scan => 0,
        Via::Attributes | Via::Xattr | Via::Flags => 1,
        Via::Create | Via::Mkdir | Via::Mknod | Via::Symlink | Via::Link => 3,
        Via::Unlink | Via::Rmdir => 4,
        Via::Rename | Via::Exchange | Via::Mount => 5,
        _ => 2,
    }
}
