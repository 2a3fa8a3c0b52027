//! The command `fim`.

fn main() {}
