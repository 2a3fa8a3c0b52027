//! Opening, sizing, loading and attaching the programs.
//!
//! Knows nothing of records: it hands out maps, links, and what could not be had.

use crate::config::{BpfConfig, PinConfig};
use crate::hooks::{self, Hook};
use crate::kept::{Kept, Values};
use crate::marks::BpfMarks;
use crate::pins::{self, Earlier, Maps};
use crate::skel::{FimSkelBuilder, OpenFimSkel};
use crate::takeover::{self, Inherited};
use crate::{layout, subvolumes, sys};
use fim_core::WatchError;
use libbpf_rs::skel::{OpenSkel, Skel, SkelBuilder};
use libbpf_rs::{Btf, ErrorKind, Link, MapCore, MapHandle, Object, OpenObject, PrintLevel, set_print};
use std::collections::HashSet;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Once};

/// Loaded and attached programs. Dropping it detaches them.
pub struct Programs {
    /// Attached hooks, by name of program, with the program for its counters.
    pub attached: Vec<Attached>,
    /// What could not be attached, and why.
    pub refused: Vec<String>,
    /// The ring of records.
    pub events: MapHandle,
    /// The marks.
    pub marks: BpfMarks,
    /// The processes that were told, for the next start.
    pub processes: MapHandle,
    /// What was gone on with, if anything.
    pub inherited: Option<Inherited>,
    /// Where all this is pinned, if it is.
    pub pinned: Option<PathBuf>,
}

/// One attached program.
pub struct Attached {
    /// Which.
    pub hook: Hook,
    /// The program, for its counters.
    pub program: OwnedFd,
    /// What attaches it.
    pub link: Link,
}

/// Loads and attaches what this kernel can carry.
pub fn load(config: &BpfConfig) -> Result<Programs, WatchError> {
    quiet();
    let btf = Btf::from_vmlinux().map_err(|error| {
        WatchError::new("cannot read the kernel's type information (/sys/kernel/btf/vmlinux)")
            .caused_by(error)
            .hint("the BPF watcher needs a kernel built with CONFIG_DEBUG_INFO_BTF; --watcher fanotify works without")
    })?;
    // Before all functions are searched for and maps are made for all the files: where it is forbidden, that is a quarter
    // of a start.
    if let Some(function) = hooks::HOOKS.iter().find_map(|hook| hooks::id(&btf, hook.function))
        && let Err(error) = sys::try_to_hook(function).map_err(libbpf_rs::Error::from)
        && forbidden(&error)
    {
        return Err(refused(error, "load"));
    }
    let chosen = hooks::choose(|function| hooks::arguments(&btf, function));
    let mut storage = MaybeUninit::uninit();
    let mut open = open(&mut storage)?;
    let earlier = config.pins.as_ref().map(|pins| pins::find(&pins.dir)).unwrap_or_default();
    let before = go_on_with(&mut open, &earlier, config)?;
    for mut program in open.open_object_mut().progs_mut() {
        let name = program.name().to_string_lossy().into_owned();
        let wanted = ["fill", "writers", "control"].contains(&name.as_str())
            || chosen.iter().any(|hook| hook.program == name);
        program.set_autoload(wanted);
    }
    let mut skel = open.load().map_err(|error| refused(error, "load"))?;
    let mut programs = attach(skel.object(), &chosen)?;
    programs.refused.extend(subvolumes::untold(&btf));
    if let (Some(kept), Some(bss)) = (before, skel.maps.bss_data.as_deref_mut()) {
        let marked = takeover::open_filter(&programs, bss).map_err(|error| {
            WatchError::new("cannot read the marks that an earlier start left").caused_by(error)
        })?;
        programs.inherited = Some(Inherited { marked, kept });
    }
    if let Some(pins) = &config.pins {
        pin(pins, earlier, skel.object(), &mut programs)?;
    }
    Ok(programs)
}

