//! Marks its arguments, directories with everything below, and prints one line for each event.

use fim_core::{EventSink, Interest, MarkRequest, MarkScope, Marks, StopToken, WatchSet, Watcher};
use fim_fanotify::{FanotifyConfig, FanotifyWatcher};
use std::error::Error;
use std::fs::{File, OpenOptions};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let watch = WatchSet::new(vec![Interest::in_paths(paths.clone())])?;
    let (sink, source) = EventSink::channel(65536);
    let stop = StopToken::new();
    let ends = stop.clone();
    let watcher = Box::new(FanotifyWatcher::new(FanotifyConfig::default()));
    let running = std::thread::spawn(move || watcher.run(watch, sink, ends));
    if let Some(mut ready) = source.wait_ready() {
        println!("{ready:?}");
        for path in paths {
            mark(ready.marks.as_mut(), Path::new(&path))?;
        }
        println!("marked {:?}", ready.marks.fill());
        while !running.is_finished() {
            while let Some(message) = source.next(Duration::from_millis(200)) {
                println!("{message:?}");
            }
        }
    }
    println!("{:?}", running.join().map_err(|_| "the watcher panicked")??);
    Ok(())
}

fn mark(marks: &mut dyn Marks, path: &Path) -> Result<(), Box<dyn Error>> {
    let file = open(path)?;
    let is_dir = file.metadata()?.is_dir();
    let scope = if is_dir { MarkScope::Tree } else { MarkScope::File };
    let marked = marks.add(&[MarkRequest { file: file.as_fd(), path, scope }])?;
    println!("{} {marked:?}", path.display());
    if is_dir {
        for entry in std::fs::read_dir(path)? {
            let child: PathBuf = entry?.path();
            if child.symlink_metadata().is_ok_and(|m| m.is_dir()) {
                mark(marks, &child)?;
            }
        }
    }
    Ok(())
}

fn open(path: &Path) -> std::io::Result<File> {
    let flags = libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}
