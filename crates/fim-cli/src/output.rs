//! Reports as lines on standard output. Knows no watcher and no store.

mod bpfink;
mod container;
mod ecs;
mod host;
mod json;
mod names;
mod ocsf;
mod pretty;
mod secret;
mod short;
mod stdout;
mod time;
mod words;

pub use host::Host;
pub use names::homes;
pub use secret::Redactor;
pub use short::hex;
pub use stdout::Stdout;
pub use words::tame;

use crate::chain::{self, Chain};
use crate::signature::Signer;
use bpfink::Bpfink;
use ecs::Ecs;
use fim_core::{Key, Record, Report, Sink};
use ocsf::Ocsf;
use pretty::{Pretty, Screen};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// To the start of the line, and nothing on it any more.
const WIPE: &[u8] = b"\r\x1b[K";

/// Room for a line that is kept for the next, in bytes: few lines are as long.
const ROOM: usize = 64 << 10;

/// How reports are written.
#[derive(Debug)]
pub enum Form {
    /// Elastic Common Schema, one JSON object a line.
    Json(Box<Ecs>),
    /// Open Cybersecurity Schema Framework, one JSON object a line.
    Ocsf(Box<Ocsf>),
    /// For people.
    Pretty(Box<Pretty>),
    /// As bpfink prints.
    Bpfink(Box<Bpfink>),
}

impl Form {
    /// JSON, with owners by the accounts below this root.
    ///
    /// # Errors
    /// When the name of this machine cannot be written as JSON.
    pub fn json(root: &Path, redactor: Redactor) -> io::Result<Self> {
        Ok(Self::Json(Box::new(Ecs::new(root, redactor)?)))
    }

    /// OCSF, with owners by the accounts below this root.
    pub fn ocsf(root: &Path, redactor: Redactor) -> Self {
        Self::Ocsf(Box::new(Ocsf::new(root, redactor)))
    }

    /// For people.
    pub fn pretty(redactor: Redactor) -> Self {
        Self::Pretty(Box::new(Pretty::new(redactor, Screen::stdout())))
    }

    /// As bpfink prints.
    pub fn bpfink(redactor: Redactor) -> Self {
        Self::Bpfink(Box::new(Bpfink::new(redactor)))
    }

    /// Whether its lines can be bound together; the others are for people, or as old readers know them.
    pub const fn has_chain(&self) -> bool {
        matches!(self, Self::Json(_) | Self::Ocsf(_))
    }

    /// Adds the line for a report, or lines, without the last line break; none for what there is no line for, or
    /// what is told with others at the [end of a turn](Self::rest).
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn line(&mut self, report: &Report, to: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Json(ecs) => ecs.line(report, to)?,
            Self::Ocsf(ocsf) => to.append(&mut ocsf.line(report)?),
            Self::Pretty(pretty) => to.extend_from_slice(pretty.line(report).as_bytes()),
            Self::Bpfink(bpfink) => to.append(&mut bpfink.line(report)?),
        }
        Ok(())
    }

    /// What was put off until now, line by line.
    pub fn rest(&mut self) -> Vec<String> {
        match self {
            Self::Pretty(pretty) => pretty.rest(),
            Self::Json(_) | Self::Ocsf(_) | Self::Bpfink(_) => Vec::new(),
        }
    }
}

/// How the reader of standard output does; shared by a sink and whoever explains the end or a silence.
#[derive(Clone, Debug, Default)]
pub struct Reader(Arc<ReaderFlags>);

#[derive(Debug, Default)]
struct ReaderFlags {
    gone: AtomicBool,
    awaited: AtomicBool,
}

impl Reader {
    /// Whether it has gone.
    pub fn is_gone(&self) -> bool {
        self.0.gone.load(Ordering::Acquire)
    }

    /// Whether it is being waited for now: it is slow.
    pub fn is_awaited(&self) -> bool {
        self.0.awaited.load(Ordering::Acquire)
    }
}

/// Writes each report as one line; lines leave together when the engine flushes.
#[derive(Debug)]
pub struct LineSink<W: Write + Send> {
    out: BufWriter<W>,
    form: Form,
    /// The room for a line.
    line: Vec<u8>,
    reader: Reader,
    notes: Vec<String>,
    wipes: bool,
    /// Of a watch.
    chain: Option<Chain>,
    key: Option<Key>,
    signer: Option<Signer>,
}

impl<W: Write + Send> LineSink<W> {
    /// A sink to this writer, which adds these notes to what `watch_started` says.
    pub fn new(out: W, form: Form, reader: Reader, notes: Vec<String>) -> Self {
        let out = BufWriter::with_capacity(64 << 10, out);
        Self {
            out,
            form,
            line: Vec::new(),
            reader,
            notes,
            wipes: false,
            chain: None,
            key: None,
            signer: None,
        }
    }

    /// Wipes the line of the terminal before each report: progress may stand there.
    #[must_use]
    pub const fn wiping(mut self, wipes: bool) -> Self {
        self.wipes = wipes;
        self
    }

