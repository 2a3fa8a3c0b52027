//! Parsers of file formats: bytes in, meaning out. Pure, and no input makes them panic.

#[cfg(feature = "access")]
pub mod access;
#[cfg(feature = "users")]
pub mod authorized_keys;
#[cfg(feature = "users")]
pub mod authorized_principals;
#[cfg(feature = "users")]
pub mod group;
#[cfg(feature = "users")]
pub mod gshadow;
#[cfg(feature = "users")]
mod lines;
#[cfg(feature = "users")]
pub mod passwd;
#[cfg(feature = "users")]
pub mod password;
#[cfg(feature = "users")]
pub mod shadow;
#[cfg(feature = "users")]
pub mod ssh_key;
#[cfg(feature = "users")]
pub mod sshd_config;

#[cfg(feature = "users")]
pub use lines::Odd;
