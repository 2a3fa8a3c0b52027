//! What the lines and the state are worth when somebody pulls at them: the real command, stopped, killed,
//! out of space; its log cut, altered and put together wrongly.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod chain;
mod confine;
mod crash;
mod disk;
mod house;
mod order;
mod tampering;
