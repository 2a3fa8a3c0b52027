//! What each subcommand does, and the exit status it ends in.

use crate::agent::{self, Agent, Served, Told};
use crate::args::Shared;
use crate::config::{self, Plan, difference, from_bpfink, plan};
use crate::consumers::Watched;
use crate::failure::Failure;
use crate::output::{self, Reader, Redactor, Stdout};
use crate::own::Own;
use crate::reload::Reloader;
use crate::signature::PublicKey;
use crate::wiring::Equipment;
use crate::{
    confine, doctor, explain as explaining, key, metrics, pins, report as reporting, selftest, sentinel,
    signals, status, supervision, verify as verifying, watchers, wiring,
};
use fim_core::{EngineError, Interest, SledStore, State, StopToken, WatchSet};
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
    let cannot_listen = |error: std::io::Error| Failure::new(format!("cannot listen for signals: {error}"));
    let signals = signals::catch().map_err(cannot_listen)?;
    has_root(plan)?;
    let named = options.config.as_deref().map(Path::new);
    let own = plan.config.process.guard.then(|| Own::here(named));
    let mut told = Told { pid: std::process::id(), paths: None, config: absolute(named), refused: None };
    let watched = match paths {
        [] => Watched { own, ..Watched::configured() },
        _ => {
            let (interest, paths) = plan::arguments(paths)?;
            for path in paths.iter().filter(|path| path.symlink_metadata().is_err()) {
                log::warn!(
                    "{}: nothing is there yet; it is watched from when it comes to be",
                    path.display()
                );
            }
            told.paths = Some(paths);
            Watched { configured: false, paths: Some(interest), own }
        }
    };
    let interests = watched.paths.clone().map_or_else(|| configured(plan), |paths| vec![paths]);
    let set = WatchSet::new(interests).map_err(EngineError::from)?;
    // Before what is pinned is taken from whoever has it.
    SledStore::check_free(&plan.config.state)?;
    let needs = watchers::Needs::of(&plan.config.limits, &set).run_as(plan);
    let chosen = watchers::choose(plan.config.watcher, &needs)?;
    if chosen.watcher.name() != "bpf" {
        pins::drop_left(plan);
    }
    // While there is one thread: what is given up is given up by those to come.
    let (watcher, confinement) = confine::begin(&plan.config, chosen.watcher)?;
    let stop = StopToken::new();
    let (ask, asked) = sync_channel(1);
    signals.listen(stop.clone(), ask).map_err(cannot_listen)?;
    let reader = Reader::default();
    let redactor = redactor(plan);
    let out = Stdout::until(stop.clone());
    let notes = vec![chosen.why.clone(), confinement.note.clone()];
    let programs = confinement.programs.clone();
    let equipment = Equipment { notes, programs: programs.clone(), lasts: true };
    let (opened, copied) =
        if plan.config.process.guard { wiring::open_to_guard(plan)? } else { (wiring::open(plan)?, None) };
    let mut engine = wiring::engine(plan, &watched, opened, equipment, (out, &reader), redactor.clone())?;
    copied.into_iter().for_each(|copied| engine.control().tampered(copied));
    let key = key::load(&plan.config.state)?;
    let control = engine.control();
    let reloader = Reloader { control, redactor, key, options: options.clone(), watched, programs };
    reloader
        .start(plan, asked)
        .map_err(|error| Failure::new(format!("cannot watch over the configuration: {error}")))?;
    let (status, control, costs) = (engine.status(), engine.control(), chosen.costs.clone());
    let served = Served { status, control, costs, why: chosen.why, told };
    let serving = agent::serve(&plan.config.state, served);
    if let Err(error) = &serving {
        log::warn!(
            "`fim status` will find nobody: cannot listen in {}: {error}",
            plan.config.state.display()
        );
    }
    let _exporting = metrics::start(&plan.config.metrics, engine.status(), chosen.costs)?;
    if plan.config.process.guard {
        sentinel::start(&plan.config.state, engine.control())
            .map_err(|error| Failure::new(format!("cannot watch over this process: {error}")))?;
    }
    let _supervised = supervision::start(engine.status(), reader.clone())?;
    confinement.seal()?;
    let stopped = engine.run(watcher, &stop).map_err(|error| reason(error, &reader))?;
    log::info!("stopped: {} findings, {} records lost", stopped.findings, stopped.lost);
    Ok(DONE)
}

/// `fim run --unpin`.
///
/// # Errors
/// When the agent runs, or what is pinned cannot be removed.
pub fn unpin(plan: &Plan) -> Result<u8, Failure> {
    print(&pins::unpin(plan)?)?;
    Ok(DONE)
}

