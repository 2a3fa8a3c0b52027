//! The command `fim`: what ends in which exit status. The work is elsewhere.
//!
//! A library for the program of the same package and for fuzzing; embed `fim-core`, not this.

#![forbid(unsafe_code)]

mod agent;
mod args;
mod chain;
mod commands;
mod config;
mod confine;
mod consumers;
mod doctor;
mod estimate;
mod explain;
mod failure;
#[cfg(feature = "fuzz")]
pub mod fuzz;
mod key;
mod logging;
mod metrics;
mod output;
mod own;
mod pins;
mod progress;
mod reload;
mod report;
mod selftest;
mod sentinel;
mod signals;
mod signature;
mod status;
mod supervision;
mod verify;
mod watchers;
mod wiring;

use args::{Command, Early, Invocation};
use config::Plan;
use failure::Failure;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::disable_transparent_huge_pages;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Could not do it; standard error says why.
const FAILED: u8 = 2;

/// Does what the arguments of this process ask for; the exit status.
#[must_use]
pub fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some(ended) = selftest::part(&args) {
        return match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error.to_string()),
        };
    }
    match args::parse(args) {
        Ok(invocation) => match run(&invocation) {
            Ok(code) => ExitCode::from(code),
            Err(error) => fail(&error.to_string()),
        },
        Err(Early::Asked(text)) => match writeln!(std::io::stdout(), "{}", text.trim_end()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&Failure::stdout(&error).to_string()),
        },
        Err(Early::Wrong(text)) => fail(text.trim_end()),
    }
}

/// What it reads of others' secrets is in its memory for a while: a crash must not write that to the disk.
fn dump_no_core() {
    // Not 0: with a limit of one byte the kernel does not hand the memory to a program either (core(5)).
    let limit = Rlimit { current: Some(1), maximum: Some(1) };
    if let Err(error) = setrlimit(Resource::Core, limit) {
        log::warn!("cannot switch core dumps off: {error}");
    }
}

/// Where large pages are made of whatever lies together, the kernel fills the gaps that a start leaves in the heap: ten
/// megabytes for as long as the agent runs.
fn take_small_pages() {
    if let Err(error) = disable_transparent_huge_pages(true) {
        log::debug!("cannot do without large pages: {error}");
    }
}

fn fail(text: &str) -> ExitCode {
    // Where standard error is gone as well there is nobody left to tell.
    drop(writeln!(std::io::stderr(), "fim: {text}"));
    ExitCode::from(FAILED)
}

fn run(invocation: &Invocation) -> Result<u8, Failure> {
    // The self-test has processes whose dump is one of the ways to change a file.
    if !matches!(invocation.command, Command::Selftest { .. }) {
        dump_no_core();
    }
    logging::start(invocation.shared.verbosity);
    match &invocation.command {
        Command::DefaultConfig => return commands::default_config(),
        Command::FromBpfink { file } => return commands::from_bpfink(file),
        Command::Verify { logs, key, public_key, unordered } => {
            return commands::verify(logs, key.as_deref(), public_key.as_deref(), *unordered);
        }
        Command::Report { logs, html, key } => return commands::report(logs, html, key.as_deref()),
        _ => {}
    }
    let named = invocation.shared.config.as_deref().map(Path::new);
    let plan = Plan::new(config::load(named)?, &invocation.shared)?;
    match &invocation.command {
        Command::Run { paths } => {
            take_small_pages();
            commands::run(&plan, paths, &invocation.shared)
        }
        Command::Unpin => commands::unpin(&plan),
        Command::Baseline { paths } => commands::baseline(&plan, paths),
        Command::Check { full, paths } => commands::check(&plan, paths, *full),
        Command::Doctor => commands::doctor(&plan),
        Command::Explain { path } => commands::explain(&plan, path, &invocation.shared),
        Command::Status => commands::status(&plan, invocation.shared.format.as_deref() == Some("json")),
        Command::Config => commands::effective_config(&plan),
        Command::ComparePlan { file, drop_in } => {
            commands::compare_plan(&plan, file, *drop_in, &invocation.shared)
        }
        Command::Verify { logs, key, public_key, unordered } => {
            commands::verify(logs, key.as_deref(), public_key.as_deref(), *unordered)
        }
        Command::Report { logs, html, key } => commands::report(logs, html, key.as_deref()),
        Command::DefaultConfig => commands::default_config(),
        Command::FromBpfink { file } => commands::from_bpfink(file),
        Command::Selftest { json, only, dir } => commands::selftest(&plan, dir.as_deref(), only, *json),
    }
}
