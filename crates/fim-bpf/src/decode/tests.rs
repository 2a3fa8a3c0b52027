//! Records made by hand as the kernel makes them, and any bytes at all.

use super::*;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

const FILE: FileId = FileId { inode: 7, device: 8, generation: 9 };
const DIR: FileId = FileId { inode: 70, device: 8, generation: 90 };
const OLD: FileId = FileId { inode: 71, device: 8, generation: 91 };

fn head(kind: u8, op: u8, flags: u16) -> Vec<u8> {
    let mut bytes = vec![kind, op];
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(42_u32.to_ne_bytes());
    bytes.extend(1000_u64.to_ne_bytes());
    bytes.extend(5_u64.to_ne_bytes());
    bytes.extend(key_bytes(FILE));
    bytes
}

fn names(op: u8, slot: u16, name: &[u8], from: &[u8]) -> Vec<u8> {
    let mut bytes = head(kind::NAMES, op, 0);
    bytes.extend(key_bytes(DIR));
    bytes.extend(key_bytes(OLD));
    for number in [slot, name.len() as u16, from.len() as u16, 0] {
        bytes.extend(number.to_ne_bytes());
    }
    for text in [name, from] {
        let mut room = text.to_vec();
        room.resize(usize::from(slot).max(text.len()), 0);
        bytes.extend(room);
    }
    bytes
}

fn process(flags: u8, args: &[u8], path: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind::PROCESS, flags];
    bytes.extend((args.len() as u16).to_ne_bytes());
    bytes.extend(42_u32.to_ne_bytes());
    for number in [5_u64, 100, 50] {
        bytes.extend(number.to_ne_bytes());
    }
    for number in [1_u32, 1000, 1001, u32::MAX, 3, path.len() as u32] {
        bytes.extend(number.to_ne_bytes());
    }
    for (text, room) in [
        (b"vi".as_slice(), layout::COMM),
        (b"sh", layout::COMM),
        (b"vi.scope", layout::PROCESS_CGROUP),
        (args, layout::PROCESS_ARGS),
        (path, layout::PROCESS - layout::PROCESS_PATH),
    ] {
        let mut text = text.to_vec();
        text.resize(room, 0);
        bytes.extend(text);
    }
    assert_eq!(bytes.len(), layout::PROCESS);
    bytes
}

#[test]
fn a_touch() {
    let Ok(RawRecord::Change(change)) = decode(&head(kind::CHANGE, op::CLOSE, layout::SETTLED)) else {
        panic!("no change")
    };
    let expected =
        Change { via: Via::Close, settled: true, tgid: 42, time: 1000, image: 5, file: Some(FILE) };
    assert_eq!(change, expected);
}

#[test]
fn a_rename_has_both_names_and_a_creation_one() {
    let bytes = names(op::RENAME, 32, b"new", b"old");
    let Ok(RawRecord::Names(rename)) = decode(&bytes) else { panic!("no names") };
    assert_eq!((rename.dir, rename.name), (DIR, OsStr::new("new")));
    assert_eq!(rename.from, Some((OLD, OsStr::new("old"))));
    let long = vec![b'n'; 255];
    let bytes = names(op::CREATE, 256, &long, b"");
    let Ok(RawRecord::Names(create)) = decode(&bytes) else { panic!("no names") };
    assert_eq!((create.name.len(), create.from), (255, None));
}

#[test]
fn names_that_cannot_be_are_refused() {
    for (name, from) in [
        (b"".as_slice(), b"old".as_slice()),
        (b"new", b""),
        (b"a/b", b"old"),
        (b"new", b"a\0b"),
        (&[b'n'; 32], b"old"),
    ] {
        assert_eq!(decode(&names(op::RENAME, 32, name, from)), Err(DecodeError::Name), "{name:?} {from:?}");
    }
}

#[test]
fn a_process() {
    let flags = layout::process::HAS_ARGS | layout::process::HAS_PATH;
    let bytes = process(flags, b"vi\0\0/etc/passwd\0", b"vi\0bin\0usr\0");
    let Ok(RawRecord::Process(process)) = decode(&bytes) else { panic!("no process") };
    assert_eq!(process.args, ["vi", "", "/etc/passwd"]);
    assert_eq!(process.executable, Some(PathBuf::from("/usr/bin/vi")));
    assert_eq!((process.comm, process.parent_comm), (OsStr::new("vi"), OsStr::new("sh")));
    assert_eq!((process.login_uid, process.session), (None, Some(3)));
    assert_eq!(process.cgroup, OsStr::new("vi.scope"));
}

#[test]
fn what_is_not_wholly_known_of_a_process_is_absent() {
    let path = layout::process::HAS_PATH;
    for (flags, bytes) in
        [(0, b"vi\0bin\0".as_slice()), (path, b"vi\0bin"), (path, b"vi\0\0bin\0"), (path, b"")]
    {
        let bytes = process(flags, b"unread", bytes);
        let Ok(RawRecord::Process(process)) = decode(&bytes) else { panic!("no process") };
        assert_eq!(process.executable, None);
        assert!(process.args.is_empty());
    }
}

#[test]
fn every_operation_that_is_sent_is_known_and_no_other() {
    for code in 0..=u8::MAX {
        let known = decode(&head(kind::CHANGE, code, 0)).is_ok();
        assert_eq!(known, (op::WRITE..=op::MOUNT).contains(&code), "{code}");
    }
}

proptest! {
    #[test]
    fn no_bytes_cause_a_panic(bytes: Vec<u8>, kind in 0_u8..5) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = kind;
        }
        let _decoded = decode(&bytes);
        let _filled = filled(&bytes);
    }

    #[test]
    fn a_cut_record_is_refused(cut in 0_usize..1000) {
        for whole in [head(kind::CHANGE, op::WRITE, 0), names(op::RENAME, 32, b"new", b"old"), process(0, b"", b"")] {
            if cut < whole.len().min(layout::PROCESS_PATH) && !(cut >= layout::NAMES + 35 && whole[0] == kind::NAMES) {
                prop_assert!(decode(&whole[..cut]).is_err());
            }
        }
    }

    #[test]
    fn a_key_round_trips(inode: u64, device: u32, generation: u32) {
        let id = FileId { inode, device, generation };
        prop_assert_eq!(key(&key_bytes(id)), Some(id));
    }

    #[test]
    fn any_name_the_kernel_can_hold_round_trips(name in proptest::collection::vec(any::<u8>(), 1..256)) {
        let name: Vec<u8> = name.into_iter().map(|byte| if byte == 0 || byte == b'/' { b'x' } else { byte }).collect();
        let bytes = names(op::MKDIR, 256, &name, b"");
        let Ok(RawRecord::Names(names)) = decode(&bytes) else { panic!("no names") };
        prop_assert_eq!(names.name.as_bytes(), name.as_slice());
    }
}
