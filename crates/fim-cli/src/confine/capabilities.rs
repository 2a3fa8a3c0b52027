//! Which capabilities(7) watching needs once it has begun. The others are given up for good.

use rustix::io::Result;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

/// What depends on how fim runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// BPF programs are run and their maps read.
    pub bpf: bool,
    /// /proc is asked which program another user's process runs.
    pub other_processes: bool,
    /// A file is replaced in a folder of another user.
    pub foreign_folder: bool,
}

impl Wanted {
    fn set(self) -> CapabilitySet {
        // To read every file and directory; to leave the access times of others' files alone (O_NOATIME); and
        // for attributes named trusted.*, which nobody else sees, and marks of fanotify on whole file systems.
        let mut set = CapabilitySet::DAC_READ_SEARCH | CapabilitySet::FOWNER | CapabilitySet::SYS_ADMIN;
        set.set(CapabilitySet::BPF | CapabilitySet::PERFMON, self.bpf);
        set.set(CapabilitySet::SYS_PTRACE, self.other_processes);
        set.set(CapabilitySet::DAC_OVERRIDE, self.foreign_folder);
        set
    }
}

/// Keeps of what this thread has what is wanted, and lets neither it nor what it starts gain more; says what is
/// left. Threads that run already keep theirs.
///
/// # Errors
/// As capset(2) and prctl(2): a system that forbids to give up privileges.
pub fn keep(wanted: Wanted) -> Result<String> {
    set_no_new_privs(true)?;
    let has = capabilities(None)?;
    let kept = has.permitted & wanted.set();
    // Older kernels know no ambient set, and without CAP_SETPCAP the bounding set stays: with no new privileges
    // nothing can be gained through either.
    let _no_ambient = clear_ambient_capability_set();
    for one in CapabilitySet::all().iter().filter(|one| !kept.contains(*one)) {
        let _kept = remove_capability_from_bounding_set(one);
    }
    set_capabilities(
        None,
        CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() },
    )?;
    let names: Vec<&str> = kept.iter_names().map(|(name, _)| name).collect();
    Ok(if names.is_empty() { "none".to_owned() } else { names.join(" ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_up_is_gone_for_this_thread_and_those_it_starts() {
        std::thread::spawn(|| {
            let before = capabilities(None).unwrap();
            let said = keep(Wanted { bpf: true, ..Wanted::default() }).unwrap();
            assert!(!said.contains("SYS_PTRACE") && !said.contains("CHOWN"), "{said}");
            let now = std::thread::spawn(|| capabilities(None).unwrap()).join().unwrap();
            assert!(before.permitted.contains(now.permitted));
            assert_eq!(
                now.effective & (CapabilitySet::CHOWN | CapabilitySet::SYS_MODULE),
                CapabilitySet::empty()
            );
            assert_eq!(now.effective, now.permitted);
            let more = CapabilitySets { effective: before.permitted, ..before };
            assert!(before.permitted == now.permitted || set_capabilities(None, more).is_err());
        })
        .join()
        .unwrap();
    }
}
