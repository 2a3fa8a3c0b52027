//! The bytes of a record from the ring, understood. Pure: no I/O, no panic on any input.
//!
//! Knows the layout of `src-bpf/record.h`; knows nothing of libbpf, nor of what a record will mean.

use crate::layout::{self, kind, op};
use fim_core::procfs::arguments;
use fim_core::{FileId, Via};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawRecord<'a> {
    /// A file was touched.
    Change(Change),
    /// A name came, went or moved.
    Names(Names<'a>),
    /// A process that the next changes name.
    Process(Box<Process<'a>>),
}

/// A touch of a marked file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// By what kind of call.
    pub via: Via,
    /// Whether no writer is left.
    pub settled: bool,
    /// Process id; 0 where nobody knows.
    pub tgid: u32,
    /// `CLOCK_BOOTTIME` in nanoseconds.
    pub time: u64,
    /// Which life of the process id: that of [`Process::image`].
    pub image: u64,
    /// The file, where it is known.
    pub file: Option<FileId>,
}

/// A change of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names<'a> {
    /// What, who and when.
    pub change: Change,
    /// The directory.
    pub dir: FileId,
    /// The name in it.
    pub name: &'a OsStr,
    /// For a move: whether what moved is a directory.
    pub moved_dir: Option<bool>,
    /// For a move: the directory and name before.
    pub from: Option<(FileId, &'a OsStr)>,
}

/// A process image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process<'a> {
    /// Process id.
    pub tgid: u32,
    /// Number of this image of it.
    pub image: u64,
    /// Start in `CLOCK_BOOTTIME` nanoseconds.
    pub start: u64,
    /// Start of the parent, likewise.
    pub parent_start: u64,
    /// Process id of the parent; 0 for none.
    pub parent: u32,
    /// Real user.
    pub uid: u32,
    /// Real group.
    pub gid: u32,
    /// Audit's login user.
    pub login_uid: Option<u32>,
    /// Audit's session.
    pub session: Option<u32>,
    /// Command name.
    pub comm: &'a OsStr,
    /// Command name of the parent.
    pub parent_comm: &'a OsStr,
    /// Last component of the control group.
    pub cgroup: &'a OsStr,
    /// Arguments; without the last word, if they were cut.
    pub args: Vec<OsString>,
    /// Path of the executable, where the whole of it is known.
    pub executable: Option<PathBuf>,
    /// Whether it is a thread of the kernel.
    pub kernel: bool,
}

/// Why a record cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// It ends before its fields do.
    Short,
    /// Its kind is not known.
    Kind(u8),
    /// What it says happened is not known.
    Op(u8),
    /// A name or length in it cannot be.
    Name,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("a record from the kernel is too short"),
            Self::Kind(kind) => write!(f, "a record from the kernel is of unknown kind {kind}"),
            Self::Op(op) => write!(f, "a record from the kernel tells of unknown operation {op}"),
            Self::Name => f.write_str("a record from the kernel holds an impossible name"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Understands one record.
///
/// # Errors
/// When the bytes are not what `src-bpf/record.h` says.
pub fn decode(bytes: &[u8]) -> Result<RawRecord<'_>, DecodeError> {
    match u8_at(bytes, 0)? {
        kind::CHANGE => change(bytes).map(RawRecord::Change),
        kind::NAMES => names(bytes).map(RawRecord::Names),
        kind::PROCESS => process(bytes).map(|process| RawRecord::Process(Box::new(process))),
        other => Err(DecodeError::Kind(other)),
    }
}

/// The key at the start of these bytes.
#[must_use]
pub fn key(bytes: &[u8]) -> Option<FileId> {
    Some(FileId {
        inode: u64_at(bytes, 0).ok()?,
        device: u32_at(bytes, 8).ok()?,
        generation: u32_at(bytes, 12).ok()?,
    })
}

/// The bytes of a key.
#[must_use]
pub fn key_bytes(id: FileId) -> [u8; layout::KEY] {
    let mut bytes = [0; layout::KEY];
    let (inode, rest) = bytes.split_at_mut(8);
    let (device, generation) = rest.split_at_mut(4);
    inode.copy_from_slice(&id.inode.to_ne_bytes());
    device.copy_from_slice(&id.device.to_ne_bytes());
    generation.copy_from_slice(&id.generation.to_ne_bytes());
    bytes
}

/// One answer of a fill: descriptor, identity, and whether the mark is set.
#[must_use]
pub fn filled(bytes: &[u8]) -> Option<(u32, FileId, bool)> {
    Some((u32_at(bytes, layout::KEY).ok()?, key(bytes)?, u32_at(bytes, layout::KEY + 4).ok()? != 0))
}

fn change(bytes: &[u8]) -> Result<Change, DecodeError> {
    let file = key_at(bytes, layout::CHANGE_FILE)?;
    Ok(Change {
        via: via(u8_at(bytes, 1)?)?,
        settled: u16_at(bytes, 2)? & layout::SETTLED != 0,
        tgid: u32_at(bytes, 4)?,
        time: u64_at(bytes, 8)?,
        image: u64_at(bytes, 16)?,
        file: (file != FileId::default()).then_some(file),
    })
}

