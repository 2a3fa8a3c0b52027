//! Where a case takes place: a directory of its own that is watched, and one that is not, on one file system.

use crate::case::Case;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const WATCHED: &str = "watched";
const OUTSIDE: &str = "outside";
const APART: &str = "apart";
/// The cases that change what is above a watched directory have one of their own: this, below [`Scene::above`].
pub(crate) const BELOW: &str = "up/here";

/// The directories to watch, with everything in them, when these cases are run in a scratch directory.
pub fn watched<'c>(scratch: &Path, cases: impl IntoIterator<Item = &'c Case>) -> Vec<PathBuf> {
    let apart = cases.into_iter().filter(|case| case.apart);
    let apart = apart.map(|case| scratch.join(APART).join(case.name).join(BELOW));
    std::iter::once(scratch.join(WATCHED)).chain(apart).collect()
}

/// The directories of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// The watched one: holds `f`, `other`, `sub/in` and `empty`.
    pub dir: PathBuf,
    /// The unwatched one.
    pub outside: PathBuf,
    /// Another unwatched one; what is under [`BELOW`] there is watched where the case is about what is above.
    pub(crate) above: PathBuf,
}

impl Scene {
    /// The directories of a case below a scratch directory.
    #[must_use]
    pub fn new(scratch: &Path, case: &str) -> Self {
        let [dir, outside, above] = [WATCHED, OUTSIDE, APART].map(|part| scratch.join(part).join(case));
        Self { dir, outside, above }
    }

    /// Makes the files every case finds.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn build(&self) -> io::Result<()> {
        fs::create_dir_all(self.dir.join("sub"))?;
        fs::create_dir(self.dir.join("empty"))?;
        fs::create_dir_all(&self.outside)?;
        fs::create_dir_all(&self.above)?;
        fs::write(self.dir.join("f"), "the old content\n")?;
        fs::write(self.dir.join("other"), "another content\n")?;
        fs::write(self.dir.join("sub/in"), "in a directory\n")
    }

    /// The file most cases change.
    pub(crate) fn f(&self) -> PathBuf {
        self.dir.join("f")
    }

    /// A name in the watched directory.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The file a line of this case is about: `^` stands for what is above.
    pub(crate) fn expected(&self, path: &str) -> PathBuf {
        path.strip_prefix("^/").map_or_else(|| self.at(path), |path| self.above.join(path))
    }

    /// Whether a path is of this scene.
    pub(crate) fn has(&self, path: &Path) -> bool {
        path.starts_with(&self.dir) || path.starts_with(&self.above)
    }

    /// The directory in which the fence is made.
    pub(crate) fn fence(scratch: &Path) -> PathBuf {
        scratch.join(WATCHED).join("fence")
    }

    /// A name in the unwatched directory.
    pub(crate) fn out(&self, name: &str) -> PathBuf {
        self.outside.join(name)
    }

    /// The file, open for writing.
    pub(crate) fn writable(&self) -> io::Result<fs::File> {
        fs::File::options().write(true).open(self.f())
    }

    /// The file, open for reading and writing.
    pub(crate) fn open(&self) -> io::Result<fs::File> {
        fs::File::options().read(true).write(true).open(self.f())
    }
}
