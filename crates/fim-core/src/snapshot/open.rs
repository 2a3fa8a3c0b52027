//! Opening watched files without being led elsewhere.
//!
//! Knows nothing of what will be read from them.

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, open, openat, openat2};
use rustix::io::Errno;
use rustix::path::DecInt;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The kernel takes no longer path in one call, the NUL at its end included.
const PATH_MAX: usize = 4096;

const PATH_ONLY: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const FOLLOW_NOTHING: ResolveFlags = ResolveFlags::NO_SYMLINKS.union(ResolveFlags::NO_MAGICLINKS);

/// What opening needs besides a path.
#[derive(Debug)]
pub(super) struct Opener {
    /// `/proc/self/fd`.
    descriptors: OwnedFd,
    /// Whether there is `openat2`: kernels since 5.6, unless a seccomp filter forbids it.
    has_openat2: bool,
}

impl Opener {
    pub(super) fn new() -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptors = open("/proc/self/fd", flags, Mode::empty()).map_err(|error| {
            let error = io::Error::from(error);
            io::Error::new(error.kind(), format!("cannot open /proc/self/fd: {error} (is /proc mounted?)"))
        })?;
        let probe = openat2(CWD, "/", PATH_ONLY, Mode::empty(), FOLLOW_NOTHING);
        Ok(Self { descriptors, has_openat2: probe.is_ok() })
    }

    /// An `O_PATH` descriptor of what is at this absolute path; no component may be a symbolic link but
    /// the last, which is then opened itself.
    pub(super) fn open_path(&self, path: &Path) -> rustix::io::Result<OwnedFd> {
        let bytes = path.as_os_str().as_bytes();
        if self.has_openat2 && bytes.len() < PATH_MAX {
            return openat2(CWD, path, PATH_ONLY, Mode::empty(), FOLLOW_NOTHING);
        }
        if !path.is_absolute() {
            return Err(Errno::INVAL);
        }
        self.walk(bytes)
    }

    /// The same of a name in a directory.
    pub(super) fn open_in(&self, dir: BorrowedFd<'_>, name: &OsStr) -> rustix::io::Result<OwnedFd> {
        openat(dir, name, PATH_ONLY, Mode::empty())
    }

    /// The same in steps, for paths that are too long for one call and kernels without `openat2`.
    fn walk(&self, path: &[u8]) -> rustix::io::Result<OwnedFd> {
        let mut at = open("/", PATH_ONLY | OFlags::DIRECTORY, Mode::empty())?;
        let longest = if self.has_openat2 { PATH_MAX - 1 } else { 0 };
        let mut rest = strip_slashes(path);
        while !rest.is_empty() {
            let (step, behind) = cut(rest, longest);
            rest = strip_slashes(behind);
            // What has something behind it must be a directory: a link would be opened itself and then fail.
            let is_dir = behind.first() == Some(&b'/');
            let flags = PATH_ONLY | if is_dir { OFlags::DIRECTORY } else { OFlags::empty() };
            let step = OsStr::from_bytes(step);
            at = if self.has_openat2 {
                openat2(&at, step, flags, Mode::empty(), FOLLOW_NOTHING)?
            } else {
                openat(&at, step, flags, Mode::empty())?
            };
        }
        Ok(at)
    }

    /// Opens for reading what an `O_PATH` descriptor stands for: the same file, whatever its name is now.
    /// Only for regular files and directories.
    pub(super) fn reopen(&self, file: BorrowedFd<'_>, extra: OFlags) -> rustix::io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY | extra;
        let open = |flags| openat(&self.descriptors, DecInt::from_fd(file), flags, Mode::empty());
        match open(flags | OFlags::NOATIME) {
            // Leaving the access time alone is for the owner of a file, and root.
            Err(Errno::PERM) => open(flags),
            answer => answer,
        }
    }
}

/// The path by which calls that refuse `O_PATH` descriptors reach the file behind one.
pub(super) fn magic_path(file: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// Cuts a relative path behind its first component, or behind as many as fit into `longest`.
fn cut(path: &[u8], longest: usize) -> (&[u8], &[u8]) {
    if path.len() <= longest {
        return (path, &[]);
    }
    let is_slash = |byte: &u8| *byte == b'/';
    let fitting = path.get(..longest).unwrap_or_default();
    let end =
        fitting.iter().rposition(is_slash).or_else(|| path.iter().position(is_slash)).unwrap_or(path.len());
    path.split_at_checked(end).unwrap_or((path, &[]))
}

fn strip_slashes(mut path: &[u8]) -> &[u8] {
    while let [b'/', rest @ ..] = path {
        path = rest;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    /// With `openat2` and without.
    fn openers() -> [Opener; 2] {
        let mut without = Opener::new().unwrap();
        without.has_openat2 = false;
        [Opener::new().unwrap(), without]
    }

    #[test]
    fn cuts() {
        for (path, longest, expected) in [
            ("a/b/c", 0, ("a", "/b/c")),
            ("a/b/c", 5, ("a/b/c", "")),
            ("a/b/c", 4, ("a/b", "/c")),
            ("abc", 2, ("abc", "")),
            ("abc/d", 2, ("abc", "/d")),
        ] {
            let (step, rest) = cut(path.as_bytes(), longest);
            assert_eq!((step, rest), (expected.0.as_bytes(), expected.1.as_bytes()), "{path}");
        }
    }

    #[test]
    fn links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().canonicalize().unwrap();
        std::fs::create_dir(at.join("real")).unwrap();
        std::fs::write(at.join("real/file"), "x").unwrap();
        symlink("real", at.join("link")).unwrap();
        symlink("loop", at.join("loop")).unwrap();
        for opener in openers() {
            opener.open_path(&at.join("real/file")).unwrap();
            opener.open_path(&at.join("link")).unwrap();
            opener.open_path(&at.join("loop")).unwrap();
            opener.open_path(Path::new("/")).unwrap();
            let errors = ["link/file", "loop/file", "real/file/x", "real/none", "none/file"]
                .map(|name| opener.open_path(&at.join(name)).unwrap_err());
            let followed = [Errno::LOOP, Errno::NOTDIR];
            assert!(followed.contains(&errors[0]) && followed.contains(&errors[1]), "{errors:?}");
            assert_eq!(errors[2..], [Errno::NOTDIR, Errno::NOENT, Errno::NOENT]);
        }
    }

    #[test]
    fn paths_longer_than_the_kernel_takes() {
        let dir = tempfile::tempdir().unwrap();
        let mut path: PathBuf = dir.path().canonicalize().unwrap();
        let mut at = open(&path, OFlags::PATH, Mode::empty()).unwrap();
        let name = "n".repeat(255);
        for _ in 0..20 {
            rustix::fs::mkdirat(&at, &name, Mode::RWXU).unwrap();
            at = openat(&at, &name, OFlags::PATH, Mode::empty()).unwrap();
            path.push(&name);
        }
        let inode = rustix::fs::fstat(&at).unwrap().st_ino;
        for opener in openers() {
            let found = opener.open_path(&path).unwrap();
            assert_eq!(rustix::fs::fstat(found).unwrap().st_ino, inode);
            assert_eq!(opener.open_path(&path.join("x")).unwrap_err(), Errno::NOENT);
        }
    }
}
