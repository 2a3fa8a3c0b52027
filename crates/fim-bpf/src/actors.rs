//! The processes that changes name, as the kernel told of them. Bounded.
//!
//! Knows nothing of rings or maps.

use crate::clock::Clock;
use crate::decode::Process;
use fim_core::{Actor, Parent};
use std::collections::HashMap;
use std::sync::Arc;

/// Twice what the kernel remembers having told, so that what it will not tell again is still here.
const KEPT: usize = 8192;

/// Remembered processes by id.
#[derive(Debug, Default)]
pub struct Actors {
    known: HashMap<u32, Known>,
    tick: u64,
}

#[derive(Debug)]
struct Known {
    image: u64,
    used: u64,
    actor: Arc<Actor>,
}

impl Actors {
    /// Remembers a process; a later image of the same id takes its place.
    pub fn learn(&mut self, process: &Process<'_>, clock: &Clock) {
        if self.known.len() >= KEPT && !self.known.contains_key(&process.tgid) {
            self.forget_half();
        }
        self.tick += 1;
        let known = Known { image: process.image, used: self.tick, actor: Arc::new(actor(process, clock)) };
        self.known.insert(process.tgid, known);
    }

    /// The process that bears this id in this life. Of one never told only the id is known; of id 0 nothing.
    pub fn find(&mut self, tgid: u32, image: u64) -> Option<Arc<Actor>> {
        if tgid == 0 && image == 0 {
            return None;
        }
        self.tick += 1;
        match self.known.get_mut(&tgid) {
            Some(known) if known.image == image => {
                known.used = self.tick;
                Some(Arc::clone(&known.actor))
            }
            _ => Some(Arc::new(Actor::new(tgid))),
        }
    }

    fn forget_half(&mut self) {
        let mut used: Vec<u64> = self.known.values().map(|known| known.used).collect();
        used.sort_unstable();
        let oldest = used.get(used.len() / 2).copied().unwrap_or_default();
        self.known.retain(|_, known| known.used >= oldest);
    }
}

fn actor(process: &Process<'_>, clock: &Clock) -> Actor {
    let mut actor = Actor::new(process.tgid);
    actor.start = clock.at(process.start);
    actor.uid = Some(process.uid);
    actor.gid = Some(process.gid);
    actor.login_uid = process.login_uid;
    actor.session = process.session;
    actor.name = Some(process.comm.to_owned()).filter(|name| !name.is_empty());
    actor.executable.clone_from(&process.executable);
    actor.args = process.args.iter().map(|arg| (*arg).to_owned()).collect();
    actor.cgroup = Some(process.cgroup.to_string_lossy().into_owned()).filter(|name| !name.is_empty());
    actor.kernel = process.kernel;
    if process.parent != 0 {
        let mut parent = Parent::new(process.parent);
        parent.start = clock.at(process.parent_start);
        parent.name = Some(process.parent_comm.to_owned()).filter(|name| !name.is_empty());
        actor.parent = Some(parent);
    }
    actor
}
