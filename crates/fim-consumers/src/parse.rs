//! Parsers of file formats: bytes in, meaning out. Pure, and no input makes them panic.

#[cfg(feature = "access")]
pub mod access;
