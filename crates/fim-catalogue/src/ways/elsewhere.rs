//! The same file reached another way: by another name, mount, namespace, root or descriptor.
#![allow(unsafe_code)]

use crate::case::{Case, Held, done, hold, way};
use crate::child::Stage;
use crate::scene::Scene;
use crate::sys::{c_path, checked, fork, isolate_mounts};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, open, openat};
use rustix::mount::{MountFlags, mount, mount_bind};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::Path;

pub(super) fn cases() -> Vec<Case> {
    let mut all = names();
    all.extend(roots());
    all.extend(descriptors());
    all.extend(overlay());
    all
}

fn names() -> Vec<Case> {
    vec![
        way("write", "hard_link", "write(2) through another watched hard link", |s, _| {
            append(&s.at("alias"))
        })
        .updates("f")
        .updates("alias")
        .prepared(|s| fs::hard_link(s.f(), s.at("alias"))),
        way("write", "hard_link_outside", "write(2) through a hard link that is not watched", |s, _| {
            append(&s.out("alias"))
        })
        .updates("f")
        .prepared(|s| fs::hard_link(s.f(), s.out("alias"))),
        way("write", "new_hard_link", "link(2) to where nobody watches, and a write through it", |s, _| {
            fs::hard_link(s.f(), s.out("alias"))?;
            append(&s.out("alias"))
        })
        .updates("f"),
        way("write", "through_symlink", "write(2) through a symbolic link from outside", |s, _| {
            append(&s.out("link"))
        })
        .updates("f")
        .prepared(|s| symlink(s.f(), s.out("link"))),
    ]
}

fn roots() -> Vec<Case> {
    let write = |name, says, change| way("write", name, says, change).updates("f");
    vec![
        write("bind_mount", "write(2) through a bind mount", |s, _| {
            isolate_mounts()?;
            mount_bind(&s.dir, &s.outside)?;
            append(&s.out("f"))
        }),
        write("mount_namespace", "write(2) in another mount namespace", |s, _| {
            isolate_mounts()?;
            append(&s.f())
        }),
        write("chroot", "write(2) after chroot(2)", |s, _| {
            rustix::process::chroot(&s.dir)?;
            rustix::process::chdir("/")?;
            append(Path::new("/f"))
        })
        .proved(|_| fs::read("/f").map(|content| content.starts_with(MORE))),
        write("proc_root", "write(2) through /proc/PID/root", |s, _| {
            let root = format!("/proc/{}/root{}", std::process::id(), s.f().display());
            append(Path::new(&root))
        }),
    ]
}

