//! What a file handle says of the inode, for the handle types whose layout is known.
//!
//! Pure functions on bytes. Must not know what the handles are for.

/// `struct file_handle` starts with its length and type, 4 bytes each.
const HEADER: usize = 8;

/// `FILEID_INO32_GEN`: {ino, generation}; tmpfs uses the same number for {generation, ino low, ino high}.
const INO32_GEN: u32 = 1;
/// XFS with 64-bit inode numbers: {ino, generation}; newer kernels call it `FILEID_INO64_GEN`.
const INO64_GEN: u32 = 0x81;
/// `FILEID_BTRFS_WITHOUT_PARENT`: {ino, root, generation}.
const BTRFS: u32 = 0x4d;

/// Inode number and generation in a handle, `None` for a layout that is not known.
///
/// Whether the number is the `st_ino` of the file is the caller's to check, once for each file system.
pub(crate) fn inode(handle: &[u8]) -> Option<(u64, u32)> {
    let kind = u32_at(handle, 4)?;
    let body = handle.get(HEADER..)?;
    if usize::try_from(u32_at(handle, 0)?).ok()? != body.len() {
        return None;
    }
    match (kind, body.len()) {
        (INO32_GEN, 8) => Some((u64::from(u32_at(body, 0)?), u32_at(body, 4)?)),
        (INO32_GEN, 12) => {
            let low = u64::from(u32_at(body, 4)?);
            let high = u64::from(u32_at(body, 8)?);
            Some((high << 32 | low, u32_at(body, 0)?))
        }
        (INO64_GEN, 12) => Some((u64_at(body, 0)?, u32_at(body, 8)?)),
        (BTRFS, 20) => Some((u64_at(body, 0)?, u32_at(body, 16)?)),
        _ => None,
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_ne_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::inode;
    use proptest::prelude::*;

    fn handle(kind: u32, words: &[u32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend((words.len() as u32 * 4).to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        for word in words {
            bytes.extend(word.to_ne_bytes());
        }
        bytes
    }

    #[test]
    fn known_layouts() {
        let table = [
            ("ext4", handle(1, &[12, 99]), Some((12, 99))),
            ("tmpfs", handle(1, &[99, 12, 1]), Some((0x1_0000_000c, 99))),
            ("xfs, 64-bit inodes", handle(0x81, &[12, 1, 99]), Some((0x1_0000_000c, 99))),
            ("btrfs", handle(0x4d, &[257, 0, 5, 0, 7]), Some((257, 7))),
            ("ext4 with its parent", handle(2, &[12, 99, 2, 0]), None),
            ("kernfs", handle(0xfe, &[1, 2]), None),
            ("nothing", Vec::new(), None),
        ];
        for (name, bytes, expected) in table {
            assert_eq!(inode(&bytes), expected, "{name}");
        }
    }

    #[test]
    fn a_length_that_lies_is_refused() {
        let mut bytes = handle(1, &[12, 99]);
        bytes.push(0);
        assert_eq!(inode(&bytes), None);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            inode(&bytes);
        }
    }
}