/// Sizes the maps, or goes on with those of an earlier start; what that one kept.
fn go_on_with(
    open: &mut OpenFimSkel<'_>,
    earlier: &Earlier,
    config: &BpfConfig,
) -> Result<Option<Values>, WatchError> {
    match earlier.maps.as_ref().map(|maps| (maps, takeover::misfit(maps, &open.maps, config))) {
        Some((maps, None)) => {
            takeover::reuse(maps, &mut open.maps)
                .map_err(|error| WatchError::new("cannot go on with pinned BPF maps").caused_by(error))?;
            return Ok(Some(Values::read(&maps.kept)));
        }
        Some((_, Some(misfit))) => {
            log::warn!("pinned BPF maps are replaced: {misfit}; who changed what meanwhile is not known");
        }
        None => {}
    }
    size(open, config)?;
    Ok(None)
}

/// Pins what is attached where it is to stay, and removes what was pinned before: in this order, so that there
/// is no moment in which nothing is attached.
fn pin(
    pins: &PinConfig,
    earlier: Earlier,
    object: &Object,
    programs: &mut Programs,
) -> Result<(), WatchError> {
    if pins.keep {
        let mut maps = Maps {
            marks: map(object, "marks")?,
            events: map(object, "events")?,
            counts: map(object, "counts")?,
            told: map(object, "told")?,
            renames: map(object, "renames")?,
            processes: map(object, "processes")?,
            kept: map(object, "kept")?,
        };
        let kept = Arc::new(Kept::new(map(object, "kept")?));
        match pins::pin(&pins.dir, &earlier, &mut maps, &mut programs.attached) {
            Ok(dir) => {
                programs.marks.kept = Some(kept);
                programs.pinned = Some(dir);
            }
            Err(error) => {
                log::error!("{error}");
                programs.refused.push(format!("nothing marks while no agent runs: {error}"));
            }
        }
    }
    if let Err(error) = earlier.remove() {
        log::error!("{}: cannot remove what an earlier start pinned: {error}", pins.dir.display());
    }
    Ok(())
}

fn map(object: &Object, name: &str) -> Result<MapHandle, WatchError> {
    object
        .maps()
        .find(|map| map.name() == name)
        .ok_or_else(|| WatchError::new(format!("the BPF programs have no map {name}")))
        .and_then(|map| {
            MapHandle::try_from(&map)
                .map_err(|error| WatchError::new(format!("cannot keep the BPF map {name}")).caused_by(error))
        })
}

fn open(storage: &mut MaybeUninit<OpenObject>) -> Result<OpenFimSkel<'_>, WatchError> {
    FimSkelBuilder::default()
        .open(storage)
        .map_err(|error| WatchError::new("cannot open the BPF programs").caused_by(error))
}

fn size(open: &mut OpenFimSkel<'_>, config: &BpfConfig) -> Result<(), WatchError> {
    let failed = |error: libbpf_rs::Error| WatchError::new("cannot size the BPF maps").caused_by(error);
    open.maps.marks.set_max_entries(config.mark_capacity()).map_err(failed)?;
    open.maps.events.set_max_entries(config.ring_size()).map_err(failed)?;
    if config.pins.as_ref().is_some_and(|pins| pins.keep) {
        // What the kernel will not tell again must be there for the next start.
        open.maps.told.set_max_entries(layout::KEPT_PROCESSES).map_err(failed)?;
        open.maps.processes.set_max_entries(layout::KEPT_PROCESSES).map_err(failed)?;
    }
    Ok(())
}

