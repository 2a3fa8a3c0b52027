//! A disk that is full, read-only or out of reach while the watch runs, and one that is full at the start.

use crate::house::{House, Watch, is_root};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small disk in memory for the state.
struct Disk(PathBuf);

impl Disk {
    /// `None` where none can be mounted.
    fn mount(at: &Path, size: &str) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let options = format!("size={size},mode=0700");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "fim-test"]).arg(at).status();
        if !mounted.is_ok_and(|status| status.success()) {
            println!("skipped: no small disk can be mounted here");
            return None;
        }
        Some(Self(at.to_owned()))
    }

    fn remount(&self, how: &str) -> bool {
        let options = format!("remount,{how}");
        Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success()
    }

    fn fill(&self) {
        let mut filler = File::create(self.0.join("filler")).unwrap();
        for size in [1 << 16, 1 << 8, 1] {
            while filler.write_all(&vec![1; size]).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

/// Changes that take room in the state, until it has none.
fn change_until_told(house: &House, watch: &Watch) {
    for round in 0.. {
        for file in 0..200 {
            house.write(&format!("{}{file:03}", "long name ".repeat(15)), &format!("round {round}"));
        }
        house.write("mark", &format!("round {round}"));
        watch.wait_until(|written| written.matches(r#""name":"mark""#).count() > round, "mark");
        if watch.written().contains("state_unwritable") {
            return;
        }
        assert!(round < 500, "the disk never fills");
    }
}

/// Every change is told, once, in the end; and the log is whole.
fn nothing_is_lost(house: &House) {
    let (code, out, err) = house.verify(&[]);
    assert_eq!(code, 0, "{out}{err}");
    let (code, out, err) = house.fim("check", &["--full", house.watched.to_str().unwrap()]);
    let lines = house.lines();
    assert_eq!(code, 1, "{out}{err}");
    for line in out.lines() {
        let hash = line.split(r#""blake3":""#).nth(1).unwrap().split('"').next().unwrap();
        assert!(lines.iter().any(|told| told.contains(hash)), "{line}");
    }
    let told = house.lines().len();
    house.watch(&[]).stop();
    let started = &house.lines()[told..];
    assert_eq!(started.len(), 2, "nothing is told again: {started:?}");
}

#[test]
fn a_full_disk_does_not_end_the_watch() {
    if !is_root() {
        return;
    }
    let house = House::new();
    let Some(disk) = Disk::mount(&house.state, "12M") else { return };
    let watch = house.watch(&[]);
    disk.fill();
    change_until_told(&house, &watch);
    assert!(watch.complaints().contains("the disk is full"), "{}", watch.complaints());
    house.write("meanwhile", "1");
    watch.wait_for(r#""name":"meanwhile""#);
    disk.free();
    watch.wait_for("gap_closed");
    house.write("after", "1");
    watch.wait_for(r#""name":"after""#);
    watch.stop();
    nothing_is_lost(&house);
}

#[test]
fn a_read_only_disk_is_said_at_the_start() {
    if !is_root() {
        return;
    }
    let house = House::new();
    let Some(disk) = Disk::mount(&house.state, "64M") else { return };
    house.watch(&[]).stop();
    house.write("a", "changed");
    assert!(disk.remount("ro"));
    let (code, out, err) = house.fim("run", &["--watcher", "fanotify", house.watched.to_str().unwrap()]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("read-only"), "{err}");
    assert!(disk.remount("rw"));
    let watch = house.watch(&[]);
    assert!(watch.written().contains(r#""name":"a""#), "{}", watch.written());
    watch.stop();
    nothing_is_lost(&house);
}

#[test]
fn a_disk_that_stays_full_ends_in_2_and_all_is_told_again() {
    if !is_root() {
        return;
    }
    let house = House::new();
    let Some(disk) = Disk::mount(&house.state, "12M") else { return };
    let watch = house.watch(&[]);
    disk.fill();
    change_until_told(&house, &watch);
    let errors = watch.errors.clone();
    let status = watch.end(rustix::process::Signal::TERM);
    assert_eq!(status.code(), Some(2));
    let err = fs::read_to_string(&errors).unwrap();
    assert!(err.contains("the disk is full"), "{err}");
    // A start on the full disk says so, and leaves all as it is.
    let watched = house.watched.to_str().unwrap();
    let (code, _, err) = house.fim("run", &["--watcher", "fanotify", watched]);
    assert_eq!(code, 2);
    assert!(err.contains("disk is full"), "{err}");
    disk.free();
    house.watch(&[]).stop();
    nothing_is_lost(&house);
}

#[test]
fn too_many_open_files_do_not_lose_the_state() {
    if !is_root() {
        return;
    }
    let house = House::new();
    let watch = house.watch(&[]);
    watch.limit_files(3);
    house.write("a", "1");
    watch.wait_for("state_unwritable");
    watch.limit_files(1024);
    watch.wait_for("gap_closed");
    // It could not be read meanwhile either.
    house.write("a", "2");
    watch.wait_until(|written| written.matches(r#""name":"a""#).count() > 1, "second line of a");
    watch.stop();
    nothing_is_lost(&house);
}
