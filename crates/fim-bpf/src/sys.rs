//! The calls of libbpf that libbpf-rs has no safe form for, each made safe here.
//!
//! Knows nothing of marks or records: bytes in, bytes out.

#![allow(unsafe_code)]

use libbpf_rs::libbpf_sys;
use std::ffi::{CString, c_void};
use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Makes an iterator over the files of processes: of process `pid` alone if one is given and where the kernel
/// can, else of all. The link is to be opened by [`open_iterator`].
pub fn link_task_file(program: BorrowedFd<'_>, pid: Option<u32>) -> io::Result<OwnedFd> {
    let mut info = libbpf_sys::bpf_iter_link_info::default();
    let of_all = libbpf_sys::bpf_link_create_opts {
        sz: size_of::<libbpf_sys::bpf_link_create_opts>() as libbpf_sys::size_t,
        ..Default::default()
    };
    let Some(pid) = pid else { return link(program, &of_all) };
    info.task.pid = pid;
    let of_process = libbpf_sys::bpf_link_create_opts {
        iter_info: &raw mut info,
        iter_info_len: size_of::<libbpf_sys::bpf_iter_link_info>() as u32,
        ..of_all
    };
    link(program, &of_process).or_else(|_| link(program, &of_all))
}

fn link(program: BorrowedFd<'_>, opts: &libbpf_sys::bpf_link_create_opts) -> io::Result<OwnedFd> {
    // SAFETY: the descriptor is open for the call; the options and what they point to outlive it.
    let fd = unsafe { libbpf_sys::bpf_link_create(program.as_raw_fd(), 0, libbpf_sys::BPF_TRACE_ITER, opts) };
    owned(fd)
}

/// A new pass of an iterator, to be read like a file.
pub fn open_iterator(link: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // SAFETY: the descriptor is open for the call, which takes nothing else.
    owned(unsafe { libbpf_sys::bpf_iter_create(link.as_raw_fd()) })
}

fn owned(fd: i32) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(-fd));
    }
    // SAFETY: the kernel has just given us this descriptor, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Runs a `raw_tp` program once, here and now, with these arguments.
pub fn run(program: BorrowedFd<'_>, args: &[u64]) -> io::Result<()> {
    let mut opts = libbpf_sys::bpf_test_run_opts {
        sz: size_of::<libbpf_sys::bpf_test_run_opts>() as libbpf_sys::size_t,
        ctx_in: args.as_ptr().cast(),
        ctx_size_in: u32::try_from(size_of_val(args)).unwrap_or(u32::MAX),
        ..Default::default()
    };
    // SAFETY: the options and the arguments they point to outlive the call, and their sizes are true.
    match unsafe { libbpf_sys::bpf_prog_test_run_opts(program.as_raw_fd(), &raw mut opts) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(-error)),
    }
}

/// Whether a program on the exit of this function of the kernel, by its number in BTF, would be let in: loads one that does
/// nothing.
pub fn try_to_hook(function: u32) -> io::Result<()> {
    // r0 = 0; exit
    let code: [libbpf_sys::bpf_insn; 2] =
        [0xb7, 0x95].map(|code| libbpf_sys::bpf_insn { code, ..Default::default() });
    let mut opts = libbpf_sys::bpf_prog_load_opts {
        sz: size_of::<libbpf_sys::bpf_prog_load_opts>() as libbpf_sys::size_t,
        expected_attach_type: libbpf_sys::BPF_TRACE_FEXIT,
        attach_btf_id: function,
        ..Default::default()
    };
    let (kind, name, license) = (libbpf_sys::BPF_PROG_TYPE_TRACING, c"fim_trial", c"GPL");
    // SAFETY: the strings, the instructions, as many as is said, and the options, in which libbpf writes, outlive the call.
    let fd = unsafe {
        libbpf_sys::bpf_prog_load(
            kind,
            name.as_ptr(),
            license.as_ptr(),
            code.as_ptr(),
            code.len() as libbpf_sys::size_t,
            &raw mut opts,
        )
    };
    owned(fd).map(drop)
}

/// How often the kernel skipped a program because it was already running; 0 where it does not count.
pub fn missed_runs(program: BorrowedFd<'_>) -> io::Result<u64> {
    program_cost(program).map(|(_, _, missed)| missed)
}