fn names(bytes: &[u8]) -> Result<Names<'_>, DecodeError> {
    let slot = usize::from(u16_at(bytes, layout::NAMES_SLOT)?);
    let name_len = usize::from(u16_at(bytes, layout::NAMES_SLOT + 2)?);
    let from_len = usize::from(u16_at(bytes, layout::NAMES_SLOT + 4)?);
    let change = change(bytes)?;
    let name = name_in(bytes, layout::NAMES, slot, name_len)?;
    let (from, moved_dir) = if matches!(change.via, Via::Rename | Via::Exchange) {
        let dir = key_at(bytes, layout::CHANGE + layout::KEY)?;
        let name = name_in(bytes, layout::NAMES + slot, slot, from_len)?;
        (Some((dir, name)), Some(u16_at(bytes, 2)? & layout::DIR != 0))
    } else {
        (None, None)
    };
    Ok(Names { change, dir: key_at(bytes, layout::CHANGE)?, name, moved_dir, from })
}

fn name_in(bytes: &[u8], at: usize, slot: usize, len: usize) -> Result<&OsStr, DecodeError> {
    if len == 0 || len >= slot {
        return Err(DecodeError::Name);
    }
    let name = slice(bytes, at, len)?;
    if name.contains(&b'/') || name.contains(&0) {
        return Err(DecodeError::Name);
    }
    Ok(OsStr::from_bytes(name))
}

fn process(bytes: &[u8]) -> Result<Process<'_>, DecodeError> {
    let flags = u8_at(bytes, 1)?;
    let has = |flag: u8| flags & flag != 0;
    let args_len = usize::from(u16_at(bytes, 2)?);
    let path_len = usize::try_from(u32_at(bytes, 52)?).map_err(|_| DecodeError::Name)?;
    let comm = layout::PROCESS_COMM;
    let cgroup = comm + 2 * layout::COMM;
    let args = cgroup + layout::PROCESS_CGROUP;
    if args_len > layout::PROCESS_ARGS {
        return Err(DecodeError::Name);
    }
    let path = slice(bytes, layout::PROCESS_PATH, path_len)?;
    Ok(Process {
        tgid: u32_at(bytes, 4)?,
        image: u64_at(bytes, 8)?,
        start: u64_at(bytes, 16)?,
        parent_start: u64_at(bytes, 24)?,
        parent: u32_at(bytes, 32)?,
        uid: u32_at(bytes, 36)?,
        gid: u32_at(bytes, 40)?,
        login_uid: set(u32_at(bytes, 44)?),
        session: set(u32_at(bytes, 48)?),
        comm: c_str(slice(bytes, comm, layout::COMM)?),
        parent_comm: c_str(slice(bytes, comm + layout::COMM, layout::COMM)?),
        cgroup: c_str(slice(bytes, cgroup, layout::PROCESS_CGROUP)?),
        args: if has(layout::process::HAS_ARGS) {
            arguments(slice(bytes, args, args_len)?, layout::PROCESS_ARGS)
        } else {
            Vec::new()
        },
        executable: if has(layout::process::HAS_PATH) { path_of(path) } else { None },
        kernel: has(layout::process::KTHREAD),
    })
}

/// Components come from the file up to the root, each ended by a NUL.
fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    let bytes = bytes.strip_suffix(&[0])?;
    let mut path = PathBuf::from("/");
    for component in bytes.rsplit(|byte| *byte == 0) {
        if component.is_empty() || component.contains(&b'/') {
            return None;
        }
        path.push(OsStr::from_bytes(component));
    }
    Some(path)
}

fn via(code: u8) -> Result<Via, DecodeError> {
    Ok(match code {
        op::WRITE => Via::Write,
        op::MMAP => Via::Mmap,
        op::IO_URING => Via::IoUring,
        op::AIO => Via::Aio,
        op::SPLICE => Via::Splice,
        op::COPY => Via::Copy,
        op::FALLOCATE => Via::Fallocate,
        op::TRUNCATE => Via::Truncate,
        op::KERNEL => Via::Kernel,
        op::CREATE => Via::Create,
        op::MKDIR => Via::Mkdir,
        op::MKNOD => Via::Mknod,
        op::SYMLINK => Via::Symlink,
        op::LINK => Via::Link,
        op::RENAME => Via::Rename,
        op::EXCHANGE => Via::Exchange,
        op::UNLINK => Via::Unlink,
        op::RMDIR => Via::Rmdir,
        op::ATTRIBUTES => Via::Attributes,
        op::XATTR => Via::Xattr,
        op::FLAGS => Via::Flags,
        op::CLOSE => Via::Close,
        op::EVICT => Via::Evict,
        op::MOUNT => Via::Mount,
        other => return Err(DecodeError::Op(other)),
    })
}

fn set(id: u32) -> Option<u32> {
    (id != u32::MAX).then_some(id)
}

fn c_str(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes.split(|byte| *byte == 0).next().unwrap_or_default())
}

fn key_at(bytes: &[u8], at: usize) -> Result<FileId, DecodeError> {
    key(slice(bytes, at, layout::KEY)?).ok_or(DecodeError::Short)
}

fn slice(bytes: &[u8], at: usize, len: usize) -> Result<&[u8], DecodeError> {
    let end = at.checked_add(len).ok_or(DecodeError::Short)?;
    bytes.get(at..end).ok_or(DecodeError::Short)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], DecodeError> {
    slice(bytes, at, N)?.try_into().map_err(|_| DecodeError::Short)
}

fn u8_at(bytes: &[u8], at: usize) -> Result<u8, DecodeError> {
    bytes.get(at).copied().ok_or(DecodeError::Short)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, DecodeError> {
    array(bytes, at).map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, DecodeError> {
    array(bytes, at).map(u32::from_ne_bytes)
}

/// A 64-bit number at this offset.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Result<u64, DecodeError> {
    array(bytes, at).map(u64::from_ne_bytes)
}

#[cfg(test)]
mod tests;
