//! JSON that was written before, and is part of many lines: which machine speaks, which process it was. Pure.

use serde::{Serialize, Serializer};
use std::fmt;

/// A value as it is written. It is one more part of a line of [`put`](super::put), and of nothing else: another serializer
/// would take it for a list of numbers.
#[derive(Clone, PartialEq, Eq)]
pub struct Written(Vec<u8>);

/// Bytes of most values.
const USUAL: usize = 512;

impl Written {
    /// Writes a value.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn of(value: &impl Serialize) -> serde_json::Result<Self> {
        let mut text = Vec::with_capacity(USUAL);
        super::put(value, &mut text)?;
        Ok(Self(text))
    }
}

/// The fields of an object that was written, and has some, as fields of another: they have names already, so that they are
/// added with [`FIELDS`] for one.
pub struct Fields<'a>(pub &'a Written);

/// The name of what has names itself.
pub const FIELDS: &str = "";

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(Written(object)) = self;
        let inside = object.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
        to.serialize_bytes(inside.unwrap_or_default())
    }
}

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&self.0)
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}
