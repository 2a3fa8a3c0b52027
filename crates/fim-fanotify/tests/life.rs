//! The life of a watch: who acted, what happens when the queue is full, and how it ends.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Watch, brief, mark, name, places};
use fim_core::{MarkRequest, MarkScope, Recovery, Via, WatchMessage};
use fim_fanotify::FanotifyConfig;
use std::fs;
use std::io::Write;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};

#[test]
fn the_actor_of_a_process_that_lives() {
    for place in places() {
        let watch = Watch::start(&place);
        let mut child = Command::new("sh")
            .args(["-c", "echo x > a; read line", "with", "arguments"])
            .current_dir(watch.path("watched"))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        // No fence before the child has acted.
        let event = loop {
            if let Some(WatchMessage::Event(event)) = watch.source.next(std::time::Duration::from_secs(20)) {
                break event;
            }
        };
        let actor = event.actor.unwrap();
        assert_eq!(actor.pid, child.id());
        assert_eq!(actor.name.as_deref(), Some("sh".as_ref()));
        assert_eq!(actor.args, ["sh", "-c", "echo x > a; read line", "with", "arguments"]);
        assert_eq!(actor.uid, Some(0));
        assert!(actor.executable.as_ref().unwrap().is_absolute());
        assert!(!actor.kernel);
        let parent = actor.parent.as_ref().unwrap();
        assert_eq!(parent.pid, std::process::id());
        assert!(parent.start <= actor.start);
        child.stdin.take().unwrap().write_all(b"\n").unwrap();
        child.wait().unwrap();
        watch.stop();
    }
}

#[test]
fn a_process_that_starts_another_program_is_that_one() {
    for place in places() {
        let watch = Watch::start(&place);
        // After a few changes it is known well, and then it is another under the same number and the same start.
        let script = "for f in a b c d; do echo x > $f; read line; done; exec sed -n 'w e'";
        let mut child = Command::new("sh")
            .args(["-c", script])
            .current_dir(watch.path("watched"))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = child.stdin.take().unwrap();
        for (file, program) in [("a", "sh"), ("b", "sh"), ("c", "sh"), ("d", "sh"), ("e", "sed")] {
            let event = loop {
                if let Some(WatchMessage::Event(event)) =
                    watch.source.next(std::time::Duration::from_secs(20))
                    && name(event.place.as_ref()) == file
                {
                    break event;
                }
            };
            let actor = event.actor.unwrap();
            assert_eq!((actor.pid, actor.name.as_deref()), (child.id(), Some(program.as_ref())));
            assert_eq!(actor.args[0], program);
            lines.write_all(b"\n").unwrap();
        }
        drop(lines);
        child.wait().unwrap();
        watch.stop();
    }
}

#[test]
fn a_process_that_has_ended_is_a_number() {
    for place in places() {
        // The queue to the engine is full, so events are read when the process has long ended.
        let mut config = FanotifyConfig::default();
        config.ignore_self = false;
        let mut watch = Watch::start_with(&place, config, 1);
        for i in 0..4 {
            fs::write(watch.path(&format!("watched/{i}")), b"x").unwrap();
        }
        let child = Command::new("touch").arg(watch.path("watched/t")).spawn().unwrap();
        let pid = child.id();
        child.wait_with_output().unwrap();
        let events = watch.events();
        let event = events.iter().find(|event| name(event.place.as_ref()) == "t").unwrap();
        let actor = event.actor.as_ref().unwrap();
        assert_eq!(actor.pid, pid);
        assert!(actor.executable.is_none() || actor.name.as_deref() == Some("touch".as_ref()));
        watch.stop();
    }
}

#[test]
fn our_own_events_are_left_out() {
    for place in places() {
        let watch = Watch::start_with(&place, FanotifyConfig::default(), 1024);
        fs::write(watch.path("watched/own"), b"x").unwrap();
        assert!(Command::new("touch").arg(watch.path("watched/other")).status().unwrap().success());
        let (events, ..) = watch.stop();
        assert!(!events.is_empty());
        assert!(events.iter().all(|event| name(event.place.as_ref()) == "other"), "{:?}", brief(&events));
    }
}

