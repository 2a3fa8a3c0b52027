//! Benchmarks of `fim`: the harness that times it against references and peers.
