//! Which package a file is of, and whether it is as it came with it.

use crate::config::Plan;
use fim_core::{Checksum, Checksums, Limits, Need, Reader};
use fim_explainers::{Dpkg, Owner, Rpm};
use std::path::Path;

/// In words; `None` where there is no database to ask, or changes are not held against it.
pub fn package(plan: &Plan, path: &Path) -> Option<String> {
    if !plan.config.packages.verify {
        return None;
    }
    let root = &plan.config.root;
    let (dpkg, rpm) = match Dpkg::below(root).and_then(|dpkg| Ok((dpkg, Rpm::below(root)?))) {
        Ok(found) => found,
        Err(error) => return Some(format!("the database of packages cannot be asked: {error}")),
    };
    let whose = match (&dpkg, &rpm) {
        (None, None) => return None,
        (Some(_), None) => "dpkg's database",
        (None, Some(_)) => "rpm's database",
        (Some(_), Some(_)) => "the databases of dpkg and rpm",
    };
    let mut file = OfFile { path, most: plan.config.limits.max_file_size.0 };
    let by_dpkg = dpkg.map(|mut dpkg| dpkg.owners(path, &mut file)).unwrap_or_default();
    let by_rpm = rpm.map(|mut rpm| rpm.owners(path, &mut file)).unwrap_or_default();
    if by_dpkg.is_empty() && by_rpm.is_empty() {
        return Some(format!("of none, by {whose}"));
    }
    let by_dpkg = by_dpkg.iter().map(|owner| describe(owner, "MD5"));
    let by_rpm = by_rpm.iter().map(|owner| describe(owner, "digest"));
    Some(by_dpkg.chain(by_rpm).collect::<Vec<_>>().join("; "))
}

fn describe(owner: &Owner, checksum: &str) -> String {
    let version = owner.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let word = match (owner.is_configuration, owner.is_same) {
        (false, Some(true)) => format!("and as it came with it, by its {checksum}"),
        (false, Some(false)) => {
            "but NOT AS IT CAME WITH IT: other content than the package has there".to_owned()
        }
        (true, Some(true)) => "a configuration file of it, and as it came with it".to_owned(),
        (true, Some(false)) => "a configuration file of it, and edited since it came".to_owned(),
        (true, None) => "a configuration file of it, with nothing to compare".to_owned(),
        (false, None) => "with nothing to compare: no digest of it is known, or it is not read".to_owned(),
    };
    format!("{}{version}, {word}", owner.package)
}

/// The checksum of what is there now: read as the agent reads it, and no file that it would not.
struct OfFile<'a> {
    path: &'a Path,
    most: u64,
}

impl Checksums for OfFile<'_> {
    fn of_content(&mut self, checksum: Checksum) -> Option<Vec<u8>> {
        let mut need = Need::default();
        need.checksum = Some(checksum);
        let limits = Limits { max_hash_bytes: self.most, ..Limits::default() };
        Reader::new(limits).ok()?.look(self.path, need).checksum
    }
}
