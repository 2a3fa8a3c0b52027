//! Where this process may still write: Landlock (since Linux 5.13). Reading stays as it is, for a reload may
//! name any path; starting programs is over.

use landlock::{
    ABI, AccessFs, BitFlags, LandlockStatus, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus,
};
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The newest rights that are known here; older kernels take what they know.
const NEWEST: ABI = ABI::V6;

/// How far the kernel goes along.
#[derive(Debug)]
pub enum Writable {
    /// Nothing is written but below these places.
    Below(Vec<PathBuf>),
    /// Everything that the user may write can be written, and why.
    Everywhere(String),
}

impl fmt::Display for Writable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Below(places) => {
                let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
                write!(f, "Landlock: writes below {} alone", places.join(" and "))
            }
            Self::Everywhere(why) => write!(f, "no Landlock: {why}"),
        }
    }
}

/// Forbids this thread, and those it starts, to write anywhere else or to start a program.
pub fn close(places: &[PathBuf]) -> Writable {
    match restrict(places) {
        Ok((RulesetStatus::NotEnforced, LandlockStatus::NotEnabled)) => {
            Writable::Everywhere("it is not switched on at boot (lsm=)".to_owned())
        }
        Ok((RulesetStatus::NotEnforced, _)) => Writable::Everywhere("this kernel has none".to_owned()),
        Ok(_) => Writable::Below(places.to_vec()),
        Err(error) => Writable::Everywhere(error.to_string()),
    }
}

fn restrict(places: &[PathBuf]) -> Result<(RulesetStatus, LandlockStatus), RulesetError> {
    let mut rules =
        Ruleset::default().handle_access(AccessFs::from_write(NEWEST) | AccessFs::Execute)?.create()?;
    for place in places {
        match PathFd::new(place) {
            Ok(folder) => rules = rules.add_rule(PathBeneath::new(folder, replacing_files()))?,
            Err(error) => log::warn!("{} cannot be written until fim is restarted: {error}", place.display()),
        }
    }
    let status = rules.restrict_self()?;
    Ok((status.ruleset, status.landlock))
}

/// All that is done in a folder of our own. To move from one folder to another is not in it: kernels before 5.19
/// cannot grant that.
fn replacing_files() -> BitFlags<AccessFs> {
    AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::MakeSock
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir
}

/// Whether a folder is not ours: root without CAP_DAC_OVERRIDE may not write in it.
pub fn belongs_to_another(folder: &Path) -> bool {
    folder.metadata().is_ok_and(|found| found.uid() != rustix::process::geteuid().as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_the_places_can_be_written() {
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (open, shut) = (inside.path().to_owned(), outside.path().to_owned());
        fs::write(shut.join("f"), "x").unwrap();
        std::thread::spawn(move || {
            if let Writable::Everywhere(why) = close(std::slice::from_ref(&open)) {
                println!("skipped: {why}");
                return;
            }
            fs::write(open.join("new"), "x").unwrap();
            fs::rename(open.join("new"), open.join("f")).unwrap();
            fs::create_dir(open.join("d")).unwrap();
            fs::rename(open.join("d"), open.join("e")).unwrap();
            fs::remove_dir(open.join("e")).unwrap();
            assert_eq!(fs::read(shut.join("f")).unwrap(), b"x");
            for refused in [
                fs::write(shut.join("f"), "y"),
                fs::write(shut.join("new"), "y"),
                fs::remove_file(shut.join("f")),
                fs::rename(open.join("f"), shut.join("g")),
                fs::create_dir(shut.join("d")),
                std::os::unix::fs::symlink("x", shut.join("l")),
                std::process::Command::new("/bin/true").status().map(drop),
            ] {
                assert!(refused.is_err());
            }
        })
        .join()
        .unwrap();
        assert_eq!(fs::read(outside.path().join("f")).unwrap(), b"x");
    }
}
