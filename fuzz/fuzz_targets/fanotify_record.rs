//! Records from a fanotify group.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = fim_fanotify::decode(bytes);
});
