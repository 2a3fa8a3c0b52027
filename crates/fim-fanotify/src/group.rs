//! One fanotify group: made with the best flags this kernel and this user are allowed, and its masks.
//!
//! Must not know which files are watched, nor what events mean.

use fanotify_fid::consts as k;
use fanotify_fid::fid::FidEvent;
use fanotify_fid::{EventReader, Fanotify, FanotifyError};
use fim_core::{StopToken, WatchError};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// Bytes of one read. Each event of a read may bring a process descriptor, so this also bounds how many
/// descriptors are open at a time: about 300, well below the usual limit of 1024.
const READ: usize = 32 * 1024;

/// What the kernel allows, found by trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// `CAP_SYS_ADMIN`: file system marks, process ids, no limit on marks.
    pub privileged: bool,
    /// The object of every event is named by its handle (Linux 5.17).
    pub target: bool,
    /// A rename is one event with both names (Linux 5.17); else two.
    pub rename: bool,
    /// Events bring a descriptor of the process (Linux 5.15).
    pub pidfd: bool,
}

impl Abilities {
    /// In words, for people.
    pub(crate) fn describe(self) -> String {
        let mut words = vec!["FAN_REPORT_DFID_NAME"];
        for (has, word) in [
            (self.target, "FAN_REPORT_TARGET_FID"),
            (self.rename, "FAN_RENAME"),
            (self.pidfd, "FAN_REPORT_PIDFD"),
            (self.privileged, "FAN_MARK_FILESYSTEM"),
        ] {
            if has {
                words.push(word);
            }
        }
        words.join(" ")
    }
}

/// A fanotify group.
#[derive(Debug)]
pub(crate) struct Group {
    fanotify: Fanotify,
    pub(crate) abilities: Abilities,
}

impl Group {
    /// Makes a group, with every ability the kernel grants.
    ///
    /// # Errors
    /// When there is none to be had, with what the user can do about it.
    pub(crate) fn new(unlimited_queue: bool) -> Result<Self, WatchError> {
        let mut refused = libc::EINVAL;
        for privileged in [true, false] {
            for (target, pidfd) in [(true, true), (true, false), (false, true), (false, false)] {
                // Whether there are renames is known once there is a group.
                let wanted = Abilities { privileged, target, rename: true, pidfd };
                match Self::with(wanted, unlimited_queue) {
                    Ok(group) => return Ok(group),
                    Err(error) => refused = error.errno().unwrap_or(refused),
                }
            }
        }
        Err(refusal(refused))
    }

    /// Makes a group with these abilities; that of renames only where the kernel has it.
    pub(crate) fn with(mut abilities: Abilities, unlimited_queue: bool) -> Result<Self, FanotifyError> {
        let mut flags = k::FAN_CLASS_NOTIF | k::FAN_CLOEXEC | k::FAN_NONBLOCK;
        flags |= k::FAN_REPORT_FID | k::FAN_REPORT_DFID_NAME;
        for (wanted, flag) in [
            (abilities.target, k::FAN_REPORT_TARGET_FID),
            (abilities.pidfd, k::FAN_REPORT_PIDFD),
            (abilities.privileged, k::FAN_UNLIMITED_MARKS),
            (abilities.privileged && unlimited_queue, k::FAN_UNLIMITED_QUEUE),
        ] {
            if wanted {
                flags |= flag;
            }
        }
        let fanotify = Fanotify::new(flags)?;
        abilities.rename &= knows_rename(&fanotify);
        Ok(Self { fanotify, abilities })
    }

