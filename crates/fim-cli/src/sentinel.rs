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

/// How often it wakes. What it notices is reported at once.
const TICK: Duration = Duration::from_secs(1);

/// A signal that explains a long sleep is waited for so long, so many times at most.
const MOMENT: Duration = Duration::from_millis(5);
const MOMENTS: u32 = 40;

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
            if clocks::stood(&before, &after, TICK) >= clocks::STOPPED_BY_SIGNAL {
                await_signal(&continued);
            }
            let signal = continued.swap(false, Ordering::Relaxed);
            let noticed = clocks::noticed(&before, &after, TICK, signal).into_iter().chain(folder.noticed());
            noticed.for_each(|tampering| tell(&control, tampering));
        }
    })?;
    Ok(())
}

/// The signal to go on is taken by any thread, which may run a moment after this one.
fn await_signal(continued: &AtomicBool) {
    for _ in 0..MOMENTS {
        if continued.load(Ordering::Relaxed) {
            return;
        }
        std::thread::sleep(MOMENT);
    }
}

fn tell(control: &Control, tampering: Tampering) {
    log::warn!("{}: {}", tampering.against, tampering.reason);
    control.tampered(tampering);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_another_thread_takes_a_moment_later_is_waited_for() {
        let continued = Arc::new(AtomicBool::new(false));
        let (late, (go, gone)) = (Arc::clone(&continued), std::sync::mpsc::channel());
        let other = std::thread::spawn(move || {
            gone.recv().unwrap();
            late.store(true, Ordering::Relaxed);
        });
        go.send(()).unwrap();
        await_signal(&continued);
        other.join().unwrap();
        assert!(continued.load(Ordering::Relaxed));
        // And none for ever.
        await_signal(&AtomicBool::new(false));
    }
}
