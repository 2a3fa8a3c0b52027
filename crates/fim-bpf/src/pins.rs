//! Where maps and links stay when nobody holds them: a folder of ours on the BPF file system.
//!
//! Each start has a folder of its own below it, named by a number, with all it needs to be taken over. The next one pins
//! what it goes on with before it removes what came before, so that something is attached all the time.
//! Knows nothing of what is in the maps.

use crate::object::Attached;
use crate::sys;
use fim_core::WatchError;
use libbpf_rs::MapHandle;
use rustix::fs::{Mode, statfs};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// `BPF_FS_MAGIC` of linux/magic.h.
const BPF_FS: u64 = 0xcafe_4a11;
/// What the name of a pinned link begins with; that of its program follows.
const LINK: &str = "link_";
/// The last thing to be pinned: a folder without it was left half made.
const LAST: &str = "kept";
/// How long removed links may take to be detached: the kernel leaves that to a worker.
const DETACH: Duration = Duration::from_secs(2);

/// The maps that go from one start to the next, by their names.
#[derive(Debug)]
pub struct Maps {
    pub marks: MapHandle,
    pub events: MapHandle,
    pub counts: MapHandle,
    pub told: MapHandle,
    pub renames: MapHandle,
    pub processes: MapHandle,
    pub kept: MapHandle,
}

impl Maps {
    fn open(dir: &Path) -> Result<Self, libbpf_rs::Error> {
        let open = |name: &str| MapHandle::from_pinned_path(dir.join(name));
        Ok(Self {
            marks: open("marks")?,
            events: open("events")?,
            counts: open("counts")?,
            told: open("told")?,
            renames: open("renames")?,
            processes: open("processes")?,
            kept: open(LAST)?,
        })
    }

    fn pin(&mut self, dir: &Path) -> Result<(), libbpf_rs::Error> {
        let maps = [
            (&mut self.marks, "marks"),
            (&mut self.events, "events"),
            (&mut self.counts, "counts"),
            (&mut self.told, "told"),
            (&mut self.renames, "renames"),
            (&mut self.processes, "processes"),
            (&mut self.kept, LAST),
        ];
        maps.into_iter().try_for_each(|(map, name)| map.pin(dir.join(name)))
    }
}

/// Where the link of a program is pinned in the folder of a start.
pub fn link_in(dir: &Path, program: &str) -> PathBuf {
    dir.join(format!("{LINK}{program}"))
}

/// The maps that are not pinned there any more.
pub fn maps_missing(dir: &Path) -> impl Iterator<Item = &'static str> {
    ["marks", "events", "counts", "told", "renames", "processes", LAST]
        .into_iter()
        .filter(|name| dir.join(name).symlink_metadata().is_err())
}

/// What earlier starts left.
#[derive(Debug, Default)]
pub struct Earlier {
    /// One folder for each start, by its number.
    starts: Vec<(u64, PathBuf)>,
    /// The maps of the last that was whole.
    pub maps: Option<Maps>,
}

/// Looks for what earlier starts left in this folder. What cannot be opened counts as not there.
pub fn find(dir: &Path) -> Earlier {
    let starts = starts(dir).unwrap_or_else(|error| {
        log::warn!("{}: cannot list what is pinned: {error}", dir.display());
        Vec::new()
    });
    let maps = starts.iter().rev().find_map(|(_, dir)| match Maps::open(dir) {
        Ok(maps) => Some(maps),
        Err(error) => {
            log::warn!("{}: what is pinned cannot be taken over: {error}", dir.display());
            None
        }
    });
    Earlier { starts, maps }
}

fn starts(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    if dir.metadata()?.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("it belongs to another user"));
    }
    let mut starts = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let number = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
        starts.extend(number.map(|number| (number, path)));
    }
    starts.sort();
    Ok(starts)
}

/// Pins what was just attached, in a folder of its own that is given back.
///
/// # Errors
/// When there is no BPF file system, or it refuses. Then nothing of it stays pinned.
pub fn pin(
    dir: &Path,
    earlier: &Earlier,
    maps: &mut Maps,
    links: &mut [Attached],
) -> Result<PathBuf, WatchError> {
    let failed = |error: io::Error| {
        WatchError::new(format!("cannot pin BPF programs in {}", dir.display()))
            .caused_by(error)
            .hint("they are pinned on a BPF file system: mount -t bpf bpf /sys/fs/bpf; or switch [pins] off")
    };
    let own = dir.join((earlier.starts.last().map_or(0, |(number, _)| *number) + 1).to_string());
    make(&own).map_err(failed)?;
    let pinned = links
        .iter_mut()
        .try_for_each(|attached| attached.link.pin(link_in(&own, attached.hook.program)))
        .and_then(|()| maps.pin(&own));
    if let Err(error) = pinned {
        drop(remove_start(&own));
        return Err(failed(io::Error::other(error)));
    }
    Ok(own)
}

fn make(own: &Path) -> io::Result<()> {
    let mut missing: Vec<&Path> = own.ancestors().take_while(|dir| !dir.exists()).collect();
    let on = own.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("/"));
    if u64::try_from(statfs(on)?.f_type).ok() != Some(BPF_FS) {
        return Err(io::Error::other(format!("{} is on no BPF file system", on.display())));
    }
    missing.reverse();
    missing.into_iter().try_for_each(|dir| Ok(rustix::fs::mkdir(dir, Mode::RWXU)?))
}

impl Earlier {
    /// Removes what earlier starts left, and waits until their programs are detached. Whether there was anything.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn remove(self) -> io::Result<bool> {
        let mut links = Vec::new();
        for (_, dir) in &self.starts {
            links.extend(remove_start(dir)?);
        }
        let there_were = !self.starts.is_empty();
        drop(self.maps);
        let until = Instant::now() + DETACH;
        for id in links {
            while sys::link_exists(id) && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        Ok(there_were)
    }
}

/// Removes one folder; the numbers of the links that were in it.
fn remove_start(dir: &Path) -> io::Result<Vec<u32>> {
    let mut links = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(LINK.as_bytes())) {
            links.extend(sys::pinned_link(&path));
        }
        fs::remove_file(&path)?;
    }
    fs::remove_dir(dir)?;
    Ok(links)
}

/// Removes all that is pinned in this folder, and the folder. Whether there was anything.
///
/// # Errors
/// When something cannot be removed.
pub fn unpin(dir: &Path) -> io::Result<bool> {
    let earlier = Earlier { starts: starts(dir)?, maps: None };
    let there_were = earlier.remove()?;
    match fs::remove_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(there_were),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_bpf_file_system_is_refused_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        assert!(make(&dir.path().join("fim/1")).unwrap_err().to_string().contains("no BPF file system"));
        assert!(!dir.path().join("fim").exists());
    }

    #[test]
    fn starts_come_in_the_order_of_their_numbers_and_go_with_their_folder() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["10", "9", "else"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let numbers: Vec<u64> = starts(dir.path()).unwrap().into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, [9, 10]);
        fs::remove_dir(dir.path().join("else")).unwrap();
        assert!(unpin(dir.path()).unwrap());
        assert!(!dir.path().exists());
        assert!(!unpin(dir.path()).unwrap(), "nothing is left");
    }
}
