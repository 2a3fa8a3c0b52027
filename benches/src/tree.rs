//! Trees of files to be watched: the same for the same number.

use crate::Failure;
use std::fs;
use std::io::{BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Files in one directory.
const PER_DIR: u64 = 100;

/// Makes so many files of 1 to 8 kB; gives the list of them, each ended by a NUL.
///
/// # Errors
/// When they cannot be written.
pub fn make(top: &Path, files: u64) -> Result<PathBuf, Failure> {
    let list = top.with_extension("list");
    let mut names = BufWriter::new(fs::File::create(&list)?);
    let mut random = Random(files);
    let mut bytes = vec![0; 8192];
    for dir in 0..files.div_ceil(PER_DIR) {
        fs::create_dir_all(dir_of(top, dir))?;
        for file in dir * PER_DIR..files.min((dir + 1) * PER_DIR) {
            let path = path_of(top, file);
            let length = usize::try_from(1000 + random.number() % 7000)?;
            let content = bytes.get_mut(..length).unwrap_or_default();
            random.fill(content);
            fs::write(&path, content)?;
            names.write_all(path.as_os_str().as_bytes())?;
            names.write_all(b"\0")?;
        }
    }
    names.flush()?;
    Ok(list)
}

/// The path of a file of the tree, by its number.
#[must_use]
pub fn path_of(top: &Path, file: u64) -> PathBuf {
    dir_of(top, file / PER_DIR).join(format!("file-{file:07}.conf"))
}

fn dir_of(top: &Path, dir: u64) -> PathBuf {
    top.join(format!("part-{:03}/module-{dir:05}", dir / 100))
}

/// SplitMix64: content that does not compress, the same every time.
#[derive(Clone, Copy, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Fills this with numbers.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(8) {
            let number = self.number().to_le_bytes();
            part.copy_from_slice(number.get(..part.len()).unwrap_or_default());
        }
    }
}
