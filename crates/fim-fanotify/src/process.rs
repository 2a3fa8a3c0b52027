//! The entry of a process in /proc, opened and read once or kept open to be asked again.
//!
//! Must not know events, nor what an actor is made of.

use crate::procfs::{self, Stat};
use rustix::fs::{Mode, OFlags, fstat, open, openat, readlinkat};
use rustix::io::{Errno, pread};
use std::ffi::{CStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// The directory of a process in /proc. It stays that of the process: once the process is gone there is
/// nothing in it any more, whoever has its number then.
#[derive(Debug)]
pub(crate) struct Proc(OwnedFd);

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

impl Proc {
    pub(crate) fn open(pid: u32) -> Option<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        open(format!("/proc/{pid}"), flags, Mode::empty()).ok().map(Self)
    }

    /// What it is now: first what goes first when a process ends.
    pub(crate) fn identity(&self) -> Option<Identity> {
        let (executable, owner) = (self.executable(), self.owner());
        Some(Identity { executable, stat: self.stat()?, owner })
    }

    pub(crate) fn executable(&self) -> Option<PathBuf> {
        let path = readlinkat(&self.0, c"exe", Vec::new()).ok()?;
        Some(PathBuf::from(OsString::from_vec(path.into_bytes())))
    }

    pub(crate) fn stat(&self) -> Option<Stat> {
        procfs::stat(&self.read(c"stat", 4096))
    }

    fn owner(&self) -> Option<Owner> {
        fstat(&self.0).ok().map(|stat| (stat.st_uid, stat.st_gid))
    }

    /// The first bytes of a file, none if it cannot be read.
    pub(crate) fn read(&self, name: &CStr, limit: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(file) = self.file(name)
            && file.take(limit).read_to_end(&mut bytes).is_err()
        {
            bytes.clear();
        }
        bytes
    }

    fn file(&self, name: &CStr) -> Option<File> {
        openat(&self.0, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok().map(File::from)
    }
}

/// The memory of a program, which is gone once no process runs that program any more: execve(2) gives a process
/// another, and nothing but another process that shares it would keep it.
#[derive(Debug)]
pub(crate) struct Memory(File);

impl Memory {
    /// That of the program a process runs now.
    pub(crate) fn of(proc: &Proc) -> Option<Self> {
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
    proc: Proc,
    stat: File,
    memory: Option<Memory>,
}

impl Open {
    /// Of a process that was seen to be this, after its memory was opened.
    pub(crate) fn of(proc: Proc, identity: &Identity, memory: Option<Memory>) -> Option<Self> {
        let stat = proc.file(c"stat")?;
        // One that never executed a program may share the memory of who made it, which stays when it does.
        Some(Self { proc, stat, memory: memory.filter(|_| identity.stat.has_executed) })
    }

    /// Whether it is certainly still this.
    pub(crate) fn is(&self, known: &Identity) -> bool {
        if self.memory.as_ref().is_some_and(Memory::is_in_use) {
            return self.proc.owner() == known.owner;
        }
        let executable = self.proc.executable();
        self.stat_now().is_some_and(|stat| {
            known.is_still(&Identity { executable, stat, owner: self.proc.owner() })
        })
    }

    fn stat_now(&self) -> Option<Stat> {
        let mut line = [0; 1024];
        let length = self.stat.read_at(&mut line, 0).ok()?;
        procfs::stat(line.get(..length)?)
    }
}

impl Identity {
    /// Whether a process that was this is still the same if it is `now` that.
    pub(crate) fn is_still(&self, now: &Self) -> bool {
        // A process that has ended has no executable any more, is nobody's, and starts no other program.
        let has_ended = now.executable.is_none();
        let is_same = self.executable == now.executable && self.owner == now.owner;
        self.stat == now.stat && (has_ended || is_same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
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
        let proc = Proc::open(child.id()).unwrap();
        let memory = Memory::of(&proc).expect("whoever may see the executable of a process may open this");
        let first = proc.identity().unwrap();
        assert!(first.stat.has_executed);
        let open = Open::of(Proc::open(child.id()).unwrap(), &first, Some(memory)).unwrap();
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
            stat: procfs::stat(b"42 (x) S 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 1").unwrap(),
            owner,
        };
        let was = identity(Some("/bin/a"), Some((0, 0)));
        assert!(was.is_still(&identity(Some("/bin/a"), Some((0, 0)))));
        assert!(was.is_still(&identity(None, Some((0, 0)))), "it has ended");
        assert!(!was.is_still(&identity(Some("/bin/b"), Some((0, 0)))));
        assert!(!was.is_still(&identity(Some("/bin/a"), Some((1000, 0)))));
    }
}