#[test]
fn a_full_queue_is_a_loss_and_not_the_end() {
    for place in places() {
        let mut config = FanotifyConfig::default();
        config.ignore_self = false;
        config.unlimited_queue = false;
        let mut watch = Watch::start_with(&place, config, 1);
        let limit = fs::read_to_string("/proc/sys/fs/fanotify/max_queued_events").unwrap();
        let limit: usize = limit.trim().parse().unwrap();
        // What one read takes comes on top.
        for i in 0..limit + 2000 {
            fs::create_dir(watch.path(&format!("watched/{i}"))).unwrap();
        }
        let lost = loop {
            match watch.source.next(std::time::Duration::from_secs(20)).expect("a loss is told") {
                WatchMessage::Lost(loss) => break loss,
                _ => continue,
            }
        };
        assert_eq!((lost.number, lost.cause, lost.recovery), (1, "queue_overflow", Recovery::Rescan));
        fs::create_dir(watch.path("watched/after")).unwrap();
        let after = watch.events();
        assert!(after.iter().any(|event| name(event.place.as_ref()) == "after"));
        let (_, stats, _) = watch.stop();
        assert_eq!(stats.lost, 1);
    }
}

#[test]
fn a_stop_sends_what_is_queued_and_ends_the_marks() {
    for place in places() {
        let mut watch = Watch::start(&place);
        let first = watch.mark("watched", MarkScope::Tree);
        for i in 0..1000 {
            fs::create_dir(watch.path(&format!("watched/{i}"))).unwrap();
        }
        let dir = watch.path("watched");
        let file = common::open(&dir);
        let (events, stats, mut marks) = watch.stop();
        assert_eq!(events.iter().filter(|event| event.via == Via::Mkdir).count(), 1000);
        assert_eq!(stats.events, 1000);
        assert_eq!(stats.malformed, 0);
        let request = MarkRequest { file: file.as_fd(), path: &dir, scope: MarkScope::Tree };
        // The engine looks at what was seen to the last, and arms what is new in it as ever.
        assert_eq!(marks.add(&[request]).unwrap()[0].id, first.id);
    }
}

/// A file system made for one test.
struct Disk {
    image: tempfile::NamedTempFile,
    dir: tempfile::TempDir,
}

impl Disk {
    fn new() -> Option<Self> {
        let image = tempfile::NamedTempFile::new().unwrap();
        image.as_file().set_len(8 << 20).unwrap();
        let made = run(Command::new("mke2fs").args(["-q", "-F", "-t", "ext4"]).arg(image.path()));
        let disk = Self { image, dir: tempfile::tempdir().unwrap() };
        if made && disk.mount() && run(Command::new("umount").arg(disk.dir.path())) {
            return Some(disk);
        }
        println!("skipped: cannot make and mount an ext4 here");
        None
    }

    fn mount(&self) -> bool {
        run(Command::new("mount").args(["-o", "loop"]).arg(self.image.path()).arg(self.dir.path()))
    }

    fn unmount(&self) -> bool {
        run(Command::new("umount").arg(self.dir.path()))
    }
}

fn run(command: &mut Command) -> bool {
    command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

#[test]
fn a_watched_file_system_can_be_unmounted_and_watched_again() {
    if places().is_empty() {
        return;
    }
    let Some(disk) = Disk::new() else { return };
    let mut watch = Watch::start(&std::env::temp_dir());
    for round in 0..2 {
        assert!(disk.mount());
        let marked = mark(watch.ready.marks.as_mut(), disk.dir.path(), MarkScope::Tree);
        fs::write(disk.dir.path().join("a"), b"x").unwrap();
        let events = brief(&watch.events());
        assert!(disk.unmount(), "a watch must not keep a file system busy");
        assert!(marked.armed);
        assert!(events.contains(&(Via::Write, String::new(), "a".to_owned())), "{round}: {events:?}");
    }
    watch.stop();
}

#[test]
fn another_file_system_with_the_same_identifier() {
    if places().is_empty() {
        return;
    }
    let (Some(disk), Some(copy)) = (Disk::new(), Disk::new()) else {
        return;
    };
    fs::copy(disk.image.path(), copy.image.path()).unwrap();
    let mut watch = Watch::start(&std::env::temp_dir());
    assert!(disk.mount() && copy.mount());
    let marked = |watch: &mut Watch, disk: &Disk| {
        mark(watch.ready.marks.as_mut(), disk.dir.path(), MarkScope::Tree).armed
    };
    let first = marked(&mut watch, &disk);
    let beside = marked(&mut watch, &copy);
    assert!(disk.unmount());
    let after = marked(&mut watch, &copy);
    assert!(copy.unmount());
    assert_eq!((first, beside, after), (true, false, true));
    watch.stop();
}
