//! Mounts that hide or reveal a watched path. They are in the mount table of the watcher.

use crate::case::{Case, done, hold, way};
use crate::child::Stage;
use crate::scene::Scene;
use rustix::fs::CWD;
use rustix::mount::{
    MountFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount, mount_bind, mount_move, move_mount,
    open_tree, unmount,
};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub(super) fn cases() -> Vec<Case> {
    let hides = |name, says, change| way("mount", name, says, change).updates("sub").proved(hidden);
    vec![
        hides("mount_tmpfs", "a tmpfs mounted over a directory", |s, _| hold(tmpfs(&s.at("sub"))?)),
        hides("mount_bind", "a bind mount over a directory", |s, _| hold(bind(&s.outside, &s.at("sub"))?)),
        way("mount", "mount_bind_file", "a bind mount over a file", |s, _| hold(bind(&s.out("o"), &s.f())?))
            .updates("f")
            .prepared(|s| fs::write(s.out("o"), "from outside")),
        hides("mount_bind_watched", "a bind mount of a watched directory over another", |s, _| {
            hold(bind(&s.at("empty"), &s.at("sub"))?)
        }),
        way(
            "create",
            "bind_then_create",
            "a file made in a watched directory that is bind-mounted onto another",
            |s, stage| {
                let mounted = bound(s, stage)?;
                hold((mounted, fs::File::create(s.at("empty/n"))?))
            },
        )
        .creates("sub/n")
        .creates("empty/n"),
        way(
            "write",
            "bind_then_write",
            "write(2) to a file of a watched directory that is bind-mounted onto another",
            |s, stage| {
                let mounted = bound(s, stage)?;
                let mut file = fs::File::options().write(true).open(s.at("empty/in"))?;
                io::Write::write_all(&mut file, b"NEW")?;
                hold((file, mounted))
            },
        )
        .updates("sub/in")
        .updates("empty/in")
        .proved(|s| Ok(fs::read(s.at("sub/in"))?.starts_with(b"NEW"))),
        hides("move_mount", "open_tree(2) and move_mount(2) over a directory", |s, _| {
            let tree = open_tree(
                CWD,
                &s.outside,
                OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC,
            )?;
            move_mount(&tree, "", CWD, s.at("sub"), MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
            hold(Mounted(s.at("sub")))
        }),
        hides("mount_moved", "mount(2) with MS_MOVE onto a directory", |s, _| {
            let from = bind(&s.outside, &s.outside)?;
            rustix::mount::mount_change(&from.0, rustix::mount::MountPropagationFlags::PRIVATE)?;
            mount_move(&from.0, s.at("sub"))?;
            // It is not there any more.
            std::mem::forget(from);
            hold(Mounted(s.at("sub")))
        }),
        way("mount", "umount", "umount(2), which reveals a directory", |s, stage| {
            let mounted = tmpfs(&s.at("sub"))?;
            until_told(stage)?;
            drop(mounted);
            done()
        })
        .updates("sub")
        .proved(|s| Ok(s.at("sub/in").exists())),
        way(
            "write",
            "write_hidden",
            "write(2) to a file a mount has hidden, by a descriptor opened before",
            |s, stage| {
                let mut file = fs::File::options().write(true).open(s.at("sub/in"))?;
                let mounted = tmpfs(&s.at("sub"))?;
                until_told(stage)?;
                io::Write::write_all(&mut file, b"NEW")?;
                drop(mounted);
                hold(file)
            },
        )
        // It was told as gone when it was hidden.
        .creates("sub/in")
        .proved(|s| Ok(fs::read(s.at("sub/in"))?.starts_with(b"NEW"))),
    ]
}

/// Two watched paths to one directory, and both known as such.
fn bound(s: &Scene, stage: &mut Stage<'_>) -> io::Result<Mounted> {
    let mounted = bind(&s.at("sub"), &s.at("empty"))?;
    until_told(stage)?;
    Ok(mounted)
}

/// Waits until the mount has been noticed, and then until all that it hides and shows has been reported.
fn until_told(stage: &mut Stage<'_>) -> io::Result<()> {
    stage.pause()?;
    stage.pause()
}

fn hidden(s: &Scene) -> io::Result<bool> {
    Ok(!s.at("sub/in").exists())
}

/// Unmounted when it is dropped.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        // Where it fails, the mount goes with the mount table of the self-test.
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}

fn tmpfs(at: &Path) -> io::Result<Mounted> {
    mount("fim-selftest", at, "tmpfs", MountFlags::empty(), None)?;
    Ok(Mounted(at.to_owned()))
}

fn bind(from: &Path, to: &Path) -> io::Result<Mounted> {
    mount_bind(from, to)?;
    Ok(Mounted(to.to_owned()))
}
