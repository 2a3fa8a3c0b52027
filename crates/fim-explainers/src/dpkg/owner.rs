//! Whose a file is and whether it is as it came, for whoever asks: no change, no reason.

use super::Dpkg;
use crate::packages::{self, Owner, aliases};
use fim_core::{Checksum, Checksums};
use std::path::Path;

impl Dpkg {
    /// The packages that have this path. `checksums` is asked for that of the file, once.
    ///
    /// ```
    /// # struct Md5(&'static std::path::Path);
    /// # impl fim_core::Checksums for Md5 {
    /// #     fn of_content(&mut self, _: fim_core::Checksum) -> Option<Vec<u8>> { None }
    /// # }
    /// use fim_explainers::Dpkg;
    ///
    /// let path = "/usr/bin/env".as_ref();
    /// if let Some(mut dpkg) = Dpkg::below("/".as_ref())? {
    ///     for owner in dpkg.owners(path, &mut Md5(path)) {
    ///         println!("{} {}", owner.package, owner.version.unwrap_or_default());
    ///     }
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn owners(&mut self, path: &Path, checksums: &mut dyn Checksums) -> Vec<Owner> {
        let Some(path) = packages::below(&self.root, path).map(<[u8]>::to_vec) else { return Vec::new() };
        self.database.refresh();
        let claims = self.claims(&path);
        let found = claims
            .iter()
            .any(|claim| claim.digest.is_some())
            .then(|| checksums.of_content(Checksum::Md5))
            .flatten();
        let mut owners: Vec<Owner> = Vec::new();
        for claim in claims {
            let is_same = found.as_deref().zip(claim.digest).map(|(found, known)| known[..] == *found);
            if !owners.iter().any(|known| known.package == claim.stem) {
                let is_configuration = claim.is_conffile;
                owners.push(Owner { package: claim.stem, version: claim.version, is_configuration, is_same });
            }
        }
        if owners.is_empty() {
            for stem in self.database.listing(&aliases(&path)) {
                let version = self.version(&stem);
                owners.push(Owner { package: stem, version, is_configuration: false, is_same: None });
            }
        }
        owners
    }
}
