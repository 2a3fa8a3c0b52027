//! What each subcommand does, and the exit status it ends in.

use crate::args::Shared;
use crate::config::{self, Plan, difference, from_bpfink, plan};
use crate::consumers::Watched;
use crate::failure::Failure;
use crate::output::{self, ReaderGone, Redactor};
use crate::reload::Reloader;
use crate::{
    doctor, explain as explaining, key, metrics, selftest, signals, status as agent, verify as verifying,
    watchers, wiring,
};
use fim_core::{EngineError, Interest, StopToken, WatchSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

/// Done, and nothing to report.
pub const DONE: u8 = 0;
/// `check` found changes; `doctor` or `selftest` found the machine not fully covered; nothing covers the path
/// to `explain`.
pub const FOUND: u8 = 1;

/// `fim run`.
///
/// # Errors
/// When nothing can watch, the state cannot be kept, or the lines not be written.
pub fn run(plan: &Plan, paths: &[String], options: &Shared) -> Result<u8, Failure> {
    let watched = match paths {
        [] => Watched::configured(),
        _ => Watched { configured: false, paths: Some(plan::arguments(paths)?.0) },
    };
    let interests = watched.paths.clone().map_or_else(|| configured(plan), |paths| vec![paths]);
    let set = WatchSet::new(interests).map_err(EngineError::from)?;
    let chosen = watchers::choose(plan.config.watcher, watchers::Room::of(&plan.config.limits, &set))?;
    let stop = StopToken::new();
    let (ask, asked) = sync_channel(1);
    signals::listen(stop.clone(), ask)
        .map_err(|error| Failure::new(format!("cannot listen for signals: {error}")))?;
    let gone = ReaderGone::default();
    let redactor = redactor(plan);
    let mut engine = wiring::engine(plan, &watched, vec![chosen.why.clone()], &gone, redactor.clone())?;
    let key = key::load(&plan.config.state)?;
    let control = engine.control();
    let reloader = Reloader { control, redactor, key, options: options.clone(), watched };
    reloader
        .start(plan, asked)
        .map_err(|error| Failure::new(format!("cannot watch over the configuration: {error}")))?;
    let serving = agent::serve::serve(&plan.config.state, engine.status(), chosen.why);
    if let Err(error) = &serving {
        log::warn!(
            "`fim status` will find nobody: cannot listen in {}: {error}",
            plan.config.state.display()
        );
    }
    let _exporting = metrics::start(&plan.config.metrics, engine.status())?;
    let stopped = engine.run(chosen.watcher, &stop).map_err(|error| reason(error, &gone))?;
    log::info!("stopped: {} findings, {} records lost", stopped.findings, stopped.lost);
    Ok(DONE)
}

/// `fim baseline`.
///
/// # Errors
/// When the state cannot be kept.
pub fn baseline(plan: &Plan, paths: &[String]) -> Result<u8, Failure> {
    let (watched, scope) = scoped(paths)?;
    let gone = ReaderGone::default();
    let mut engine = wiring::engine(plan, &watched, Vec::new(), &gone, redactor(plan))?;
    let summary = engine.baseline(&scope).map_err(|error| reason(error, &gone))?;
    drop(engine);
    if summary.files == 0 {
        log::warn!("nothing of what is watched is there: nothing was recorded");
    }
    let mut text = format!("{} files recorded as trusted, {} bytes", summary.files, summary.bytes);
    for (count, what) in [(summary.unreadable, "unreadable"), (summary.too_big, "too big to hash")] {
        if count > 0 {
            text.push_str(&format!(", {count} of them {what}"));
        }
    }
    print(&format!("{text}\n"))?;
    Ok(DONE)
}

/// `fim check`.
///
/// # Errors
/// When there is no baseline, the state cannot be read, or the lines not be written.
pub fn check(plan: &Plan, paths: &[String], full: bool) -> Result<u8, Failure> {
    let (watched, scope) = scoped(paths)?;
    let gone = ReaderGone::default();
    let mut engine = wiring::engine(plan, &watched, Vec::new(), &gone, redactor(plan))?;
    let summary = engine.check(&scope, full).map_err(|error| reason(error, &gone))?;
    let nothing = summary.files + summary.changes + summary.never_covered == 0;
    if let Some(typo) = scope.iter().find(|path| nothing && path.symlink_metadata().is_err()) {
        let what = format!("{}: nothing is there, and nothing was: is it spelled right?", typo.display());
        return Err(Failure::new(what));
    }
    log::info!("{} files compared, {} changes", summary.files, summary.changes);
    if summary.never_covered > 0 {
        log::warn!(
            "{} files are in no baseline: nothing to compare them with; `fim baseline` records them",
            summary.never_covered
        );
    }
    Ok(if summary.changes == 0 { DONE } else { FOUND })
}

/// `fim doctor`.
///
/// # Errors
/// When the diagnosis cannot be written.
pub fn doctor(plan: &Plan) -> Result<u8, Failure> {
    let diagnosis = doctor::examine(plan, configured(plan));
    print(&diagnosis.text)?;
    Ok(if diagnosis.covered { DONE } else { FOUND })
}

/// `fim explain`.
///
/// # Errors
/// When the path cannot be made absolute, or the explanation not be written.
pub fn explain(plan: &Plan, path: &str) -> Result<u8, Failure> {
    let (_, paths) = plan::arguments(&[path.to_owned()])?;
    let Some(path) = paths.first() else {
        return Ok(FOUND);
    };
    let explanation = explaining::explain(plan, path);
    print(&explanation.text)?;
    Ok(if explanation.covered { DONE } else { FOUND })
}

/// `fim status`.
///
/// # Errors
/// When no agent runs, or it does not answer.
pub fn status(plan: &Plan, as_json: bool) -> Result<u8, Failure> {
    let answer = agent::ask(&plan.config.state)?;
    print(&if as_json { answer } else { agent::describe(&answer, jiff::Timestamp::now())? })?;
    Ok(DONE)
}

/// `fim selftest`.
///
/// # Errors
/// When nothing can watch, the scratch directory cannot be made, or reports cease.
pub fn selftest(plan: &Plan, dir: Option<&str>, only: &[String], json: bool) -> Result<u8, Failure> {
    let dir = dir.map_or_else(std::env::temp_dir, PathBuf::from);
    let mut faults = 0;
    let tested = selftest::run(&dir, plan.config.watcher, only, &mut |outcome, as_promised| {
        faults += u32::from(!as_promised);
        print(&selftest::line(outcome, as_promised, json))
    })?;
    print(&selftest::summary(&tested, json))?;
    Ok(if faults == 0 { DONE } else { FOUND })
}

/// `fim verify`.
///
/// # Errors
/// When a log or the key cannot be read, or the verdict not be written.
pub fn verify(logs: &[String], key: Option<&str>) -> Result<u8, Failure> {
    let key = key.map(|file| key::load_file(Path::new(file))).transpose()?;
    let verdict = verifying::verify(logs, key)?;
    print(&verdict.text)?;
    Ok(if verdict.whole { DONE } else { FOUND })
}

/// `fim config`.
///
/// # Errors
/// When the configuration cannot be written.
pub fn effective_config(plan: &Plan) -> Result<u8, Failure> {
    let text =
        plan.print().map_err(|error| Failure::new(format!("cannot print the configuration: {error}")))?;
    print(&text)?;
    Ok(DONE)
}

/// `fim config --default`.
///
/// # Errors
/// When it cannot be written.
pub fn default_config() -> Result<u8, Failure> {
    print(config::DEFAULT)?;
    Ok(DONE)
}

/// `fim config --plan`.
///
/// # Errors
/// When the other configuration cannot be used, or the answer not be written.
pub fn compare_plan(plan: &Plan, file: &str, options: &Shared) -> Result<u8, Failure> {
    let new = Plan::new(config::load(Some(Path::new(file)))?, options)?;
    print(&difference::describe(plan, &new, output::homes))?;
    Ok(DONE)
}

/// `fim config --from-bpfink`.
///
/// # Errors
/// When the file cannot be read or understood, or the answer not be written.
pub fn from_bpfink(file: &str) -> Result<u8, Failure> {
    let fault = |line, what| config::ConfigError { file: Some(file.into()), line, what };
    let text = std::fs::read_to_string(file)
        .map_err(|error| fault(None, format!("cannot read the configuration of bpfink: {error}")))?;
    let converted = from_bpfink::convert(&text).map_err(|(line, what)| fault(line, what))?;
    for key in &converted.unknown {
        log::warn!("{file}: \"{key}\" is no key of bpfink");
    }
    print(&converted.text)?;
    Ok(DONE)
}

fn redactor(plan: &Plan) -> Redactor {
    Redactor::new(plan.redact.clone())
}

fn configured(plan: &Plan) -> Vec<Interest> {
    plan.watched(&output::homes(&plan.config.root))
}

/// What is watched, and which part of it is meant: the configured consumers keep their say, and what none
/// of them claims goes to the generic one.
fn scoped(paths: &[String]) -> Result<(Watched, Vec<PathBuf>), Failure> {
    if paths.is_empty() {
        return Ok((Watched::configured(), Vec::new()));
    }
    let (interest, scope) = plan::arguments(paths)?;
    Ok((Watched { configured: true, paths: Some(interest) }, scope))
}

fn reason(error: EngineError, gone: &ReaderGone) -> Failure {
    if gone.is_gone() { Failure::reader_gone() } else { error.into() }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::stdout(&error))
}
