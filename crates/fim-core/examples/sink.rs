//! A sink of one's own: findings as comma-separated values, for a spreadsheet. What a report speaks of is committed when
//! `flush` has returned, so that after a crash it is reported again rather than never.
//!
//! `cargo run -p fim-core --example sink` runs it on files of its own.

use fim_core::{
    Consumer, ConsumerError, Context, Engine, Interest, MemStore, Record, Report, Sink, Snapshot, State,
};
use std::fs::File;
use std::io::{self, BufWriter, Write};

/// Writes a line for each change, and waits for the disk.
struct Csv(BufWriter<File>);

impl Sink for Csv {
    fn write(&mut self, report: &Report) -> io::Result<()> {
        let Record::Change(finding) = &report.record else { return Ok(()) };
        let path = finding.path.to_string_lossy().replace('"', "\"\"");
        writeln!(self.0, "{},{},\"{path}\"", report.sequence, finding.action.as_str())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        self.0.get_ref().sync_data()
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

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::temp_dir().join(format!("fim-sink-{}", std::process::id()));
    std::fs::create_dir_all(dir.join("watched"))?;
    let csv = Csv(BufWriter::new(File::create(dir.join("findings.csv"))?));
    let state = State::open(Box::new(MemStore::new()))?;
    let any = Box::new(Any(dir.join("watched").display().to_string()));
    let mut engine = Engine::builder().consumer(any).build(state, Box::new(csv))?;
    engine.baseline(&[])?;
    std::fs::write(dir.join("watched/new"), "x")?;
    engine.check(&[], false)?;
    drop(engine);
    let text = std::fs::read_to_string(dir.join("findings.csv"))?;
    print!("{text}");
    assert!(text.contains(",created,") && text.contains("/watched/new\""), "{text}");
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
