//! What the tests of databases of packages share: files that change, and what is said of them.

use fim_core::{Checksum, Checksums, Facts, FileKind, Limits, Need, Reader, Reason};
use std::fs;
use std::path::{Path, PathBuf};

/// The checksum of a file that is there.
pub struct OfFile<'a>(pub &'a Path);

impl Checksums for OfFile<'_> {
    fn of_content(&mut self, checksum: Checksum) -> Option<Vec<u8>> {
        let mut need = Need::default();
        need.checksum = Some(checksum);
        Reader::new(Limits::default()).ok()?.look(self.0, need).checksum
    }
}

/// Gives a file this content: how it was, with another one, and how it is.
pub fn rewritten(file: &Path, text: &str) -> (Facts, Facts) {
    fs::write(file, text).unwrap();
    let after = Reader::new(Limits::default()).unwrap().look(file, Need::default()).facts.unwrap();
    let mut before = after.clone();
    before.blake3 = Some([0; 32]);
    (before, after)
}

/// A folder, or a link that leads there.
pub fn folder_or_link(target: Option<&str>) -> Facts {
    let mut facts = Facts::new(if target.is_some() { FileKind::Symlink } else { FileKind::Dir });
    facts.target = target.map(PathBuf::from);
    facts
}

/// Which package explains it, and whether less is made of it for that.
pub fn by(reason: &Reason) -> Option<(String, bool)> {
    let explanation = reason.explanation.as_ref()?;
    let words: Vec<&str> = explanation.of.iter().map(|(_, value)| value.as_str()).collect();
    Some((words.join(" "), explanation.lowers))
}
