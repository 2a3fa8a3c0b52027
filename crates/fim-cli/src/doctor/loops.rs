//! Files behind loop devices with direct I/O, by `/sys/block/loop*/loop/{backing_file,dio}`: the kernel's
//! `Documentation/ABI/testing/sysfs-block-loop`. What is written to the device reaches the file past every hook.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// The files, each with its device.
pub fn direct() -> Vec<(PathBuf, String)> {
    direct_in(Path::new("/sys/block"))
}

fn direct_in(block: &Path) -> Vec<(PathBuf, String)> {
    let devices = std::fs::read_dir(block).into_iter().flatten().flatten();
    let mut found: Vec<_> = devices
        .filter_map(|device| {
            let about = device.path().join("loop");
            if std::fs::read(about.join("dio")).ok()?.first() != Some(&b'1') {
                return None;
            }
            let mut file = std::fs::read(about.join("backing_file")).ok()?;
            if file.last() == Some(&b'\n') {
                file.pop();
            }
            let device = format!("/dev/{}", device.file_name().to_string_lossy());
            Some((PathBuf::from(OsString::from_vec(file)), device))
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_those_with_direct_io() {
        let block = tempfile::tempdir().unwrap();
        let device = |name: &str, file: &str, dio: &str| {
            let about = block.path().join(name).join("loop");
            fs::create_dir_all(&about).unwrap();
            fs::write(about.join("backing_file"), file).unwrap();
            fs::write(about.join("dio"), dio).unwrap();
        };
        device("loop1", "/srv/b.img\n", "1\n");
        device("loop0", "/srv/a b.img\n", "1\n");
        device("loop2", "/srv/c.img\n", "0\n");
        fs::create_dir(block.path().join("sda")).unwrap();
        let found = direct_in(block.path());
        let expected = [("/srv/a b.img", "/dev/loop0"), ("/srv/b.img", "/dev/loop1")];
        assert_eq!(found, expected.map(|(file, device)| (PathBuf::from(file), device.to_owned())));
        assert!(direct_in(&block.path().join("nowhere")).is_empty());
    }
}