    /// What reads the events of this group.
    pub(crate) fn events(&self) -> Events<'_> {
        Events(EventReader::new(&self.fanotify, READ))
    }

    /// Waits until there is something to read, or the end is asked for.
    ///
    /// # Errors
    /// When the group cannot be waited on.
    pub(crate) fn wait_for_events(&self, stop: &StopToken) -> Result<(), WatchError> {
        stop.wait_readable(self.fanotify.as_fd(), None)
            .map_err(|error| WatchError::new("cannot wait for fanotify").caused_by(error))
    }

    /// Waits until there is something to read, at most this long. An interruption counts as nothing.
    pub(crate) fn wait(&self, timeout: Duration) {
        if self.fanotify.wait_readable(Some(timeout)).is_err() {
            std::thread::yield_now();
        }
    }

    /// Marks a file system for everything but writes, which would make an event of every write on it.
    ///
    /// # Errors
    /// The kernel's: `EXDEV`, `EOPNOTSUPP`, `ENODEV` where the file system cannot be marked as a whole.
    pub(crate) fn mark_file_system(&self, on: BorrowedFd<'_>) -> io::Result<()> {
        self.mark(on, k::FAN_MARK_ADD | k::FAN_MARK_FILESYSTEM, self.names() | k::FAN_ONDIR)
    }

    /// Marks a directory: writes to its children, its own end, and with `all` every name as well.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn mark_dir(&self, dir: BorrowedFd<'_>, all: bool) -> io::Result<()> {
        self.mark(dir, k::FAN_MARK_ADD, self.dir_mask(all))
    }

    /// Marks a directory for its own end, and with `all` for every name. Not for writes to its children: it
    /// may be `/dev`, and the few of them that are watched have marks of their own.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn mark_names(&self, dir: BorrowedFd<'_>, all: bool) -> io::Result<()> {
        self.mark(dir, k::FAN_MARK_ADD, self.dir_mask(all) & !k::FAN_MODIFY)
    }

    /// Marks a directory without its children.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn mark_dir_alone(&self, dir: BorrowedFd<'_>) -> io::Result<()> {
        self.mark(dir, k::FAN_MARK_ADD, k::FAN_ATTRIB | k::FAN_DELETE_SELF | k::FAN_ONDIR)
    }

    /// Marks a file that is not a directory.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn mark_file(&self, file: BorrowedFd<'_>) -> io::Result<()> {
        self.mark(file, k::FAN_MARK_ADD, FILE)
    }

    /// Whether a file can be marked at all.
    ///
    /// # Errors
    /// The kernel's: `ENODEV` without an fsid (tmpfs before Linux 5.13), `EOPNOTSUPP` without handles.
    pub(crate) fn try_mark(&self, file: BorrowedFd<'_>) -> io::Result<()> {
        self.mark(file, k::FAN_MARK_ADD, k::FAN_DELETE_SELF)?;
        self.mark(file, k::FAN_MARK_REMOVE, k::FAN_DELETE_SELF)
    }

    /// Takes the marks of an inode back.
    pub(crate) fn unmark(&self, file: BorrowedFd<'_>, is_dir: bool) {
        let mask = if is_dir { self.dir_mask(true) } else { FILE };
        if let Err(error) = self.mark(file, k::FAN_MARK_REMOVE, mask) {
            log::debug!("a mark could not be taken back: {error}");
        }
    }

    /// Lets the kernel say nothing of the files in a directory. That does not keep the directory in memory.
    ///
    /// # Errors
    /// The kernel's: `EINVAL` before Linux 6.0.
    pub(crate) fn ignore_files_in(&self, dir: BorrowedFd<'_>) -> io::Result<()> {
        self.mark(dir, k::FAN_MARK_ADD | k::FAN_MARK_IGNORE_SURV | k::FAN_MARK_EVICTABLE, IGNORED)
    }

    /// Takes that back.
    ///
    /// # Errors
    /// The kernel's: `ENOENT` where it was not so, or not any more.
    pub(crate) fn hear_files_in(&self, dir: BorrowedFd<'_>) -> io::Result<()> {
        self.mark(dir, k::FAN_MARK_REMOVE | k::FAN_MARK_IGNORE, IGNORED)
    }

    /// Takes all marks back: what is queued by now is the last.
    pub(crate) fn detach(&self) {
        for kind in [k::FAN_MARK_INODE, k::FAN_MARK_FILESYSTEM] {
            if let Err(error) = self.fanotify.mark(k::FAN_MARK_FLUSH | kind, 0, "/") {
                log::warn!("cannot take fanotify marks back: {}", os(&error));
            }
        }
    }

    fn dir_mask(&self, all: bool) -> u64 {
        let own = k::FAN_MODIFY | k::FAN_DELETE_SELF | k::FAN_EVENT_ON_CHILD | k::FAN_ONDIR;
        if all { own | self.names() } else { own }
    }

    fn names(&self) -> u64 {
        let moves = if self.abilities.rename { k::FAN_RENAME } else { k::FAN_MOVE };
        k::FAN_CREATE | k::FAN_DELETE | moves | k::FAN_CLOSE_WRITE | k::FAN_ATTRIB
    }

    fn mark(&self, on: BorrowedFd<'_>, flags: u32, mask: u64) -> io::Result<()> {
        // fanotify_mark(2) takes no O_PATH descriptor; its link in /proc leads to the same object, and no
        // rename comes between.
        let link = format!("/proc/self/fd/{}", on.as_raw_fd());
        self.fanotify.mark(flags, mask, &link).map_err(|error| os(&error))
    }
}

/// Reads the events of a group, into room that is kept for the next; descriptors that come with them and are not taken are
/// closed then.
#[derive(Debug)]
pub(crate) struct Events<'g>(EventReader<'g>);

impl Events<'_> {
    /// The next events, empty when none are queued; their number of bytes that were not understood.
    ///
    /// # Errors
    /// When reading fails for good.
    pub(crate) fn read(&mut self) -> Result<(&mut [FidEvent<'_>], usize), WatchError> {
        match self.0.read_reported() {
            Ok((events, report)) => Ok((events, report.bytes_left)),
            Err(error) if error.is_would_block() => Ok((&mut [], 0)),
            Err(error) => Err(WatchError::new("cannot read from fanotify").caused_by(os(&error))),
        }
    }
}

/// Of files in a directory: no renames, which may lead to where it counts, and nothing of directories.
const IGNORED: u64 =
    k::FAN_CREATE | k::FAN_DELETE | k::FAN_CLOSE_WRITE | k::FAN_ATTRIB | k::FAN_EVENT_ON_CHILD;

const FILE: u64 = k::FAN_MODIFY | k::FAN_CLOSE_WRITE | k::FAN_ATTRIB | k::FAN_DELETE_SELF;

/// The kernel checks the mask before it looks for the file: `EINVAL` means that it does not know the bit.
fn knows_rename(fanotify: &Fanotify) -> bool {
    let nowhere = "/proc/self/no-such-file";
    match fanotify.mark(k::FAN_MARK_ADD, k::FAN_RENAME, nowhere) {
        Ok(()) => false,
        Err(error) => error.errno() != Some(libc::EINVAL),
    }
}

fn os(error: &FanotifyError) -> io::Error {
    error.errno().map_or_else(|| io::Error::other(error.to_string()), io::Error::from_raw_os_error)
}

fn refusal(errno: i32) -> WatchError {
    let hint = match errno {
        libc::EPERM => "run as root or give the process CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH",
        libc::EINVAL => "fanotify with names of files needs Linux 5.9 or later",
        libc::ENOSYS => "this kernel was built without CONFIG_FANOTIFY",
        libc::EMFILE => {
            "too many fanotify groups or open files: raise fs.fanotify.max_user_groups or the limit of open files"
        }
        _ => "fim doctor shows what this machine allows",
    };
    WatchError::new("cannot start fanotify").caused_by(io::Error::from_raw_os_error(errno)).hint(hint)
}
