//! Where this instance pins its BPF programs, and how they are removed.
//!
//! Must not know what is pinned.

use crate::config::Plan;
use crate::failure::Failure;
use fim_core::SledStore;
use std::path::{Path, PathBuf};

/// Where the BPF file system is mounted, and our folder on it. A name there has no dot.
const TOP: &str = "/sys/fs/bpf/fim";

/// The folder of the instance that keeps its state there: two instances do not share one.
pub fn dir(state: &Path) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    let digest = blake3::hash(real(state).as_os_str().as_bytes()).to_hex();
    Path::new(TOP).join(digest.get(..16).unwrap_or_default())
}

/// The path without symbolic links, as far as it is there: the first start makes the folder.
fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    match there {
        // By components: joining nothing would end it in a slash.
        Some((above, real)) => path
            .strip_prefix(above)
            .map_or(path.clone(), |rest| real.components().chain(rest.components()).collect()),
        None => path,
    }
}

/// Removes what earlier starts of this instance pinned; words for people.
///
/// # Errors
/// When the agent runs, or something cannot be removed.
pub fn unpin(plan: &Plan) -> Result<String, Failure> {
    let state = &plan.config.state;
    if state.exists() {
        SledStore::check_free(state)?;
    }
    let dir = dir(state);
    match remove(&dir) {
        Ok(true) => Ok(format!("{}: removed; nothing marks files until the next start\n", dir.display())),
        Ok(false) => Ok(format!("{}: nothing is pinned there\n", dir.display())),
        Err(error) => {
            Err(Failure::new(format!("cannot remove what is pinned in {}: {error}", dir.display())))
        }
    }
}

/// Where something else watches, what an earlier start pinned is of no use to anyone.
pub fn drop_left(plan: &Plan) {
    let dir = dir(&plan.config.state);
    if plan.config.pins.enabled {
        log::warn!("nothing marks files while no agent runs: [pins] needs the watcher bpf");
    }
    if dir.exists()
        && let Err(error) = remove(&dir)
    {
        log::warn!("cannot remove what an earlier start pinned in {}: {error}", dir.display());
    }
}

#[cfg(feature = "bpf")]
fn remove(dir: &Path) -> std::io::Result<bool> {
    fim_bpf::unpin(dir)
}

#[cfg(not(feature = "bpf"))]
fn remove(_: &Path) -> std::io::Result<bool> {
    Err(std::io::Error::other("this fim was built without BPF"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_has_a_folder_by_whatever_path_it_is_named() {
        let place = tempfile::tempdir().unwrap();
        let (one, other) = (place.path().join("one"), place.path().join("other"));
        let before = dir(&one);
        std::fs::create_dir(&one).unwrap();
        std::os::unix::fs::symlink(&one, place.path().join("link")).unwrap();
        assert_eq!(dir(&one), before, "the first start makes the folder");
        assert_eq!(dir(&place.path().join("link")), before);
        assert_ne!(dir(&other), before);
        let name = before.file_name().unwrap().to_str().unwrap();
        assert!(name.len() == 16 && !name.contains('.'), "{name}");
    }
}
