//! Going on with the maps of an earlier start: what its programs marked is still there, and so are the records
//! that nobody read.
//!
//! Knows nothing of files on the BPF file system.

use crate::config::BpfConfig;
use crate::intake::Intake;
use crate::kept::Values;
use crate::losses::Losses;
use crate::object::Programs;
use crate::pins::Maps;
use crate::skel::{OpenFimMaps, types};
use crate::{layout, sys};
use fim_core::{Backlog, FileId, WatchError, WatchMessage};
use libbpf_rs::{MapCore, MapHandle, OpenMap};
use std::cell::RefCell;
use std::collections::HashSet;
use std::io;
use std::os::fd::AsFd;

/// What is gone on with.
#[derive(Debug)]
pub struct Inherited {
    /// The files that were marked.
    pub marked: HashSet<FileId>,
    /// What the start before kept.
    pub kept: Values,
}

/// Why maps cannot be gone on with; `None` if they can.
pub fn misfit(maps: &Maps, open: &OpenFimMaps<'_>, config: &BpfConfig) -> Option<&'static str> {
    if Values::read(&maps.kept).layout != layout::DIGEST {
        return Some("their records have another form: another version of fim made them");
    }
    let alike = is_alike(&maps.marks, &open.marks)
        && is_alike(&maps.events, &open.events)
        && is_alike(&maps.counts, &open.counts)
        && is_alike(&maps.told, &open.told)
        && is_alike(&maps.renames, &open.renames)
        && is_alike(&maps.processes, &open.processes)
        && is_alike(&maps.kept, &open.kept);
    if !alike {
        return Some("they have another form: another version of fim made them");
    }
    if maps.events.max_entries() != config.ring_size() {
        return Some("the ring is to have another size");
    }
    // Room for twice what is there is asked for, and a quarter more: see `BpfConfig::expected_files`.
    if maps.marks.max_entries() < config.mark_capacity() / 2 {
        return Some("they have no room for as many files");
    }
    None
}

fn is_alike(pinned: &MapHandle, open: &OpenMap<'_>) -> bool {
    pinned.map_type() == open.map_type()
        && pinned.key_size() == open.key_size()
        && pinned.value_size() == open.value_size()
}

/// Makes the programs use these maps instead of new ones.
pub fn reuse(maps: &Maps, open: &mut OpenFimMaps<'_>) -> Result<(), libbpf_rs::Error> {
    open.marks.reuse_fd(maps.marks.as_fd())?;
    open.events.reuse_fd(maps.events.as_fd())?;
    open.counts.reuse_fd(maps.counts.as_fd())?;
    open.told.reuse_fd(maps.told.as_fd())?;
    open.renames.reuse_fd(maps.renames.as_fd())?;
    open.processes.reuse_fd(maps.processes.as_fd())?;
    open.kept.reuse_fd(maps.kept.as_fd())
}

/// Opens the new programs' own filter for every file that is marked. They are attached by now, beside the old
/// ones, and open it themselves for what either marks from here on.
pub fn open_filter(programs: &Programs, bss: &mut types::bss) -> io::Result<HashSet<FileId>> {
    let mut marked = HashSet::new();
    programs.marks.visit(|id, _| {
        // As `filter_slot` of src-bpf/marks.h, which takes the device where the file system is no btrfs.
        for device in [id.device, 0] {
            let slot = id.inode ^ u64::from(device.wrapping_mul(0x9e37_79b1));
            let slot = usize::try_from(slot % bss.filter.len() as u64).ok();
            if let Some(byte) = slot.and_then(|slot| bss.filter.get_mut(slot)) {
                *byte = 1;
            }
        }
        marked.insert(id);
    })?;
    Ok(marked)
}

/// Takes what is in the ring and what is dirty: that is what happened since nobody took it any more.
pub fn backlog(
    programs: &Programs,
    inherited: &Inherited,
    intake: &RefCell<Intake>,
    losses: &mut Losses,
    drain: impl FnOnce() -> Result<(), WatchError>,
) -> Result<Backlog, WatchError> {
    intake.borrow_mut().hold();
    let processes = sys::visit_map(programs.processes.as_fd(), (4, layout::PROCESS), 256, |_, process| {
        intake.borrow_mut().take(process);
    });
    if let Err(error) = processes {
        log::warn!("cannot read which processes were told: of some only the id will be known: {error}");
    }
    let lost = losses.tell_inherited(&programs.marks, &mut intake.borrow_mut());
    drain()?;
    let dirty = programs.marks.visit(|id, state| {
        if state.dirty || state.mapped {
            intake.borrow_mut().found_dirty(id, state.mapped);
        }
    });
    let mut intake = intake.borrow_mut();
    if let Err(error) = &dirty {
        log::warn!("cannot sweep the marks for what happened before: {error}");
    }
    if let Some(number) = lost {
        intake.send(WatchMessage::Recovered(number));
    }
    Ok(Backlog { messages: intake.release(), is_whole: inherited.kept.complete && dirty.is_ok() })
}
