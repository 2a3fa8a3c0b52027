//! How the record of one file is written: compact bytes, and back.
//!
//! Pure functions. Facts are written as what differs from a base: for what was seen the base is an empty
//! file, for what is trusted it is what was seen, so that nothing is written twice. Which format version
//! this is, is told by the block around it.

use super::bytes::{Input, Malformed, put_number, put_signed, put_sized};
use super::record::{FileRecord, Trusted};
use crate::facts::{Facts, FileKind, FileTime, HashState, Xattr};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

const SEEN: u8 = 1;
const KEPT: u8 = 2;
const TRUSTED_FACTS: u8 = 4;
const TRUSTED_ABSENT: u8 = 8;
const TRUSTED_KEPT: u8 = 16;

/// Appends a record.
pub(crate) fn encode(record: &FileRecord, out: &mut Vec<u8>) {
    let FileRecord { seen, trusted, kept, trusted_kept } = record;
    let mut parts = 0;
    parts |= if seen.is_some() { SEEN } else { 0 };
    parts |= if kept.is_some() { KEPT } else { 0 };
    parts |= if trusted_kept.is_some() { TRUSTED_KEPT } else { 0 };
    parts |= match trusted {
        Trusted::Same => 0,
        Trusted::Facts(_) => TRUSTED_FACTS,
        Trusted::Absent => TRUSTED_ABSENT,
    };
    out.push(parts);
    let empty = Facts::new(FileKind::File);
    if let Some(seen) = seen {
        encode_facts(seen, &empty, out);
    }
    if let Trusted::Facts(trusted) = trusted {
        encode_facts(trusted, seen.as_ref().unwrap_or(&empty), out);
    }
    for kept in [kept, trusted_kept].into_iter().flatten() {
        put_sized(out, kept);
    }
}

/// Reads a record that fills these bytes.
pub(crate) fn decode(bytes: &[u8]) -> Result<FileRecord, Malformed> {
    let mut input = Input(bytes);
    let parts = input.byte()?;
    let empty = Facts::new(FileKind::File);
    let seen = if parts & SEEN != 0 { Some(decode_facts(&mut input, &empty)?) } else { None };
    let trusted = match parts & !(SEEN | KEPT | TRUSTED_KEPT) {
        0 => Trusted::Same,
        TRUSTED_FACTS => Trusted::Facts(Box::new(decode_facts(&mut input, seen.as_ref().unwrap_or(&empty))?)),
        TRUSTED_ABSENT => Trusted::Absent,
        _ => return Err(Malformed("it has unknown parts")),
    };
    let mut sized = |bit| if parts & bit != 0 { input.sized().map(|it| Some(it.to_vec())) } else { Ok(None) };
    let (kept, trusted_kept) = (sized(KEPT)?, sized(TRUSTED_KEPT)?);
    if !input.is_empty() {
        return Err(Malformed("something follows it"));
    }
    Ok(FileRecord { seen, trusted, kept, trusted_kept })
}

/// Bits that say which fields follow, the most frequent first.
mod field {
    pub const MODE: u64 = 1;
    pub const SIZE: u64 = 1 << 1;
    pub const INODE: u64 = 1 << 2;
    pub const DEVICE: u64 = 1 << 3;
    pub const MTIME: u64 = 1 << 4;
    pub const CTIME: u64 = 1 << 5;
    pub const BLAKE3: u64 = 1 << 6;
    pub const UID: u64 = 1 << 7;
    pub const GID: u64 = 1 << 8;
    pub const LINKS: u64 = 1 << 9;
    pub const FLAGS: u64 = 1 << 10;
    pub const KIND: u64 = 1 << 11;
    pub const TARGET: u64 = 1 << 12;
    pub const XATTRS: u64 = 1 << 13;
    pub const SHA256: u64 = 1 << 14;
    pub const HASH_STATE: u64 = 1 << 15;
    pub const RDEV: u64 = 1 << 16;
    pub const KEYED: u64 = 1 << 17;
    pub const ALL: u64 = (1 << 18) - 1;
}

