//! Sizes and offsets of what crosses between the kernel and here, as `src-bpf/record.h` has them.
//!
//! Only numbers. `skel.rs` holds them against the compiled programs.

/// `struct fim_key`.
pub const KEY: usize = 16;
/// `struct fim_mark`.
pub const MARK: usize = 16;
/// Offset of `dirty` in it.
pub const MARK_DIRTY: usize = 1;
/// Offset of `mapped` in it.
pub const MARK_MAPPED: usize = 2;
/// `struct fim_change`.
pub const CHANGE: usize = 40;
/// Offset of `file` in it.
pub const CHANGE_FILE: usize = 24;
/// `struct fim_names`, without its slots.
pub const NAMES: usize = 80;
/// Offset of `slot` in it.
pub const NAMES_SLOT: usize = 72;
/// `struct fim_process`.
pub const PROCESS: usize = 1496;
/// Offset of `comm` in it.
pub const PROCESS_COMM: usize = 56;
/// Size of `comm`.
pub const COMM: usize = 16;
/// Size of `cgroup` in it.
pub const PROCESS_CGROUP: usize = 128;
/// Size of `args` in it.
pub const PROCESS_ARGS: usize = 512;
/// Offset of `path` in it.
pub const PROCESS_PATH: usize = PROCESS_COMM + 2 * COMM + PROCESS_CGROUP + PROCESS_ARGS;
/// `struct fim_filled`.
pub const FILLED: usize = 24;
/// `OPS`.
pub const OPS: usize = 32;
/// `struct fim_counts`.
pub const COUNTS: usize = 8 * (3 + OPS);
/// `struct fim_kept`.
pub const KEPT: usize = 32;
/// Processes that are kept for the next agent, and that the kernel remembers having told where they are.
pub const KEPT_PROCESSES: u32 = 2048;
/// A digest of `src-bpf/record.h`: maps of another form are of no use to us.
pub const DIGEST: u64 = match u64::from_str_radix(env!("FIM_RECORD_DIGEST"), 10) {
    Ok(digest) => digest,
    Err(_) => 0,
};
/// Entries of the map `wanted`: the largest batch of one fill.
pub const WANTED: usize = 4096;

/// `enum fim_scope`.
pub mod scope {
    pub const FILE: u32 = 1;
    pub const NAMES: u32 = 2;
    pub const TREE: u32 = 3;
}

/// `enum fim_kind`.
pub mod kind {
    pub const CHANGE: u8 = 1;
    pub const NAMES: u8 = 2;
    pub const PROCESS: u8 = 3;
}

/// `enum fim_op`.
pub mod op {
    pub const WRITE: u8 = 1;
    pub const MMAP: u8 = 2;
    pub const IO_URING: u8 = 3;
    pub const AIO: u8 = 4;
    pub const SPLICE: u8 = 5;
    pub const COPY: u8 = 6;
    pub const FALLOCATE: u8 = 7;
    pub const TRUNCATE: u8 = 8;
    pub const KERNEL: u8 = 9;
    pub const CREATE: u8 = 10;
    pub const MKDIR: u8 = 11;
    pub const MKNOD: u8 = 12;
    pub const SYMLINK: u8 = 13;
    pub const LINK: u8 = 14;
    pub const RENAME: u8 = 15;
    pub const EXCHANGE: u8 = 16;
    pub const UNLINK: u8 = 17;
    pub const RMDIR: u8 = 18;
    pub const ATTRIBUTES: u8 = 19;
    pub const XATTR: u8 = 20;
    pub const FLAGS: u8 = 21;
    pub const CLOSE: u8 = 22;
    pub const EVICT: u8 = 23;
    pub const MOUNT: u8 = 24;
    pub const WRITEV: u8 = 25;
    pub const ACL: u8 = 27;
}

/// Flags of a change.
pub const SETTLED: u16 = 1;
/// In the flags of a rename: what was renamed is a directory.
pub const DIR: u16 = 2;

/// Flags of a process.
pub mod process {
    pub const KTHREAD: u8 = 1;
    pub const HAS_ARGS: u8 = 2;
    pub const HAS_PATH: u8 = 4;
}

/// `enum fim_control`.
pub mod control {
    pub const CLEAR: u64 = 1;
    pub const REMOVE: u64 = 2;
    pub const PROBE: u64 = 3;
    pub const PROBED: u64 = 4;
}
