//! Sizes and offsets of what crosses between the kernel and here, as `src-bpf/record.h` has them.
//!
//! Only numbers. `skel.rs` holds sizes and offsets against the compiled programs, the test below the others against the
//! header.

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
    Err(_) => panic!("build.rs gives a number"),
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// What the header calls a number: its enumerators, of which one without a value is one more than the one before, and
    /// its `#define`s of a number.
    fn numbers(header: &str) -> HashMap<&str, u64> {
        let mut numbers = HashMap::new();
        for (name, value) in header.lines().filter_map(|line| line.strip_prefix("#define ")?.split_once(' '))
        {
            let value = value.split_whitespace().next().and_then(|word| word.parse().ok());
            numbers.extend(value.map(|value| (name, value)));
        }
        for body in
            header.split("\nenum ").skip(1).filter_map(|rest| rest.split('{').nth(1)?.split('}').next())
        {
            let mut next = 0;
            let words = body.split("/*").map(|part| part.split_once("*/").map_or(part, |(_, code)| code));
            for member in
                words.flat_map(|code| code.split(',')).map(str::trim).filter(|member| !member.is_empty())
            {
                let (name, value) = member.split_once('=').unwrap_or((member, ""));
                next = value.trim().parse().unwrap_or(next);
                numbers.insert(name.trim(), next);
                next += 1;
            }
        }
        numbers
    }

    #[test]
    fn numbers_are_those_of_the_header() {
        let header = include_str!("../src-bpf/record.h");
        let theirs = numbers(header);
        let ours: &[(&str, u64)] = &[
            ("SCOPE_FILE", scope::FILE.into()),
            ("SCOPE_NAMES", scope::NAMES.into()),
            ("SCOPE_TREE", scope::TREE.into()),
            ("KIND_CHANGE", kind::CHANGE.into()),
            ("KIND_NAMES", kind::NAMES.into()),
            ("KIND_PROCESS", kind::PROCESS.into()),
            ("OP_WRITE", op::WRITE.into()),
            ("OP_MMAP", op::MMAP.into()),
            ("OP_IO_URING", op::IO_URING.into()),
            ("OP_AIO", op::AIO.into()),
            ("OP_SPLICE", op::SPLICE.into()),
            ("OP_COPY", op::COPY.into()),
            ("OP_FALLOCATE", op::FALLOCATE.into()),
            ("OP_TRUNCATE", op::TRUNCATE.into()),
            ("OP_KERNEL", op::KERNEL.into()),
            ("OP_CREATE", op::CREATE.into()),
            ("OP_MKDIR", op::MKDIR.into()),
            ("OP_MKNOD", op::MKNOD.into()),
            ("OP_SYMLINK", op::SYMLINK.into()),
            ("OP_LINK", op::LINK.into()),
            ("OP_RENAME", op::RENAME.into()),
            ("OP_EXCHANGE", op::EXCHANGE.into()),
            ("OP_UNLINK", op::UNLINK.into()),
            ("OP_RMDIR", op::RMDIR.into()),
            ("OP_ATTRIBUTES", op::ATTRIBUTES.into()),
            ("OP_XATTR", op::XATTR.into()),
            ("OP_FLAGS", op::FLAGS.into()),
            ("OP_CLOSE", op::CLOSE.into()),
            ("OP_EVICT", op::EVICT.into()),
            ("OP_MOUNT", op::MOUNT.into()),
            ("OP_WRITEV", op::WRITEV.into()),
            ("OP_ACL", op::ACL.into()),
            ("PROC_KTHREAD", process::KTHREAD.into()),
            ("PROC_HAS_ARGS", process::HAS_ARGS.into()),
            ("PROC_HAS_PATH", process::HAS_PATH.into()),
            ("CONTROL_CLEAR", control::CLEAR),
            ("CONTROL_REMOVE", control::REMOVE),
            ("CONTROL_PROBE", control::PROBE),
            ("CONTROL_PROBED", control::PROBED),
            ("FLAG_SETTLED", SETTLED.into()),
            ("FLAG_DIR", DIR.into()),
            ("OPS", OPS as u64),
            ("PROC_ARGS", PROCESS_ARGS as u64),
            ("PROC_CGROUP", PROCESS_CGROUP as u64),
        ];
        for (name, number) in ours {
            assert_eq!(theirs.get(name), Some(number), "{name}");
        }
    }
}
