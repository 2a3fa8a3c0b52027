//! Joins configuration, state, consumers and output to an engine. The one place that knows all the parts.

use crate::config::{Format, Plan};
use crate::consumers::Watched;
use crate::failure::Failure;
use crate::key;
use crate::output::{Form, LineSink, Reader, Redactor, Stdout};
use crate::own::Own;
use crate::progress::TerminalProgress;
use crate::signature::Signer;
use fim_core::{
    BaselineLost, Engine, Explainer, Key, Limits, Reload, Scan, Severity, SledStore, State, StoreError,
    StoreErrorKind, Tampering,
};
use fim_explainers::{Dpkg, Explainers, Programs, Rpm, Windows, Writers};
use std::io::IsTerminal;

/// What a watch has besides its configuration.
#[derive(Debug, Default)]
pub struct Equipment {
    /// Added to what `watch_started` says.
    pub notes: Vec<String>,
    /// Who tells what a process runs.
    pub programs: Option<Programs>,
    /// It goes on: what is needed later is made ready now.
    pub lasts: bool,
}

/// An engine that watches these, in order of precedence, and reports to standard output.
///
/// # Errors
/// When the key cannot be read, or a pattern not be used.
pub fn engine(
    plan: &Plan,
    watched: &Watched,
    (mut state, lost): Opened,
    equipment: Equipment,
    (out, reader): (Stdout, &Reader),
    redactor: Redactor,
) -> Result<Engine, Failure> {
    let form = match plan.config.format {
        Format::Pretty => Form::pretty(redactor),
        Format::Ocsf => Form::ocsf(&plan.config.root, redactor),
        Format::Bpfink => Form::bpfink(redactor),
        Format::Json => Form::json(&plan.config.root, redactor).map_err(fim_core::EngineError::Sink)?,
    };
    let progress = TerminalProgress::on_terminal();
    let wipes = progress.is_some() && std::io::stdout().is_terminal();
    let mut sink = LineSink::new(out, form, reader.clone(), equipment.notes).wiping(wipes);

    let key = key::load(&plan.config.state)?;
    if plan.config.evidence.keyed {
        sink = sink.sealed_under(key.clone());
    }
    if plan.config.evidence.sign {
        sink = sink.signed_by(Signer::load(&plan.config.state, plan.config.evidence.sign_every.0)?);
    }
    let mut builder = Engine::builder().limits(limits(plan)).scan(scan(plan)).root(&plan.config.root);
    for lost in lost.into_iter().chain(lost_key(&mut state, &key)?) {
        builder = builder.baseline_lost(lost);
    }
    for consumer in watched.consumers(plan, &key)? {
        builder = builder.consumer(consumer);
    }
    builder = builder.secrecy(watched.secrecy(plan, key)?);
    if let Some(explainer) = explainer(plan, equipment.programs, equipment.lasts)? {
        builder = builder.explainer(explainer);
    }
    if let Some(own) = &watched.own {
        builder = builder.guard(own.guard());
    }
    if let Some(progress) = progress {
        builder = builder.progress(Box::new(progress));
    }
    builder.build(state, Box::new(sink)).map_err(Failure::from)
}

/// What a running engine is to go on with.
///
/// # Errors
/// When the key cannot be read, or a pattern not be used.
pub fn reload(plan: &Plan, key: &Key, watched: &Watched, equipment: Equipment) -> Result<Reload, Failure> {
    let reload = Reload::new(limits(plan), scan(plan)).secrecy(watched.secrecy(plan, key.clone())?);
    let reload = reload.guard(watched.own.as_ref().map(Own::guard).unwrap_or_default());
    let reload = watched.consumers(plan, key)?.into_iter().fold(reload, Reload::consumer);
    let reload = match explainer(plan, equipment.programs, equipment.lasts)? {
        Some(explainer) => reload.explainer(explainer),
        None => reload,
    };
    Ok(equipment.notes.into_iter().fold(reload, Reload::note))
}

