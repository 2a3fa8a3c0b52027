//! SIGTERM and SIGINT: the first asks for the end, the second ends at once. SIGHUP asks for the configuration to
//! be loaded anew.

use fim_core::StopToken;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;
use std::sync::mpsc::SyncSender;

/// Raises the token at the first signal to end; sends a word at each to load.
///
/// # Errors
/// When the system gives no thread or refuses the handlers.
pub fn listen(stop: StopToken, load: SyncSender<()>) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            if signal == SIGHUP {
                // Full: it was asked for and is not loaded yet.
                let _asked_already = load.try_send(());
                continue;
            }
            if stop.is_stopped() {
                log::warn!(
                    "second signal: ending at once; what was not reported is reported at the next start"
                );
                if let Err(error) = signal_hook::low_level::emulate_default_handler(signal) {
                    log::error!("cannot end: {error}");
                }
            }
            log::info!("stopping: finishing what was seen");
            stop.stop();
        }
    })?;
    Ok(())
}
