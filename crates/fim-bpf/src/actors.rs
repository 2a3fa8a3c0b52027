//! The processes that changes name, as the kernel told of them. Bounded.
//!
//! Knows nothing of rings or maps.

use crate::cgroup::Paths;
use crate::clock::Clock;
use crate::decode::Process;
use fim_core::{Actor, Parent};
use std::collections::HashMap;
use std::sync::Arc;

/// Twice what the kernel remembers having told, so that what it will not tell again is still here.
const KEPT: usize = 8192;

/// Remembered processes by id and image.
#[derive(Debug, Default)]
pub struct Actors {
    known: HashMap<(u32, u64), Known>,
    cgroups: Paths,
    tick: u64,
}

#[derive(Debug)]
struct Known {
    used: u64,
    actor: Arc<Actor>,
}

impl Actors {
    /// Remembers a process. One id may have several images at a time: threads that act for different users.
    pub fn learn(&mut self, process: &Process<'_>, clock: &Clock) {
        if self.known.len() >= KEPT && !self.known.contains_key(&(process.tgid, process.image)) {
            self.forget_half();
        }
        self.tick += 1;
        let mut actor = actor(process, clock);
        actor.cgroup = self.cgroups.of(process.tgid, process.start, process.cgroup);
        let known = Known { used: self.tick, actor: Arc::new(actor) };
        self.known.insert((process.tgid, process.image), known);
    }

    /// The process that bears this id in this life. Of one never told only the id is known; of id 0 nothing.
    pub fn find(&mut self, tgid: u32, image: u64) -> Option<Arc<Actor>> {
        if tgid == 0 && image == 0 {
            return None;
        }
        self.tick += 1;
        match self.known.get_mut(&(tgid, image)) {
            Some(known) => {
                known.used = self.tick;
                Some(Arc::clone(&known.actor))
            }
            None => Some(Arc::new(Actor::new(tgid))),
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
    actor.args = process.args.clone();
    actor.kernel = process.kernel;
    if process.parent != 0 {
        let mut parent = Parent::new(process.parent);
        parent.start = clock.at(process.parent_start);
        parent.name = Some(process.parent_comm.to_owned()).filter(|name| !name.is_empty());
        actor.parent = Some(parent);
    }
    actor
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    fn process(tgid: u32, image: u64) -> Process<'static> {
        Process {
            tgid,
            image,
            start: 1,
            parent_start: 1,
            parent: 1,
            uid: 0,
            gid: 0,
            login_uid: None,
            session: None,
            comm: OsStr::new("vi"),
            parent_comm: OsStr::new("sh"),
            cgroup: OsStr::new(""),
            args: Vec::new(),
            executable: None,
            kernel: false,
        }
    }

    fn name(actors: &mut Actors, tgid: u32, image: u64) -> Option<Option<std::ffi::OsString>> {
        actors.find(tgid, image).map(|actor| actor.name.clone())
    }

    #[test]
    fn a_process_is_found_by_its_id_in_the_same_life_alone() {
        let mut actors = Actors::default();
        actors.learn(&process(5, 50), &Clock::now());
        assert_eq!(name(&mut actors, 5, 50), Some(Some("vi".into())));
        // The id was used again, or its record was lost: only the id is sure.
        assert_eq!(name(&mut actors, 5, 51), Some(None));
        assert_eq!(name(&mut actors, 6, 50), Some(None));
        assert_eq!(name(&mut actors, 0, 0), None);
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_used_stays() {
        let mut actors = Actors::default();
        for tgid in 1..=20_000 {
            actors.learn(&process(tgid, 1), &Clock::now());
            assert_eq!(name(&mut actors, 1, 1), Some(Some("vi".into())), "{tgid}");
        }
        assert!(actors.known.len() <= KEPT);
    }
}
