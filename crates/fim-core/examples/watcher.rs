//! A watcher of one's own: it is told by others which files they touched, one path a line, as a hypervisor, a network file
//! server or an audit daemon might tell. It need not be exact: the engine looks, and reports what has really changed.
//!
//! `cargo run -p fim-core --example watcher` runs it on files of its own.

use fim_core::{
    Consumer, ConsumerError, Context, Coverage, Degree, Engine, EventSink, FileEvent, Interest, MemStore,
    Place, Ready, Record, Report, Sink, Snapshot, StatMarks, State, StopToken, Via, WatchError, WatchMessage,
    WatchSet, WatchStats, Watcher,
};
use std::io::{self, BufRead, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::time::SystemTime;

/// Takes paths from whoever is at the other end.
struct Told(UnixStream);

impl Watcher for Told {
    fn name(&self) -> &'static str {
        "told"
    }

    fn run(
        self: Box<Self>,
        _watch: WatchSet,
        sink: EventSink,
        stop: StopToken,
    ) -> Result<WatchStats, WatchError> {
        // Nothing is to be marked here, so files are known by what stat(2) says of them.
        let coverage = Coverage::from([("write", Degree::Late)]);
        sink.ready(Ready { marks: Box::new(StatMarks), coverage, notes: vec!["told by others".to_owned()] });
        let mut stats = WatchStats::default();
        for line in io::BufReader::new(self.0).lines() {
            let path = PathBuf::from(line.map_err(|error| WatchError::new("cannot read").caused_by(error))?);
            let mut event = FileEvent::new(SystemTime::now(), Via::Write);
            event.place = Some(Place::Path(path));
            event.settled = true;
            if stop.is_stopped() || !sink.send(WatchMessage::Event(event)) {
                break;
            }
            stats.events += 1;
        }
        Ok(stats)
    }
}

/// Everything below these, by metadata and hash.
struct Any(String);

impl Consumer for Any {
    fn name(&self) -> &'static str {
        "any"
    }

    fn interest(&self) -> Interest {
        Interest::in_paths([&self.0])
    }

    fn inspect(&mut self, _file: &Snapshot, _cx: &mut Context<'_>) -> Result<(), ConsumerError> {
        Ok(())
    }
}

/// Hands on what is reported.
struct HandOn(Sender<Record>);

impl Sink for HandOn {
    fn write(&mut self, report: &Report) -> io::Result<()> {
        self.0.send(report.record.clone()).map_err(io::Error::other)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::temp_dir().join(format!("fim-watcher-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let dir = dir.canonicalize()?;
    std::fs::write(dir.join("file"), "old")?;
    let (mut teller, told) = UnixStream::pair()?;
    let (hand_on, reported) = channel();
    let state = State::open(Box::new(MemStore::new()))?;
    let any = Box::new(Any(dir.display().to_string()));
    let mut engine = Engine::builder().consumer(any).build(state, Box::new(HandOn(hand_on)))?;
    let stop = StopToken::new();
    let stopped = stop.clone();
    let watch =
        std::thread::spawn(move || engine.run(Box::new(Told(told)), &stopped).map_err(|e| e.to_string()));

    let mut found = None;
    for record in reported {
        match record {
            Record::WatchStarted(_) => {
                std::fs::write(dir.join("file"), "new!")?;
                writeln!(teller, "{}", dir.join("file").display())?;
            }
            Record::Change(finding) => {
                println!("{} {}", finding.action.as_str(), finding.path.display());
                found = Some(finding.path);
                stop.stop();
                teller.shutdown(std::net::Shutdown::Both)?;
            }
            _ => {}
        }
    }
    watch.join().map_err(|_| "the watch panicked")??;
    assert_eq!(found, Some(dir.join("file")));
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_runs() {
        super::main().unwrap();
    }
}