fn attach(object: &Object, chosen: &[Hook]) -> Result<Programs, WatchError> {
    let io = |what: &'static str| move |error: std::io::Error| WatchError::new(what).caused_by(error);
    let map = |name: &str| map(object, name);
    let program = |name: &str| {
        object
            .progs_mut()
            .find(|program| program.name() == name)
            .ok_or_else(|| WatchError::new(format!("the BPF programs have no program {name}")))
    };
    let fill = sys::link_task_file(program("fill")?.as_fd(), Some(std::process::id()))
        .map_err(io("cannot make an iterator over our own files"))?;
    let writers = sys::link_task_file(program("writers")?.as_fd(), None)
        .map_err(io("cannot make an iterator over open files"))?;
    let control =
        program("control")?.as_fd().try_clone_to_owned().map_err(io("cannot keep a BPF program"))?;
    let (marks, wanted, counts) = (map("marks")?, map("wanted")?, map("counts")?);
    let (kept, positions, inherited, backlog) = (None, None, HashSet::new(), None);
    let marks =
        BpfMarks { marks, wanted, counts, fill, writers, control, kept, positions, inherited, backlog };
    // Teaches the programs who we are before any of them can see us.
    marks.pass(|_, _, _| {}).map_err(io("cannot run the iterator over our own files"))?;

    let mut programs = Programs {
        attached: Vec::new(),
        refused: Vec::new(),
        events: map("events")?,
        marks,
        processes: map("processes")?,
        inherited: None,
        pinned: None,
    };
    for hook in chosen {
        let program = program(hook.program)?;
        // One by one: a partial failure of attaching all would leave links behind, and name none.
        match program.attach() {
            Ok(link) => programs.attached.push(Attached {
                hook: *hook,
                program: program.as_fd().try_clone_to_owned().map_err(io("cannot keep a BPF program"))?,
                link,
            }),
            Err(error) if forbidden(&error) => return Err(refused(error, "attach")),
            Err(error) => programs.refused.push(format!("{} cannot be hooked: {error}", hook.function)),
        }
    }
    if programs.attached.is_empty() {
        return Err(
            WatchError::new("the kernel let no BPF program be attached").hint(programs.refused.join("; "))
        );
    }
    Ok(programs)
}

fn refused(error: libbpf_rs::Error, what: &str) -> WatchError {
    if !forbidden(&error) {
        return WatchError::new(format!("cannot {what} the BPF programs"))
            .caused_by(error)
            .hint("-v shows what the kernel said; --watcher fanotify works without BPF");
    }
    WatchError::new(format!("the kernel does not let us {what} BPF tracing programs")).caused_by(error).hint(
        if rustix::process::geteuid().is_root() {
            "lockdown, a security module or a container forbids it; --watcher fanotify works without"
        } else {
            "run it as root, or with the capabilities CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN"
        },
    )
}

/// EPERM: the machine forbids it. EACCES, which is of the same kind, is the verifier's word on a program.
fn forbidden(error: &libbpf_rs::Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied && format!("{error:#}").contains("(os error 1)")
}

/// libbpf's messages go to the log. Its advice to raise RLIMIT_MEMLOCK is mostly wrong.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        set_print(Some((PrintLevel::Debug, |level, message| {
            let message = message.trim_end();
            match level {
                PrintLevel::Debug => log::trace!("{message}"),
                PrintLevel::Info | PrintLevel::Warn => log::debug!("{message}"),
            }
        })));
    });
}

impl BpfConfig {
    /// Entries of the map of marks: room for a quarter more files than were planned for.
    pub(crate) fn mark_capacity(&self) -> u32 {
        let files = self.expected_files.max(1024);
        files.saturating_add(files / 4)
    }

    /// A power of two and of pages.
    pub(crate) fn ring_size(&self) -> u32 {
        self.ring_bytes.clamp(4096, 1 << 30).next_power_of_two()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_the_verifier_refuses_is_not_blamed_on_the_machine() {
        for (code, machine) in [(1, true), (13, false), (22, false)] {
            assert_eq!(forbidden(&libbpf_rs::Error::from_raw_os_error(code)), machine, "{code}");
        }
    }

    #[test]
    fn sizes_stay_within_what_the_kernel_takes() {
        for (files, ring, marks) in
            [(0, 0, 1280), (100_000, 8 << 20, 125_000), (u32::MAX, u32::MAX, u32::MAX)]
        {
            let config = BpfConfig { expected_files: files, ring_bytes: ring, ..BpfConfig::default() };
            assert_eq!(config.mark_capacity(), marks);
            assert!(config.ring_size().is_power_of_two() && config.ring_size() >= 4096);
        }
    }
}
