//! What a watcher tells the engine: something touched this file, by this kind of call, through this process.
//!
//! An event is a mark, not a verdict: whether anything changed is decided by looking at the file.
//! Knows nothing of how events are made, nor of what they will mean.

use crate::id::FileId;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

/// The kind of system call or kernel path by which a file was touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Via {
    /// write(2), pwrite(2) and their vector forms.
    Write,
    /// A shared writable mapping was made; its stores are not seen one by one.
    Mmap,
    /// A write through io_uring.
    IoUring,
    /// A write through io_submit(2).
    Aio,
    /// splice(2), sendfile(2), vmsplice(2) into the file.
    Splice,
    /// copy_file_range(2) or a reflink.
    Copy,
    /// fallocate(2) in any mode.
    Fallocate,
    /// truncate(2), ftruncate(2) or O_TRUNC.
    Truncate,
    /// A write by the kernel itself: core dump, accounting, nfsd.
    Kernel,
    /// A regular file was created.
    Create,
    /// A directory was created.
    Mkdir,
    /// A device, FIFO or socket was created.
    Mknod,
    /// A symbolic link was created.
    Symlink,
    /// A hard link was created.
    Link,
    /// A rename, onto a free name or over an existing file.
    Rename,
    /// Two names were exchanged.
    Exchange,
    /// A name was removed.
    Unlink,
    /// A directory was removed.
    Rmdir,
    /// Mode, owner or times were set.
    Attributes,
    /// An extended attribute or an access control list was set or removed.
    Xattr,
    /// Inode flags (chattr) were set.
    Flags,
    /// A writer closed the file; [`FileEvent::settled`] says whether it was the last.
    Close,
    /// The file system is about to forget the inode: its last link and last user are gone.
    Evict,
    /// A mount hid or revealed the path.
    Mount,
    /// A dirty mark found while making up for lost records.
    Sweep,
    /// Found by comparing, not by an event.
    Scan,
}

impl Via {
    /// The word for it in `fim.via`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Mmap => "mmap",
            Self::IoUring => "io_uring",
            Self::Aio => "aio",
            Self::Splice => "splice",
            Self::Copy => "copy",
            Self::Fallocate => "fallocate",
            Self::Truncate => "truncate",
            Self::Kernel => "kernel",
            Self::Create => "create",
            Self::Mkdir => "mkdir",
            Self::Mknod => "mknod",
            Self::Symlink => "symlink",
            Self::Link => "link",
            Self::Rename => "rename",
            Self::Exchange => "exchange",
            Self::Unlink => "unlink",
            Self::Rmdir => "rmdir",
            Self::Attributes => "attributes",
            Self::Xattr => "xattr",
            Self::Flags => "flags",
            Self::Close => "close",
            Self::Evict => "evict",
            Self::Mount => "mount",
            Self::Sweep => "sweep",
            Self::Scan => "scan",
        }
    }

    /// Whether this kind of call gives a file a name.
    pub(crate) const fn makes_a_name(self) -> bool {
        self.is_namespace() && !matches!(self, Self::Unlink | Self::Rmdir)
    }

    /// Whether this kind of call changes names in a directory.
    #[must_use]
    pub const fn is_namespace(self) -> bool {
        matches!(
            self,
            Self::Create
                | Self::Mkdir
                | Self::Mknod
                | Self::Symlink
                | Self::Link
                | Self::Rename
                | Self::Exchange
                | Self::Unlink
                | Self::Rmdir
        )
    }
}

/// A name in a directory, or a whole path where the watcher knows no directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A name in a marked directory.
    Entry {
        /// The directory.
        dir: FileId,
        /// The name in it: bytes without `/`.
        name: OsString,
    },
    /// An absolute path.
    Path(PathBuf),
}

/// The process behind a change, as the kernel knew it at the moment of the change.
/// What is unknown is absent, never invented.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Actor {
    /// Process id (tgid) in the initial PID namespace.
    pub pid: u32,
    /// Start of the process.
    pub start: Option<SystemTime>,
    /// Real user id.
    pub uid: Option<u32>,
    /// Real group id.
    pub gid: Option<u32>,
    /// The user who logged in, through su and sudo (audit's loginuid).
    pub login_uid: Option<u32>,
    /// Audit session id.
    pub session: Option<u32>,
    /// Command name: 15 bytes at most, set by the process itself.
    pub name: Option<OsString>,
    /// Path of the executable.
    pub executable: Option<PathBuf>,
    /// Arguments, from the process's own memory: what it says of itself, cut at a limit.
    pub args: Vec<OsString>,
    /// Control group, as a path below the cgroup root, or its last component where no more is known.
    pub cgroup: Option<String>,
    /// Parent process.
    pub parent: Option<Parent>,
    /// Whether it is a thread of the kernel.
    pub kernel: bool,
}

impl Actor {
    /// An actor of which only the process id is known.
    #[must_use]
    pub fn new(pid: u32) -> Self {
        Self { pid, ..Self::default() }
    }
}

/// The parent of an actor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parent {
    /// Process id (tgid).
    pub pid: u32,
    /// Start of the process.
    pub start: Option<SystemTime>,
    /// Command name.
    pub name: Option<OsString>,
    /// Path of the executable, where it is known.
    pub executable: Option<PathBuf>,
}

impl Parent {
    /// A parent of which only the process id is known.
    #[must_use]
    pub fn new(pid: u32) -> Self {
        Self { pid, ..Self::default() }
    }
}

/// One mark.
///
/// ```
/// use fim_core::{Actor, FileEvent, Place, Via};
/// use std::sync::Arc;
/// use std::time::SystemTime;
///
/// let mut event = FileEvent::new(SystemTime::now(), Via::Rename);
/// event.place = Some(Place::Path("/etc/hosts".into()));
/// event.from = Some(Place::Path("/etc/hosts.new".into()));
/// event.actor = Some(Arc::new(Actor::new(4711)));
/// event.settled = true;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEvent {
    /// When the kernel marked it.
    pub at: SystemTime,
    /// By what kind of call.
    pub via: Via,
    /// The file itself, where the watcher knows it.
    pub file: Option<FileId>,
    /// Whether it is a directory, where the watcher knows: by the time of a look another may have its name.
    pub dir: Option<bool>,
    /// The name that appeared, went or was renamed to; for content changes usually absent.
    pub place: Option<Place>,
    /// For a rename or exchange: the other name.
    pub from: Option<Place>,
    /// Who did it.
    pub actor: Option<Arc<Actor>>,
    /// How many calls this mark stands for; 0 where nobody counted.
    pub writes: u32,
    /// No writer of this file is left, so far as this event knows: look at once. Of [`Via::Sweep`] that is not: it may go on
    /// changing without an event until its last close, and is looked at from time to time.
    pub settled: bool,
}

impl FileEvent {
    /// A mark with nothing known but its kind and time.
    #[must_use]
    pub fn new(at: SystemTime, via: Via) -> Self {
        Self {
            at,
            via,
            file: None,
            dir: None,
            place: None,
            from: None,
            actor: None,
            writes: 0,
            settled: false,
        }
    }
}
