//! Extended attributes, capabilities and access control lists.
#![allow(unsafe_code)]

use crate::case::{Case, Held, done, hold, way};
use crate::scene::Scene;
use crate::sys::{c_path, checked};
use rustix::fs::{XattrFlags, fsetxattr, lsetxattr, removexattr, setxattr};
use std::io;
use std::os::unix::fs::symlink;

pub(super) fn cases() -> Vec<Case> {
    let mut all = attributes();
    all.extend(lists());
    all
}

fn attributes() -> Vec<Case> {
    let added = |name, says, change| way("xattr", name, says, change).modifies("f", "xattr_added");
    vec![
        added("setxattr_user", "setxattr(2), user.", |s, _| put(s, "f", "user.fim", b"v")),
        added("setxattr_trusted", "setxattr(2), trusted.", |s, _| put(s, "f", "trusted.fim", b"v")),
        added("setxattr_security", "setxattr(2), security.", |s, _| put(s, "f", "security.fim", b"v")),
        added("fsetxattr", "fsetxattr(2)", |s, _| {
            let file = s.open()?;
            fsetxattr(&file, "trusted.fim", b"v", XattrFlags::empty())?;
            hold(file)
        }),
        added("setxattrat", "setxattrat(2)", |s, _| setxattrat(s)),
        added("file_capability", "setxattr(2), security.capability", |s, _| {
            put(s, "f", "security.capability", &CAP_NET_RAW)
        }),
        way("xattr", "setxattr_changed", "setxattr(2) of an attribute that is there", |s, _| {
            put(s, "f", "trusted.fim", b"w")
        })
        .modifies("f", "xattr_changed")
        .prepared(|s| put(s, "f", "trusted.fim", b"v").map(drop)),
        way("xattr", "removexattr", "removexattr(2)", |s, _| {
            removexattr(s.f(), "trusted.fim")?;
            done()
        })
        .modifies("f", "xattr_removed")
        .prepared(|s| put(s, "f", "trusted.fim", b"v").map(drop)),
        way("xattr", "setxattr_dir", "setxattr(2) of a directory", |s, _| put(s, "sub", "trusted.fim", b"v"))
            .modifies("sub", "xattr_added"),
        way("xattr", "lsetxattr", "lsetxattr(2) of a symbolic link", |s, _| {
            lsetxattr(s.at("l"), "trusted.fim", b"v", XattrFlags::empty())?;
            done()
        })
        .modifies("l", "xattr_added")
        .prepared(|s| symlink("f", s.at("l"))),
    ]
}

fn lists() -> Vec<Case> {
    vec![
        way("xattr", "acl", "a POSIX access control list", |s, _| put(s, "f", ACCESS, &acl(4)))
            .modifies("f", "acl_added"),
        way("xattr", "acl_changed", "another POSIX access control list", |s, _| put(s, "f", ACCESS, &acl(6)))
            .modifies("f", "acl_changed")
            .prepared(|s| put(s, "f", ACCESS, &acl(4)).map(drop)),
        way("xattr", "acl_removed", "a POSIX access control list removed", |s, _| {
            removexattr(s.f(), ACCESS)?;
            done()
        })
        .modifies("f", "acl_removed")
        .prepared(|s| put(s, "f", ACCESS, &acl(4)).map(drop)),
        way("xattr", "acl_default", "a POSIX default access control list of a directory", |s, _| {
            put(s, "sub", DEFAULT, &acl(4))
        })
        .modifies("sub", "acl_added"),
        way("xattr", "acl_default_removed", "a POSIX default access control list removed", |s, _| {
            removexattr(s.at("sub"), DEFAULT)?;
            done()
        })
        .modifies("sub", "acl_removed")
        .prepared(|s| put(s, "sub", DEFAULT, &acl(4)).map(drop)),
    ]
}

const ACCESS: &str = "system.posix_acl_access";
const DEFAULT: &str = "system.posix_acl_default";

/// `struct vfs_cap_data`, version 2, effective: `CAP_NET_RAW`, which is bit 13.
const CAP_NET_RAW: [u8; 20] = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn put(s: &Scene, name: &str, attribute: &str, value: &[u8]) -> io::Result<Held> {
    setxattr(s.at(name), attribute, value, XattrFlags::empty())?;
    done()
}

/// Besides owner, group and others, user 12 has these rights. In the form of `linux/posix_acl_xattr.h`.
fn acl(rights: u16) -> Vec<u8> {
    const NOBODY: u32 = u32::MAX;
    let entries: [(u16, u16, u32); 5] =
        [(1, 6, NOBODY), (2, rights, 12), (4, 4, NOBODY), (16, 6, NOBODY), (32, 4, NOBODY)];
    let mut bytes = 2u32.to_le_bytes().to_vec();
    for (tag, rights, id) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(rights.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

/// `__NR_setxattrat` on every architecture.
const SETXATTRAT: libc::c_long = 463;

/// `struct xattr_args` of `linux/xattr.h`.
#[repr(C)]
struct Args {
    value: u64,
    size: u32,
    flags: u32,
}

fn setxattrat(s: &Scene) -> io::Result<Held> {
    let path = c_path(&s.f())?;
    let value = b"v";
    let args = Args { value: value.as_ptr().addr() as u64, size: 1, flags: 0 };
    let (name, size) = (c"trusted.fim", size_of::<Args>());
    // SAFETY: path and name end in a zero byte, the structure has the size that is said.
    checked(unsafe {
        libc::syscall(SETXATTRAT, libc::AT_FDCWD, path.as_ptr(), 0, name.as_ptr(), &raw const args, size)
    })?;
    done()
}
