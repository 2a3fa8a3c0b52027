//! From the bytes of a read to records: which object, which names, what happened.
//!
//! The only module that knows how fanotify lays out its events. Pure: bytes in, records out, no panic on
//! any input; does not open, resolve or interpret anything.

use fanotify_fid::consts as k;
use fanotify_fid::fid::{FidEvent, Pidfd, RenameSide, parse_fid_events_reported};
use fim_core::Via;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;

/// What identifies a file system in events: `f_fsid`.
pub(crate) type Fsid = (i32, i32);

/// A directory's handle and a name in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    /// Handle of the directory.
    pub dir: &'a [u8],
    /// The name.
    pub name: &'a OsStr,
}

/// Which object an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    /// A name in a directory.
    Entry(Name<'a>),
    /// A rename; a side is absent where its directory is not marked.
    Rename {
        /// The old name.
        from: Option<Name<'a>>,
        /// The new name.
        to: Option<Name<'a>>,
    },
    /// A directory itself.
    Dir(&'a [u8]),
    /// An object of which no name is known.
    Object,
    /// Events were dropped: the queue was full or memory was short.
    Overflow,
}

/// What is known of the process besides its number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Process<'a> {
    /// Nothing: the kernel gives no descriptor.
    Unknown,
    /// A descriptor of the process, which settles whether its number was used again.
    Known(BorrowedFd<'a>),
    /// It was gone before the event was read.
    Gone,
}

impl<'a> Process<'a> {
    /// The descriptor that came with the event.
    pub(crate) const fn descriptor(self) -> Option<BorrowedFd<'a>> {
        match self {
            Self::Known(descriptor) => Some(descriptor),
            Self::Unknown | Self::Gone => None,
        }
    }
}

/// One event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    /// `FAN_*` bits: several, where the kernel merged events.
    pub mask: u64,
    /// Thread group id of the process, 0 where the kernel does not say.
    pub pid: u32,
    /// The process.
    pub process: Process<'a>,
    /// File system of all handles here.
    pub fsid: Fsid,
    /// Which object.
    pub subject: Subject<'a>,
    /// Handle of the object itself, where the kernel gives it.
    pub target: Option<&'a [u8]>,
}

impl Record<'_> {
    /// Whether the object is a directory.
    pub(crate) const fn is_dir(&self) -> bool {
        self.mask & k::FAN_ONDIR != 0
    }

    /// What happened, in the order in which it can have happened: the kernel merges the events of one
    /// process on one name and forgets their order. A close after a write is told by the write: see
    /// [`Self::is_settled`].
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Via> + use<> {
        let (create, delete) =
            if self.is_dir() { (Via::Mkdir, Via::Rmdir) } else { (Via::Create, Via::Unlink) };
        let mask = self.mask;
        [
            (k::FAN_CREATE, create),
            (k::FAN_RENAME | k::FAN_MOVE, Via::Rename),
            (k::FAN_MODIFY, Via::Write),
            (k::FAN_ATTRIB, Via::Attributes),
            (k::FAN_CLOSE_WRITE, Via::Close),
            (k::FAN_DELETE, delete),
            (k::FAN_DELETE_SELF, Via::Evict),
        ]
        .into_iter()
        .filter(move |(bits, _)| mask & bits != 0)
        .map(|(_, via)| via)
        .filter(move |via| *via != Via::Close || mask & k::FAN_MODIFY == 0)
    }

    /// Whether, of what happened, this is what was followed by the close of a writer. Nearly all writes are, and each
    /// event costs as much as the next.
    pub(crate) const fn is_settled(&self, via: Via) -> bool {
        self.mask & k::FAN_CLOSE_WRITE != 0 && matches!(via, Via::Write | Via::Close)
    }
}

/// The record of an event that is parsed already; `None` if it says nothing that is of use.
pub(crate) fn record<'a>(event: &'a FidEvent<'_>) -> Option<Record<'a>> {
    let mask = event.mask();
    let fsid = event.fsid();
    Some(Record {
        mask,
        pid: u32::try_from(event.pid()).unwrap_or(0),
        process: process(event.pidfd()),
        fsid: if event.is_overflow() { fsid.unwrap_or_default() } else { fsid? },
        subject: subject(event, mask)?,
        target: event.self_handle(),
    })
}