fn descriptors() -> Vec<Case> {
    let write = |name, says, change| way("write", name, says, change).updates("f");
    vec![
        write("proc_fd", "open(2) of /proc/self/fd/N, read-only until then", |s, _| {
            let file = File::open(s.f())?;
            append(Path::new(&format!("/proc/self/fd/{}", file.as_raw_fd())))
        }),
        write("path_fd", "open(2) of an O_PATH descriptor by /proc/self/fd/N", |s, _| {
            let file = open(s.f(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
            append(Path::new(&format!("/proc/self/fd/{}", file.as_raw_fd())))
        }),
        write("relative", "openat(2) in a directory opened before", |s, _| {
            let dir = open(&s.dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
            let mut file = File::from(openat(&dir, "f", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?);
            file.write_all(MORE)?;
            hold(file)
        }),
        write("file_handle", "open_by_handle_at(2)", by_handle),
        write("passed", "write(2) to a descriptor received over a socket", passed),
        way("create", "tmpfile", "O_TMPFILE and linkat(2)", |s, _| {
            let file =
                open(&s.dir, OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR)?;
            rustix::io::write(&file, b"unnamed")?;
            let by_fd = format!("/proc/self/fd/{}", file.as_raw_fd());
            rustix::fs::linkat(CWD, by_fd, CWD, s.at("t"), AtFlags::SYMLINK_FOLLOW)?;
            hold(file)
        })
        .creates("t"),
        way(
            "write",
            "tmpfile_later",
            "O_TMPFILE, linkat(2), and a write after that was reported",
            |s, stage| {
                let file = open(
                    &s.dir,
                    OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC,
                    Mode::RUSR | Mode::WUSR,
                )?;
                let by_fd = format!("/proc/self/fd/{}", file.as_raw_fd());
                rustix::fs::linkat(CWD, by_fd, CWD, s.at("t"), AtFlags::SYMLINK_FOLLOW)?;
                stage.pause()?;
                rustix::io::write(&file, b"named")?;
                hold(file)
            },
        )
        .updates("t")
        .proved(|s| Ok(fs::read(s.at("t"))? == b"named")),
        way(
            "unlink",
            "deleted_but_open",
            "unlink(2), and write(2) to the file that is still open",
            |s, _| {
                let mut file = s.writable()?;
                fs::remove_file(s.f())?;
                file.write_all(MORE)?;
                hold(file)
            },
        )
        .deletes("f"),
        way("write", "open_before", "write(2) to a file opened long before", |s, stage| {
            let mut file = s.writable()?;
            stage.pause()?;
            file.write_all(MORE)?;
            hold(file)
        })
        .updates("f"),
        way(
            "write",
            "open_across_rename",
            "write(2) to a file that was renamed while it was open",
            |s, stage| {
                let mut file = s.writable()?;
                fs::rename(s.f(), s.at("g"))?;
                stage.pause()?;
                file.write_all(MORE)?;
                hold(file)
            },
        )
        .updates("g")
        .proved(|s| Ok(fs::read(s.at("g"))?.starts_with(MORE))),
    ]
}

fn overlay() -> Vec<Case> {
    vec![
        way("write", "overlay_upper", "write(2) through an overlay, to a file of its upper layer", |s, _| {
            mount_overlay(s)?;
            append(&s.out("merged/in"))
        })
        .updates("sub/in")
        .prepared(layers),
        way(
            "create",
            "overlay_copy_up",
            "write(2) through an overlay, to a file of its lower layer",
            |s, _| {
                mount_overlay(s)?;
                append(&s.out("merged/low"))
            },
        )
        .creates("sub/low")
        .prepared(layers),
        way(
            "mknod",
            "overlay_whiteout",
            "unlink(2) through an overlay, of a file of its lower layer",
            |s, _| {
                mount_overlay(s)?;
                fs::remove_file(s.out("merged/low"))?;
                done()
            },
        )
        .creates("sub/low")
        .prepared(layers),
    ]
}

const MORE: &[u8] = b"more";

fn append(path: &Path) -> io::Result<Held> {
    let mut file = File::options().write(true).open(path)?;
    file.write_all(MORE)?;
    hold(file)
}

/// The largest handle there is, `MAX_HANDLE_SZ`.
const HANDLE: usize = 128;

/// `struct file_handle` with room for any handle.
#[repr(C)]
struct Handle {
    bytes: u32,
    kind: i32,
    handle: [u8; HANDLE],
}

fn by_handle(s: &Scene, _: &mut Stage<'_>) -> io::Result<Held> {
    let path = c_path(&s.f())?;
    let mut handle = Handle { bytes: HANDLE as u32, kind: 0, handle: [0; HANDLE] };
    let at = (&raw mut handle).cast::<libc::file_handle>();
    let mut mount_id = 0;
    // SAFETY: the path ends in a zero byte; the handle says how much room it has.
    checked(unsafe { libc::name_to_handle_at(libc::AT_FDCWD, path.as_ptr(), at, &raw mut mount_id, 0) })?;
    let mount = File::open(&s.outside)?;
    // SAFETY: the handle was filled in above.
    let fd =
        checked(unsafe { libc::open_by_handle_at(mount.as_raw_fd(), at, libc::O_WRONLY | libc::O_CLOEXEC) })?;
    // SAFETY: a new descriptor that nothing else owns.
    let mut file = unsafe { File::from_raw_fd(fd) };
    file.write_all(MORE)?;
    hold(file)
}

fn passed(s: &Scene, stage: &mut Stage<'_>) -> io::Result<Held> {
    use rustix::net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
    };
    use std::io::{IoSlice, IoSliceMut};
    use std::mem::MaybeUninit;
    let (here, there) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    let helper = fork(|| {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        recvmsg(&there, &mut [IoSliceMut::new(&mut [0])], &mut control, RecvFlags::empty())?;
        let fd: Option<OwnedFd> = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
            _ => None,
        });
        File::from(fd.ok_or(io::ErrorKind::InvalidData)?).write_all(MORE)
    })?;
    stage.doer(helper.pid);
    let file = s.writable()?;
    let fds = [std::os::fd::AsFd::as_fd(&file)];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    sendmsg(&here, &[IoSlice::new(b"x")], &mut control, SendFlags::empty())?;
    helper.wait()?;
    hold(file)
}

/// The upper layer is the watched directory `sub`.
fn layers(s: &Scene) -> io::Result<()> {
    for dir in ["lower", "work", "merged"] {
        fs::create_dir(s.out(dir))?;
    }
    fs::write(s.out("lower/low"), "in the lower layer\n")
}

fn mount_overlay(s: &Scene) -> io::Result<()> {
    isolate_mounts()?;
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        s.out("lower").display(),
        s.at("sub").display(),
        s.out("work").display()
    );
    let options = std::ffi::CString::new(options)?;
    Ok(mount("overlay", s.out("merged"), "overlay", MountFlags::empty(), options.as_c_str())?)
}
