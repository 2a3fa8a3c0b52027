//! Metrics of a running agent: for Graphite, for Prometheus through a file of node_exporter, and by an endpoint
//! on the loopback interface. None of it is on unless the configuration says so.
//!
//! Takes what the engine's status says; knows no engine.

mod endpoint;
mod graphite;
mod prometheus;
mod push;

use crate::config::{Metrics, Role};
use crate::failure::Failure;
use crate::output::Host;
use crate::watchers::{Costs, ProgramCost};
use fim_core::{Now, Status};
use graphite::Names;
use push::Push;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What all forms are made of.
#[derive(Clone, Debug)]
struct Sample {
    now: Now,
    programs: Vec<ProgramCost>,
    version: &'static str,
    /// Since the epoch.
    started: Duration,
    uptime: Duration,
}

/// Where samples come from.
#[derive(Clone, Debug)]
struct Source {
    status: Status,
    costs: Costs,
    started: SystemTime,
    since: Instant,
}

impl Source {
    fn sample(&self) -> Sample {
        Sample {
            now: self.status.now(),
            programs: self.costs.now(),
            version: env!("CARGO_PKG_VERSION"),
            started: self.started.duration_since(UNIX_EPOCH).unwrap_or_default(),
            uptime: self.since.elapsed(),
        }
    }
}

/// Metrics go out for as long as this lives, and once more at its end.
#[derive(Debug)]
pub struct Exporting {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Exporting {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            // What it panicked of was said.
            let _panicked = thread.join();
        }
    }
}

/// Lets metrics out as configured.
///
/// # Errors
/// When the role cannot be read, the endpoint not be opened, or there is no thread to be had.
pub fn start(config: &Metrics, status: Status, costs: Costs) -> Result<Exporting, Failure> {
    let source = Source { status, costs, started: SystemTime::now(), since: Instant::now() };
    if let Some(address) = config.listen {
        endpoint::serve(address, source.clone()).map_err(|error| {
            Failure::new(format!("[metrics] listen: cannot listen on {address}: {error}"))
        })?;
    }
    let names = Names::new(&config.namespace, &role(config)?, &Host::this().hostname);
    let Some(mut push) = Push::new(config, names) else {
        return Ok(Exporting { end: None, thread: None });
    };
    let (end, ended) = channel::<()>();
    let every = config.every.0.max(Duration::from_secs(1));
    let thread = std::thread::Builder::new().name("metrics".to_owned()).spawn(move || {
        loop {
            push.send(&source.sample());
            match ended.recv_timeout(every) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        push.send(&source.sample());
    });
    let thread =
        thread.map_err(|error| Failure::new(format!("cannot start a thread for metrics: {error}")))?;
    Ok(Exporting { end: Some(end), thread: Some(thread) })
}

/// What the host is for.
fn role(config: &Metrics) -> Result<String, Failure> {
    match &config.role {
        Role::Unknown => Ok("unknown_role".to_owned()),
        Role::Named(role) => Ok(role.clone()),
        Role::In { file, key, separator } => {
            let text = std::fs::read_to_string(file).map_err(|error| {
                Failure::new(format!("[metrics] role: cannot read {}: {error}", file.display()))
            })?;
            Ok(role_in(&text, key, separator).unwrap_or_else(|| "unknown_role".to_owned()))
        }
    }
}

/// The value of the first line of this key.
fn role_in(text: &str, key: &str, separator: &str) -> Option<String> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(separator));
    pairs.find(|(name, _)| name.trim() == key).map(|(_, role)| role.trim().to_owned())
}

#[cfg(test)]
mod tests;
