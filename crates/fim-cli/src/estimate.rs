//! What there is to watch, before any of it is looked at: a watcher that must reserve room asks, and a new
//! configuration is weighed against the old one.
//!
//! Lists folders only; opens no file and follows no link.

use fim_core::{Cover, WatchSet, pseudo_file_system};
use std::path::{Path, PathBuf};

/// Files and folders that the set watches, as far as they can be listed now; folders that hold some of them
/// count with all their names.
pub fn files(watch: &WatchSet) -> u64 {
    let mut count = 0;
    visit(&[watch], &mut |_| count += 1);
    count
}

/// Visits what any of the sets watches, and all names in the folders that hold some of it.
pub fn visit(sets: &[&WatchSet], each: &mut dyn FnMut(&Path)) {
    let mut left: Vec<PathBuf> = sets.iter().flat_map(|set| set.roots()).collect();
    left.sort();
    left.dedup_by(|later, earlier| later.starts_with(earlier));
    let is_listed = |path: &Path| {
        sets.iter().any(|set| set.cover(path) != Cover::Nothing)
            && rustix::fs::statfs(path)
                .is_ok_and(|fs| pseudo_file_system(fs.f_type.cast_unsigned()).is_none())
    };
    while let Some(path) = left.pop() {
        each(&path);
        if path.is_symlink() || !is_listed(&path) {
            continue;
        }
        let Ok(entries) = std::fs::read_dir(&path) else {
            continue;
        };
        for entry in entries.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                left.push(entry.path());
            } else {
                each(&entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fim_core::Interest;

    #[test]
    fn counts_what_is_watched_and_follows_no_link() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a/b", "skip/c/d"] {
            std::fs::create_dir_all(dir.path().join(name)).unwrap();
        }
        for name in ["a/1", "a/b/2", "skip/c/3"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        std::os::unix::fs::symlink("/", dir.path().join("a/root")).unwrap();
        let base = dir.path().to_str().unwrap();
        let set = |paths: Vec<String>| {
            WatchSet::new(vec![Interest::in_paths(paths).excluding([format!("{base}/skip")])]).unwrap()
        };
        // The folder, a, a/b, skip; 1, 2 and the link.
        assert_eq!(files(&set(vec![base.to_owned()])), 7);
        assert_eq!(files(&set(vec![format!("{base}/a/1")])), 1);
        assert_eq!(files(&set(vec![format!("{base}/nothing")])), 1);
    }
}
