//! A process that lives, read in /proc: what it runs, and in which control group.
//!
//! Only what is certainly of the process that is meant is told: an entry of /proc that was opened stays that of
//! its process, and the start says whether it is the one. Once it has ended, nothing is known.

use fim_core::Actor;
use fim_core::procfs::{Entry, booted, control_group};
use std::fs::File;
use std::time::Duration;

/// The clock may have been set a little between two readings of it.
const SLACK: Duration = Duration::from_secs(1);

/// The entry of a process in /proc.
#[derive(Debug)]
pub struct Process(Entry);

impl Process {
    /// The process of an actor, if it still lives.
    pub fn of(actor: &Actor) -> Option<Self> {
        let process = Entry::open(actor.pid)?;
        let began = process.stat()?.started(booted())?;
        let told = actor.start?;
        let apart = began.duration_since(told).or_else(|_| told.duration_since(began)).ok()?;
        (apart < SLACK).then_some(Self(process))
    }

    /// What it runs, open for reading: that very file, whatever has its name now. Nothing, if it is another program
    /// than the one that made the change.
    pub fn executable(&self, actor: &Actor) -> Option<File> {
        (self.0.executable()? == *actor.executable.as_ref()?).then(|| self.0.file(c"exe")).flatten()
    }

    /// Its control group below the root of version 2; of version 1 the first.
    pub fn cgroup(&self) -> Option<String> {
        String::from_utf8(control_group(&self.0.read(c"cgroup", 4096)?)?.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    impl Process {
        pub fn start_of(pid: u32) -> Option<SystemTime> {
            Entry::open(pid)?.stat()?.started(booted())
        }
    }

    fn me() -> Actor {
        let mut me = Actor::new(std::process::id());
        me.executable = std::env::current_exe().ok();
        me.start = Process::start_of(me.pid);
        me
    }

    #[test]
    fn one_that_lives_is_known_and_no_other_is() {
        let process = Process::of(&me()).unwrap();
        assert!(process.executable(&me()).is_some() && process.cgroup().is_some());
        let mut other = me();
        other.start = other.start.map(|start| start - Duration::from_secs(60));
        assert!(Process::of(&other).is_none(), "its number was used again");
        let mut other = me();
        other.executable = Some("/bin/other".into());
        assert!(process.executable(&other).is_none(), "it runs something else now");
        assert!(Process::of(&Actor::new(std::process::id())).is_none(), "nothing is known of it");
    }
}
