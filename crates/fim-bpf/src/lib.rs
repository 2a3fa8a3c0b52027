//! File events from the kernel by BPF: a [`Watcher`](fim_core::Watcher) for `fim`.
//!
//! Programs in the kernel hook the functions through which files change, test the inode against a map of
//! marks, and send a record for the first touch of a marked file by each process. This crate chooses and
//! loads them, proves that they fire, decodes their records and makes up for lost ones. It knows nothing
//! of consumers, stores, or what a change means.
//!
#![doc = include_str!("../README.md")]

mod actors;
mod cgroup;
mod checks;
mod clock;
mod config;
mod costs;
pub mod decode;
mod hooks;
mod intake;
mod kept;
mod layout;
mod losses;
mod marks;
mod object;
mod pins;
mod prove;
mod ring;
mod skel;
mod subvolumes;
mod sys;
mod takeover;
mod watcher;

pub use config::{BpfConfig, PinConfig};
pub use costs::{Costs, ProgramCost};
pub use pins::unpin;
pub use prove::Probe;
pub use watcher::BpfWatcher;
