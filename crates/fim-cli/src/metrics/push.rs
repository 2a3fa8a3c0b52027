//! Sends samples out: to a carbon daemon, to standard error, into a file of node_exporter's textfile collector.

use super::Sample;
use super::graphite::{Names, Pace, lines};
use super::prometheus;
use crate::config::{Graphite, Metrics};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Between two times of what is sent hourly: twice an hour, as bpfink does.
const HALF_AN_HOUR: Duration = Duration::from_secs(1800);
/// A receiver that takes longer is left alone until the next time.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where samples go.
#[derive(Debug)]
pub struct Push {
    graphite: Option<Graphite>,
    textfile: Option<PathBuf>,
    names: Names,
    hourly: Option<Instant>,
    /// Which of them failed the last time: said once.
    failing: [bool; 2],
}

impl Push {
    /// `None` if nothing is to be sent.
    pub fn new(config: &Metrics, names: Names) -> Option<Self> {
        let (graphite, textfile) = (config.graphite.clone(), config.textfile.clone());
        let anything = graphite.is_some() || textfile.is_some();
        anything.then_some(Self { graphite, textfile, names, hourly: None, failing: [false; 2] })
    }

    /// Sends one. What cannot be sent is said, and not sent later.
    pub fn send(&mut self, sample: &Sample) {
        if let Some(graphite) = self.graphite.clone() {
            let sent = self.send_lines(&graphite, sample);
            self.note(0, &graphite.to_string(), sent);
        }
        if let Some(file) = self.textfile.clone() {
            let written = replace(&file, &prometheus::text(sample));
            self.note(1, &file.display().to_string(), written);
        }
    }

    fn send_lines(&mut self, graphite: &Graphite, sample: &Sample) -> io::Result<()> {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let of = |pace| lines(sample, &self.names, pace, at);
        let hourly = self.hourly.is_none_or(|sent| sent.elapsed() >= HALF_AN_HOUR);
        let hour = if hourly { of(Pace::Hourly) } else { String::new() };
        let minute = of(Pace::Minutely);
        match graphite {
            Graphite::Stderr => {
                let mut text = String::new();
                for (prefix, lines) in [("METRICS_HOUR: ", &hour), ("METRICS_MINUTE: ", &minute)] {
                    text.extend(lines.lines().map(|line| format!("{prefix}{line}\n")));
                }
                io::stderr().lock().write_all(text.as_bytes())?;
            }
            Graphite::Tcp(address) => send_to(address, &(hour + &minute))?,
        }
        if hourly {
            self.hourly = Some(Instant::now());
        }
        Ok(())
    }

    fn note(&mut self, which: usize, to: &str, sent: io::Result<()>) {
        let Some(failing) = self.failing.get_mut(which) else { return };
        match (&sent, *failing) {
            (Ok(()), true) => log::info!("metrics go to {to} again"),
            (Ok(()), false) => {}
            (Err(error), true) => log::debug!("metrics cannot go to {to}: {error}"),
            (Err(error), false) => {
                log::warn!("metrics cannot go to {to}: {error}; it is tried again at each interval");
            }
        }
        *failing = sent.is_err();
    }
}

fn send_to(address: &str, text: &str) -> io::Result<()> {
    // Asked for each time: a name server that is away now does not matter later.
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(mut stream) => {
                stream.set_write_timeout(Some(PATIENCE))?;
                return stream.write_all(text.as_bytes());
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Puts a file in the place of another in one step, so that nobody reads half of it.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut part = std::ffi::OsString::from(".");
    part.push(name);
    part.push(".part");
    let part = file.with_file_name(part);
    // Whatever has that name is none of ours any more, and not to be written through.
    drop(fs::remove_file(&part));
    OpenOptions::new().write(true).create_new(true).mode(0o644).open(&part)?.write_all(text.as_bytes())?;
    fs::rename(&part, file)
}
