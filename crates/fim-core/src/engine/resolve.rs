//! Paths as the kernel will name them: links on the way to a watched path are followed once, so that later
//! every step of a path can be refused if it is a link.
//!
//! The links themselves are watched too, by their own names: where one leads elsewhere, all is resolved anew.

use crate::watch_set::{Interest, escape};
use rustix::fs::{AtFlags, CWD, statat};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// Links on one way, as Linux bounds them.
const MOST_LINKS: usize = 40;

/// An interest with every link on the way to its paths resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// What is to be watched: real paths, and the links met.
    pub interest: Interest,
    /// Real paths and what the consumer calls them, where that is another, the longest first.
    pub names: Vec<(PathBuf, PathBuf)>,
    /// Links met.
    pub links: Vec<PathBuf>,
}

/// Resolves an interest. A path that is itself a link is watched as a link; what it leads to joins it if it
/// is a directory or regular file, and the link is its owner's or root's.
pub(crate) fn interest(asked: Interest) -> Resolved {
    let mut resolved = Resolved::default();
    let mut paths = resolved.paths(&asked.paths);
    let overhears = resolved.paths(&asked.overhears);
    resolved.links.sort();
    resolved.links.dedup();
    let links = resolved.links.iter().filter_map(|link| text(link, ""));
    paths.extend(links.filter(|link| !asked.paths.contains(link) && !asked.overhears.contains(link)));
    resolved.names.sort_by_key(|(real, _)| std::cmp::Reverse(real.as_os_str().len()));
    resolved.interest = Interest { paths, overhears, ..asked };
    resolved
}

impl Resolved {
    /// Resolves patterns, and notes names and links on the way.
    fn paths(&mut self, patterns: &[String]) -> Vec<String> {
        let mut paths = Vec::with_capacity(patterns.len());
        for pattern in patterns {
            let (fixed, rest) = split(pattern);
            let whole = rest.is_empty();
            let way = Way::to(&fixed, whole);
            // A path that resolves to one that is not UTF-8 is tried as it is written.
            paths.push(text(&way.real, &rest).unwrap_or_else(|| pattern.clone()));
            if whole && way.real.is_symlink() {
                let on = Way::to(&way.real, false);
                if is_to_be_followed(&way.real, &on.real) {
                    paths.extend(text(&on.real, ""));
                    self.names.push((on.real, fixed.clone()));
                }
                self.links.extend(on.links);
            }
            if way.real != fixed {
                self.names.push((way.real, fixed));
            }
            self.links.extend(way.links);
        }
        paths
    }
}

impl Interest {
    /// The interest as the engine takes it up at its start, with every link on the way to its paths resolved.
    #[must_use]
    pub fn resolved(self) -> Self {
        interest(self).interest
    }
}

/// The part of a pattern before its first glob, as a path; and the rest.
fn split(pattern: &str) -> (PathBuf, String) {
    let mut fixed = String::with_capacity(pattern.len());
    // Up to the last slash before a glob: how much of `fixed`, and where in the pattern.
    let (mut kept, mut at) = (0, 0);
    let mut signs = pattern.char_indices();
    while let Some((index, sign)) = signs.next() {
        match sign {
            '*' | '?' | '[' | '{' => {
                fixed.truncate(kept);
                return (PathBuf::from(fixed), pattern.get(at..).unwrap_or_default().to_owned());
            }
            '\\' => fixed.extend(signs.next().map(|(_, sign)| sign)),
            '/' => {
                (kept, at) = (fixed.len(), index);
                fixed.push(sign);
            }
            _ => fixed.push(sign),
        }
    }
    (PathBuf::from(fixed), String::new())
}

/// The way to a path.
struct Way {
    real: PathBuf,
    links: Vec<PathBuf>,
}

impl Way {
    /// Follows links; with `keep_last` not the one that the last name may be. What does not exist is
    /// appended as it is.
    fn to(path: &Path, keep_last: bool) -> Self {
        let mut todo: VecDeque<OsString> = names(path).collect();
        let mut links = Vec::new();
        let mut real = PathBuf::from("/");
        while let Some(name) = todo.pop_front() {
            if name == ".." {
                real.pop();
                continue;
            }
            let here = real.join(&name);
            let is_last = keep_last && todo.is_empty();
            match here.read_link() {
                Ok(target) if !is_last && links.len() < MOST_LINKS => {
                    if target.is_absolute() {
                        real = PathBuf::from("/");
                    }
                    for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
                        todo.push_front(name);
                    }
                    links.push(here);
                }
                _ => real = here,
            }
        }
        Self { real, links }
    }
}

fn names(path: &Path) -> impl Iterator<Item = OsString> + '_ {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    })
}

/// As the kernel judges links in sticky directories: who owns a link may lead to what is theirs, root anywhere.
fn is_to_be_followed(link: &Path, target: &Path) -> bool {
    let (Ok(link), Ok(there)) = (statat(CWD, link, AtFlags::SYMLINK_NOFOLLOW), target.symlink_metadata())
    else {
        return false;
    };
    let owner = std::os::unix::fs::MetadataExt::uid(&there);
    (there.is_dir() || there.is_file()) && (link.st_uid == 0 || link.st_uid == owner)
}

fn text(path: &Path, rest: &str) -> Option<String> {
    // A resolved path is literal, even where it has the characters of a glob.
    let path = path.to_str().map(escape)?;
    Some(if path == "/" && !rest.is_empty() { rest.to_owned() } else { path + rest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn house() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        std::fs::create_dir_all(real.join("real/sub")).unwrap();
        std::fs::write(real.join("real/file"), "x").unwrap();
        symlink("real", real.join("link")).unwrap();
        (dir, real)
    }

    #[test]
    fn links_on_the_way_are_resolved_and_watched() {
        let (_dir, real) = house();
        let at = |suffix: &str| format!("{}/{suffix}", real.display());
        for (asked, watched) in [
            ("link/sub", vec![at("real/sub"), at("link")]),
            ("link/not/yet", vec![at("real/not/yet"), at("link")]),
            ("link/*.conf", vec![at("real/*.conf"), at("link")]),
            ("link/\\[b]", vec![at("real/\\[b]"), at("link")]),
            ("link", vec![at("link"), at("real")]),
            ("real/../link/sub", vec![at("real/sub"), at("link")]),
        ] {
            let resolved = interest(Interest::in_paths([at(asked)]));
            assert_eq!(resolved.interest.paths, watched, "{asked}");
        }
    }

    #[test]
    fn the_consumer_s_names_are_known() {
        let (_dir, real) = house();
        symlink("real/file", real.join("to-file")).unwrap();
        let resolved = interest(Interest::in_paths([
            format!("{}/link/sub", real.display()),
            format!("{}/to-file", real.display()),
        ]));
        assert_eq!(
            resolved.names,
            [(real.join("real/file"), real.join("to-file")), (real.join("real/sub"), real.join("link/sub"))]
        );
        assert_eq!(resolved.links, [real.join("link"), real.join("to-file")]);
    }

    #[test]
    fn loops_end() {
        let (_dir, real) = house();
        symlink("loop", real.join("loop")).unwrap();
        let resolved = interest(Interest::in_paths([format!("{}/loop/x", real.display())]));
        assert!(resolved.links.len() == 1);
    }
}
