//! The engine with real files and replayed events: which lines come of what.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    missing_debug_implementations
)]

mod backlog;
mod barrier;
mod births;
mod changes;
mod clears;
mod crash;
mod disk;
mod faults;
mod house;
mod interests;
mod links;
mod losses;
mod mounts;
mod reasons;
mod reload;
mod renames;
mod requests;
mod rest;
mod scans;
mod state;
mod status;
mod tampering;
mod unreadable;
