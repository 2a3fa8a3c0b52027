//! Whether the right process was named.

use super::Seen;

/// What is wrong with whom a line names, if anything. `pids` are those who had a hand in it.
pub(super) fn fault(seen: &Seen, pids: &[u32]) -> Option<String> {
    if seen.pids.iter().any(|pid| pids.contains(pid)) {
        None
    } else if seen.pids.is_empty() {
        Some("nobody was named".to_owned())
    } else {
        Some(format!("process {:?} was named instead of {pids:?}", seen.pids))
    }
}
