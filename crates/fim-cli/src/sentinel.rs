//! Notices what is done to the process itself: that it was stopped, that the clock was set, that its state was
//! taken away. On a thread of its own that sleeps, for the others may be busy for good reasons.

mod clocks;
mod state_folder;

use clocks::Clocks;
use fim_core::{Control, Tampering};
use signal_hook::consts::SIGCONT;
use state_folder::StateFolder;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often it wakes. What it notices is reported within a quarter of a second more.
const TICK: Duration = Duration::from_secs(1);

/// Watches over the process and its state folder from now on.
///
/// # Errors
/// When there is no thread to be had, or no handler for SIGCONT.
pub fn start(state: &Path, control: Control) -> std::io::Result<()> {
    let continued = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGCONT, Arc::clone(&continued))?;
    let mut folder = StateFolder::now(state);
    std::thread::Builder::new().name("sentinel".to_owned()).spawn(move || {
        loop {
            // Around the sleep alone: a disk that does not answer is no stop.
            let before = Clocks::now();
            std::thread::sleep(TICK);
            let after = Clocks::now();
            let signal = continued.swap(false, Ordering::Relaxed);
            let noticed = clocks::noticed(&before, &after, TICK, signal).into_iter().chain(folder.noticed());
            noticed.for_each(|tampering| tell(&control, tampering));
        }
    })?;
    Ok(())
}

fn tell(control: &Control, tampering: Tampering) {
    log::warn!("{}: {}", tampering.against, tampering.reason);
    control.tampered(tampering);
}
