//! Paths as the kernel will name them: links above a watched path are followed once, at the start, so that
//! later every step of a path can be refused if it is a link.

use crate::watch_set::{Interest, escape};
use std::path::{Component, Path, PathBuf};

/// The interest with every link above its paths resolved. A path that is itself a link to a directory is
/// kept as a link, and the directory joins it.
pub(crate) fn interest(mut interest: Interest) -> Interest {
    let mut paths = Vec::with_capacity(interest.paths.len());
    for pattern in &interest.paths {
        let (fixed, rest) = split(pattern);
        let resolved = above(&fixed);
        if rest.is_empty()
            && resolved.is_symlink()
            && let Ok(target) = resolved.canonicalize()
            && target.is_dir()
        {
            paths.extend(text(&target, ""));
        }
        let known = if rest.is_empty() { text(&resolved, "") } else { text(&whole(&fixed), rest) };
        // A path that resolves to one that is not UTF-8 is tried as it is written.
        paths.push(known.unwrap_or_else(|| pattern.clone()));
    }
    interest.paths = paths;
    interest
}

impl Interest {
    /// The interest as the engine takes it up at its start: every link above its paths is resolved, and a
    /// path that is itself a link to a directory is joined by the directory.
    #[must_use]
    pub fn resolved(self) -> Self {
        interest(self)
    }
}

/// A pattern's part without globs, and the rest.
fn split(pattern: &str) -> (PathBuf, &str) {
    let glob = pattern.find(['*', '?', '[', '{', '\\']);
    let end =
        glob.map_or(pattern.len(), |at| pattern.get(..at).and_then(|fixed| fixed.rfind('/')).unwrap_or(0));
    let (fixed, rest) = pattern.split_at(end);
    (PathBuf::from(fixed), rest)
}

/// Resolves everything but the last component.
fn above(path: &Path) -> PathBuf {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => whole(parent).join(name),
        _ => path.to_owned(),
    }
}

/// Resolves as much of a path as exists.
fn whole(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut known = path;
    loop {
        if let Ok(real) = known.canonicalize() {
            let mut resolved = real;
            resolved.extend(missing.iter().rev());
            return resolved;
        }
        match (known.parent(), known.components().next_back()) {
            (Some(parent), Some(last @ Component::Normal(_))) => {
                missing.push(last);
                known = parent;
            }
            _ => return path.to_owned(),
        }
    }
}

fn text(path: &Path, rest: &str) -> Option<String> {
    // A resolved path is literal, even where it has the characters of a glob.
    path.to_str().map(|path| escape(path) + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_above_are_resolved_and_the_last_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        std::fs::create_dir_all(real.join("real/sub")).unwrap();
        std::os::unix::fs::symlink("real", real.join("link")).unwrap();
        let resolved = |suffix: &str| {
            let pattern = format!("{}/{suffix}", dir.path().display());
            interest(Interest::in_paths([pattern])).paths
        };
        let at = |suffix: &str| format!("{}/{suffix}", real.display());
        assert_eq!(resolved("link/sub"), [at("real/sub")]);
        assert_eq!(resolved("link/not/yet"), [at("real/not/yet")]);
        assert_eq!(resolved("link/*.conf"), [at("real/*.conf")]);
        assert_eq!(resolved("link"), [at("real"), at("link")]);
    }
}
