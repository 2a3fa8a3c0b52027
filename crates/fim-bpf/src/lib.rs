//! File events from the kernel by BPF: a [`Watcher`](fim_core::Watcher) for `fim`.
//!
//! Programs in the kernel hook the functions through which files change, test the inode against a map of
//! marks, and send a record for the first touch of a marked file by each process. This crate chooses and
//! loads them, proves that they fire, decodes their records and makes up for lost ones. It knows nothing
//! of consumers, stores, or what a change means.

#![warn(unsafe_code)]

mod actors;
mod clock;
mod config;
pub mod decode;
mod hooks;
mod intake;
mod layout;
mod losses;
mod marks;
mod object;
mod prove;
mod skel;
mod sys;
mod watcher;

pub use config::BpfConfig;
pub use prove::Probe;
pub use watcher::BpfWatcher;