/// `fim baseline`.
///
/// # Errors
/// When the state cannot be kept.
pub fn baseline(plan: &Plan, paths: &[String]) -> Result<u8, Failure> {
    has_root(plan)?;
    let (watched, scope) = scoped(paths)?;
    let reader = Reader::default();
    let summary = match Agent::find(&plan.config.state) {
        Some(agent) => agent.baseline(scope.iter().map(|path| path.display().to_string()).collect())?,
        None => {
            SledStore::check_free(&plan.config.state)?;
            let confinement = confine::begin_once(&plan.config)?;
            let out = Stdout::until(StopToken::new());
            let opened = wiring::open(plan)?;
            let mut engine =
                wiring::engine(plan, &watched, opened, Equipment::default(), (out, &reader), redactor(plan))?;
            confinement.seal()?;
            engine.baseline(&scope).map_err(|error| reason(error, &reader))?
        }
    };
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
    has_root(plan)?;
    let (watched, scope) = scoped(paths)?;
    let reader = Reader::default();
    let agent = Agent::find(&plan.config.state);
    if agent.is_none() {
        SledStore::check_free(&plan.config.state)?;
    }
    let confinement = confine::begin_once(&plan.config)?;
    let out = Stdout::until(StopToken::new());
    let opened = match agent {
        Some(agent) => (State::open(Box::new(agent.state()?))?, None),
        None => wiring::open(plan)?,
    };
    let mut engine =
        wiring::engine(plan, &watched, opened, Equipment::default(), (out, &reader), redactor(plan))?;
    confinement.seal()?;
    let summary = engine.check(&scope, full).map_err(|error| reason(error, &reader))?;
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
pub fn explain(plan: &Plan, path: &str, options: &Shared) -> Result<u8, Failure> {
    let (_, paths) = plan::arguments(&[path.to_owned()])?;
    let Some(path) = paths.first() else {
        return Ok(FOUND);
    };
    let named = options.config.as_deref().map(Path::new);
    // One of an earlier version is taken to watch what the configuration says.
    let running = Agent::find(&plan.config.state).map(Agent::told);
    let running = running.transpose().inspect_err(|error| log::warn!("{error}")).unwrap_or_default();
    let mut explanation = explaining::explain(plan, path, running.as_ref());
    let ours = absolute(named);
    if let Some(theirs) = running.filter(|told| told.paths.is_none() && told.config != ours) {
        let file = |file: Option<PathBuf>| file.unwrap_or_else(|| config::load::DEFAULT_FILE.into());
        let (theirs, ours) = (file(theirs.config), file(ours));
        log::warn!(
            "the agent that runs was started with {}, and this is what {} says",
            theirs.display(),
            ours.display()
        );
    }
    let own = plan.config.process.guard.then(|| Own::here(named));
    if let Some(what) = own.and_then(|own| own.find(path)) {
        explanation
            .text
            .push_str(&format!("\n`fim run` watches it as its own {what}: `guard` in [process]\n"));
        explanation.covered = true;
    }
    print(&explanation.text)?;
    Ok(if explanation.covered { DONE } else { FOUND })
}

/// `fim status`.
///
/// # Errors
/// When no agent runs, or it does not answer.
pub fn status(plan: &Plan, as_json: bool) -> Result<u8, Failure> {
    let answer = Agent::of(&plan.config.state)?.status()?;
    print(&if as_json { answer } else { status::describe(&answer, jiff::Timestamp::now())? })?;
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
pub fn verify(
    logs: &[String],
    key: Option<&str>,
    public_key: Option<&str>,
    unordered: bool,
) -> Result<u8, Failure> {
    let keys = verifying::Keys {
        seal: key.map(|file| key::load_file(Path::new(file))).transpose()?,
        public: public_key.map(PublicKey::named).transpose()?,
    };
    let verdict = match unordered {
        true => verifying::verify_unordered(logs, &keys),
        false => verifying::verify(logs, &keys),
    }?;
    print(&verdict.text)?;
    Ok(if verdict.whole { DONE } else { FOUND })
}

/// `fim report`.
///
/// # Errors
/// When a log or the key cannot be read, or the page not be written.
pub fn report(logs: &[String], html: &str, key: Option<&str>) -> Result<u8, Failure> {
    let key = key.map(|file| key::load_file(Path::new(file))).transpose()?;
    print(&reporting::report(logs, key, Path::new(html))?)?;
    Ok(DONE)
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
pub fn compare_plan(plan: &Plan, file: &str, drop_in: bool, options: &Shared) -> Result<u8, Failure> {
    let file = Path::new(file);
    let loaded = if drop_in {
        config::load::with_drop_in(options.config.as_deref().map(Path::new), file)?
    } else {
        config::load(Some(file))?
    };
    let new = Plan::new(loaded, options)?;
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

/// A file that was named, whatever folder this process or another is in.
fn absolute(named: Option<&Path>) -> Option<PathBuf> {
    named.map(|file| std::path::absolute(file).unwrap_or_else(|_| file.to_owned()))
}

/// Below a root that is not there nothing would ever be seen.
fn has_root(plan: &Plan) -> Result<(), Failure> {
    let root = &plan.config.root;
    if root.is_dir() {
        return Ok(());
    }
    let root = root.display();
    Err(Failure::new(format!("root = \"{root}\": no such directory; mount it, or correct `root` or --root")))
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
    Ok((Watched { paths: Some(interest), ..Watched::configured() }, scope))
}

fn reason(error: EngineError, reader: &Reader) -> Failure {
    if reader.is_gone() { Failure::reader_gone() } else { error.into() }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::stdout(&error))
}
