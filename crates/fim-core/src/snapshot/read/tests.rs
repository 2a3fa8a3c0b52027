//! Looks at every kind of file there is, and at files that move while they are looked at.

use super::*;
use crate::key::Key;
use rustix::fs::{FileType, Mode, XattrFlags, mkdirat, mknodat, open, openat, symlinkat, utimensat};
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use tempfile::TempDir;

fn folder() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    // Temporary directories may be reached through a link.
    let path = dir.path().canonicalize().unwrap();
    (dir, path)
}

fn reader() -> Reader {
    Reader::new(Limits::default()).unwrap()
}

fn small_reader() -> Reader {
    Reader::new(Limits { max_hash_bytes: 1000, ..Limits::default() }).unwrap()
}

fn look(path: &Path) -> Facts {
    reader().look(path, Need::default()).facts.unwrap()
}

const ALL: Need = Need { content: Some(1 << 20), sha256: true, checksum: None };

#[test]
fn regular_files_of_many_sizes() {
    let (_dir, at) = folder();
    let mut reader = reader();
    for size in [0, 1, 1023, 8192, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 5] {
        let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        let path = at.join(format!("f{size}"));
        fs::write(&path, &bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let snapshot = reader.look(&path, ALL);
        let facts = snapshot.facts.unwrap();
        assert_eq!(facts.kind, FileKind::File);
        assert_eq!((facts.mode, facts.size, facts.links), (0o640, size as u64, 1));
        assert_eq!(facts.blake3, Some(*blake3::hash(&bytes).as_bytes()));
        let sha256: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(&bytes).into();
        assert_eq!(facts.sha256, Some(sha256));
        assert_eq!(facts.hash_state, HashState::Stable);
        assert_eq!(snapshot.content.unwrap(), bytes);
    }
}

#[test]
fn content_only_when_wanted_and_small_enough() {
    let (_dir, at) = folder();
    fs::write(at.join("f"), [7; 100]).unwrap();
    let mut reader = reader();
    for (limit, expected) in [(None, None), (Some(99), None), (Some(100), Some(vec![7; 100]))] {
        let snapshot = reader.look(&at.join("f"), Need { content: limit, ..Need::default() });
        assert_eq!(snapshot.content, expected);
        let facts = snapshot.facts.unwrap();
        assert!(facts.blake3.is_some() && facts.sha256.is_none());
    }
}

#[test]
fn too_big_is_not_read() {
    let (_dir, at) = folder();
    File::create(at.join("sparse")).unwrap().set_len(1 << 40).unwrap();
    fs::write(at.join("edge"), [1; 1000]).unwrap();
    fs::write(at.join("over"), [1; 1001]).unwrap();
    let mut reader = small_reader();
    for (name, state) in
        [("sparse", HashState::TooBig), ("over", HashState::TooBig), ("edge", HashState::Stable)]
    {
        let snapshot = reader.look(&at.join(name), ALL);
        assert_eq!(snapshot.hash_state(), state, "{name}");
        assert_eq!(snapshot.content.is_some(), state == HashState::Stable, "{name}");
    }
    assert_eq!(look(&at.join("sparse")).hash_state, HashState::TooBig);
}

#[test]
fn files_without_a_size_are_read_and_bounded() {
    let snapshot = reader().look(Path::new("/proc/version"), ALL);
    assert_eq!(snapshot.content.unwrap(), fs::read("/proc/version").unwrap());
    // A megabyte and more of symbols, in a file that says it is empty.
    assert_eq!(small_reader().look(Path::new("/proc/kallsyms"), ALL).hash_state(), HashState::TooBig);
}

#[test]
fn links_are_looked_at_and_not_through() {
    let (_dir, at) = folder();
    fs::write(at.join("file"), "x").unwrap();
    symlink("file", at.join("link")).unwrap();
    symlink("nowhere\n\u{1b}", at.join("dangling")).unwrap();
    symlink("loop", at.join("loop")).unwrap();
    symlink(".", at.join("up")).unwrap();
    let longest = "x".repeat(4000);
    symlink(&longest, at.join("long")).unwrap();
    for (name, target) in [
        ("link", "file"),
        ("dangling", "nowhere\n\u{1b}"),
        ("loop", "loop"),
        ("up", "."),
        ("long", longest.as_str()),
    ] {
        let facts = look(&at.join(name));
        assert_eq!(facts.kind, FileKind::Symlink, "{name}");
        assert_eq!(facts.target.as_deref(), Some(Path::new(target)));
        assert!(facts.blake3.is_none());
        assert_eq!(facts.hash_state, HashState::Stable);
    }
    assert_eq!(reader().look(&at.join("up/file"), ALL), Snapshot::gone(at.join("up/file")));
}

#[test]
fn special_files_are_never_opened() {
    let (_dir, at) = folder();
    let dir = open(&at, OFlags::PATH, Mode::empty()).unwrap();
    mknodat(&dir, "fifo", FileType::Fifo, Mode::RWXU, 0).unwrap();
    let _listener = UnixListener::bind(at.join("socket")).unwrap();
    let cases = [
        (at.join("fifo"), FileKind::Fifo, 0),
        (at.join("socket"), FileKind::Socket, 0),
        (PathBuf::from("/dev/zero"), FileKind::CharDevice, rustix::fs::makedev(1, 5)),
        (PathBuf::from("/dev/tty"), FileKind::CharDevice, rustix::fs::makedev(5, 0)),
    ];
    for (path, kind, rdev) in cases {
        // Opening the FIFO for reading would let this succeed; nobody must have it open afterwards either.
        let facts = look(&path);
        assert_eq!((facts.kind, facts.rdev, facts.size), (kind, rdev, 0), "{}", path.display());
        assert_eq!((facts.blake3, facts.hash_state), (None, HashState::Stable));
    }
    let write_end = open(at.join("fifo"), OFlags::WRONLY | OFlags::NONBLOCK, Mode::empty());
    assert_eq!(write_end.unwrap_err(), Errno::NXIO);
}

#[test]
fn directories() {
    let (_dir, at) = folder();
    fs::create_dir(at.join("d")).unwrap();
    fs::set_permissions(at.join("d"), fs::Permissions::from_mode(0o1777)).unwrap();
    let facts = look(&at.join("d"));
    assert_eq!((facts.kind, facts.mode, facts.size), (FileKind::Dir, 0o1777, 0));
    fs::write(at.join("d/x"), "").unwrap();
    assert!(look(&at.join("d")).same_metadata(&facts));
}

#[test]
fn what_is_not_there_is_gone() {
    let (_dir, at) = folder();
    fs::write(at.join("file"), "").unwrap();
    let long = "n".repeat(256);
    for name in ["none", "none/below", "file/below", long.as_str()] {
        let path = at.join(name);
        let snapshot = reader().look(&path, ALL);
        assert_eq!(snapshot, Snapshot::gone(&path));
        assert_eq!(snapshot.hash_state(), HashState::Gone);
    }
}

#[test]
fn a_file_whose_name_goes_is_still_itself() {
    let (_dir, at) = folder();
    fs::write(at.join("f"), "old").unwrap();
    let mut reader = reader();
    let file = reader.open_path(&at.join("f")).unwrap();
    fs::write(at.join("other"), "new").unwrap();
    fs::rename(at.join("other"), at.join("f")).unwrap();
    let snapshot = reader.look_at(file.as_fd(), &at.join("f"), ALL);
    assert_eq!(snapshot.content.unwrap(), b"old");
    assert_eq!(snapshot.facts.unwrap().links, 0);
}

#[test]
fn a_file_that_moves_once_is_read_again() {
    let (_dir, at) = folder();
    let path = at.join("f");
    fs::write(&path, "before").unwrap();
    let mut reader = reader();
    let file = reader.open_path(&path).unwrap();
    let mut looks = 0;
    let stat = Reader::stat(file.as_fd()).unwrap();
    let snapshot = reader.look_and(file.as_fd(), &path, stat, ALL, &mut |_| true, &mut || {
        looks += 1;
        if looks == 1 {
            fs::write(&path, "afterwards").unwrap();
        }
    });
    assert_eq!(looks, 2);
    assert_eq!(snapshot.hash_state(), HashState::Stable);
    assert_eq!(snapshot.content.unwrap(), b"afterwards");
}

#[test]
fn a_file_that_never_rests_is_unstable() {
    let (_dir, at) = folder();
    let path = at.join("f");
    fs::write(&path, "0").unwrap();
    let mut reader = reader();
    let file = reader.open_path(&path).unwrap();
    let mut looks = 0;
    let mut append = fs::OpenOptions::new().append(true).open(&path).unwrap();
    let stat = Reader::stat(file.as_fd()).unwrap();
    let snapshot = reader.look_and(file.as_fd(), &path, stat, ALL, &mut |_| true, &mut || {
        looks += 1;
        append.write_all(b"+").unwrap();
    });
    assert_eq!(looks, 3);
    assert_eq!(snapshot.hash_state(), HashState::Unstable);
    assert_eq!(snapshot.content, None);
    let facts = snapshot.facts.unwrap();
    assert_eq!(facts.size, 4);
    assert!(facts.blake3.is_some());
}

#[test]
fn a_file_cut_while_it_is_read_is_read_again() {
    let (_dir, at) = folder();
    let path = at.join("f");
    fs::write(&path, vec![1; 3 * BUFFER]).unwrap();
    let mut reader = reader();
    let file = reader.open_path(&path).unwrap();
    let stat = Reader::stat(file.as_fd()).unwrap();
    let snapshot = reader.look_and(file.as_fd(), &path, stat, ALL, &mut |_| true, &mut || {
        drop(File::create(&path).unwrap());
    });
    // Cutting an empty file again moves its times: it may be unstable, but never keeps the old bytes.
    assert_eq!(snapshot.facts.unwrap().blake3, Some(*blake3::hash(b"").as_bytes()));
}

#[test]
fn hostile_names() {
    let (_dir, at) = folder();
    let longest = [b'\xff'; 255];
    let names: [&[u8]; 5] =
        [b"\xff\xfe", b"a\nb\x1b[0m\"", b"-rf *", "\u{202e}txt.exe\u{2066}".as_bytes(), &longest];
    for name in names {
        let path = at.join(OsStr::from_bytes(name));
        fs::write(&path, name).unwrap();
        let snapshot = reader().look(&path, ALL);
        assert_eq!(snapshot.content.as_deref(), Some(name));
        assert_eq!(snapshot.path, path);
    }
}

#[test]
fn a_thousand_directories_deep() {
    let (_dir, mut path) = folder();
    let name = "deep4567";
    let mut at = open(&path, OFlags::PATH, Mode::empty()).unwrap();
    for _ in 0..1000 {
        mkdirat(&at, name, Mode::RWXU).unwrap();
        at = openat(&at, name, OFlags::PATH, Mode::empty()).unwrap();
        path.push(name);
    }
    symlinkat("target", &at, "link").unwrap();
    path.push("link");
    assert!(path.as_os_str().len() > 2 * 4096);
    assert_eq!(look(&path).target, Some(PathBuf::from("target")));
    assert_eq!(reader().look(&path.join("none"), ALL).facts, None);
}

#[test]
fn the_access_time_is_left_alone() {
    let (_dir, at) = folder();
    let path = at.join("f");
    fs::write(&path, "x").unwrap();
    let long_ago = rustix::fs::Timespec { tv_sec: 1_000_000, tv_nsec: 7 };
    let times = rustix::fs::Timestamps { last_access: long_ago, last_modification: long_ago };
    utimensat(rustix::fs::CWD, &path, &times, rustix::fs::AtFlags::empty()).unwrap();
    let facts = look(&path);
    assert_eq!(facts.mtime, crate::facts::FileTime { seconds: 1_000_000, nanos: 7 });
    let after = rustix::fs::stat(&path).unwrap();
    assert_eq!(after.st_atime, 1_000_000);
}

#[test]
fn extended_attributes() {
    let (_dir, at) = folder();
    let path = at.join("f");
    fs::write(&path, "x").unwrap();
    let large = vec![5; 2000];
    for (name, value) in [("user.b", large.as_slice()), ("user.a", b"1".as_slice()), ("user.empty", b"")] {
        match rustix::fs::setxattr(&path, name, value, XattrFlags::empty()) {
            Ok(()) => {}
            // No user attributes on this file system: nothing to test.
            Err(Errno::OPNOTSUPP) => return,
            Err(error) => panic!("{name}: {error}"),
        }
    }
    let digest = |value: &[u8]| *blake3::hash(value).as_bytes().first_chunk::<16>().unwrap();
    let own = |facts: &Facts| -> Vec<(String, [u8; 16])> {
        let user = facts.xattrs.iter().filter(|xattr| xattr.name.starts_with("user."));
        user.map(|xattr| (xattr.name.clone(), xattr.digest)).collect()
    };
    let expected = [("user.a", digest(b"1")), ("user.b", digest(&large)), ("user.empty", digest(b""))]
        .map(|(name, digest)| (name.to_owned(), digest));
    assert_eq!(own(&look(&path)), expected);

    let opener = Opener::new().unwrap();
    let file = opener.open_path(&path).unwrap();
    let by_path = xattrs::read(Handle::PathOnly(file.as_fd()), &mut vec![0; BUFFER]);
    assert_eq!(by_path, Ok(look(&path).xattrs));
    rustix::fs::removexattr(&path, "user.a").unwrap();
    assert_eq!(own(&look(&path)), expected[1..]);

    // More names than a first call has room for.
    let long = "n".repeat(100);
    (0..8).for_each(|n| {
        rustix::fs::setxattr(&path, format!("user.{long}{n}"), b"", XattrFlags::CREATE).unwrap()
    });
    assert_eq!(own(&look(&path)).len(), 10);
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn capabilities_and_attributes_of_links_for_root() {
    if !is_root() {
        return;
    }
    let (_dir, at) = folder();
    fs::write(at.join("f"), "x").unwrap();
    // Version 2, cap_net_raw permitted and effective.
    let capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    rustix::fs::setxattr(at.join("f"), "security.capability", &capability, XattrFlags::empty()).unwrap();
    assert_eq!(look(&at.join("f")).xattrs[0].name, "security.capability");
    symlink("f", at.join("link")).unwrap();
    assert!(look(&at.join("link")).xattrs.iter().all(|xattr| xattr.name != "security.capability"));
    if rustix::fs::lsetxattr(at.join("link"), "trusted.t", b"1", XattrFlags::empty()).is_ok() {
        assert_eq!(look(&at.join("link")).xattrs[0].name, "trusted.t");
    }
}

#[test]
fn unreadable_files_are_facts_too() {
    if is_root() {
        return;
    }
    let (_dir, at) = folder();
    fs::write(at.join("f"), "x").unwrap();
    fs::set_permissions(at.join("f"), fs::Permissions::from_mode(0o0)).unwrap();
    let facts = look(&at.join("f"));
    assert_eq!((facts.hash_state, facts.blake3, facts.size), (HashState::Unreadable, None, 1));
    fs::create_dir(at.join("shut")).unwrap();
    fs::write(at.join("shut/f"), "x").unwrap();
    fs::set_permissions(at.join("shut"), fs::Permissions::from_mode(0o0)).unwrap();
    let facts = look(&at.join("shut/f"));
    assert_eq!((facts.hash_state, facts.inode), (HashState::Unreadable, 0));
    assert_eq!(look(&at.join("shut")).kind, FileKind::Dir);
    fs::set_permissions(at.join("shut"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn flags() {
    let (_dir, at) = folder();
    fs::write(at.join("f"), "x").unwrap();
    let file = File::open(at.join("f")).unwrap();
    let before = look(&at.join("f"));
    let nodump = rustix::fs::IFlags::NODUMP;
    let Ok(old) = rustix::fs::ioctl_getflags(&file) else {
        return;
    };
    if rustix::fs::ioctl_setflags(&file, old | nodump).is_err() {
        return;
    }
    let after = look(&at.join("f"));
    assert_eq!(after.flags, before.flags | nodump.bits());
    assert!(!after.same_metadata(&before));
    let path_only = reader().open_path(&at.join("f")).unwrap();
    assert_eq!(Reader::stat(path_only.as_fd()).unwrap().flags & nodump.bits(), nodump.bits());
}

#[test]
fn a_stat_is_the_same_as_a_look() {
    let (_dir, at) = folder();
    fs::write(at.join("f"), "x").unwrap();
    let file = reader().open_path(&at.join("f")).unwrap();
    let stat = Reader::stat(file.as_fd()).unwrap();
    assert!(stat.same_stat(&look(&at.join("f"))));
    assert_eq!(stat.blake3, None);
}

#[test]
fn an_old_stat_is_found_out() {
    let (_dir, at) = folder();
    let path = at.join("f");
    fs::write(&path, "old").unwrap();
    let mut reader = reader();
    let file = reader.open_path(&path).unwrap();
    let stat = Reader::stat(file.as_fd()).unwrap();
    fs::write(&path, "newer").unwrap();
    let snapshot = reader.look_from(file.as_fd(), &path, stat, ALL);
    assert_eq!(snapshot.hash_state(), HashState::Stable);
    assert_eq!(snapshot.content.unwrap(), b"newer");

    let dir = reader.open_path(&at).unwrap();
    let stat = Reader::stat(dir.as_fd()).unwrap();
    fs::set_permissions(&at, fs::Permissions::from_mode(0o751)).unwrap();
    assert_eq!(reader.look_from(dir.as_fd(), &at, stat, ALL).facts.unwrap().mode, 0o751);
}

fn with_key(key: u8) -> Reader {
    let secret = |path: &Path, piece: &[u8]| path.ends_with("shadow") || piece.starts_with(b"secret");
    reader().with_secrecy(Some(Secrecy::new(Key::new([key; 32]), secret)))
}

#[test]
fn a_file_with_a_secret_is_hashed_under_the_key() {
    let dir = tempfile::tempdir().unwrap();
    let need = Need { sha256: true, ..Need::default() };
    let look = |name: &str, content: &str, key: u8| {
        let path = dir.path().canonicalize().unwrap().join(name);
        fs::write(&path, content).unwrap();
        with_key(key).look(&path, need).facts.unwrap()
    };
    let plain = look("plain", "x", 1);
    assert_eq!(plain.blake3, Some(*blake3::hash(b"x").as_bytes()));
    assert!(plain.keyed.is_none() && plain.sha256.is_some());
    // By its name; by what is in it; empty or not.
    for (name, content) in [("shadow", "x"), ("shadow", ""), ("copy", "secret x")] {
        let (one, other) = (look(name, content, 1), look(name, content, 2));
        assert!(one.keyed.is_some() && one.sha256.is_none(), "{name}");
        assert_ne!(one.blake3, Some(*blake3::hash(content.as_bytes()).as_bytes()), "{name}");
        assert_ne!(one.blake3, other.blake3, "{name}");
        assert_eq!(one.same_hash(&other), None, "{name}");
        assert_eq!(one.blake3, look(name, content, 1).blake3, "{name}");
    }
}

#[test]
fn a_lost_key_is_no_change() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap().join("shadow");
    fs::write(&path, "x").unwrap();
    let look = |key| with_key(key).look(&path, Need::default()).facts.unwrap();
    let (one, other) = (look(1), look(2));
    assert!(one.same_content(&other));
    assert!(!with_key(2).could_have_made(&path, &one));
    assert!(with_key(1).could_have_made(&path, &one));
}

#[test]
fn a_secret_across_pieces_is_seen_whole() {
    let (_dir, at) = folder();
    let path = at.join("f");
    let is_secret = |_: &Path, stretch: &[u8]| stretch.windows(9).any(|part| part == b"my secret");
    let mut reader = reader().with_secrecy(Some(Secrecy::new(Key::new([1; 32]), is_secret)));
    let mut keyed = |content: &[u8]| {
        fs::write(&path, content).unwrap();
        let facts = reader.look(&path, Need::default()).facts.unwrap();
        assert_eq!(facts.keyed.is_none(), facts.blake3 == Some(*blake3::hash(content).as_bytes()));
        facts.keyed.is_some()
    };
    for border in [PIECE, 2 * PIECE] {
        for start in border - 10..=border + 1 {
            let mut content = vec![b'x'; 3 * PIECE];
            content[start..start + 9].copy_from_slice(b"my secret");
            assert!(keyed(&content), "{start}");
            content[start] = b'x';
            assert!(!keyed(&content), "{start}");
        }
    }
}

#[test]
fn a_file_that_is_judged_whole_is_judged_once_or_keyed() {
    let (_dir, at) = folder();
    let path = at.join("f");
    let ends_meet = |_: &Path, bytes: &[u8]| bytes.starts_with(b"(") && bytes.ends_with(b")");
    let secrecy = Secrecy::new(Key::new([1; 32]), ends_meet).judging_whole(|_| Some(2 * PIECE as u64));
    let mut reader = reader().with_secrecy(Some(secrecy));
    for (length, ends, keyed) in [
        (2 * PIECE, b"()", true),
        (2 * PIECE, b"(x", false),
        (2, b"()", true),
        (2, b"xx", false),
        // Too large to tell.
        (2 * PIECE + 1, b"xx", true),
    ] {
        let mut content = vec![b'.'; length];
        (content[0], content[length - 1]) = (ends[0], ends[1]);
        fs::write(&path, &content).unwrap();
        let look = reader.look(&path, Need { content: Some(10), sha256: false, checksum: None });
        assert_eq!(look.facts.unwrap().keyed.is_some(), keyed, "{length} {ends:?}");
        assert_eq!(look.content.is_some(), length == 2, "{length}");
    }
    fs::write(&path, "").unwrap();
    assert!(reader.look(&path, Need::default()).facts.unwrap().keyed.is_none());
}

#[test]
fn a_file_that_becomes_a_link_and_back_is_never_looked_through() {
    let (_dir, at) = folder();
    fs::write(at.join("secret"), "not for them").unwrap();
    fs::write(at.join("f"), "theirs").unwrap();
    symlink("secret", at.join("l")).unwrap();
    let there = open(&at, OFlags::PATH, Mode::empty()).unwrap();
    let flipper = std::thread::spawn(move || {
        for _ in 0..100_000 {
            rustix::fs::renameat_with(&there, "f", &there, "l", rustix::fs::RenameFlags::EXCHANGE).unwrap();
        }
    });
    let (mut reader, path, mut seen) = (reader(), at.join("f"), [0, 0]);
    while !flipper.is_finished() {
        let snapshot = reader.look(&path, ALL);
        let facts = snapshot.facts.unwrap();
        seen[usize::from(facts.kind == FileKind::Symlink)] += 1;
        match facts.kind {
            FileKind::File => assert!(snapshot.content.is_none_or(|content| content == b"theirs")),
            FileKind::Symlink => assert_eq!((snapshot.content, facts.blake3), (None, None)),
            other => panic!("{other:?}"),
        }
    }
    flipper.join().unwrap();
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

#[test]
fn a_file_that_takes_too_long_is_given_up() {
    let (_dir, at) = folder();
    fs::write(at.join("f"), vec![1; 4 * PIECE]).unwrap();
    let mut hasty = Reader::new(Limits { max_time: Duration::ZERO, ..Limits::default() }).unwrap();
    let snapshot = hasty.look(&at.join("f"), ALL);
    assert_eq!((snapshot.hash_state(), snapshot.content), (HashState::Unreadable, None));
}

/// A FUSE file system that another user mounted and that never answers: the kernel does not let root wait for it.
#[test]
fn the_stalled_file_system_of_another_user_is_not_waited_for() {
    if !is_root() {
        return;
    }
    let (_dir, at) = folder();
    let Ok(device) = File::options().read(true).write(true).open("/dev/fuse") else { return };
    let of_nobody = format!("fd={},rootmode=40755,user_id=65534,group_id=65534", device.as_raw_fd());
    let options = std::ffi::CString::new(of_nobody).unwrap();
    let flags = rustix::mount::MountFlags::NOSUID | rustix::mount::MountFlags::NODEV;
    if rustix::mount::mount("fim-test", &at, "fuse", flags, options.as_c_str()).is_err() {
        return;
    }
    let (told, looked) = std::sync::mpsc::channel();
    let path = at.join("f");
    std::thread::spawn(move || told.send(reader().look(&path, ALL).hash_state()));
    let state = looked.recv_timeout(Duration::from_secs(30));
    rustix::mount::unmount(&at, rustix::mount::UnmountFlags::DETACH).unwrap();
    assert_eq!(state, Ok(HashState::Unreadable));
}
