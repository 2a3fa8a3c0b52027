//! Ways in for fuzzing: what reads what others have a say in. Not for other use.

pub use crate::dpkg::fuzz::database as dpkg;
pub use crate::rpm::fuzz::database as rpm;
