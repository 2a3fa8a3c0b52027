//! SIGTERM and SIGINT: the first asks for the end, the second ends at once. SIGHUP asks for the configuration to
//! be loaded anew.

use fim_core::StopToken;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;
use std::sync::mpsc::SyncSender;

/// Signals that are caught and wait to be heard: whoever is told to end while it starts ends in good order too.
#[derive(Debug)]
pub struct Caught(Signals);

/// Catches signals from here on.
///
/// # Errors
/// When the system refuses the handlers.
pub fn catch() -> io::Result<Caught> {
    Signals::new([SIGTERM, SIGINT, SIGHUP]).map(Caught)
}

impl Caught {
    /// Raises the token at the first signal to end; sends a word at each to load.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn listen(self, stop: StopToken, load: SyncSender<()>) -> io::Result<()> {
        let Self(mut signals) = self;
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                hear(signal, &stop, &load);
            }
        })?;
        Ok(())
    }
}

fn hear(signal: i32, stop: &StopToken, load: &SyncSender<()>) {
    if signal == SIGHUP {
        // Full: it was asked for and is not loaded yet.
        let _asked_already = load.try_send(());
        return;
    }
    if stop.is_stopped() {
        log::warn!("second signal: ending at once; what was not reported is reported at the next start");
        if let Err(error) = signal_hook::low_level::emulate_default_handler(signal) {
            log::error!("cannot end: {error}");
        }
    }
    log::info!("stopping: finishing what was seen");
    stop.stop();
}