    /// Seals the chain under a key, so that only who has it can make or try one.
    pub fn sealed_under(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }

    /// Signs the chain from time to time, when it begins and at its end.
    #[must_use]
    pub fn signed_by(mut self, signer: Signer) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Writes the line that is there.
    fn put(&mut self) -> io::Result<()> {
        let wipe = if self.wipes { WIPE } else { b"" };
        let mut line = std::mem::take(&mut self.line);
        line.push(b'\n');
        let result = self.hand_on(|out| out.write_all(wipe).and_then(|()| out.write_all(&line)));
        line.clear();
        if line.capacity() <= ROOM {
            self.line = line;
        }
        result
    }

    /// Writes, and notes how the reader takes it.
    fn hand_on(&mut self, write: impl FnOnce(&mut BufWriter<W>) -> io::Result<()>) -> io::Result<()> {
        self.reader.0.awaited.store(true, Ordering::Release);
        let result = write(&mut self.out);
        self.reader.0.awaited.store(false, Ordering::Release);
        if let Err(error) = &result
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            self.reader.0.gone.store(true, Ordering::Release);
        }
        result
    }
}

impl<W: Write + Send> Sink for LineSink<W> {
    fn resume(&mut self, kept: Option<&[u8]>) -> io::Result<()> {
        if self.form.has_chain() {
            let known = kept.and_then(|kept| Chain::resume(kept, self.key.clone()));
            self.chain = Some(known.map_or_else(|| Chain::begin(self.key.clone()), Ok)?);
        }
        Ok(())
    }

    fn kept(&self) -> Option<Vec<u8>> {
        self.chain.as_ref().map(Chain::kept)
    }

    fn write(&mut self, report: &Report) -> io::Result<()> {
        // What a line left behind that failed is not the beginning of the next.
        self.line.clear();
        match &report.record {
            Record::WatchStarted(started) => {
                let mut started = started.clone();
                started.notes.splice(0..0, self.notes.iter().cloned());
                let record = Record::WatchStarted(started);
                self.form.line(&Report { record, ..*report }, &mut self.line)?;
            }
            _ => self.form.line(report, &mut self.line)?,
        }
        // Not every form has a line for every report.
        if self.line.is_empty() {
            return Ok(());
        }
        if let Some(chain) = &mut self.chain {
            chain.seal(&mut self.line)?;
            let always = matches!(report.record, Record::WatchStarted(_) | Record::WatchStopped(_));
            let (id, head) = chain.head();
            let signature = self.signer.as_mut().and_then(|it| it.sign(id, head, always, Instant::now()));
            signature.iter().for_each(|signature| chain::attach(&mut self.line, signature));
        }
        self.put()
    }

    fn flush(&mut self) -> io::Result<()> {
        for line in self.form.rest() {
            self.line = line.into_bytes();
            self.put()?;
        }
        self.hand_on(BufWriter::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fim_core::{Started, Stopped};
    use std::time::SystemTime;

    fn report() -> Report {
        Report {
            sequence: 1,
            created: SystemTime::UNIX_EPOCH,
            record: Record::WatchStopped(Stopped::default()),
        }
    }

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_gone_is_noticed() {
        let reader = Reader::default();
        let mut sink = LineSink::new(Closed, Form::pretty(Redactor::new(vec![])), reader.clone(), vec![]);
        sink.write(&report()).unwrap();
        assert!(!reader.is_gone());
        assert_eq!(sink.flush().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert!(reader.is_gone());
    }

    #[test]
    fn lines_leave_at_the_flush() {
        let mut out = Vec::new();
        let form = Form::json(Path::new("/"), Redactor::new(vec![])).unwrap();
        let mut sink = LineSink::new(&mut out, form, Reader::default(), vec![]);
        sink.write(&report()).unwrap();
        sink.write(&report()).unwrap();
        sink.flush().unwrap();
        drop(sink);
        assert_eq!(out.iter().filter(|&&b| b == b'\n').count(), 2);
        assert!(out.ends_with(b"}\n"));
    }

    #[test]
    fn what_a_form_has_no_line_for_is_no_line() {
        let mut out = Vec::new();
        let form = Form::bpfink(Redactor::new(vec![]));
        let mut sink = LineSink::new(&mut out, form, Reader::default(), vec![]);
        sink.write(&report()).unwrap();
        drop(sink);
        assert_eq!(out, b"");
    }

    #[test]
    fn notes_are_added_to_the_start() {
        let mut out = Vec::new();
        let form = Form::json(Path::new("/"), Redactor::new(vec![])).unwrap();
        let mut started = Started::default();
        started.notes = vec!["own".to_owned()];
        let report = Report { record: Record::WatchStarted(started), ..report() };
        let mut sink = LineSink::new(&mut out, form, Reader::default(), vec!["added".to_owned()]);
        sink.write(&report).unwrap();
        drop(sink);
        let line = String::from_utf8(out).unwrap();
        assert!(line.contains(r#""notes":["added","own"]"#), "{line}");
    }
}
