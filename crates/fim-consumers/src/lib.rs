//! What a change means: consumers for `fim`, one module and one cargo feature each.
//!
//! A consumer compares two looks at a file and says what changed in its own terms. None of them reads files
//! or knows how changes come to light.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "access")]
mod access;
#[cfg(feature = "generic")]
mod generic;
#[cfg(feature = "generic_diff")]
mod generic_diff;
pub mod parse;
pub mod redact;
#[cfg(feature = "users")]
mod said;
pub mod secrets;
#[cfg(feature = "users")]
mod sshd_options;
#[cfg(feature = "users")]
mod sshd_order;
#[cfg(feature = "users")]
mod users;

#[cfg(feature = "access")]
pub use access::{Access, AccessConfig};
#[cfg(feature = "generic")]
pub use generic::{Generic, GenericConfig};
#[cfg(feature = "generic_diff")]
pub use generic_diff::{DiffLimits, GenericDiff, GenericDiffConfig};
#[cfg(feature = "users")]
pub use users::{Users, UsersConfig};
