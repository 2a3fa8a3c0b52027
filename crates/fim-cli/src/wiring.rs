//! Joins configuration, state, consumers and output to an engine. The one place that knows all the parts.

use crate::config::{Format, Plan};
use crate::consumers::Watched;
use crate::failure::Failure;
use crate::key;
use crate::output::{Form, LineSink, ReaderGone, Redactor};
use crate::progress::TerminalProgress;
use fim_core::{BaselineLost, Engine, Key, Limits, Reload, Scan, SledStore, State, StoreErrorKind};
use std::io::IsTerminal;

/// An engine that watches these, in order of precedence, and reports to standard output. `notes` are added
/// to what `watch_started` says.
///
/// # Errors
/// When the state cannot be opened, or a pattern not be used.
pub fn engine(
    plan: &Plan,
    watched: &Watched,
    notes: Vec<String>,
    gone: &ReaderGone,
    redactor: Redactor,
) -> Result<Engine, Failure> {
    let form = match plan.config.format {
        Format::Pretty => Form::pretty(redactor),
        Format::Ocsf => Form::ocsf(&plan.config.root, redactor),
        Format::Bpfink => Form::bpfink(redactor),
        Format::Json => Form::json(&plan.config.root, redactor),
    };
    let progress = TerminalProgress::on_terminal();
    let wipes = progress.is_some() && std::io::stdout().is_terminal();
    let mut sink = LineSink::new(std::io::stdout(), form, gone.clone(), notes).wiping(wipes);

    let (mut state, lost) = state(plan)?;
    let key = key::load(&plan.config.state)?;
    if plan.config.evidence.keyed {
        sink = sink.sealed_under(key.clone());
    }
    let mut builder = Engine::builder().limits(limits(plan)).scan(scan(plan));
    for lost in lost.into_iter().chain(lost_key(&mut state, &key)?) {
        builder = builder.baseline_lost(lost);
    }
    for consumer in watched.consumers(plan, &key)? {
        builder = builder.consumer(consumer);
    }
    builder = builder.secrecy(watched.secrecy(plan, key)?);
    if let Some(progress) = progress {
        builder = builder.progress(Box::new(progress));
    }
    builder.build(state, Box::new(sink)).map_err(Failure::from)
}

/// What a running engine is to go on with.
///
/// # Errors
/// When the key cannot be read, or a pattern not be used.
pub fn reload(plan: &Plan, key: &Key, watched: &Watched, notes: Vec<String>) -> Result<Reload, Failure> {
    let reload = Reload::new(limits(plan), scan(plan)).secrecy(watched.secrecy(plan, key.clone())?);
    let reload = watched.consumers(plan, key)?.into_iter().fold(reload, Reload::consumer);
    Ok(notes.into_iter().fold(reload, Reload::note))
}

fn limits(plan: &Plan) -> Limits {
    let mut limits = Limits::default();
    limits.max_hash_bytes = plan.config.limits.max_file_size.0;
    limits
}

pub fn scan(plan: &Plan) -> Scan {
    let config = &plan.config.scan;
    let mut scan = Scan::never();
    scan.metadata_every = config.metadata_every.0;
    scan.full_every = config.full_every.0;
    scan.remote_every = config.remote_every.0;
    scan.files_per_second = config.files_per_second;
    scan.bytes_per_second = config.bytes_per_second.0;
    scan
}

/// What is to be said if the key is not the one this state was made with: what is kept of secrets under the
/// old one cannot be compared any more.
fn lost_key(state: &mut State, key: &Key) -> Result<Option<BaselineLost>, Failure> {
    const KEY: &str = "key";
    let id = key.id().to_le_bytes();
    let known = state.meta(KEY)?;
    if known.as_deref() == Some(&id) {
        return Ok(None);
    }
    state.set_meta(KEY, &id)?;
    Ok(known.map(|_| {
        let mut lost = BaselineLost::default();
        lost.reason = "the key of this installation is not the one the state was made with: \
                       whether a password or other secret changed since cannot be told"
            .to_owned();
        lost.scope = "secrets".to_owned();
        lost
    }))
}

/// The state; and if the one there was is damaged, what is to be said of it: it is set aside, never replaced
/// in silence.
fn state(plan: &Plan) -> Result<(State, Option<BaselineLost>), Failure> {
    let dir = &plan.config.state;
    let open = || SledStore::open(dir).and_then(|store| State::open(Box::new(store)));
    match open() {
        Err(error) if matches!(error.kind, StoreErrorKind::Corrupt | StoreErrorKind::Rollback) => {
            let aside = SledStore::set_aside(dir)?;
            log::error!("{error}; it was set aside as {}, and a new baseline is made", aside.display());
            let mut lost = BaselineLost::default();
            lost.reason = error.to_string();
            lost.scope = "all".to_owned();
            lost.set_aside = Some(aside);
            Ok((open()?, Some(lost)))
        }
        opened => Ok((opened?, None)),
    }
}
