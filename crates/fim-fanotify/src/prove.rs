//! What is really seen on this machine: does an operation of each kind in a scratch directory and looks
//! which of them came.
//!
//! Must not know which files are watched.

use crate::group::Group;
use crate::operations::{Aftermath, OPERATIONS, prepare};
use crate::reader::{Reader, Room};
use crate::resolve::Resolver;
use crate::shared::Shared;
use crate::translate::Translator;
use fim_core::{Coverage, Degree, MarkRequest, MarkScope, Place, Via, WatchError, WatchMessage, WatchSet};
use rustix::fs::{Mode, OFlags, open};
use std::collections::HashSet;
use std::ffi::OsString;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

/// Classes of change nothing safe can be done for here, and what the kernel's sources say of them.
const UNPROVED: [(&str, Degree); 3] = [
    // Stores through a mapping make no event; the close of the last writer does.
    ("mmap", Degree::Late),
    // io_submit(2) makes no event either.
    ("aio", Degree::Late),
    ("kernel", Degree::Late),
];

/// How many reads a look takes at most, on a file system that never rests.
const BATCHES: usize = 1000;

/// What a proof found: names with what came of them.
type Seen = HashSet<(OsString, Via)>;

/// Every class as not seen: what stands when nothing could be proved.
pub(crate) fn nothing() -> Coverage {
    let classes = OPERATIONS.iter().map(|operation| operation.class);
    classes
        .chain(UNPROVED.map(|(class, _)| class))
        .chain(["io_uring"])
        .map(|class| (class, Degree::None))
        .collect()
}

/// Proves, in a directory made in `scratch` and removed again, what a group sees.
///
/// # Errors
/// When no directory can be made or marked there.
pub(crate) fn coverage(group: Group, scratch: &Path) -> Result<Coverage, WatchError> {
    let failed = |error: std::io::Error| {
        WatchError::new(format!("cannot prove in {} what fanotify sees", scratch.display()))
            .caused_by(error)
            .hint("name another directory for scratch files, on a disk or tmpfs")
    };
    let dir = tempfile::Builder::new().prefix(".fim-proof-").tempdir_in(scratch).map_err(failed)?;
    prepare(dir.path()).map_err(failed)?;
    let shared = Arc::new(Shared::new(group));
    let file = open(dir.path(), OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| failed(error.into()))?;
    let request = MarkRequest { file: file.as_fd(), path: dir.path(), scope: MarkScope::Tree };
    if !shared.registry().add(&shared.group, &request).armed {
        return Err(failed(std::io::ErrorKind::Unsupported.into()));
    }
    let mut reader =
        Reader::new(Arc::clone(&shared), Translator::new(Resolver::new(WatchSet::default())), None);

    // Writers stay open until the first look: what comes only after it comes at the close.
    let done: Vec<Option<Aftermath>> =
        OPERATIONS.iter().map(|operation| (operation.run)(dir.path()).ok()).collect();
    let mut room = Room::of(&shared.group);
    let at_once = drain(&mut reader, &mut room)?;
    let supported: Vec<bool> = done.iter().map(Option::is_some).collect();
    drop(done);
    let at_close = drain(&mut reader, &mut room)?;

    let mut coverage = Coverage::from(UNPROVED);
    for (operation, supported) in OPERATIONS.iter().zip(supported) {
        let came = |seen: &Seen| {
            operation.makes.iter().any(|&via| seen.contains(&(OsString::from(operation.name), via)))
        };
        let degree = match operation.class {
            // The kernel makes one and the same event of both.
            "xattr" if !supported => coverage.get("attributes").copied().unwrap_or(Degree::None),
            "flags" if !supported => Degree::None,
            _ if came(&at_once) => Degree::Full,
            _ if !supported || at_close.contains(&(OsString::from(operation.name), Via::Close)) => {
                Degree::Late
            }
            _ => Degree::None,
        };
        coverage.insert(operation.class, degree);
    }
    assume_like(&mut coverage, "io_uring", "write", kernel_is_at_least(5, 15));
    Ok(coverage)
}

/// Takes one class for another that makes the same event in the kernel, else for late.
fn assume_like(coverage: &mut Coverage, class: &'static str, other: &str, holds: bool) {
    let degree = coverage.get(other).copied().filter(|_| holds).unwrap_or(Degree::Late);
    coverage.insert(class, degree);
}

fn drain(reader: &mut Reader, room: &mut Room<'_>) -> Result<Seen, WatchError> {
    let mut seen = Seen::new();
    for _ in 0..BATCHES {
        if !reader.next(room, None)? {
            break;
        }
        for message in room.messages.drain(..) {
            let WatchMessage::Event(event) = message else {
                continue;
            };
            for place in [event.place, event.from].into_iter().flatten() {
                if let Place::Entry { name, .. } = place {
                    if event.settled {
                        seen.insert((name.clone(), Via::Close));
                    }
                    seen.insert((name, event.via));
                }
            }
        }
    }
    Ok(seen)
}

fn kernel_is_at_least(major: u32, minor: u32) -> bool {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy();
    release_numbers(&release).is_some_and(|numbers| numbers >= (major, minor))
}

fn release_numbers(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::Abilities;

    #[test]
    fn an_older_kernel_sees_the_same_classes() {
        let Ok(group) = Group::new(true) else {
            println!("skipped: no fanotify here");
            return;
        };
        let now = group.abilities;
        if !now.privileged {
            println!("skipped: needs CAP_SYS_ADMIN");
            return;
        }
        let scratch = std::env::temp_dir();
        let Ok(best) = coverage(group, &scratch) else {
            println!("skipped: {} takes no fanotify marks here", scratch.display());
            return;
        };
        for (target, rename, pidfd) in [(true, true, false), (false, false, true), (false, false, false)] {
            let abilities = Abilities { target, rename, pidfd: pidfd && now.pidfd, ..now };
            let older = coverage(Group::with(abilities, true).unwrap(), &scratch).unwrap();
            assert_eq!(older, best, "{abilities:?}");
        }
        assert_eq!(nothing().keys().collect::<Vec<_>>(), best.keys().collect::<Vec<_>>());
    }

    #[test]
    fn releases() {
        for (release, expected) in [
            ("5.10.0-32-amd64", Some((5, 10))),
            ("6.18", Some((6, 18))),
            ("7.3-rc1", Some((7, 3))),
            ("x", None),
        ] {
            assert_eq!(release_numbers(release), expected);
        }
    }
}
