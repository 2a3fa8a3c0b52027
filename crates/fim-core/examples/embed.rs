//! The engine in a program of one's own: a consumer, a sink, a store in memory, and one comparison.

use fim_core::{
    Change, Consumer, ConsumerError, Context, Engine, Interest, MemStore, Record, Report, Sink, Snapshot,
    State,
};
use std::io;

/// Says when a file grows.
struct Growth(String);

impl Consumer for Growth {
    fn name(&self) -> &'static str {
        "growth"
    }

    fn interest(&self) -> Interest {
        Interest::in_paths([self.0.clone()])
    }

    fn inspect(&mut self, file: &Snapshot, cx: &mut Context<'_>) -> Result<(), ConsumerError> {
        if let (Some(before), Some(after)) = (cx.before(), &file.facts)
            && after.size > before.size
        {
            cx.change(Change::from_to("size", before.size, after.size));
        }
        Ok(())
    }
}

struct Print;

impl Sink for Print {
    fn write(&mut self, report: &Report) -> io::Result<()> {
        if let Record::Change(finding) = &report.record {
            println!("{} {} {:?}", finding.action.as_str(), finding.path.display(), finding.changes);
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::temp_dir().join(format!("fim-embed-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    std::fs::write(dir.join("log"), "one")?;
    let state = State::open(Box::new(MemStore::new()))?;
    let growth = Box::new(Growth(dir.display().to_string()));
    let mut engine = Engine::builder().consumer(growth).build(state, Box::new(Print))?;
    engine.baseline(&[])?;
    std::fs::write(dir.join("log"), "one, two")?;
    let summary = engine.check(&[], false)?;
    assert_eq!(summary.changes, 1);
    // Watching is `engine.run(watcher, &stop)` with a watcher from fim-bpf or fim-fanotify.
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
