//! A process that changes files at random, as fsstress does: few names, used again and again, in few directories.

use super::operations::OPERATIONS;
use super::random::Random;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Any of them may be a file, a directory or something else at any time. One is not UTF-8, one breaks lines, and one is a
/// name that tools write to before they rename.
const NAMES: [&[u8]; 9] = [b"a", b"b", b"c", b"d", b"e", b"f", b"g\xff", b"h\nh", b"i.tmp"];
const DEEPEST: u32 = 5;
/// Files held open at a time.
const HELD: usize = 4;

pub struct Work {
    pub random: Random,
    watched: PathBuf,
    outside: PathBuf,
    /// Open for writing, whatever became of their names.
    held: Vec<File>,
}

/// Does so many operations below `dir/watched`, some of them from or to `dir/outside`; each is written to a log. One that
/// fails is as good as any.
pub fn work(dir: &Path, seed: u64, worker: u64, count: u64) -> io::Result<()> {
    let mut log = File::create(dir.join(format!("operations.{worker}")))?;
    let mut work = Work {
        random: Random::new(seed.wrapping_mul(1000).wrapping_add(worker)),
        watched: dir.join("watched"),
        outside: dir.join("outside"),
        held: Vec::new(),
    };
    let weights: u64 = OPERATIONS.iter().map(|operation| operation.weight).sum();
    let start = Instant::now();
    for _ in 0..count {
        let mut at = work.random.below(weights);
        let operation = OPERATIONS.iter().find(|operation| {
            let is_it = at < operation.weight;
            at = at.saturating_sub(operation.weight);
            is_it
        });
        let Some(operation) = operation else { continue };
        let mut said = String::new();
        let outcome = (operation.run)(&mut work, &mut said);
        let result = outcome.map_or_else(|error| error.kind().to_string(), |()| "ok".to_owned());
        let at = start.elapsed().as_micros();
        log.write_all(format!("{at} {} {said}: {result}\n", operation.name).as_bytes())?;
    }
    Ok(())
}

impl Work {
    /// A directory that was there a moment ago.
    pub fn dir(&mut self) -> PathBuf {
        let mut dir = if self.random.percent(4) { self.outside.clone() } else { self.watched.clone() };
        for _ in 0..DEEPEST {
            let next = dir.join(self.name());
            if self.random.percent(65) && is_dir(&next) {
                dir = next;
            }
        }
        dir
    }

    fn name(&mut self) -> &'static OsStr {
        OsStr::from_bytes(self.random.pick(&NAMES))
    }

    /// A name, taken or not.
    pub fn any(&mut self) -> PathBuf {
        self.dir().join(self.name())
    }

    /// A name that was taken a moment ago, if one is found soon.
    pub fn taken(&mut self) -> PathBuf {
        self.find(|path| path.symlink_metadata().is_ok())
    }

    /// A regular file, if one is found soon.
    pub fn file(&mut self) -> PathBuf {
        self.find(|path| path.symlink_metadata().is_ok_and(|stat| stat.is_file()))
    }

    /// Something that leads nowhere else, if that is found soon.
    pub fn find_no_link(&mut self) -> PathBuf {
        self.find(|path| path.symlink_metadata().is_ok_and(|stat| !stat.is_symlink()))
    }

    /// A directory below the top, if one is found soon.
    pub fn subdir(&mut self) -> PathBuf {
        self.find(is_dir)
    }

    fn find(&mut self, wanted: impl Fn(&Path) -> bool) -> PathBuf {
        let mut path = self.any();
        for _ in 0..8 {
            if wanted(&path) {
                break;
            }
            path = self.any();
        }
        path
    }

    /// Keeps a file open.
    pub fn hold(&mut self, file: File) {
        if self.held.len() == HELD {
            self.held.remove(0);
        }
        self.held.push(file);
    }

    /// One of the files held open.
    pub fn held(&mut self) -> io::Result<File> {
        if self.held.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let at = usize::try_from(self.random.below(self.held.len() as u64)).unwrap_or_default();
        self.held[at].try_clone()
    }

    pub fn let_go(&mut self) {
        self.held.clear();
    }

    /// Leaves time for looks in between.
    pub fn rest(&mut self) {
        std::thread::sleep(Duration::from_millis(self.random.below(40)));
    }
}

fn is_dir(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|stat| stat.is_dir())
}

/// All of a tree, for what was there before the watch.
pub fn furnish(dir: &Path, seed: u64) -> io::Result<()> {
    for name in ["watched", "outside"] {
        fs::create_dir_all(dir.join(name))?;
    }
    work(dir, seed, 99, 400)
}
