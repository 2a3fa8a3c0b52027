//! Which of the privileges that watching needs this process has.

/// One that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Privilege {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub purpose: &'static str,
}

/// Capabilities that watching needs, by their numbers in capability.h.
const WANTED: [(u32, &str, &str); 4] = [
    (21, "CAP_SYS_ADMIN", "fanotify on file systems; BPF before Linux 5.8"),
    (39, "CAP_BPF", "loading BPF"),
    (38, "CAP_PERFMON", "attaching BPF"),
    (2, "CAP_DAC_READ_SEARCH", "reading files of every owner"),
];

/// Those that are missing.
pub fn missing() -> Vec<Privilege> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    effective(&status).map_or_else(Vec::new, absent)
}

/// The effective capabilities in `/proc/PID/status`.
fn effective(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

fn absent(set: u64) -> Vec<Privilege> {
    // CAP_SYS_ADMIN includes what CAP_BPF and CAP_PERFMON were later split from it for.
    let admin = set & (1 << 21) != 0;
    WANTED
        .iter()
        .filter(|(bit, ..)| set & (1 << bit) == 0 && !(admin && matches!(bit, 38 | 39)))
        .map(|(_, name, purpose)| Privilege { name, purpose })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        assert_eq!(effective("Name:\tx\nCapEff:\t000001ffffffffff\n"), Some(0x1ff_ffff_ffff));
        assert_eq!(effective("CapEff: zz"), None);
        assert_eq!(effective(""), None);
        assert_eq!(absent(u64::MAX).len(), 0);
        assert_eq!(absent(0).len(), 4);
        assert_eq!(absent(1 << 21).len(), 1);
    }
}
