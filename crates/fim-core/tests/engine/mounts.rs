//! Mounts over watched paths, in a mount table of the test's own.

use crate::house::{House, event, findings, told};
use fim_core::{Action, Actor, Via, WatchMessage};
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Gives this thread, and those it starts, a mount table of their own; `false` where that is forbidden.
#[allow(unsafe_code)]
fn alone() -> bool {
    // SAFETY: only the mount table and the working directory come apart, and no other thread relies on them.
    let alone = unsafe { unshare_unsafe(UnshareFlags::NEWNS) }.is_ok()
        && mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).is_ok();
    if !alone {
        eprintln!("skipped: mounting is forbidden here");
    }
    alone
}

fn tmpfs(at: &Path) {
    mount("none", at, "tmpfs", MountFlags::empty(), None).unwrap();
}

fn nothing_seen() -> Vec<WatchMessage> {
    Vec::new()
}

#[test]
fn a_mount_over_a_directory_hides_it_and_what_differs_is_told() {
    if !alone() {
        return;
    }
    let house = House::new();
    let lines = house.watch(|root| {
        tmpfs(&root.join("sub"));
        fs::write(root.join("sub/n"), "new").unwrap();
        let mut about_to = event(Via::Mount);
        about_to.actor = Some(Arc::new(Actor::new(7)));
        vec![WatchMessage::Event(about_to)]
    });
    let mut what = told(&house, &lines);
    assert_eq!(what[0], (Action::Updated, "sub".to_owned(), None), "{what:?}");
    what.remove(0);
    what.sort_by(|one, other| one.1.cmp(&other.1));
    assert_eq!(
        what,
        [(Action::Deleted, "sub/c".to_owned(), None), (Action::Created, "sub/n".to_owned(), None)]
    );
    let first = &findings(&lines)[0];
    assert_eq!(first.via, Some(Via::Mount));
    assert_eq!(first.changes[0].what, "mount");
    assert_eq!(first.actors[0].pid, 7);

    // Revealed while nothing ran.
    unmount(house.path("sub"), UnmountFlags::empty()).unwrap();
    let what = told(&house, &house.watch(|_| nothing_seen()));
    assert!(what.contains(&(Action::Created, "sub/c".to_owned(), None)));
    assert!(what.contains(&(Action::Deleted, "sub/n".to_owned(), None)));
}

#[test]
fn a_mount_above_hides_the_root_of_what_is_watched() {
    if !alone() {
        return;
    }
    let house = House::new();
    let above = house.root.parent().unwrap().to_owned();
    let lines = house.watch(|root| {
        tmpfs(root.parent().unwrap());
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(root.join("a"), "other").unwrap();
        fs::write(root.join("b"), "old").unwrap();
        fs::write(root.join("sub/c"), "old").unwrap();
        nothing_seen()
    });
    let what = told(&house, &lines);
    assert_eq!(what[0], (Action::Updated, String::new(), None), "{what:?}");
    assert!(what.contains(&(Action::Updated, "a".to_owned(), None)));
    let of_content =
        findings(&lines).iter().filter(|it| it.changes.is_empty() || it.changes[0].what == "size").count();
    assert_eq!(of_content, 1, "what holds the same is no change of content");
    unmount(above, UnmountFlags::empty()).unwrap();
}

#[test]
fn a_file_mounted_over_a_file_is_its_update() {
    if !alone() {
        return;
    }
    let house = House::new();
    let lines = house.watch(|root| {
        rustix::mount::mount_bind(root.join("sub/c"), root.join("a")).unwrap();
        // Somewhere else: nobody's business.
        tmpfs(Path::new("/proc/sys"));
        nothing_seen()
    });
    assert_eq!(told(&house, &lines), [(Action::Updated, "a".to_owned(), None)]);
    let lines = house.watch(|root| {
        unmount(root.join("a"), UnmountFlags::empty()).unwrap();
        nothing_seen()
    });
    assert_eq!(told(&house, &lines), [(Action::Updated, "a".to_owned(), None)]);
    unmount("/proc/sys", UnmountFlags::empty()).unwrap();
}
