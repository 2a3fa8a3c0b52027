//! Whether a process is still the one it was: the same, running the same program, for the same user.
//!
//! Must not know events, nor what an actor is made of.

use fim_core::procfs::{Entry, Stat};
use rustix::fs::fstat;
use rustix::io::{Errno, pread};
use std::fs::File;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// Whose a process is: its effective user and group, which it may change.
pub(crate) type Owner = (u32, u32);

/// What tells one program of a process from the next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// `None` once the process has ended.
    pub executable: Option<PathBuf>,
    pub stat: Stat,
    pub owner: Option<Owner>,
}

impl Identity {
    /// What a process is now: first what goes first when it ends.
    pub(crate) fn of(proc: &Entry) -> Option<Self> {
        let (executable, owner) = (proc.executable(), owner(proc));
        Some(Self { executable, stat: proc.stat()?, owner })
    }

    /// Whether a process that was this is still the same if it is `now` that.
    pub(crate) fn is_still(&self, now: &Self) -> bool {
        // A process that has ended has no executable any more, is nobody's, and starts no other program.
        let has_ended = now.executable.is_none();
        let is_same = self.executable == now.executable && self.owner == now.owner;
        self.stat == now.stat && (has_ended || is_same)
    }
}

fn owner(proc: &Entry) -> Option<Owner> {
    fstat(proc).ok().map(|stat| (stat.st_uid, stat.st_gid))
}

/// The memory of a program, which is gone once no process runs that program any more: execve(2) gives a process
/// another, and nothing but another process that shares it would keep it.
#[derive(Debug)]
pub(crate) struct Memory(File);

impl Memory {
    /// That of the program a process runs now.
    pub(crate) fn of(proc: &Entry) -> Option<Self> {
        proc.file(c"pagemap").map(Self).filter(Self::is_in_use)
    }

    /// Whether it is in use. A file of /proc/PID keeps the memory it was opened for, and a read from memory that is gone
    /// is empty; from other memory, a part of a number cannot be read (`pagemap_read`, fs/proc/task_mmu.c). No lock of the
    /// process is taken for either, which it could hold for long.
    fn is_in_use(&self) -> bool {
        pread(&self.0, &mut [0; 1], 0) == Err(Errno::INVAL)
    }
}

/// A process whose entry is kept open, to be asked again whether it is what it was.
#[derive(Debug)]
pub(crate) struct Open {
    proc: Entry,
    stat: File,
    memory: Option<Memory>,
    /// Kept because the next event brings another: as long as one is open, the kernel has no inode to make for the next nor
    /// to free after it (`pidfs`, since Linux 6.9).
    _descriptor: Option<OwnedFd>,
}

impl Open {
    /// Of a process that was seen to be this, after its memory was opened.
    pub(crate) fn of(
        proc: Entry,
        identity: &Identity,
        memory: Option<Memory>,
        descriptor: Option<BorrowedFd<'_>>,
    ) -> Option<Self> {
        let stat = proc.file(c"stat")?;
        // One that never executed a program may share the memory of who made it, which stays when it does.
        let memory = memory.filter(|_| identity.stat.has_executed);
        let descriptor = descriptor.and_then(|fd| fd.try_clone_to_owned().ok());
        Some(Self { proc, stat, memory, _descriptor: descriptor })
    }

    /// Whether it is certainly still this.
    pub(crate) fn is(&self, known: &Identity) -> bool {
        if self.memory.as_ref().is_some_and(Memory::is_in_use) {
            return owner(&self.proc) == known.owner;
        }
        let executable = self.proc.executable();
        self.stat_now()
            .is_some_and(|stat| known.is_still(&Identity { executable, stat, owner: owner(&self.proc) }))
    }

    fn stat_now(&self) -> Option<Stat> {
        let mut line = [0; 1024];
        let length = self.stat.read_at(&mut line, 0).ok()?;
        Stat::parse(line.get(..length)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    /// Two programs one after the other in the same process, alike in all but their arguments.
    const TWICE: &str = "echo; read go; exec sh -c 'echo; read go'";

    #[test]
    fn memory_is_in_use_until_another_program_is_executed() {
        let mut child = Command::new("sh")
            .args(["-c", TWICE])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut hear = || stdout.read_exact(&mut [0; 1]).unwrap();
        hear();
        let proc = Entry::open(child.id()).unwrap();
        let memory = Memory::of(&proc).expect("whoever may see the executable of a process may open this");
        let first = Identity::of(&proc).unwrap();
        assert!(first.stat.has_executed);
        let open = Open::of(Entry::open(child.id()).unwrap(), &first, Some(memory), None).unwrap();
        assert!(open.is(&first) && open.memory.as_ref().unwrap().is_in_use());

        writeln!(stdin).unwrap();
        hear();
        assert!(!open.memory.as_ref().unwrap().is_in_use());
        let second = Memory::of(&proc).unwrap();
        assert!(second.is_in_use());

        writeln!(stdin).unwrap();
        child.wait().unwrap();
        assert!(!second.is_in_use() && !open.is(&first));
        assert!(Memory::of(&proc).is_none(), "there is none any more");
    }

    #[test]
    fn whoever_becomes_another_is_not_what_it_was() {
        let identity = |executable: Option<&str>, owner| Identity {
            executable: executable.map(PathBuf::from),
            stat: Stat::parse(b"42 (x) S 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 1").unwrap(),
            owner,
        };
        let was = identity(Some("/bin/a"), Some((0, 0)));
        assert!(was.is_still(&identity(Some("/bin/a"), Some((0, 0)))));
        assert!(was.is_still(&identity(None, Some((0, 0)))), "it has ended");
        assert!(!was.is_still(&identity(Some("/bin/b"), Some((0, 0)))));
        assert!(!was.is_still(&identity(Some("/bin/a"), Some((1000, 0)))));
    }
}
