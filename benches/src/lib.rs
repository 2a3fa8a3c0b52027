//! Benchmarks of `fim`: the harness that measures it beside references and peers.
//!
//! Measures from outside, by the command and its lines; knows no insides of `fim`.

pub mod agent;
pub mod cost;
pub mod figure;
pub mod inotify_loop;
pub mod one_diff;
pub mod pairs;
pub mod results;
pub mod rows;
pub mod tree;

/// Anything that ends a measurement.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
