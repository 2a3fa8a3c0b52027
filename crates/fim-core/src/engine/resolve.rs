//! Paths as the kernel will name them: links on the way to a watched path are followed once, so that later
//! every step of a path can be refused if it is a link.
//!
//! The links themselves are watched too, by their own names: where one leads elsewhere, all is resolved anew.

use crate::watch_set::{Interest, escape};
use rustix::fs::{AtFlags, CWD, statat};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Links on one way, as Linux bounds them.
const MOST_LINKS: usize = 40;

/// An interest with every link on the way to its paths resolved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolved {
    /// As it was asked for, where that is another.
    pub asked: Option<Interest>,
    /// What is to be watched: real paths, and the links met.
    pub interest: Interest,
    pub way: Way,
}

/// What lay on the way to the paths of an interest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Way {
    /// Real paths and what the consumer calls them, where that is another, the longest first.
    pub names: Vec<(PathBuf, PathBuf)>,
    /// Links met.
    pub links: Vec<PathBuf>,
}

/// Resolves an interest. A path that is itself a link is watched as a link; what it leads to joins it if it
/// is a directory or regular file, and the link is its owner's or root's. Links below `root` lead where they lead for whoever
/// has that for its root.
pub(crate) fn interest(asked: Interest, root: &Path) -> Resolved {
    let mut way = Way::default();
    let mut known = Known::below(root);
    let (paths, overhears) = (way.paths(&asked.paths, &mut known), way.paths(&asked.overhears, &mut known));
    way.links.sort();
    way.links.dedup();
    if paths.is_none() && overhears.is_none() {
        return Resolved { asked: None, interest: asked, way };
    }
    let mut paths = paths.unwrap_or_else(|| asked.paths.clone());
    let overhears = overhears.unwrap_or_else(|| asked.overhears.clone());
    let links = way.links.iter().filter_map(|link| text(link, ""));
    paths.extend(links.filter(|link| !asked.paths.contains(link) && !asked.overhears.contains(link)));
    way.names.sort_by_key(|(real, _)| std::cmp::Reverse(real.as_os_str().len()));
    let (exclude, exclude_regex) = (asked.exclude.clone(), asked.exclude_regex.clone());
    let interest = Interest { paths, overhears, exclude, exclude_regex, need: asked.need };
    Resolved { asked: Some(asked), interest, way }
}

impl Way {
    /// Resolves patterns, and notes names and links on the way; `None` if all are what they were.
    fn paths(&mut self, patterns: &[String], known: &mut Known) -> Option<Vec<String>> {
        let mut paths: Option<Vec<String>> = None;
        for (at, pattern) in patterns.iter().enumerate() {
            let (fixed, rest) = split(pattern);
            let whole = rest.is_empty();
            let step = known.step(&fixed, whole);
            let leads_on = whole && step.is_there && step.real.is_symlink();
            if step.real == fixed && step.links.is_empty() && !leads_on {
                if let Some(paths) = &mut paths {
                    paths.push(pattern.clone());
                }
                continue;
            }
            let paths = paths.get_or_insert_with(|| patterns.get(..at).unwrap_or_default().to_vec());
            // A path that resolves to one that is not UTF-8 is tried as it is written.
            paths.push(text(&step.real, &rest).unwrap_or_else(|| pattern.clone()));
            if leads_on {
                let on = known.step(&step.real, false);
                if is_to_be_followed(&step.real, &on.real) {
                    paths.extend(text(&on.real, ""));
                    self.names.push((on.real, fixed.clone()));
                }
                self.links.extend(on.links);
            }
            if step.real != fixed {
                self.names.push((step.real, fixed));
            }
            self.links.extend(step.links);
        }
        paths
    }
}

impl Interest {
    /// The interest as the engine takes it up at its start, with every link on the way to its paths resolved.
    #[must_use]
    pub fn resolved(self) -> Self {
        self.resolved_below(Path::new("/"))
    }

