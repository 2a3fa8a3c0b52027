//! Whose a file is and whether it is as it came, for whoever asks: no change, no reason.

use super::Rpm;
use crate::packages::{self, Owner};
use fim_core::Checksums;
use std::path::Path;

impl Rpm {
    /// The packages that have this path. `checksums` is asked for that of the file.
    ///
    /// ```
    /// # struct Digest(&'static std::path::Path);
    /// # impl fim_core::Checksums for Digest {
    /// #     fn of_content(&mut self, _: fim_core::Checksum) -> Option<Vec<u8>> { None }
    /// # }
    /// use fim_explainers::Rpm;
    ///
    /// let path = "/usr/bin/env".as_ref();
    /// if let Some(mut rpm) = Rpm::below("/".as_ref())? {
    ///     for owner in rpm.owners(path, &mut Digest(path)) {
    ///         println!("{} {}", owner.package, owner.version.unwrap_or_default());
    ///     }
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn owners(&mut self, path: &Path, checksums: &mut dyn Checksums) -> Vec<Owner> {
        let Some(path) = packages::below(&self.root, path) else { return Vec::new() };
        self.database.refresh();
        let claims = self.claims(path).into_iter();
        let owner = claims.map(|(identity, file)| {
            // What was left out, or is made by whoever uses it, is not there to be compared.
            let may_differ = file.may_change && !file.is_config;
            let digest = file.digest.filter(|_| file.is_installed && !file.is_ghost && !may_differ);
            let is_same =
                digest.and_then(|(checksum, digest)| Some(checksums.of_content(checksum)? == digest));
            Owner {
                package: identity.name.clone(),
                version: Some(identity.version.clone()),
                is_configuration: file.is_config,
                is_same,
            }
        });
        owner.collect()
    }
}
