//! Builds the BPF skeleton.

fn main() {}
