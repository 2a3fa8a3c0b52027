//! Which package a file is of, and whether it is as it came with it.

use crate::config::Plan;
use fim_core::{Checksum, Checksums, Limits, Need, Reader};
use fim_explainers::{Dpkg, Owner};
use std::path::Path;

/// In words; `None` where there is no database to ask, or changes are not held against it.
pub fn package(plan: &Plan, path: &Path) -> Option<String> {
    if !plan.config.packages.verify {
        return None;
    }
    let mut dpkg = match Dpkg::below(&plan.config.root) {
        Ok(dpkg) => dpkg?,
        Err(error) => return Some(format!("dpkg's database cannot be asked: {error}")),
    };
    let owners = dpkg.owners(path, &mut OfFile { path, most: plan.config.limits.max_file_size.0 });
    if owners.is_empty() {
        return Some("of none, by dpkg's database".to_owned());
    }
    let each: Vec<String> = owners.iter().map(describe).collect();
    Some(each.join("; "))
}

fn describe(owner: &Owner) -> String {
    let version = owner.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let word = match (owner.is_configuration, owner.is_same) {
        (false, Some(true)) => "and as it came with it, by its MD5",
        (false, Some(false)) => "but NOT AS IT CAME WITH IT: other content than the package has there",
        (true, Some(true)) => "a configuration file of it, and as it came with it",
        (true, Some(false)) => "a configuration file of it, and edited since it came",
        (true, None) => "a configuration file of it, with nothing to compare",
        (false, None) => "with nothing to compare: no digest of it is known, or it is not read",
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