/// How many records the bytes of one read hold, and whether all of them were understood. For fuzzing; the
/// watcher's own way differs only in that it owns the process descriptors.
#[must_use]
pub fn decode(bytes: &[u8]) -> (usize, bool) {
    let (events, report) = parse_fid_events_reported(bytes);
    let records: Vec<Record<'_>> = events.iter().filter_map(record).collect();
    let kinds: usize = records.iter().map(|record| record.kinds().count()).sum();
    (kinds, report.is_complete() && records.len() == events.len())
}

fn subject<'a>(event: &'a FidEvent<'_>, mask: u64) -> Option<Subject<'a>> {
    if event.is_overflow() {
        return Some(Subject::Overflow);
    }
    if event.rename_source().is_some() || event.rename_target().is_some() {
        return Some(Subject::Rename {
            from: event.rename_source().map(side),
            to: event.rename_target().map(side),
        });
    }
    let Some(dir) = event.dfid_name_handle() else {
        return event.self_handle().map(|_| Subject::Object);
    };
    let name = event.dfid_name().unwrap_or_default();
    if name.is_empty() || name == "." {
        return Some(Subject::Dir(dir));
    }
    let name = Name { dir, name };
    // Before FAN_RENAME a move comes as two events, one for each name.
    Some(match mask & k::FAN_MOVE {
        k::FAN_MOVED_FROM => Subject::Rename { from: Some(name), to: None },
        k::FAN_MOVED_TO => Subject::Rename { from: None, to: Some(name) },
        _ => Subject::Entry(name),
    })
}

fn side<'a>(side: &'a RenameSide<'_>) -> Name<'a> {
    Name { dir: side.handle(), name: OsStr::from_bytes(&side.name) }
}

