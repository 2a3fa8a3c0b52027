//! A configuration: read, printed, read again. And one of bpfink.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    fim_cli::fuzz::config(text);
    fim_cli::fuzz::bpfink_config(text);
});
