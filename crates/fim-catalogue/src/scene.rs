//! Where a case takes place: a directory of its own that is watched, and one that is not, on one file system.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The directory below the scratch directory that is to be watched, with everything in it.
pub const WATCHED: &str = "watched";
const OUTSIDE: &str = "outside";

/// The directories of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// The watched one: holds `f`, `other`, `sub/in` and `empty`.
    pub dir: PathBuf,
    /// The unwatched one.
    pub outside: PathBuf,
}

impl Scene {
    /// The directories of a case below a scratch directory.
    #[must_use]
    pub fn new(scratch: &Path, case: &str) -> Self {
        Self { dir: scratch.join(WATCHED).join(case), outside: scratch.join(OUTSIDE).join(case) }
    }

    /// Makes the files every case finds.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn build(&self) -> io::Result<()> {
        fs::create_dir_all(self.dir.join("sub"))?;
        fs::create_dir(self.dir.join("empty"))?;
        fs::create_dir_all(&self.outside)?;
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
