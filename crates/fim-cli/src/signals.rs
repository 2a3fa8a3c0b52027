//! SIGTERM and SIGINT: the first asks for the end, the second ends at once.

use fim_core::StopToken;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;

/// Raises the token at the first signal.
///
/// # Errors
/// When the system gives no thread or refuses the handlers.
pub fn stop_on_signal(stop: StopToken) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
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
