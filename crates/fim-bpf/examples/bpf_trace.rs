//! Marks the files and directories given as arguments and prints a line for each event.
//!
//! `bpf_trace [--ring BYTES] [--for SECONDS] [--clear] PATH…` — a directory is marked as a tree; `--clear`
//! looks at nothing but forgets that a file is dirty at each event, as an engine would.

use fim_bpf::{BpfConfig, BpfWatcher};
use fim_core::{EventSink, MarkRequest, MarkScope, StopToken, WatchMessage, WatchSet, Watcher};
use rustix::fs::{Mode, OFlags};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    env_logger::init();
    let mut config = BpfConfig::default();
    let mut lasts = Duration::from_secs(3600);
    let mut clear = false;
    let mut paths = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--ring" => config.ring_bytes = arguments.next().unwrap_or_default().parse()?,
            "--files" => config.expected_files = arguments.next().unwrap_or_default().parse()?,
            "--for" => lasts = Duration::from_secs(arguments.next().unwrap_or_default().parse()?),
            "--clear" => clear = true,
            path => paths.push(PathBuf::from(path)),
        }
    }

    let (sink, source) = EventSink::channel(1024);
    let stop = StopToken::new();
    let watcher = Box::new(BpfWatcher::load(&config)?);
    let stopped = stop.clone();
    let thread = std::thread::spawn(move || watcher.run(WatchSet::default(), sink, stopped));
    let Some(mut ready) = source.wait_ready() else {
        return Err(match thread.join() {
            Ok(Err(error)) => error.to_string().into(),
            _ => "the watcher ended without a word".into(),
        });
    };
    for (class, degree) in &ready.coverage {
        println!("coverage {class} {}", degree.as_str());
    }
    for note in &ready.notes {
        println!("note {note}");
    }
    for path in &paths {
        let file = rustix::fs::open(path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
        let scope = if path.is_dir() { MarkScope::Tree } else { MarkScope::File };
        let marked = ready.marks.add(&[MarkRequest { file: file.as_fd(), path, scope }])?;
        println!("marked {} {marked:?}", path.display());
    }
    println!("ready {:?}", ready.marks.fill());

    let end = Instant::now() + lasts;
    while Instant::now() < end && !thread.is_finished() {
        match source.next(Duration::from_millis(100)) {
            Some(WatchMessage::Event(event)) => {
                if clear && let Some(id) = event.file {
                    ready.marks.clear(id);
                }
                let actor = event.actor.as_deref();
                println!(
                    "event {} file={:?} place={:?} from={:?} settled={} pid={:?} name={:?} exe={:?} args={:?} parent={:?} cgroup={:?}",
                    event.via.as_str(),
                    event.file,
                    event.place,
                    event.from,
                    event.settled,
                    actor.map(|a| a.pid),
                    actor.and_then(|a| a.name.clone()),
                    actor.and_then(|a| a.executable.clone()),
                    actor.map(|a| a.args.clone()),
                    actor.and_then(|a| a.parent.clone()).and_then(|p| p.name),
                    actor.and_then(|a| a.cgroup.clone()),
                );
            }
            Some(other) => println!("{other:?}"),
            None => {}
        }
    }
    stop.stop();
    while source.next(Duration::from_millis(200)).is_some() {}
    println!("stats {:?} fill {:?}", thread.join().map_err(|_| "the watcher panicked")?, ready.marks.fill());
    Ok(())
}
