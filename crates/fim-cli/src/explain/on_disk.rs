//! What is at a path now, by names and metadata alone.

use fim_core::{FileKind, pseudo_file_system};
use rustix::fs::statfs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What is at a path.
#[derive(Debug)]
pub struct OnDisk {
    /// Its name, with every link above it resolved: by this the kernel and the state know it.
    pub path: PathBuf,
    /// In words.
    pub what: String,
    /// Whether it is a folder.
    pub is_dir: bool,
    /// Its size, if it is a regular file.
    pub size: Option<u64>,
    /// Why nothing is read of it but metadata.
    pub never_read: Option<&'static str>,
    /// The file system, if it is one that keeps no files.
    pub pseudo: Option<&'static str>,
    /// The first name on the way to it that is not there.
    pub first_missing: Option<PathBuf>,
}

impl OnDisk {
    /// Looks, without following a link at the end.
    pub fn look(asked: &Path) -> Self {
        let path = resolved(asked);
        let existing = path.ancestors().find(|dir| dir.symlink_metadata().is_ok()).unwrap_or(Path::new("/"));
        let first_missing = path.ancestors().take_while(|dir| *dir != existing).last().map(Path::to_owned);
        // A link is on the file system of the folder it is in.
        let on = if existing.is_symlink() { existing.parent().unwrap_or(existing) } else { existing };
        let pseudo = statfs(on).ok().and_then(|fs| pseudo_file_system(fs.f_type.cast_unsigned()));
        let mut found = Self {
            what: "nothing is there".to_owned(),
            is_dir: false,
            size: None,
            never_read: None,
            pseudo,
            first_missing,
            path: path.clone(),
        };
        match path.symlink_metadata() {
            Ok(metadata) => found.describe(FileKind::from_mode(metadata.mode()), metadata.len()),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                found.what = format!("it cannot be looked at: {error}; run as root");
            }
            Err(_) => {}
        }
        found
    }

    fn describe(&mut self, kind: FileKind, size: u64) {
        self.is_dir = kind == FileKind::Dir;
        let special = Some("metadata; it is never opened");
        (self.what, self.never_read) = match kind {
            FileKind::File => {
                self.size = Some(size);
                (format!("a regular file, {size} bytes"), None)
            }
            FileKind::Dir => ("a folder".to_owned(), Some("metadata, and the names in it")),
            FileKind::Symlink => {
                let target = std::fs::read_link(&self.path).unwrap_or_default();
                (
                    format!("a symbolic link to {}", target.display()),
                    Some("metadata, and where it points; it is never followed"),
                )
            }
            FileKind::Fifo => ("a FIFO".to_owned(), special),
            FileKind::Socket => ("a socket".to_owned(), special),
            FileKind::CharDevice | FileKind::BlockDevice => ("a device".to_owned(), special),
        };
    }
}

/// The path with every link above its last name resolved, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    for above in path.ancestors().skip(1) {
        if let (Ok(real), Ok(rest)) = (above.canonicalize(), path.strip_prefix(above)) {
            return real.join(rest);
        }
    }
    path.to_owned()
}
