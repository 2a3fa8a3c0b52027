//! Whether the right process was named.

use super::Seen;

/// What is wrong with whom a line names, if anything. `pids` are those who had a hand in it.
pub(super) fn fault(seen: &Seen, pids: &[u32]) -> Option<String> {
    if seen.pids.iter().any(|pid| pids.contains(pid)) {
        None
    } else if seen.pids.is_empty() && !seen.live {
        // A comparison shows what was done, not by whom: it is late, and no more.
        None
    } else if seen.pids.is_empty() {
        Some("nobody was named".to_owned())
    } else {
        Some(format!("process {:?} was named instead of {pids:?}", seen.pids))
    }
}

/// What is not told of those a line names, where it is more than nothing.
pub(super) fn undescribed(seen: &Seen) -> Option<String> {
    let number = seen.pids.iter().find(|pid| !seen.described.contains(pid))?;
    Some(format!("of process {number} not all is told"))
}

/// Which of those who had a hand in it no line names, if any.
pub(super) fn forgotten(lines: &[&Seen], pids: &[u32]) -> Option<String> {
    let missing: Vec<u32> =
        pids.iter().copied().filter(|pid| !lines.iter().any(|seen| seen.pids.contains(pid))).collect();
    (!missing.is_empty()).then(|| format!("process {missing:?} was not named"))
}