fn process(pidfd: &Pidfd) -> Process<'_> {
    match pidfd {
        Pidfd::Fd(fd) => Process::Known(fd.as_fd()),
        Pidfd::Unavailable(k::FAN_NOPIDFD) => Process::Gone,
        _ => Process::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HANDLE: [u8; 16] = [8, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0, 99, 0, 0, 0];

    /// An info record: fsid {1, 2}, the handle, and a name where there is one.
    fn info(kind: u8, name: Option<&str>) -> Vec<u8> {
        let mut body: Vec<u8> = [1_i32.to_ne_bytes(), 2_i32.to_ne_bytes()].concat();
        body.extend(HANDLE);
        if let Some(name) = name {
            body.extend(name.as_bytes());
            body.push(0);
        }
        body.resize(body.len().next_multiple_of(4), 0);
        let mut record = vec![kind, 0];
        record.extend(u16::try_from(body.len() + 4).unwrap().to_ne_bytes());
        record.extend(body);
        record
    }

    fn pidfd(number: i32) -> Vec<u8> {
        [vec![k::FAN_EVENT_INFO_TYPE_PIDFD, 0, 8, 0], number.to_ne_bytes().to_vec()].concat()
    }

    fn event(mask: u64, infos: &[Vec<u8>]) -> Vec<u8> {
        let infos = infos.concat();
        let mut bytes = u32::try_from(24 + infos.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend([k::FANOTIFY_METADATA_VERSION, 0, 24, 0]);
        bytes.extend(mask.to_ne_bytes());
        bytes.extend((-1_i32).to_ne_bytes());
        bytes.extend(42_i32.to_ne_bytes());
        bytes.extend(infos);
        bytes
    }

    fn with_record(bytes: &[u8], check: impl FnOnce(Record<'_>)) {
        let (events, report) = parse_fid_events_reported(bytes);
        assert!(report.is_complete());
        check(record(&events[0]).unwrap());
    }

    #[test]
    fn subjects() {
        use k::{
            FAN_EVENT_INFO_TYPE_DFID_NAME as IN_DIR, FAN_EVENT_INFO_TYPE_FID as OBJECT,
            FAN_EVENT_INFO_TYPE_NEW_DFID_NAME as NEW, FAN_EVENT_INFO_TYPE_OLD_DFID_NAME as OLD,
        };
        let name = |name: &'static str| Name { dir: &HANDLE, name: OsStr::new(name) };
        let entry = Subject::Entry(name("a"));
        let table = [
            ("a write", k::FAN_MODIFY, vec![info(IN_DIR, Some("a")), info(OBJECT, None)], entry),
            ("a new name on an old kernel", k::FAN_CREATE, vec![info(IN_DIR, Some("a"))], entry),
            (
                "a rename",
                k::FAN_RENAME,
                vec![info(OLD, Some("a")), info(NEW, Some("b")), info(OBJECT, None)],
                Subject::Rename { from: Some(name("a")), to: Some(name("b")) },
            ),
            (
                "a rename of which one end is marked",
                k::FAN_RENAME,
                vec![info(NEW, Some("b"))],
                Subject::Rename { from: None, to: Some(name("b")) },
            ),
            (
                "a move away on an old kernel",
                k::FAN_CREATE | k::FAN_MOVED_FROM,
                vec![info(IN_DIR, Some("a"))],
                Subject::Rename { from: Some(name("a")), to: None },
            ),
            ("there and back, merged", k::FAN_MOVE, vec![info(IN_DIR, Some("a"))], entry),
            (
                "a directory itself",
                k::FAN_ATTRIB | k::FAN_ONDIR,
                vec![info(IN_DIR, Some("."))],
                Subject::Dir(&HANDLE),
            ),
            ("an object without a name", k::FAN_ATTRIB, vec![info(OBJECT, None)], Subject::Object),
            ("a full queue", k::FAN_Q_OVERFLOW, vec![], Subject::Overflow),
        ];
        for (what, mask, infos, subject) in table {
            with_record(&event(mask, &infos), |record| {
                assert_eq!(record.subject, subject, "{what}");
                assert_eq!((record.pid, record.mask), (42, mask), "{what}");
            });
        }
    }

    #[test]
    fn merged_kinds_have_an_order() {
        let all = k::FAN_DELETE | k::FAN_CLOSE_WRITE | k::FAN_ATTRIB | k::FAN_MODIFY | k::FAN_CREATE;
        let infos = [info(k::FAN_EVENT_INFO_TYPE_DFID_NAME, Some("a"))];
        with_record(&event(all, &infos), |record| {
            let expected = [Via::Create, Via::Write, Via::Attributes, Via::Unlink];
            assert_eq!(record.kinds().collect::<Vec<_>>(), expected);
            assert_eq!(expected.map(|via| record.is_settled(via)), [false, true, false, false]);
        });
        with_record(&event(k::FAN_CLOSE_WRITE | k::FAN_CREATE, &infos), |record| {
            assert_eq!(record.kinds().collect::<Vec<_>>(), [Via::Create, Via::Close]);
            assert!(record.is_settled(Via::Close) && !record.is_settled(Via::Create));
        });
        with_record(&event(k::FAN_CREATE | k::FAN_DELETE | k::FAN_ONDIR, &infos), |record| {
            assert_eq!(record.kinds().collect::<Vec<_>>(), [Via::Mkdir, Via::Rmdir]);
        });
    }

    #[test]
    fn a_process_that_is_gone_is_told_from_one_that_is_not_known() {
        let name = || info(k::FAN_EVENT_INFO_TYPE_DFID_NAME, Some("a"));
        with_record(&event(k::FAN_CREATE, &[name(), pidfd(k::FAN_NOPIDFD)]), |record| {
            assert!(matches!(record.process, Process::Gone));
        });
        with_record(&event(k::FAN_CREATE, &[name(), pidfd(k::FAN_EPIDFD)]), |record| {
            assert!(matches!(record.process, Process::Unknown));
        });
        with_record(&event(k::FAN_CREATE, &[name()]), |record| {
            assert!(matches!(record.process, Process::Unknown));
        });
    }

    #[test]
    fn an_event_about_nothing_is_not_understood() {
        assert_eq!(decode(&event(k::FAN_MODIFY, &[])), (0, false));
        assert_eq!(decode(b"too short"), (0, false));
        assert_eq!(decode(&[]), (0, true));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes);
        }

        #[test]
        fn never_panics_on_a_damaged_event(at in 0..120_usize, byte in any::<u8>(), mask in any::<u64>()) {
            let old = info(k::FAN_EVENT_INFO_TYPE_OLD_DFID_NAME, Some("a name"));
            let dir = info(k::FAN_EVENT_INFO_TYPE_DFID_NAME, Some("b"));
            let mut bytes = event(mask, &[old, dir, pidfd(3)]);
            if let Some(there) = bytes.get_mut(at) {
                *there = byte;
            }
            let _ = decode(&bytes);
        }
    }
}
