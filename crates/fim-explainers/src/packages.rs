//! What the explainers by databases of packages share.

mod paths;
mod print;
mod sieve;
#[cfg(feature = "dpkg")]
mod stillness;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use paths::{aliases, below, place};
pub(crate) use print::Print;
pub(crate) use sieve::Sieve;
#[cfg(feature = "dpkg")]
pub(crate) use stillness::Stillness;

use fim_core::Explanation;

/// A package that has a path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Owner {
    /// Its name; with its architecture, where several can be installed side by side.
    pub package: String,
    /// The version of it that is there, or is being unpacked.
    pub version: Option<String>,
    /// The path is a configuration file of it: it may be edited.
    pub is_configuration: bool,
    /// Whether what is there is what it has: `None` if it has no digest of it (as of a folder or a link), or the file
    /// could not be read.
    pub is_same: Option<bool>,
}

/// That a package has it so.
pub(crate) fn explanation(
    manager: &'static str,
    package: &str,
    version: Option<&str>,
    lowers: bool,
) -> Explanation {
    let mut of = vec![("manager", manager.to_owned()), ("package", package.to_owned())];
    of.extend(version.map(|version| ("version", version.to_owned())));
    Explanation { by: "package", of, lowers }
}