fn encode_facts(facts: &Facts, base: &Facts, out: &mut Vec<u8>) {
    let Facts {
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
        keyed,
        sha256,
        hash_state,
    } = facts;
    let unlike = [
        (field::MODE, *mode != base.mode),
        (field::SIZE, *size != base.size),
        (field::INODE, *inode != base.inode),
        (field::DEVICE, *device != base.device),
        (field::MTIME, *mtime != base.mtime),
        (field::CTIME, *ctime != base.ctime),
        (field::BLAKE3, *blake3 != base.blake3),
        (field::UID, *uid != base.uid),
        (field::GID, *gid != base.gid),
        (field::LINKS, *links != base.links),
        (field::FLAGS, *flags != base.flags),
        (field::KIND, *kind != base.kind),
        // By bytes: as paths, `a//b` and `a/b` are equal.
        (
            field::TARGET,
            target.as_ref().map(|it| it.as_os_str()) != base.target.as_ref().map(|it| it.as_os_str()),
        ),
        (field::XATTRS, *xattrs != base.xattrs),
        (field::SHA256, *sha256 != base.sha256),
        (field::HASH_STATE, *hash_state != base.hash_state),
        (field::RDEV, *rdev != base.rdev),
        (field::KEYED, *keyed != base.keyed),
    ];
    let fields = unlike.iter().filter(|(_, unlike)| *unlike).fold(0, |all, (bit, _)| all | bit);
    put_number(out, fields);
    let has = |bit| fields & bit != 0;
    for (bit, number) in [
        (field::MODE, u64::from(*mode)),
        (field::SIZE, *size),
        (field::INODE, *inode),
        (field::DEVICE, *device),
        (field::UID, u64::from(*uid)),
        (field::GID, u64::from(*gid)),
        (field::LINKS, u64::from(*links)),
        (field::FLAGS, u64::from(*flags)),
        (field::RDEV, *rdev),
    ] {
        if has(bit) {
            put_number(out, number);
        }
    }
    if has(field::MTIME) {
        put_time(out, *mtime, FileTime::default());
    }
    if has(field::CTIME) {
        put_time(out, *ctime, *mtime);
    }
    if has(field::KIND) {
        out.push(kind_code(*kind));
    }
    if has(field::HASH_STATE) {
        out.push(hash_state_code(*hash_state));
    }
    for (bit, hash) in [(field::BLAKE3, blake3), (field::SHA256, sha256)] {
        if has(bit) {
            out.push(u8::from(hash.is_some()));
            out.extend_from_slice(hash.as_ref().map_or(&[], |hash| &hash[..]));
        }
    }
    if has(field::KEYED) {
        out.push(u8::from(keyed.is_some()));
        out.extend(keyed.iter().flat_map(|id| id.to_le_bytes()));
    }
    if has(field::TARGET) {
        out.push(u8::from(target.is_some()));
        if let Some(target) = target {
            put_sized(out, target.as_os_str().as_bytes());
        }
    }
    if has(field::XATTRS) {
        put_number(out, xattrs.len() as u64);
        for xattr in xattrs {
            put_sized(out, xattr.name.as_bytes());
            out.extend_from_slice(&xattr.digest);
        }
    }
}

fn decode_facts(input: &mut Input<'_>, base: &Facts) -> Result<Facts, Malformed> {
    let fields = input.number()?;
    if fields & !field::ALL != 0 {
        return Err(Malformed("it has unknown fields"));
    }
    let has = |bit| fields & bit != 0;
    let mut facts = base.clone();
    let wide = |input: &mut Input<'_>, bit, into: &mut u64| -> Result<(), Malformed> {
        if has(bit) {
            *into = input.number()?;
        }
        Ok(())
    };
    let narrow = |input: &mut Input<'_>, bit, into: &mut u32| -> Result<(), Malformed> {
        if has(bit) {
            *into = input.number32()?;
        }
        Ok(())
    };
    narrow(input, field::MODE, &mut facts.mode)?;
    wide(input, field::SIZE, &mut facts.size)?;
    wide(input, field::INODE, &mut facts.inode)?;
    wide(input, field::DEVICE, &mut facts.device)?;
    narrow(input, field::UID, &mut facts.uid)?;
    narrow(input, field::GID, &mut facts.gid)?;
    narrow(input, field::LINKS, &mut facts.links)?;
    narrow(input, field::FLAGS, &mut facts.flags)?;
    wide(input, field::RDEV, &mut facts.rdev)?;
    if has(field::MTIME) {
        facts.mtime = time(input, FileTime::default())?;
    }
    if has(field::CTIME) {
        facts.ctime = time(input, facts.mtime)?;
    }
    if has(field::KIND) {
        facts.kind = kind(input.byte()?)?;
    }
    if has(field::HASH_STATE) {
        facts.hash_state = hash_state(input.byte()?)?;
    }
    if has(field::BLAKE3) {
        facts.blake3 = optional(input, Input::array)?;
    }
    if has(field::SHA256) {
        facts.sha256 = optional(input, Input::array)?;
    }
    if has(field::KEYED) {
        facts.keyed = optional(input, |input| input.array().map(u32::from_le_bytes))?;
    }
    if has(field::TARGET) {
        facts.target = optional(input, |input| Ok(PathBuf::from(OsStr::from_bytes(input.sized()?))))?;
    }
    if has(field::XATTRS) {
        facts.xattrs.clear();
        for _ in 0..input.number()? {
            let name = std::str::from_utf8(input.sized()?)
                .map_err(|_| Malformed("an attribute name is not UTF-8"))?;
            facts.xattrs.push(Xattr { name: name.to_owned(), digest: input.array()? });
        }
    }
    Ok(facts)
}

