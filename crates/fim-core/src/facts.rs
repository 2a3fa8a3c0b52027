//! What one look at a file found: metadata and hash. The unit that is compared, stored and reported.
//!
//! Knows nothing of how it was read nor of who asks.

use std::path::PathBuf;

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// Regular file.
    File,
    /// Directory.
    Dir,
    /// Symbolic link.
    Symlink,
    /// FIFO.
    Fifo,
    /// Socket.
    Socket,
    /// Character device.
    CharDevice,
    /// Block device.
    BlockDevice,
}

impl FileKind {
    /// From the `S_IFMT` bits of a mode; an unknown value is taken for a regular file that cannot be read.
    #[must_use]
    pub const fn from_mode(mode: u32) -> Self {
        match mode & 0o170_000 {
            0o040_000 => Self::Dir,
            0o120_000 => Self::Symlink,
            0o010_000 => Self::Fifo,
            0o140_000 => Self::Socket,
            0o020_000 => Self::CharDevice,
            0o060_000 => Self::BlockDevice,
            _ => Self::File,
        }
    }

    /// The word for it in `file.type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Dir => "dir",
            Self::Symlink => "symlink",
            Self::Fifo => "fifo",
            Self::Socket => "socket",
            Self::CharDevice => "char_device",
            Self::BlockDevice => "block_device",
        }
    }
}

/// How far the hash can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HashState {
    /// The file did not move while it was read, or has no content to hash.
    #[default]
    Stable,
    /// It moved in every attempt; hash and size are of no single moment.
    Unstable,
    /// Larger than the limit: not read.
    TooBig,
    /// It could not be read.
    Unreadable,
    /// It was gone when it was looked at.
    Gone,
}

impl HashState {
    /// The word for it in `fim.hash_state`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Unstable => "unstable",
            Self::TooBig => "too_big",
            Self::Unreadable => "unreadable",
            Self::Gone => "gone",
        }
    }
}

/// A moment of a file's clock, as stat(2) gives it: seconds and nanoseconds since the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileTime {
    /// Seconds; negative before 1970.
    pub seconds: i64,
    /// Nanoseconds, below 10^9.
    pub nanos: u32,
}

/// An extended attribute: its name and a BLAKE3 digest of its value. POSIX ACLs and file capabilities
/// are extended attributes too (`system.posix_acl_*`, `security.capability`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Xattr {
    /// Full name with its namespace.
    pub name: String,
    /// First 16 bytes of BLAKE3 of the value.
    pub digest: [u8; 16],
}

impl Xattr {
    /// Stands for the digest of a value that cannot be read.
    pub(crate) const UNREADABLE: [u8; 16] = [0; 16];
}

/// One look at one file.
///
/// ```
/// use fim_core::{Facts, FileKind};
///
/// let mut before = Facts::new(FileKind::File);
/// before.blake3 = Some([1; 32]);
/// let mut after = before.clone();
/// after.mode = 0o600;
/// assert!(before.same_content(&after) && !before.same_metadata(&after));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// Kind of file.
    pub kind: FileKind,
    /// Permission bits with setuid, setgid and sticky: `mode & 0o7777`.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Number of hard links.
    pub links: u32,
    /// Size in bytes; 0 for directories, whose size means nothing.
    pub size: u64,
    /// `st_ino`.
    pub inode: u64,
    /// `st_dev` in user space's encoding (`makedev`).
    pub device: u64,
    /// For devices: `st_rdev`; else 0.
    pub rdev: u64,
    /// Last change of content.
    pub mtime: FileTime,
    /// Last change of content or metadata.
    pub ctime: FileTime,
    /// Inode flags as lsattr(1) shows them (`FS_IOC_GETFLAGS` or `stx_attributes`), 0 where there are none.
    pub flags: u32,
    /// Where a symbolic link points.
    pub target: Option<PathBuf>,
    /// Extended attributes, sorted by name.
    pub xattrs: Vec<Xattr>,
    /// BLAKE3 of the content of a regular file.
    pub blake3: Option<[u8; 32]>,
    /// The content has a secret in it: `blake3` is computed under the [`Key`](crate::Key) of this id, and is
    /// nothing to show.
    pub keyed: Option<u32>,
    /// SHA-256 of it, where asked for and no secret is in it.
    pub sha256: Option<[u8; 32]>,
    /// How far the hashes can be trusted.
    pub hash_state: HashState,
}

impl Facts {
    /// Facts of an empty file of this kind, everything else zero.
    #[must_use]
    pub fn new(kind: FileKind) -> Self {
        Self {
            kind,
            mode: 0,
            uid: 0,
            gid: 0,
            links: 1,
            size: 0,
            inode: 0,
            device: 0,
            rdev: 0,
            mtime: FileTime::default(),
            ctime: FileTime::default(),
            flags: 0,
            target: None,
            xattrs: Vec::new(),
            blake3: None,
            keyed: None,
            sha256: None,
            hash_state: HashState::Stable,
        }
    }

    /// Whether the hashes are the same; `None` where they say nothing of each other: there is none, or they
    /// were made under different keys.
    #[must_use]
    pub fn same_hash(&self, other: &Self) -> Option<bool> {
        match (&self.blake3, &other.blake3) {
            (Some(one), Some(other_hash)) if self.keyed == other.keyed => Some(one == other_hash),
            _ => None,
        }
    }

    /// Whether the content is the same, so far as these looks can tell: kind, target, device and hash,
    /// and the size and time of the last change where the hashes say nothing.
    #[must_use]
    pub fn same_content(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.target == other.target
            && self.rdev == other.rdev
            && self.size == other.size
            && self.same_hash(other).unwrap_or_else(|| {
                self.blake3.is_some() == other.blake3.is_some()
                    && (self.kind != FileKind::File || self.mtime == other.mtime)
            })
    }

    /// Whether mode, owner, attributes and flags are the same: all that is metadata and no clock.
    #[must_use]
    pub fn same_metadata(&self, other: &Self) -> bool {
        self.mode == other.mode
            && self.uid == other.uid
            && self.gid == other.gid
            && self.flags == other.flags
            && self.xattrs == other.xattrs
    }

    /// Whether it could not be read when it was looked at.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        self.hash_state == HashState::Unreadable
    }

    /// Whether stat(2) alone shows that nothing moved since: same file, size and clocks.
    #[must_use]
    pub fn same_stat(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.inode == other.inode
            && self.device == other.device
            && self.size == other.size
            && self.mtime == other.mtime
            && self.ctime == other.ctime
            && self.mode == other.mode
            && self.uid == other.uid
            && self.gid == other.gid
    }
}
