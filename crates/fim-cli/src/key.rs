//! The key of this installation: `key` in the state folder, made at the first start; other secrets are made alike.

use crate::failure::Failure;
use fim_core::Key;
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const FILE: &str = "key";
/// Written first, then given its name: a crash between the two leaves no half key.
const NEW: &str = "key.new";

/// The key in this state folder, which must exist; makes one if there is none.
///
/// # Errors
/// When it cannot be read or made, or is no key.
pub fn load(state: &Path) -> Result<Key, Failure> {
    bytes(state, FILE).map(Key::new)
}

/// The secret of this name in a state folder, which must exist; makes one if there is none.
///
/// # Errors
/// When it cannot be read or made, or is none.
pub fn bytes(state: &Path, name: &str) -> Result<[u8; 32], Failure> {
    let path = state.join(name);
    let failed = |what: &str, error: &io::Error| Failure::new(format!("{}: {what}: {error}", path.display()));
    match read(&path) {
        Ok(key) => Ok(key),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(state, name).map_err(|error| failed("cannot make the key of this installation", &error))
        }
        Err(error) => Err(failed("cannot read the key of this installation", &error)),
    }
}

/// The key in this file.
///
/// # Errors
/// When it cannot be read, or is no key.
pub fn load_file(path: &Path) -> Result<Key, Failure> {
    let failed = |error| Failure::new(format!("{}: cannot read the key: {error}", path.display()));
    std::fs::read(path).map_err(|error| failed(error.to_string())).and_then(|bytes| {
        let bytes = bytes.try_into().map_err(|_| failed("it is no key of 32 bytes".to_owned()))?;
        Ok(Key::new(bytes))
    })
}

/// Random bytes, fit for secrets.
///
/// # Errors
/// When the system gives none.
pub fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read(path: &Path) -> io::Result<[u8; 32]> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let mut file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let stat = file.metadata()?;
    if stat.mode() & 0o077 != 0 {
        log::warn!(
            "{}: others could read it: take its digests for known; it is yours alone from now on",
            path.display()
        );
        rustix::fs::fchmod(&file, Mode::RUSR | Mode::WUSR)?;
    }
    let mut bytes = [0; 32];
    if !stat.is_file() || stat.len() != bytes.len() as u64 {
        let what = "it is no key of 32 bytes: move it away, and a new one is made";
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn make(state: &Path, name: &str) -> io::Result<[u8; 32]> {
    let bytes = random()?;
    let new = state.join(NEW);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::open(&new, flags, Mode::RUSR | Mode::WUSR)?);
    file.write_all(&bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, state.join(name))?;
    File::open(state)?.sync_all()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn it_is_made_once_and_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let key = load(dir.path()).unwrap();
        assert_eq!(load(dir.path()).unwrap(), key);
        let mode = || std::fs::metadata(dir.path().join(FILE)).unwrap().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(dir.path().join(FILE), PermissionsExt::from_mode(0o644)).unwrap();
        assert_eq!(load(dir.path()).unwrap(), key);
        assert_eq!(mode(), 0o600);
    }

    #[test]
    fn what_is_no_key_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        std::fs::write(&path, "short").unwrap();
        assert!(load(dir.path()).unwrap_err().to_string().contains("no key of 32 bytes"));
        assert_eq!(std::fs::read(&path).unwrap(), b"short");
        std::fs::remove_file(&path).unwrap();
        symlink("/etc/passwd", &path).unwrap();
        assert!(load(dir.path()).is_err());
    }
}