/// Makes the kernel measure all programs while this is open.
pub fn measure_programs() -> io::Result<OwnedFd> {
    // SAFETY: it takes a number and nothing else.
    owned(unsafe { libbpf_sys::bpf_enable_stats(libbpf_sys::BPF_STATS_RUN_TIME) })
}

/// Runs of a program while the kernel measured, the nanoseconds they took, and runs it skipped.
pub fn program_cost(program: BorrowedFd<'_>) -> io::Result<(u64, u64, u64)> {
    let mut info = libbpf_sys::bpf_prog_info::default();
    let mut size = size_of::<libbpf_sys::bpf_prog_info>() as u32;
    // SAFETY: `info` is plain data of `size` bytes that the kernel fills up to what it knows.
    match unsafe { libbpf_sys::bpf_prog_get_info_by_fd(program.as_raw_fd(), &raw mut info, &raw mut size) } {
        0 => Ok((info.run_cnt, info.run_time_ns, info.recursion_misses)),
        error => Err(io::Error::from_raw_os_error(-error)),
    }
}

/// The number of a pinned link; `None` when it cannot be opened.
pub fn pinned_link(path: &Path) -> Option<u32> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    // SAFETY: the path is a string that outlives the call.
    let fd = owned(unsafe { libbpf_sys::bpf_obj_get(path.as_ptr()) }).ok()?;
    link_id(fd.as_fd()).ok()
}

/// The number of a link, as long as the descriptor is one.
pub fn link_id(link: BorrowedFd<'_>) -> io::Result<u32> {
    let mut info = libbpf_sys::bpf_link_info::default();
    let mut size = size_of::<libbpf_sys::bpf_link_info>() as u32;
    // SAFETY: `info` is plain data of `size` bytes that the kernel fills up to what it knows.
    match unsafe { libbpf_sys::bpf_link_get_info_by_fd(link.as_raw_fd(), &raw mut info, &raw mut size) } {
        0 => Ok(info.id),
        error => Err(io::Error::from_raw_os_error(-error)),
    }
}

/// Whether there is a link of this number.
pub fn link_exists(id: u32) -> bool {
    // SAFETY: it takes a number and nothing else.
    owned(unsafe { libbpf_sys::bpf_link_get_fd_by_id(id) }).is_ok()
}

/// Visits all entries of a hash map, whole buckets at a time, so that no entry that stays is missed.
/// `batch` is the number of entries asked for at once; it grows when a bucket holds more.
pub fn visit_map(
    map: BorrowedFd<'_>,
    (key_size, value_size): (usize, usize),
    batch: usize,
    mut visit: impl FnMut(&[u8], &[u8]),
) -> io::Result<()> {
    let mut room = batch.max(1);
    let mut keys = vec![0_u8; room * key_size];
    let mut values = vec![0_u8; room * value_size];
    let mut at = [0_u8; 64];
    let mut started = false;
    loop {
        let mut count = u32::try_from(room).unwrap_or(u32::MAX);
        let mut next = [0_u8; 64];
        let from = if started { at.as_mut_ptr().cast::<c_void>() } else { std::ptr::null_mut() };
        // SAFETY: `keys` and `values` have room for `count` entries of the map's sizes; the kernel keeps its
        // place in 4 bytes, or a key's, of `at` and `next`.
        let result = unsafe {
            libbpf_sys::bpf_map_lookup_batch(
                map.as_raw_fd(),
                from,
                next.as_mut_ptr().cast(),
                keys.as_mut_ptr().cast(),
                values.as_mut_ptr().cast(),
                &raw mut count,
                std::ptr::null(),
            )
        };
        let end = match -result {
            0 => false,
            ENOENT => true,
            EINTR => continue,
            ENOSPC if room < (1 << 20) => {
                room *= 2;
                keys.resize(room * key_size, 0);
                values.resize(room * value_size, 0);
                continue;
            }
            error => return Err(io::Error::from_raw_os_error(error)),
        };
        let count = count as usize;
        for (key, value) in keys.chunks_exact(key_size).zip(values.chunks_exact(value_size)).take(count) {
            visit(key, value);
        }
        if end {
            return Ok(());
        }
        at = next;
        started = true;
    }
}

const ENOENT: i32 = 2;
const EINTR: i32 = 4;
const ENOSPC: i32 = 28;
