//! A log that is to be verified.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|log: &[u8]| fim_cli::fuzz::verify(log));