    /// The same for an engine that [watches another root](crate::EngineBuilder::root).
    #[must_use]
    pub fn resolved_below(self, root: &Path) -> Self {
        interest(self, root).interest
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

/// Where a path leads.
struct Step {
    real: PathBuf,
    links: Vec<PathBuf>,
    /// Not known to be missing.
    is_there: bool,
}

/// What the paths before came by: of a million homes, most lie in one directory.
#[derive(Default)]
struct Known {
    /// Where absolute links below it lead from.
    root: PathBuf,
    /// No link, and none above it.
    plain: PathBuf,
    /// Nothing is there, and no link is above it.
    missing: Option<PathBuf>,
}

impl Known {
    fn below(root: &Path) -> Self {
        let root =
            if root == Path::new("/") { PathBuf::new() } else { Self::default().step(root, false).real };
        Self { root, ..Self::default() }
    }

    /// The root of whoever comes by here.
    fn root_of(&self, here: &Path) -> PathBuf {
        if is_below(here, &self.root) { self.root.clone() } else { PathBuf::from("/") }
    }

    /// Follows links; with `keep_last` not the one that the last name may be. What does not exist is
    /// appended as it is.
    fn step(&mut self, path: &Path, keep_last: bool) -> Step {
        let mut links = Vec::new();
        if self.missing.as_ref().is_some_and(|missing| is_below(path, missing)) {
            return Step { real: path.to_owned(), links, is_there: false };
        }
        let (mut real, mut todo) = if is_below(path, &self.plain) {
            let rest = path.strip_prefix(&self.plain).unwrap_or(path);
            (self.plain.clone(), names(rest).collect::<VecDeque<_>>())
        } else {
            (PathBuf::from("/"), names(path).collect())
        };
        while let Some(name) = todo.pop_front() {
            if name == ".." {
                if real != self.root {
                    real.pop();
                }
                continue;
            }
            let here = real.join(&name);
            let is_last = keep_last && todo.is_empty();
            match here.read_link() {
                Ok(target) if !is_last && links.len() < MOST_LINKS => {
                    if target.is_absolute() {
                        real = self.root_of(&here);
                    }
                    for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
                        todo.push_front(name);
                    }
                    links.push(here);
                }
                Err(error) if error.kind() == ErrorKind::NotFound && todo.iter().all(|name| name != "..") => {
                    real = here;
                    if links.is_empty() {
                        self.missing = Some(real.clone());
                    }
                    real.extend(todo);
                    return Step { real, links, is_there: false };
                }
                Err(_) if links.is_empty() && !is_last => {
                    self.plain.clone_from(&here);
                    real = here;
                }
                _ => real = here,
            }
        }
        Step { real, links, is_there: true }
    }
}

/// Whether a path is below another, as text: both are as [`split`] makes them.
fn is_below(path: &Path, top: &Path) -> bool {
    let (path, top) = (path.as_os_str().as_bytes(), top.as_os_str().as_bytes());
    !top.is_empty()
        && path.strip_prefix(top).is_some_and(|rest| rest.starts_with(b"/"))
        && !path.windows(3).any(|part| part == b"/..")
}

/// The steps of a path.
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
            let resolved = interest(Interest::in_paths([at(asked)]), Path::new("/"));
            assert_eq!(resolved.interest.paths, watched, "{asked}");
        }
    }

    #[test]
    fn the_consumer_s_names_are_known() {
        let (_dir, real) = house();
        symlink("real/file", real.join("to-file")).unwrap();
        let resolved = interest(
            Interest::in_paths([
                format!("{}/link/sub", real.display()),
                format!("{}/to-file", real.display()),
            ]),
            Path::new("/"),
        );
        assert_eq!(
            resolved.way.names,
            [(real.join("real/file"), real.join("to-file")), (real.join("real/sub"), real.join("link/sub"))]
        );
        assert_eq!(resolved.way.links, [real.join("link"), real.join("to-file")]);
    }

    #[test]
    fn loops_end() {
        let (_dir, real) = house();
        symlink("loop", real.join("loop")).unwrap();
        let asked = Interest::in_paths([format!("{}/loop/x", real.display())]);
        assert!(interest(asked, Path::new("/")).way.links.len() == 1);
    }

    #[test]
    fn links_below_another_root_stay_below_it() {
        let (_dir, real) = house();
        let host = real.join("host");
        std::fs::create_dir_all(host.join("data/bob")).unwrap();
        std::fs::create_dir(host.join("etc")).unwrap();
        std::fs::write(host.join("data/passwd"), "x").unwrap();
        for (target, link) in [
            ("/data", "home"),
            ("/data/passwd", "etc/passwd"),
            ("../../../data", "etc/up"),
            ("host", "../more"),
        ] {
            symlink(target, host.join(link)).unwrap();
        }
        let at = |name: &str| host.join(name).display().to_string();
        for (asked, watched) in [
            ("home/bob", vec![at("data/bob"), at("home")]),
            ("etc/passwd", vec![at("etc/passwd"), at("data/passwd")]),
            ("etc/up/bob", vec![at("data/bob"), at("etc/up")]),
        ] {
            for root in [&host, &real.join("more")] {
                let resolved = interest(Interest::in_paths([at(asked)]), root);
                assert_eq!(resolved.interest.paths, watched, "{asked}");
            }
        }
        // What is not below it is no part of that system.
        let outside = interest(Interest::in_paths([format!("{}/link/sub", real.display())]), &host);
        assert_eq!(outside.interest.paths[0], real.join("real/sub").display().to_string());
    }
}