/// Who says what led to a change: packages, whose word is proven, before writers, before windows.
fn explainer(
    plan: &Plan,
    programs: Option<Programs>,
    lasts: bool,
) -> Result<Option<Box<dyn Explainer>>, Failure> {
    let config = &plan.config;
    let mut explainers = Explainers::default();
    if config.packages.verify {
        let dpkg = Dpkg::below(&config.root)
            .map_err(|error| Failure::new(format!("cannot read dpkg's database: {error}")))?;
        if let Some(mut dpkg) = dpkg {
            if lasts {
                dpkg.prepare();
            }
            explainers.push(dpkg);
        }
        let rpm = Rpm::below(&config.root)
            .map_err(|error| Failure::new(format!("cannot read rpm's database: {error}")))?;
        if let Some(mut rpm) = rpm {
            if lasts {
                rpm.prepare();
            }
            explainers.push(rpm);
        }
    }
    // They were tried when the plan was made.
    let writers = config.writers().unwrap_or_default();
    if !writers.is_empty() {
        explainers.push(Writers::new(writers, programs));
    }
    let windows = config.windows().unwrap_or_default();
    if !windows.is_empty() {
        explainers.push(Windows::new(windows));
    }
    Ok((!explainers.is_empty()).then(|| Box::new(explainers) as Box<dyn Explainer>))
}

/// Whether changes by packages are explained, in words.
pub fn packages(plan: &Plan) -> String {
    let root = &plan.config.root;
    if !plan.config.packages.verify {
        return "not explained: `verify` in [packages] is false".to_owned();
    }
    let found = Dpkg::below(root).and_then(|dpkg| Ok((dpkg.is_some(), Rpm::below(root)?.is_some())));
    match found {
        Ok((true, false)) => "what they change is checked against dpkg's database".to_owned(),
        Ok((false, true)) => "what they change is checked against rpm's database".to_owned(),
        Ok((true, true)) => "what they change is checked against the databases of dpkg and rpm".to_owned(),
        Ok((false, false)) => {
            let root = root.display();
            format!(
                "not explained: there is no database of dpkg, and none of rpm that is SQLite, below {root}"
            )
        }
        Err(error) => format!("not explained: {error}"),
    }
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

/// A state; and if the one there was is damaged, what is to be said of it.
pub type Opened = (State, Option<BaselineLost>);

/// Opens the state. A damaged one is set aside, never replaced in silence.
///
/// # Errors
/// When it cannot be used, or another process does.
pub fn open(plan: &Plan) -> Result<Opened, Failure> {
    open_as(plan, false).map(|(opened, _)| opened)
}

/// As [`open`], for a watch: what is to be said if the folder is a copy is said once.
///
/// # Errors
/// As [`open`].
pub fn open_to_guard(plan: &Plan) -> Result<(Opened, Option<Tampering>), Failure> {
    let (opened, is_copy) = open_as(plan, true)?;
    let copied = is_copy.then(|| {
        let what = "the state folder is not the one that was written last: it was moved, or an older copy was put back";
        let mut copied = Tampering::new("state", what);
        (copied.severity, copied.path) = (Severity::High, Some(plan.config.state.clone()));
        copied
    });
    Ok((opened, copied))
}

/// `adopts`: a copy is the original from now on.
fn open_as(plan: &Plan, adopts: bool) -> Result<(Opened, bool), Failure> {
    let dir = &plan.config.state;
    let open = || {
        let mut store = SledStore::open(dir)?;
        let is_copy = store.is_copy();
        if is_copy && adopts {
            store.adopt_copy();
        }
        Ok::<_, StoreError>((State::open(Box::new(store))?, is_copy))
    };
    let ((state, is_copy), lost) = match open() {
        Err(error) if matches!(error.kind, StoreErrorKind::Corrupt | StoreErrorKind::Rollback) => {
            let aside = SledStore::set_aside(dir)?;
            log::error!("{error}; it was set aside as {}, and a new baseline is made", aside.display());
            let mut lost = BaselineLost::default();
            lost.reason = error.to_string();
            lost.scope = "all".to_owned();
            lost.set_aside = Some(aside);
            (open()?, Some(lost))
        }
        opened => (opened?, None),
    };
    Ok(((state, lost), is_copy))
}
