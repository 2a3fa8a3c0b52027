//! Records for tests: any, and one as most files have it.

use super::record::{FileRecord, Trusted};
use crate::facts::{Facts, FileKind, FileTime, HashState, Xattr};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// The record of a regular file that was never touched since its baseline.
pub(crate) fn usual_record(number: u64) -> FileRecord {
    let mut facts = Facts::new(FileKind::File);
    facts.mode = 0o644;
    facts.size = 4096 + number;
    facts.inode = 1_000_000 + number;
    facts.device = 0x0010_0003;
    facts.mtime = FileTime { seconds: 1_780_000_000, nanos: 123_456_789 };
    facts.ctime = FileTime { seconds: 1_780_000_100, nanos: 223_456_789 };
    facts.blake3 = Some(*blake3::hash(&number.to_le_bytes()).as_bytes());
    FileRecord::new(facts, None)
}

pub(crate) fn any_record() -> impl Strategy<Value = FileRecord> {
    let trusted = prop_oneof![
        2 => Just(Trusted::Same),
        2 => any_facts().prop_map(|facts| Trusted::Facts(Box::new(facts))),
        1 => Just(Trusted::Absent),
    ];
    let kept = || option::of(vec(any::<u8>(), 0..300));
    (option::of(any_facts()), trusted, kept(), kept())
        .prop_map(|(seen, trusted, kept, trusted_kept)| FileRecord { seen, trusted, kept, trusted_kept })
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let kind = prop::sample::select(&[
        FileKind::File,
        FileKind::Dir,
        FileKind::Symlink,
        FileKind::Fifo,
        FileKind::Socket,
        FileKind::CharDevice,
        FileKind::BlockDevice,
    ]);
    let hash_state = prop::sample::select(&[
        HashState::Stable,
        HashState::Unstable,
        HashState::TooBig,
        HashState::Unreadable,
        HashState::Gone,
    ]);
    let time = || (any::<i64>(), any::<u32>()).prop_map(|(seconds, nanos)| FileTime { seconds, nanos });
    let target = option::of(vec(1u8.., 0..40).prop_map(|bytes| OsString::from_vec(bytes).into()));
    let xattr = ("\\PC{0,20}", any::<[u8; 16]>()).prop_map(|(name, digest)| Xattr { name, digest });
    (
        (kind, any::<[u32; 5]>(), any::<[u64; 4]>(), time(), time()),
        (target, vec(xattr, 0..4), option::of(any::<[u8; 32]>()), option::of(any::<[u8; 32]>()), hash_state),
    )
        .prop_map(
            |((kind, small, large, mtime, ctime), (target, xattrs, blake3, sha256, hash_state))| {
                let [mode, uid, gid, links, flags] = small;
                let [size, inode, device, rdev] = large;
                Facts {
                    kind,
                    mode,
                    uid,
                    gid,
                    links,
                    size,
                    inode,
                    device,
                    rdev,
                    mtime,
                    ctime,
                    flags,
                    target,
                    xattrs,
                    blake3,
                    keyed: blake3.map(|hash| u32::from(hash[0])).filter(|id| id % 2 == 1),
                    sha256,
                    hash_state,
                }
            },
        )
}
