//! File events from the kernel by fanotify: the watcher where BPF cannot be loaded.
//!
//! A mark on each watched file system reports names, attributes and the last close of a writer; a mark on
//! each watched directory reports writes. Events name a directory by its handle and a name in it; the
//! directory's [`fim_core::FileId`] is made from the handle, so no paths are kept.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod actor;
mod decode;
mod exchange;
mod file_system;
mod group;
mod handle;
mod marks;
mod operations;
mod probe;
mod process;
mod procfs;
mod prove;
mod quiet;
mod reader;
mod registry;
mod resolve;
mod shared;
mod translate;
mod watcher;

#[doc(hidden)]
pub use decode::decode;
pub use probe::{Probe, probe, probe_at};
pub use watcher::{FanotifyConfig, FanotifyWatcher};
