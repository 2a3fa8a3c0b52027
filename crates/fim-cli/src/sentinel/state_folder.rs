//! Whether the state folder is still what was opened. What is in the store itself is for its checksums to tell.

use fim_core::Tampering;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What in the folder stays the same file while the agent runs; the folder itself first.
const PARTS: [&str; 5] = ["", "lock", "key", "sled", "status.sock"];

/// Which file, whose, and who may do what with it.
type Print = Option<(u64, u64, u32, u32)>;

/// The parts as they were last seen.
#[derive(Debug)]
pub struct StateFolder(Vec<(PathBuf, Print)>);

impl StateFolder {
    /// As it is now.
    pub fn now(dir: &Path) -> Self {
        let path = |part: &str| if part.is_empty() { dir.to_owned() } else { dir.join(part) };
        Self(PARTS.iter().map(|part| path(part)).map(|path| (path.clone(), print(&path))).collect())
    }

    /// What is otherwise than at the last call; each is said once.
    pub fn noticed(&mut self) -> Vec<Tampering> {
        let mut noticed = Vec::new();
        // What is in a folder that was taken away was taken with it.
        let mut folder_is_gone = false;
        for (number, (path, was)) in self.0.iter_mut().enumerate() {
            let is = print(path);
            let before = std::mem::replace(was, is);
            if is == before || folder_is_gone {
                continue;
            }
            folder_is_gone = number == 0 && is.is_none();
            let what = match (before, is) {
                (Some(_), None) => "was removed: what is written is lost at the next start",
                (Some(was), Some(is)) if was.0 == is.0 => "has another mode or owner",
                _ => "was replaced",
            };
            let mut tampering = Tampering::new("state", format!("a part of the state folder {what}"));
            tampering.path = Some(path.clone());
            noticed.push(tampering);
        }
        noticed
    }
}

fn print(path: &Path) -> Print {
    path.symlink_metadata().ok().as_ref().map(of)
}

fn of(found: &Metadata) -> (u64, u64, u32, u32) {
    (found.ino(), found.dev(), found.mode(), found.uid())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_removed_replaced_or_opened_to_others_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path();
        for part in ["lock", "key"] {
            fs::write(at.join(part), "x").unwrap();
        }
        fs::create_dir(at.join("sled")).unwrap();
        let mut folder = StateFolder::now(at);
        assert!(folder.noticed().is_empty());
        fs::write(at.join("STATE"), "as it is written all the time").unwrap();
        assert!(folder.noticed().is_empty());

        fs::set_permissions(at, Permissions::from_mode(0o777)).unwrap();
        fs::remove_file(at.join("lock")).unwrap();
        fs::write(at.join("new"), "y").unwrap();
        fs::rename(at.join("new"), at.join("key")).unwrap();
        let told = folder.noticed();
        let words = ["another mode", "removed", "replaced"];
        assert_eq!(told.len(), words.len());
        for (told, word) in told.iter().zip(words) {
            assert!(told.against == "state" && told.reason.contains(word), "{told:?}");
        }
        assert!(folder.noticed().is_empty());

        fs::remove_dir_all(at).unwrap();
        assert_eq!(folder.noticed()[0].path.as_deref(), Some(at));
    }
}
