//! The reference for watching: inotify, a hash and a line, in one loop and in one thread. It keeps no state, knows
//! no actor, loses what overflows, and is as fast as that makes it.

use crate::Failure;
use rustix::fs::inotify::{CreateFlags, Event, ReadFlags, Reader, WatchFlags, add_watch, init};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::Write;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Watches a tree until it is killed; says `ready` first.
///
/// # Errors
/// When it cannot be watched.
pub fn run(top: &Path) -> Result<(), Failure> {
    let inotify = init(CreateFlags::CLOEXEC)?;
    let mut dirs = HashMap::new();
    watch(&inotify, top, &mut dirs)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "ready")?;
    out.flush()?;
    let mut room = [MaybeUninit::uninit(); 64 * 1024];
    let mut reader = Reader::new(&inotify, &mut room);
    let mut lines = Vec::new();
    loop {
        tell(&reader.next()?, &dirs, &mut lines)?;
        if reader.is_buffer_empty() {
            out.write_all(&lines)?;
            out.flush()?;
            lines.clear();
        }
    }
}

fn watch(
    inotify: &impl std::os::fd::AsFd,
    dir: &Path,
    dirs: &mut HashMap<i32, PathBuf>,
) -> Result<(), Failure> {
    let what = WatchFlags::CLOSE_WRITE | WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::DELETE;
    dirs.insert(add_watch(inotify, dir, what)?, dir.to_owned());
    for entry in dir.read_dir()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            watch(inotify, &entry.path(), dirs)?;
        }
    }
    Ok(())
}

fn tell(event: &Event<'_>, dirs: &HashMap<i32, PathBuf>, lines: &mut Vec<u8>) -> Result<(), Failure> {
    let (Some(dir), Some(name)) = (dirs.get(&event.wd()), event.file_name()) else { return Ok(()) };
    if !event.events().contains(ReadFlags::CLOSE_WRITE) {
        return Ok(());
    }
    let path = dir.join(OsStr::from_bytes(name.to_bytes()));
    let Ok(content) = std::fs::read(&path) else { return Ok(()) };
    let line = serde_json::json!({
        "file": { "path": path.to_string_lossy(), "size": content.len() },
        "hash": blake3::hash(&content).to_hex().as_str(),
    });
    serde_json::to_writer(&mut *lines, &line)?;
    lines.push(b'\n');
    Ok(())
}
