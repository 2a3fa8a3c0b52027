//! write(2) and its relations, on every kind of descriptor.

use crate::case::{Case, Held, hold, way};
use crate::child::Stage;
use crate::scene::Scene;
use crate::sys::fork;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{IoSlice, ReadWriteFlags, pwritev2};
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

pub(super) fn cases() -> Vec<Case> {
    let write = |name, says, change| way("write", name, says, change).updates("f");
    vec![
        write("write", "write(2)", |s, _| {
            let mut file = s.writable()?;
            file.write_all(b"NEW")?;
            hold(file)
        }),
        write("write_same_length", "write(2) of as many other bytes", |s, _| {
            let mut file = s.writable()?;
            file.write_all(b"THE OLD CONTENT\n")?;
            hold(file)
        }),
        write("pwrite", "pwrite(2)", |s, _| {
            let file = s.writable()?;
            file.write_all_at(b"X", 1)?;
            hold(file)
        }),
        write("writev", "writev(2)", |s, _| {
            let file = s.writable()?;
            rustix::io::writev(&file, &[IoSlice::new(b"A"), IoSlice::new(b"B")])?;
            hold(file)
        }),
        write("pwritev2", "pwritev2(2)", |s, _| {
            let file = s.writable()?;
            pwritev2(&file, &[IoSlice::new(b"A")], 2, ReadWriteFlags::empty())?;
            hold(file)
        }),
        write("pwritev2_append", "pwritev2(2) with RWF_APPEND", |s, _| {
            let file = s.writable()?;
            pwritev2(&file, &[IoSlice::new(b"A")], 0, ReadWriteFlags::APPEND)?;
            hold(file)
        }),
        write("append", "write(2) with O_APPEND", |s, _| with_flags(s, OFlags::APPEND)),
        write("sync", "write(2) with O_SYNC", |s, _| with_flags(s, OFlags::SYNC)),
        write("direct", "write(2) with O_DIRECT", |s, _| {
            let file =
                File::from(open(s.f(), OFlags::WRONLY | OFlags::DIRECT | OFlags::CLOEXEC, Mode::empty())?);
            file.write_all_at(&Page::of(b'D').0, 0)?;
            hold(file)
        }),
        write("write_far", "write(2) beyond the end, leaving a hole", |s, _| {
            let file = s.writable()?;
            file.write_all_at(b"far", 1 << 20)?;
            hold(file)
        }),
        write("write_forked", "write(2) by a child through an inherited descriptor", forked),
        write("write_brief", "write(2) by a process that lives for a millisecond", brief).described(),
        write("write_by_two", "write(2) by two processes at once", |s, stage| {
            brief(s, stage)?;
            brief(s, stage)
        })
        .by_everybody(),
        write("write_thread", "write(2) by another thread than the first", |s, _| {
            let mut file = s.writable()?;
            let writer = std::thread::spawn(move || file.write_all(b"NEW").map(|()| file));
            hold(writer.join().map_err(|_| io::Error::other("the thread panicked"))??)
        }),
        write("write_pid_namespace", "write(2) in another PID namespace", pid_namespace),
        write("write_twice", "write(2), and again after the first was reported", |s, stage| {
            let mut file = s.writable()?;
            file.write_all(b"ONE")?;
            stage.pause()?;
            file.write_all(b"TWO")?;
            hold(file)
        }),
    ]
}

fn with_flags(s: &Scene, flags: OFlags) -> io::Result<Held> {
    let mut file = File::from(open(s.f(), OFlags::WRONLY | flags | OFlags::CLOEXEC, Mode::empty())?);
    file.write_all(b"NEW")?;
    hold(file)
}

/// Memory as O_DIRECT wants it.
#[repr(align(4096))]
pub(super) struct Page(pub [u8; 4096]);

impl Page {
    pub(super) fn of(byte: u8) -> Box<Self> {
        Box::new(Self([byte; 4096]))
    }
}

/// Named by its number in the namespace of the watcher, not by its own.
#[allow(unsafe_code)]
fn pid_namespace(s: &Scene, stage: &mut Stage<'_>) -> io::Result<Held> {
    use rustix::thread::{UnshareFlags, unshare_unsafe};
    // SAFETY: only what is forked from now on is in another namespace.
    unsafe { unshare_unsafe(UnshareFlags::NEWPID)? };
    forked(s, stage)
}

/// Opens, writes and is gone before anybody could ask who it was.
fn brief(s: &Scene, stage: &mut Stage<'_>) -> io::Result<Held> {
    let helper = fork(|| s.writable()?.write_all(format!("by {}", std::process::id()).as_bytes()))?;
    stage.doer(helper.pid);
    helper.wait()?;
    hold(helper.pid)
}

fn forked(s: &Scene, stage: &mut Stage<'_>) -> io::Result<Held> {
    let mut file = s.writable()?;
    let helper = fork(|| file.write_all(b"NEW"))?;
    stage.doer(helper.pid);
    helper.wait()?;
    hold(file)
}