fn optional<'a, T>(
    input: &mut Input<'a>,
    read: impl FnOnce(&mut Input<'a>) -> Result<T, Malformed>,
) -> Result<Option<T>, Malformed> {
    match input.byte()? {
        0 => Ok(None),
        1 => read(input).map(Some),
        _ => Err(Malformed("something is neither there nor absent")),
    }
}

/// Seconds as their distance from another clock of the file: most often nothing.
fn put_time(out: &mut Vec<u8>, time: FileTime, near: FileTime) {
    put_signed(out, time.seconds.wrapping_sub(near.seconds));
    put_number(out, u64::from(time.nanos));
}

fn time(input: &mut Input<'_>, near: FileTime) -> Result<FileTime, Malformed> {
    Ok(FileTime { seconds: near.seconds.wrapping_add(input.signed()?), nanos: input.number32()? })
}

const fn kind_code(kind: FileKind) -> u8 {
    match kind {
        FileKind::File => 0,
        FileKind::Dir => 1,
        FileKind::Symlink => 2,
        FileKind::Fifo => 3,
        FileKind::Socket => 4,
        FileKind::CharDevice => 5,
        FileKind::BlockDevice => 6,
    }
}

const fn kind(code: u8) -> Result<FileKind, Malformed> {
    Ok(match code {
        0 => FileKind::File,
        1 => FileKind::Dir,
        2 => FileKind::Symlink,
        3 => FileKind::Fifo,
        4 => FileKind::Socket,
        5 => FileKind::CharDevice,
        6 => FileKind::BlockDevice,
        _ => return Err(Malformed("an unknown kind of file")),
    })
}

const fn hash_state_code(state: HashState) -> u8 {
    match state {
        HashState::Stable => 0,
        HashState::Unstable => 1,
        HashState::TooBig => 2,
        HashState::Unreadable => 3,
        HashState::Gone => 4,
    }
}

const fn hash_state(code: u8) -> Result<HashState, Malformed> {
    Ok(match code {
        0 => HashState::Stable,
        1 => HashState::Unstable,
        2 => HashState::TooBig,
        3 => HashState::Unreadable,
        4 => HashState::Gone,
        _ => return Err(Malformed("an unknown state of a hash")),
    })
}

#[cfg(test)]
mod tests {
    use super::super::arbitrary::{any_record, usual_record};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_usual_record_is_small() {
        let mut out = Vec::new();
        encode(&usual_record(7), &mut out);
        assert!(out.len() <= 80, "{} bytes", out.len());
    }

    #[test]
    fn what_is_trusted_costs_only_what_differs() {
        let mut record = usual_record(7);
        let seen = record.seen.clone().unwrap();
        let mut plain = Vec::new();
        encode(&record, &mut plain);
        record.trusted = Trusted::Facts(Box::new(Facts { mode: 0o4755, ..seen }));
        let mut changed = Vec::new();
        encode(&record, &mut changed);
        assert!(changed.len() <= plain.len() + 4);
    }

    #[test]
    fn the_spelling_of_a_target_is_kept() {
        let target = |text: &str| Facts { target: Some(text.into()), ..Facts::new(FileKind::Symlink) };
        let record = FileRecord {
            trusted: Trusted::Facts(Box::new(target("a//b/."))),
            ..FileRecord::new(target("a/b"), None)
        };
        let mut out = Vec::new();
        encode(&record, &mut out);
        let Trusted::Facts(back) = decode(&out).unwrap().trusted else { panic!("not facts") };
        assert_eq!(back.target.unwrap().as_os_str(), "a//b/.");
    }

    proptest! {
        #[test]
        fn records_come_back(record in any_record()) {
            let mut out = Vec::new();
            encode(&record, &mut out);
            prop_assert_eq!(decode(&out), Ok(record));
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            drop(decode(&bytes));
        }

        #[test]
        fn cut_or_lengthened_bytes_are_refused(record in any_record(), cut: prop::sample::Index, more: u8) {
            let mut out = Vec::new();
            encode(&record, &mut out);
            let cut = cut.index(out.len());
            prop_assert!(decode(&out[..cut]).is_err());
            out.push(more);
            prop_assert!(decode(&out).is_err());
        }

        #[test]
        fn flipped_bytes_do_not_panic(record in any_record(), at: prop::sample::Index, bits in 1u8..) {
            let mut out = Vec::new();
            encode(&record, &mut out);
            let at = at.index(out.len());
            out[at] ^= bits;
            drop(decode(&out));
        }
    }
}
